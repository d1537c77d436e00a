import { describe, expect, it } from 'vitest'
import { EXIT } from './interpreter/loop.ts'
import { AT, PAGE_INFO, RAX, RCX } from './state/layout.ts'
import { flat64 } from './test-flat64.ts'

describe('interpreter', () => {
  it('runs a loop that adds', () => {
    // mov ecx,1000; xor eax,eax; L: add eax,ecx; dec ecx; jnz L; hlt
    const cpu = flat64([0xb9, 0xe8, 3, 0, 0, 0x31, 0xc0, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa, 0xf4])
    expect(cpu.run(1_000_000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(500500n)
    expect(cpu.gpr(RCX)).toBe(0n)
    expect(cpu.u64(AT.rip)).toBe(0x1000en)
    expect(cpu.u64(AT.retired)).toBe(3003n)
  })
  it('reaches RAM whose place in the memory has bit 31 set', () => {
    const cpu = flat64([0xf4], 2560)
    cpu.view.setBigUint64(cpu.map.ramBase + 0x2010, 0x80000083n, true)
    cpu.writeLinear(0x9000_0ffcn, 8, 0x1122_3344_5566_7788n)
    expect(cpu.readLinear(0x9000_0ffcn, 8)).toBe(0x1122_3344_5566_7788n)
    expect(cpu.view.getUint32(cpu.map.ramBase + 0x9000_1000, true)).toBe(0x1122_3344)
  })
  it('pops to an address on RSP as RSP is after the pop', () => {
    // push 0x55; pop [rsp+8]; push 0x66; pop [rsp+rcx*2+1000]; push 0x77; pop [rsp]; hlt
    const code = [0x6a, 0x55, 0x8f, 0x44, 0x24, 8, 0x6a, 0x66, 0x8f, 0x84, 0x4c, 0xe8, 3, 0, 0]
    const cpu = flat64([...code, 0x6a, 0x77, 0x8f, 0x04, 0x24, 0xf4])
    cpu.setGpr(RCX, 4n)
    expect(cpu.run(100)).toBe(EXIT.halt)
    expect([0x80008n, 0x80000n + 1008n, 0x80000n].map((at) => cpu.readLinear(at, 8))).toEqual([0x55n, 0x66n, 0x77n])
    expect(cpu.gpr(4)).toBe(0x80000n)
  })
  it('reports a page fault at the instruction, with address and error code', () => {
    // mov rbx, 0x4000000000; mov [rbx+8], al
    const cpu = flat64([0x48, 0xbb, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x88, 0x43, 8])
    expect(cpu.run(10)).toBe(EXIT.exception)
    expect(cpu.u32(AT.excVector)).toBe(14)
    expect(cpu.u32(AT.excError)).toBe(2)
    expect(cpu.u64(AT.cr2)).toBe(0x4000000008n)
    expect(cpu.u64(AT.rip)).toBe(0x1000an)
  })
  it('sees code that the guest rewrites', () => {
    // L: inc eax (becomes dec eax); mov byte [rip-?] ...
    // 10000: ff c0 inc eax | 10002: c6 05 f8 ff ff ff c8 mov byte [rip-8+...]=c8 -> patches 10001 | 10009: ff c9 dec ecx | jnz
    const cpu = flat64([0xff, 0xc0, 0xc6, 0x05, 0xf8, 0xff, 0xff, 0xff, 0xc8, 0xff, 0xc9, 0x75, 0xf3, 0xf4])
    cpu.setGpr(RCX, 5n)
    expect(cpu.run(1000)).toBe(EXIT.halt)
    // 1 - 4
    expect(BigInt.asIntN(32, cpu.gpr(RAX))).toBe(-3n)
  })
  it('finishes an instruction that writes on itself, and goes on after it', () => {
    // 10000: mov byte [rip-4], 0x90 writes its own 4th byte | 10007: inc eax | hlt
    const cpu = flat64([0xc6, 0x05, 0xfc, 0xff, 0xff, 0xff, 0x90, 0xff, 0xc0, 0xf4])
    cpu.setGpr(RAX, 0n)
    expect(cpu.run(100)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(1n)
    expect(cpu.u64(AT.retired)).toBe(3n)
    expect(cpu.bytes[cpu.map.ramBase + 0x10003]).toBe(0x90)
  })
  it('takes a page for data when it is only written any more, and for code again when it is run', () => {
    // call 20000h; mov ecx, 400; again: mov [20800h], rcx; dec ecx; jnz again; call 20000h; hlt
    const main = 'e8 fb ff 00 00  b9 90 01 00 00  48 89 0c 25 00 08 02 00  ff c9  75 f4  e8 e5 ff 00 00  f4'.split(/ +/)
    const cpu = flat64(main.map((byte) => parseInt(byte, 16)))
    // inc rax; ret
    cpu.bytes.set([0x48, 0xff, 0xc0, 0xc3], cpu.map.ramBase + 0x20000)
    const slotOf = (page: number): number => cpu.u32(PAGE_INFO + 4 * page)
    cpu.run(4)
    expect(slotOf(0x20)).not.toBe(0)
    while (cpu.u64(AT.rip) !== 0x10016n) cpu.run(1)
    expect(slotOf(0x20)).toBe(0)
    expect(slotOf(0x10)).not.toBe(0)
    expect(cpu.run(10)).toBe(EXIT.halt)
    expect(cpu.gpr(0)).toBe(2n)
    expect(slotOf(0x20)).not.toBe(0)
  })
  it('runs an instruction that lies on two pages, and calls and returns', () => {
    const cpu = flat64([0xe9, 0xf8, 0x0f, 0, 0])
    const ram = cpu.map.ramBase
    // 10ffd: mov eax, 0x12345678 (b8 ..) crosses; 11002: call 11010; hlt ; 11010: ret
    cpu.bytes.set([0xb8, 0x78, 0x56, 0x34, 0x12, 0xe8, 9, 0, 0, 0, 0xf4], ram + 0x10ffd)
    cpu.bytes.set([0x48, 0xff, 0xc0, 0xc3], ram + 0x11010)
    expect(cpu.run(1000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(0x12345679n)
    expect(cpu.gpr(4)).toBe(0x80000n)
  })
  it('moves strings through page borders', () => {
    // rep movsb; hlt
    const cpu = flat64([0xf3, 0xa4, 0xf4])
    const ram = cpu.map.ramBase
    for (let i = 0; i < 9000; i++) cpu.bytes[ram + 0x20000 + i] = i * 7
    cpu.setGpr(6, 0x20000n)
    cpu.setGpr(7, 0x30123n)
    cpu.setGpr(RCX, 9000n)
    let exit = cpu.run(1000)
    while (exit === EXIT.look) exit = cpu.run(1000)
    expect(exit).toBe(EXIT.halt)
    for (let i = 0; i < 9000; i++) if (cpu.bytes[ram + 0x30123 + i] !== ((i * 7) & 255)) throw new Error(`byte ${i}`)
    expect(cpu.gpr(7)).toBe(0x30123n + 9000n)
  })
})
