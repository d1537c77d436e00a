// The committed results: tests/vectors/<family>.json maps a form to its batches' hashes, 16 digits a batch, in one string.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CASES_PER_FORM } from './families.ts'
import type { Form } from './form.ts'
import { generateCase, type GeneratedCase } from './generate.ts'
import { BATCH, type SnippetMachine } from './layout.ts'
import { normalize, StateHash } from './normalize.ts'

export type FamilyVectors = Record<string, string>

const HASH_DIGITS = 16

function pathOf(family: string): string {
  return fileURLToPath(new URL(`../vectors/${family}.json`, import.meta.url))
}

/** Undefined when the family has never been recorded. */
export function readVectors(family: string): FamilyVectors | undefined {
  const path = pathOf(family)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as FamilyVectors) : undefined
}

export function writeVectors(family: string, vectors: FamilyVectors): void {
  writeFileSync(pathOf(family), JSON.stringify(vectors, null, 2) + '\n')
}

/** Cases of one batch, in slot order. */
export function batchOf(form: Form, batch: number): GeneratedCase[] {
  return Array.from({ length: BATCH }, (_, slot) => generateCase(form, batch * BATCH + slot))
}

/** Runs a form, or its first batches, on a machine: the hashes, joined. */
export function hashForm(form: Form, machine: SnippetMachine, batches = CASES_PER_FORM / BATCH): string {
  let digits = ''
  for (let batch = 0; batch < batches; batch++) {
    const cases = batchOf(form, batch)
    const hash = new StateHash()
    machine.run(cases).forEach((after, slot) => {
      normalize(after, cases[slot])
      hash.add(after)
    })
    digits += hash.digest()
  }
  return digits
}

/** What is expected of the first batches. */
export const firstBatches = (expected: string, batches: number): string => expected.slice(0, batches * HASH_DIGITS)

/** Batches whose hashes differ. */
export function differingBatches(expected: string, actual: string): number[] {
  const differing: number[] = []
  for (let batch = 0; batch * HASH_DIGITS < Math.max(expected.length, actual.length); batch++) {
    const at = batch * HASH_DIGITS
    if (expected.slice(at, at + HASH_DIGITS) !== actual.slice(at, at + HASH_DIGITS)) differing.push(batch)
  }
  return differing
}
