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
  it('translates anew what the guest rewrites', () => {
    // mov ecx,1000; L: inc eax (becomes dec eax); cmp ecx,500; jne +7; mov byte [rip-13], 0xc8; dec ecx; jnz L; hlt
    const code = [0xb9, 0xe8, 3, 0, 0, 0xff, 0xc0, 0x81, 0xf9, 0xf4, 1, 0, 0, 0x75, 7]
    code.push(0xc6, 0x05, 0xf0, 0xff, 0xff, 0xff, 0xc8, 0xff, 0xc9, 0x75, 0xeb, 0xf4)
    const cpu = flat64(code)
    const { counts } = cpu.translateHot(5)
    cpu.setGpr(RAX, 0n)
    expect(cpu.run(1_000_000)).toBe(EXIT.halt)
    // rounds 1000 to 500 count up, the 499 after them down
    expect(BigInt.asIntN(32, cpu.gpr(RAX))).toBe(2n)
    expect(counts.dropped).toBe(1)
    expect(counts.made).toBe(2)
  })
  it('leaves to the interpreter what is jumped to now and then', () => {
    // mov ecx,400; L: 900 times nop; dec ecx; jnz L; hlt
    const calm = Array.from({ length: 900 }, () => 0x90)
    const made = (options: { coolEvery?: number }) => {
      const cpu = flat64([0xb9, 0x90, 1, 0, 0, ...calm, 0xff, 0xc9, 0x0f, 0x85, 0x74, 0xfc, 0xff, 0xff, 0xf4])
      const { counts } = cpu.translateHot(200, options)
      while (cpu.run(2000) !== EXIT.halt);
      expect(cpu.u64(AT.retired)).toBe(2n + 400n * 902n)
      return counts.made
    }
    expect(made({})).toBeGreaterThan(0)
    expect(made({ coolEvery: 20_000 })).toBe(0)
    expect(made({ coolEvery: 200_000 })).toBeGreaterThan(0)
  })
  it('keeps the number of regions bounded', () => {
    // ten loops on ten pages, each: mov ecx,100; L: dec ecx; jnz L; jmp to the next page
    const cpu = flat64([])
    const loop = [0xb9, 100, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xe9, 0xf2, 0x0f, 0, 0]
    for (let page = 0; page < 10; page++) cpu.bytes.set(loop, cpu.map.ramBase + 0x10000 + page * 4096)
    cpu.bytes[cpu.map.ramBase + 0x1a000] = 0xf4
    const translator = cpu.translateHot(5)
    translator.mostRegions = 4
    expect(cpu.run(1_000_000)).toBe(EXIT.halt)
    expect(translator.counts.made).toBe(10)
    expect(translator.counts.regions).toBeLessThanOrEqual(4)
    expect(translator.counts.evicted).toBeGreaterThan(5)
  })
  it('makes room with regions that are not used', () => {
    // ten pages, each: call the page after them; mov ecx,100; L: dec ecx; jnz L; jmp to the next page
    const cpu = flat64([])
    for (let page = 0; page < 10; page++) {
      const call = [0xe8, 0xfb, (0xa0 - 0x10 * page - 1) & 0xff, 0, 0]
      const loop = [0xb9, 100, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xe9, 0xed, 0x0f, 0, 0]
      cpu.bytes.set([...call, ...loop], cpu.map.ramBase + 0x10000 + page * 4096)
    }
    // mov ecx,100; L: dec ecx; jnz L; inc eax; ret, at 0x1a000; the jump of the last page leads to its hlt at 0x1a100
    const shared = [0xb9, 100, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xff, 0xc0, 0xc3]
    cpu.bytes.set(shared, cpu.map.ramBase + 0x1a000)
    cpu.bytes.set([0xe9, 0xed, 0x10, 0, 0], cpu.map.ramBase + 0x1900e)
    cpu.bytes[cpu.map.ramBase + 0x1a100] = 0xf4
    cpu.setGpr(RAX, 0n)
    const translator = cpu.translateHot(5)
    translator.mostRegions = 6
    expect(cpu.run(1_000_000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(10n)
    expect(translator.counts.evicted).toBeGreaterThan(2)
    // ten loops, and the shared one by its loop and by its beginning: once each, though it is the oldest of all
    expect(translator.counts.made).toBe(12)
  })
})
