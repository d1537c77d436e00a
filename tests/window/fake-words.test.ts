/** What the made-up process side says is what the real one says: a sentence that has no Portuguese is none of its. */
import { expect, it } from 'vitest'
import { HostWords } from '../../src-renderer/i18n/host-words.ts'
import { hostPtBR } from '../../src-renderer/i18n/pt-br-host-table.ts'
import { fakeBuild, fakeConfig, fakeRecipes, fakeSyscall, fakeToolchain } from './fake-kernel.ts'
import { fakeMachines } from './fake-machines.ts'

/** Properties that are said to people. */
const spoken = ['sentence', 'failure', 'neededFor', 'purpose', 'title', 'description', 'explanation']
/** The same in both languages. */
const alike = ['Tutorial', 'Makefile', 'root=/dev/sda']

function* sentences(value: unknown, name = ''): Generator<string> {
  if (typeof value === 'string' && value !== '' && spoken.includes(name)) yield value
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* sentences(inner, Array.isArray(value) ? name : key)
}

it('the fakes say nothing that the program does not', () => {
  const words = new HostWords(hostPtBR)
  const all = [...sentences([fakeBuild, fakeConfig, fakeRecipes, fakeSyscall, fakeToolchain, fakeMachines(0)])]
  expect(all.length).toBeGreaterThan(15)
  expect(all.filter((text) => !alike.includes(text) && words.find(text) === undefined)).toEqual([])
})
