// The engine against the real CPU: every form of every family gives the committed results.
// On a mismatch, on an x86-64 host: npm run vectors:explain -- "<form>"
import { expect, test } from 'vitest'
import { engineMachine } from './engine.ts'
import { families, formsOf } from './families.ts'
import type { Family } from './form.ts'
import { differingBatches, hashForm, readVectors } from './vectors.ts'

const machine = engineMachine()

function failures(family: Family): string[] {
  const vectors = readVectors(family.name) ?? {}
  return formsOf(family).flatMap((form) => {
    const batches = differingBatches(vectors[form.id] ?? '', hashForm(form, machine))
    return batches.length > 0 ? [`${form.id}: batches ${batches.join(' ')}`] : []
  })
}

test.each(families.map((family) => [family.name, family] as const))(
  '%s',
  (_name, family) => {
    expect(failures(family)).toEqual([])
  },
  120_000,
)
