import { describe, expect, it } from 'vitest'
import { boot, booted, elf, refusal, words } from '../test-images.ts'

const MAGIC = 0x1bad_b002
const header = (flags: number, ...addresses: number[]): Uint8Array =>
  words(MAGIC, flags, (-MAGIC - flags) >>> 0, ...addresses)

/** Code, with the header at 0x20 and 16 bytes of payload after it. */
function flat(flags: number, ...addresses: number[]): Uint8Array {
  const file = new Uint8Array(0x100)
  file.set(header(flags, ...addresses), 0x20)
  file.fill(0xab, 0x80)
  return file
}

describe('multiboot', () => {
  it('loads by addresses and hands over memory, command line, module and map', () => {
    const file = flat(1 << 16, 0x20_0020, 0x20_0000, 0x20_0090, 0x20_1000, 0x20_0080)
    const done = boot(file, { cmdline: 'a b', initrd: Uint8Array.of(7, 7, 7) })
    const { cpu, protocol, kernel } = booted(done)
    const { memory } = done
    expect([protocol, cpu.rip, cpu.gprs.rax]).toEqual(['multiboot', 0x20_0080, 0x2bad_b002])
    expect(kernel).toEqual({ base: 0x20_0000, length: 0x1000 })
    expect([memory.readU8(0x20_008f), memory.readU8(0x20_0090)]).toEqual([0xab, 0])
    const info = cpu.gprs.rbx!
    const field = (offset: number): number => memory.readU32(info + offset)!
    const textAt = (gpa: number, length: number): string => String.fromCharCode(...memory.read(gpa, length)!)
    expect(field(0)).toBe(0x24d)
    expect([field(4), field(8)]).toEqual([639, 63 * 1024])
    expect(textAt(field(16), 11)).toBe('kernel a b\0')
    expect(textAt(field(64), 9)).toBe('Longmode\0')
    expect(field(20)).toBe(1)
    const module = field(24)
    expect(memory.readU32(module + 4)! - memory.readU32(module)!).toBe(3)
    expect(memory.readU8(memory.readU32(module)!)).toBe(7)
    expect(memory.readU8(memory.readU32(module + 8)!)).toBe(0)
    let at = field(48)
    const types: number[] = []
    while (at < field(48) + field(44)) {
      types.push(memory.readU32(at + 20)!)
      at += memory.readU32(at)! + 4
    }
    expect(types).toEqual([1, 2, 3, 4, 2, 1])
  })

  it('loads an ELF image by its segments', () => {
    const data = new Uint8Array(0x40)
    data.set(header(3), 0x10)
    const file = elf({
      bits: 32,
      machine: 3,
      entry: 0x10_0004n,
      segments: [{ type: 1, vaddr: 0x10_0000n, paddr: 0x10_0000, data }],
    })
    const done = booted(boot(file))
    expect([done.protocol, done.cpu.rip, done.kernel.base]).toEqual(['multiboot', 0x10_0004, 0x10_0000])
  })

  it('refuses what it cannot give', () => {
    expect(refusal(boot(flat(4))).kind).toBe('unsupported-kernel')
    expect(refusal(boot(flat(0))).kind).toBe('not-a-kernel')
    expect(refusal(boot(flat(1 << 16, 0x20_0020, 0x20_0000, 0x30_0000, 0, 0x20_0080))).kind).toBe('truncated')
    expect(refusal(boot(flat(1 << 16, 0x20_0020, 0x1f_0000, 0, 0, 0x20_0080))).kind).toBe('not-a-kernel')
    expect(refusal(boot(flat(1 << 16, 0x1_0020, 0x1_0000, 0, 0, 0x1_0080))).kind).toBe('overlap')
    expect(refusal(boot(flat(1 << 16, 0x20_0020, 0x20_0000, 0, 0xf000_0000, 0x20_0080))).kind).toBe('too-little-memory')
  })

  it('ignores a magic number with a wrong checksum', () => {
    const file = flat(0)
    file[0x28] = file[0x28] ^ 1
    expect(refusal(boot(file)).message).toMatch(/of no kind that Longmode knows/)
  })
})
