/** Unified diffs as `patch -p1` takes them, by Myers' O(ND) algorithm (1986): edits here are small in files that may be long. */
import type { FileEdit } from '../contract/kernel-tree.ts'

const CONTEXT = 3

interface Change {
  readonly kind: ' ' | '-' | '+'
  readonly text: string
}

/** For each number of edits, the furthest x reached on each diagonal k = x - y; index k + offset. */
function furthest(before: readonly string[], after: readonly string[]): { trace: Int32Array[]; offset: number } {
  const offset = before.length + after.length + 1
  const reach = new Int32Array(2 * offset + 1)
  const trace: Int32Array[] = []
  for (let edits = 0; ; edits++) {
    trace.push(reach.slice())
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reach[offset + k - 1] < reach[offset + k + 1])
      let x = down ? reach[offset + k + 1] : reach[offset + k - 1] + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++
      reach[offset + k] = x
      if (x >= before.length && x - k >= after.length) return { trace, offset }
    }
  }
}

function changesBetween(before: readonly string[], after: readonly string[]): Change[] {
  const { trace, offset } = furthest(before, after)
  const changes: Change[] = []
  let [x, y] = [before.length, after.length]
  for (let edits = trace.length - 1; x > 0 || y > 0; edits--) {
    const reach = trace[edits]
    const k = x - y
    const down = k === -edits || (k !== edits && reach[offset + k - 1] < reach[offset + k + 1])
    const fromX = edits === 0 ? 0 : down ? reach[offset + k + 1] : reach[offset + k - 1]
    const fromY = edits === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
    while (x > fromX && y > fromY) {
      changes.push({ kind: ' ', text: before[--x] })
      y--
    }
    if (x > fromX) changes.push({ kind: '-', text: before[--x] })
    else if (y > fromY) changes.push({ kind: '+', text: after[--y] })
  }
  return changes.reverse()
}

const NO_NEWLINE = '\\ No newline at end of file'

/** Lines of a text; a last line without its newline carries patch's mark, so that it counts as a different line. */
function linesOf(text: string | undefined): string[] {
  if (text === undefined || text === '') return []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  else lines[lines.length - 1] += `\n${NO_NEWLINE}`
  return lines
}

function hunkOf(changes: readonly Change[], from: number, to: number): string[] {
  const count = (end: number, kind: string) => changes.slice(0, end).filter((change) => change.kind !== kind).length
  const range = (kind: string) => {
    const begin = count(from, kind)
    const length = count(to, kind) - begin
    return `${length === 0 ? begin : begin + 1}${length === 1 ? '' : `,${length}`}`
  }
  const body = changes.slice(from, to).map(({ kind, text }) => kind + text)
  return [`@@ -${range('+')} +${range('-')} @@`, ...body]
}

/** One file's part of a diff; empty when nothing changes. */
export function diffOf({ file, before, after }: FileEdit): string {
  const changes = changesBetween(linesOf(before), linesOf(after))
  const edited = changes.flatMap((change, index) => (change.kind === ' ' ? [] : [index]))
  if (edited.length === 0) return ''
  const hunks: string[] = []
  for (let first = 0; first < edited.length;) {
    let last = first
    while (last + 1 < edited.length && edited[last + 1] - edited[last] <= 2 * CONTEXT) last++
    const from = Math.max(0, edited[first] - CONTEXT)
    hunks.push(...hunkOf(changes, from, Math.min(changes.length, edited[last] + CONTEXT + 1)))
    first = last + 1
  }
  const names = [
    before === undefined ? '--- /dev/null' : `--- a/${file}`,
    after === undefined ? '+++ /dev/null' : `+++ b/${file}`,
  ]
  return `${[...names, ...hunks].join('\n')}\n`
}

export function diffOfAll(edits: readonly FileEdit[]): string {
  return edits.map(diffOf).join('')
}
