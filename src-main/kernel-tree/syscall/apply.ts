/** Writes a plan into the tree and takes the last one back. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { KernelTreeError, type FileEdit, type ScaffoldPlan, type UndoRecord } from '../../contract/kernel-tree.ts'
import { treeState, writeWhole } from '../state.ts'
import { readText } from '../tree.ts'

/** Records kept per tree, the newest last. */
const MOST_RECORDS = 20

const recordsFile = (tree: string) => path.join(treeState(tree), 'undo.json')

function records(tree: string): UndoRecord[] {
  const file = recordsFile(tree)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as UndoRecord[]) : []
}

/** The first file that is not as `expected` says. */
function changedFile(tree: string, edits: readonly FileEdit[], expected: 'before' | 'after'): string | undefined {
  return edits.find((edit) => readText(path.join(tree, edit.file)) !== edit[expected])?.file
}

function write(tree: string, file: string, text: string | undefined): void {
  const target = path.join(tree, file)
  if (text === undefined) {
    rmSync(target, { force: true })
    return
  }
  mkdirSync(path.dirname(target), { recursive: true })
  try {
    // In place: mode, owner and links of the user's file stay.
    writeFileSync(target, text)
  } catch (error) {
    throw new KernelTreeError(`${target} cannot be written: ${(error as Error).message}`)
  }
}

/** All files or none: when one cannot be written, those before it get their old text back. */
function writeAll(tree: string, edits: readonly FileEdit[], to: 'before' | 'after'): void {
  const from = to === 'after' ? 'before' : 'after'
  const written: FileEdit[] = []
  try {
    for (const edit of edits) {
      write(tree, edit.file, edit[to])
      written.push(edit)
    }
  } catch (error) {
    for (const edit of written) write(tree, edit.file, edit[from])
    throw error
  }
}

export function applyPlan(tree: string, name: string, plan: ScaffoldPlan): UndoRecord {
  const changed = changedFile(tree, plan.edits, 'before')
  if (changed !== undefined)
    throw new KernelTreeError(`${changed} was changed since the plan was made; make the plan again`)
  writeAll(tree, plan.edits, 'after')
  const record: UndoRecord = { tree, name, at: Date.now(), edits: plan.edits }
  if (plan.edits.length > 0)
    writeWhole(recordsFile(tree), JSON.stringify([...records(tree), record].slice(-MOST_RECORDS)))
  return record
}

/** Takes the last applied plan back, when its files are still as it left them. */
export function undoLast(tree: string): UndoRecord {
  const kept = records(tree)
  const last = kept.pop()
  if (last === undefined) throw new KernelTreeError(`nothing was changed in ${tree} that could be undone`)
  const changed = changedFile(tree, last.edits, 'after')
  if (changed !== undefined) {
    throw new KernelTreeError(
      `${changed} was changed since, and undoing would lose that; use "longmode kernel syscall remove ${last.name}"`,
    )
  }
  writeAll(tree, last.edits, 'before')
  writeWhole(recordsFile(tree), JSON.stringify(kept))
  return last
}
