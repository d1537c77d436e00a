/** The checklist of a system call and the edits that complete it or take it out. */
import type { ScaffoldPlan, SyscallPlace, SyscallReport, SyscallRequest } from '../../contract/kernel-tree.ts'
import { KernelTreeError } from '../../contract/kernel-tree.ts'
import { diffOfAll } from '../diff.ts'
import { gatherFacts, TreeFiles, type Facts } from './facts.ts'
import type { Place } from './place.ts'
import { codePlaces } from './places-code.ts'
import { tablePlaces } from './places-tables.ts'
import { reviewText } from './review.ts'

const places: readonly Place[] = [...tablePlaces, ...codePlaces]

function checkPlace(place: Place, facts: Facts): SyscallPlace {
  const { id, title } = place
  const file = place.file(facts)
  if (place.needed?.(facts) === false) {
    return { id, title, file, status: 'not-needed', sentence: 'only for a call that 32-bit programs shall have' }
  }
  return { id, title, file, ...place.check(facts) }
}

export function checklist(folder: string, request: SyscallRequest): SyscallReport {
  const files = new TreeFiles(folder)
  const facts = gatherFacts(files, request)
  const checked = places.map((place) => checkPlace(place, facts))
  const source = files.read(facts.file)
  const remarks =
    source === undefined || facts.definition === undefined ? [] : reviewText(facts.file, source, files, request.name)
  return {
    name: request.name,
    number: facts.number,
    nextFree: facts.nextFree,
    places: checked,
    complete: checked.every(({ status }) => status === 'done' || status === 'not-needed'),
    remarks,
  }
}

function planOf(files: TreeFiles, number: number): ScaffoldPlan {
  const edits = files.edits()
  return { number, edits, diff: diffOfAll(edits) }
}

/** Edits for every place that is missing; what is inconsistent stays, for only the user knows what was meant. */
export function planAddition(folder: string, request: SyscallRequest): ScaffoldPlan {
  const files = new TreeFiles(folder)
  const facts = gatherFacts(files, request)
  if (request.number !== undefined && facts.number === request.number) {
    const taken = [...facts.rows64, ...facts.rows32].find(
      (row) => row.number === request.number && row.name !== request.name,
    )
    if (taken !== undefined) {
      throw new KernelTreeError(`number ${request.number} is ${taken.name}'s; the next free one is ${facts.nextFree}`)
    }
  }
  for (const place of places) {
    if (place.needed?.(facts) !== false && place.check(facts).status === 'missing') place.add(facts)
  }
  return planOf(files, facts.number)
}

export function planRemoval(folder: string, name: string): ScaffoldPlan {
  const files = new TreeFiles(folder)
  const facts = gatherFacts(files, { name, parameters: [] })
  places.forEach((place) => place.remove(facts))
  const plan = planOf(files, facts.number)
  if (plan.edits.length === 0) throw new KernelTreeError(`the tree has no system call named ${name}; nothing to remove`)
  return plan
}
