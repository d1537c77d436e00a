import { expect, test } from 'vitest'
import iced from 'iced-x86'
import { families, formsOf } from './families.ts'
import { generateCase } from './generate.ts'
import { ENTRY } from './layout.ts'
import { readVectors } from './vectors.ts'

test.each(families.map((family) => [family.name, family] as const))('%s: every form is recorded', (name, family) => {
  const vectors = readVectors(name) ?? {}
  expect(Object.keys(vectors).sort()).toEqual(
    formsOf(family)
      .map((form) => form.id)
      .sort(),
  )
})

test('a case is the same every time', () => {
  for (const form of families.flatMap((family) => formsOf(family))) {
    const [first, second] = [generateCase(form, 7), generateCase(form, 7)]
    expect(Buffer.compare(first.before, second.before), form.id).toBe(0)
    expect(Buffer.compare(first.code, second.code), form.id).toBe(0)
  }
})

test('the encoder and an independent decoder agree on the length of every instruction', () => {
  const valid = families.filter((family) => family.name !== 'invalid')
  for (const form of valid.flatMap((family) => formsOf(family)))
    for (let index = 0; index < 10; index++) {
      const c = generateCase(form, index)
      const decoder = new iced.Decoder(c.mode === 'long64' ? 64 : 32, c.code.subarray(ENTRY), iced.DecoderOptions.None)
      const instruction = decoder.decode()
      const bytes = Buffer.from(c.code.subarray(ENTRY, ENTRY + c.length)).toString('hex')
      expect(instruction.length, `${form.id}, case ${index}: ${bytes}`).toBe(c.length)
      instruction.free()
      decoder.free()
    }
})
