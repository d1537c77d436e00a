// The engine against the real CPU: every form of the judged families gives the committed results.
// On a mismatch, on an x86-64 host: npm run vectors:explain -- "<form>"
import { expect, test } from 'vitest'
import { engineMachine } from './engine.ts'
import { families, formsOf } from './families.ts'
import type { Family } from './form.ts'
import { differingBatches, hashForm, readVectors } from './vectors.ts'

/** Families the engine does not have yet; what is not named here is judged. */
const ABSENT = new Set([
  'sse-arithmetic',
  'sse-compare',
  'sse-convert',
  'sse-move',
  'sse3',
  'mmx',
  'sse2',
  'ssse3',
  'sse4_1',
  'sse4_2',
  'aes',
  'pclmulqdq',
  'sha',
  'x87-arithmetic',
  'x87-move',
  'x87-compare',
  'x87-control',
])

const judged = families.filter((family) => !ABSENT.has(family.name))
const machine = engineMachine()

function failures(family: Family): string[] {
  const vectors = readVectors(family.name) ?? {}
  return formsOf(family).flatMap((form) => {
    const batches = differingBatches(vectors[form.id] ?? '', hashForm(form, machine))
    return batches.length > 0 ? [`${form.id}: batches ${batches.join(' ')}`] : []
  })
}

test.each(judged.map((family) => [family.name, family] as const))(
  '%s',
  (_name, family) => {
    expect(failures(family)).toEqual([])
  },
  120_000,
)
