import { describe, expect, it } from 'vitest'
import { boot, booted, elf, machine, MIB, refusal, words, TEST_LAYOUT } from '../test-images.ts'

const CODE = Uint8Array.from({ length: 64 }, (_, i) => i + 1)
const KERNEL_VIRTUAL = 0xffff_ffff_8100_0000n
const text = { type: 1, vaddr: KERNEL_VIRTUAL, paddr: 0x100_0000, data: CODE, memSize: 8192 }
const NOTE_OTHER = [4, 4, 18, 0x00554e47, 0xdead]
const noteOf = (...entry: number[]): { type: number; vaddr: bigint; paddr: number; data: Uint8Array } => ({
  type: 4,
  vaddr: 0n,
  paddr: 0,
  data: words(...NOTE_OTHER, 4, entry.length * 4, 18, 0x006e6558, ...entry),
})

describe('vmlinux', () => {
  it('is entered by its PVH note, in 32-bit mode, with start info in EBX', () => {
    const file = elf({ entry: 0x100_0000n, segments: [text, noteOf(0x100_0040, 0)] })
    const done = boot(file, { rsdp: 0xe_0000, initrd: Uint8Array.of(9, 8) })
    const { cpu, protocol } = booted(done)
    const { memory } = done
    expect(protocol).toBe('pvh')
    expect([cpu.rip, cpu.cr0, cpu.cr4]).toEqual([0x100_0040, 0x11, 0])
    expect(cpu.segments.tr).toMatchObject({ base: 0, limit: 0x67, access: 0x8b })
    const info = cpu.gprs.rbx!
    expect(memory.readU32(info)).toBe(0x336e_c578)
    expect(memory.readU32(info + 4)).toBe(1)
    expect(memory.readU64(info + 32)).toBe(0xe_0000n)
    const module = Number(memory.readU64(info + 16))
    expect([memory.readU32(info + 12), memory.readU64(module + 8)]).toEqual([1, 2n])
    expect(memory.readU8(Number(memory.readU64(module)))).toBe(9)
    const cmdline = Number(memory.readU64(info + 24))
    expect(String.fromCharCode(...memory.read(cmdline, 14)!)).toBe('console=ttyS0\0')
    const map = Number(memory.readU64(info + 40))
    expect(memory.readU32(info + 48)).toBe(6)
    expect([memory.readU64(map + 5 * 24), memory.readU64(map + 5 * 24 + 8)]).toEqual([0x10_0000n, 0x3f0_0000n])
  })

  it('without a note is entered at startup_64 with boot params', () => {
    const done = boot(elf({ entry: 0x100_0010n, segments: [text] }))
    const { cpu, protocol, kernel } = booted(done)
    expect([protocol, cpu.rip, cpu.gprs.rsi]).toEqual(['linux-64', 0x100_0010, TEST_LAYOUT.bootParams])
    expect(kernel).toEqual({ base: 0x100_0000, length: 8192 })
    expect(done.memory.readU32(TEST_LAYOUT.bootParams + 0x202)).toBe(0x5372_6448)
    expect(done.memory.readU16(TEST_LAYOUT.bootParams + 0x1fe)).toBe(0xaa55)
  })

  it('finds the physical address of a virtual entry point', () => {
    expect(booted(boot(elf({ entry: KERNEL_VIRTUAL + 8n, segments: [text] }))).cpu.rip).toBe(0x100_0008)
  })

  it('loads at physical addresses and clears .bss', () => {
    const on = machine(64 * MIB)
    on.memory.writeU32(0x100_0040, 0xffff_ffff)
    on.memory.writeU32(0x100_1ffc, 0xffff_ffff)
    on.memory.writeU32(0x100_2000, 0xffff_ffff)
    boot(elf({ entry: 0x100_0000n, segments: [text] }), { on })
    expect(on.memory.read(0x100_0000, 64)).toEqual(CODE)
    expect([0x100_0040, 0x100_1ffc, 0x100_2000].map((gpa) => on.memory.readU32(gpa))).toEqual([0, 0, 0xffff_ffff])
  })

  it('32-bit: is entered in protected mode', () => {
    const low = { ...text, vaddr: 0xc100_0000n }
    const done = booted(boot(elf({ bits: 32, machine: 3, entry: 0xc100_0000n, segments: [low] })))
    expect([done.protocol, done.cpu.rip, done.cpu.efer]).toEqual(['linux-32', 0x100_0000, 0])
  })

  it('is refused with the reason', () => {
    const kindOf = (file: Uint8Array, ramBytes = 64 * MIB): string => refusal(boot(file, { ramBytes })).kind
    expect(kindOf(elf({ machine: 183, entry: 0n, segments: [text] }))).toBe('wrong-machine')
    expect(kindOf(elf({ entry: 0x900_0000n, segments: [text] }))).toBe('not-a-kernel')
    expect(kindOf(elf({ entry: 0n, segments: [] }))).toBe('not-a-kernel')
    expect(kindOf(elf({ entry: 0x100_0000n, segments: [text] }), 16 * MIB)).toBe('too-little-memory')
    expect(kindOf(elf({ entry: 0x100_0000n, segments: [{ ...text, memSize: 2 ** 52 }] }))).toBe('too-little-memory')
    expect(kindOf(elf({ entry: 0x8_0000n, segments: [{ ...text, vaddr: 0x8_0000n, paddr: 0x8_0000 }] }))).toBe(
      'overlap',
    )
    const whole = elf({ entry: 0x100_0000n, segments: [text] })
    expect(kindOf(whole.subarray(0, whole.length - 1))).toBe('truncated')
    expect(kindOf(whole.subarray(0, 70))).toBe('truncated')
  })
})
