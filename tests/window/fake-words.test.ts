/** What the made-up process side says is what the real one says: a sentence that has no Portuguese is none of its. */
import { expect, it } from 'vitest'
import { registerWords, segmentWords } from '../../src-main/debug/register-words.ts'
import { en } from '../../src-renderer/i18n/en-table.ts'
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

it('every flag of a register has its words', () => {
  const all = (1n << 32n) - 1n
  const named = (name: string, flags: string[]) => flags.map((flag) => `bit.${name}.${flag}`)
  const registers = ['rflags', 'cr0', 'cr4', 'efer', 'dr6', 'dr7', 'mxcsr', 'xcr0']
  const keys = registers.flatMap((name) => {
    const flags = registerWords(name, all).filter((flag) => !/^(IOPL|RC)=/.test(flag))
    expect([name, flags.length > 2]).toEqual([name, true])
    return named(name, flags)
  })
  for (let attributes = 0; attributes < 1 << 16; attributes += 1)
    keys.push(...named('segment', segmentWords(attributes)).filter((key) => !/\.(DPL |system type )\d+$/.test(key)))
  expect([...new Set(keys)].filter((key) => !(key in en))).toEqual([])
  // And no word is for a flag that there is not.
  const seen = new Set([...keys, 'bit.segment.system'])
  expect(Object.keys(en).filter((key) => key.startsWith('bit.') && !seen.has(key))).toEqual([])
})
