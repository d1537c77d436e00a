import { describe, expect, it } from 'vitest'
import { EXIT } from './interpreter/loop.ts'
import { flat64 } from './test-flat64.ts'
import { AT, RAX, RCX } from './state/layout.ts'

describe('translator', () => {
  it('runs a loop as a region, with the same count of instructions', () => {
    // mov ecx,1000; xor eax,eax; L: add eax,ecx; dec ecx; jnz L; hlt
    const cpu = flat64([0xb9, 0xe8, 3, 0, 0, 0x31, 0xc0, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa, 0xf4])
    const { counts } = cpu.translateHot(5)
    expect(cpu.run(1_000_000)).toBe(EXIT.halt)
    expect(counts.made).toBe(1)
    expect(cpu.u64(AT.regionInstructions)).toBeGreaterThan(2900n)
    expect(cpu.gpr(RAX)).toBe(500500n)
    expect(cpu.gpr(RCX)).toBe(0n)
    expect(cpu.u64(AT.rip)).toBe(0x1000en)
    expect(cpu.u64(AT.retired)).toBe(3003n)
  })
})
