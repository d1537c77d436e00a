// The translator against the real CPU: each snippet is a region of its own; the first batch of every form.
import { expect, test } from 'vitest'
import { AT } from '../../src-main/cpu/state/layout.ts'
import { engineMachine } from './engine.ts'
import { families, formsOf } from './families.ts'
import type { Family } from './form.ts'
import { differingBatches, firstBatches, hashForm, readVectors } from './vectors.ts'

const machine = engineMachine('translator')

function failures(family: Family): string[] {
  const vectors = readVectors(family.name) ?? {}
  return formsOf(family).flatMap((form) => {
    const expected = firstBatches(vectors[form.id] ?? '', 1)
    return differingBatches(expected, hashForm(form, machine, 1)).length > 0 ? [form.id] : []
  })
}

test.each(families.map((family) => [family.name, family] as const))(
  '%s',
  (_name, family) => {
    expect(failures(family)).toEqual([])
  },
  120_000,
)

test('the snippets ran in regions', () => {
  expect(machine.cpu.u64(AT.regionInstructions)).toBeGreaterThan(10_000n)
})
