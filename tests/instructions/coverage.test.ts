// Every row of the opcode tables is judged by a form, or stands here with the judge that it has instead.
import { expect, test } from 'vitest'
import { Decoder } from '../../src-main/cpu/decode/decoder.ts'
import { instructionSet } from '../../src-main/cpu/instruction-set.ts'
import { families, formsOf } from './families.ts'
import { generateCase } from './generate.ts'
import { ENTRY } from './layout.ts'

/** Names of rows that user mode cannot judge, or whose result is no function of the case. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // privilege, descriptor tables, entry into the kernel: system.test.ts and the bare-metal kernel
  system:
    'int int1 int3 mov_to_sreg pop_sreg0 pop_sreg2 pop_sreg3 pop_sreg4 pop_sreg5 lss lfs lgs sldt str verr verw lar lsl sgdt sidt smsw ' +
    'syscall sysret sysenter sysexit clac stac xsetbv mov_from_dr mov_to_dr invpcid rdfsbase wrfsbase wrgsbase monitor mwait',
  // time, chance, identity
  variable: 'rdtsc rdtscp rdpmc rdpid rdrand rdseed cpuid xgetbv',
  // no architectural effect
  hints: 'nop nop_e clflush',
  // components beyond x87 and SSE make every processor's area another one: fpu-state.test.ts
  state: 'xsave xrstor xsaveopt',
  // error bounds: x87.test.ts and transcendental.test.ts
  transcendental: 'f2xm1 fyl2x fptan fpatan fyl2xp1 fsincos fsin fcos',
  undefined: 'ud',
}

test('every opcode row has a judge', () => {
  const { rows } = instructionSet(() => true)
  const decoder = new Decoder(rows)
  const judged = new Set<string>()
  for (const form of families.flatMap(formsOf))
    for (let index = 0; index < 10; index++) {
      const c = generateCase(form, index)
      const code = c.code.subarray(ENTRY)
      const bytes = c.mode === 'long64' ? 8 : 4
      decoder.decode(code, 0, code.length, { codeSize: bytes, stackSize: bytes })
      judged.add(decoder.out.row.line)
    }
  const excused = new Set(Object.values(ELSEWHERE).flatMap((names) => names.split(' ')))
  const left = rows.filter((row) => !judged.has(row.line) && !excused.has(row.name)).map((row) => row.line)
  expect([...new Set(left)]).toEqual([])
})
