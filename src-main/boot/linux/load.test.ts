import { describe, expect, it } from 'vitest'
import { boot, booted, bzImage, machine, MIB, refusal, TEST_LAYOUT } from '../test-images.ts'

const PARAMS = TEST_LAYOUT.bootParams

describe('bzImage', () => {
  it('enters a 64-bit kernel 0x200 past its load address, in long mode', () => {
    const { cpu, protocol, kernel } = booted(boot(bzImage()))
    expect(protocol).toBe('linux-64')
    expect(kernel).toEqual({ base: 0x100_0000, length: 0x2000 })
    expect(cpu.rip).toBe(0x100_0200)
    expect(cpu.gprs.rsi).toBe(PARAMS)
    expect([cpu.cr0, cpu.cr4, cpu.efer, cpu.rflags]).toEqual([0x8000_0011, 0x20, 0x500, 2])
    expect(cpu.segments.cs).toEqual({ selector: 0x10, base: 0, limit: 0xffff_ffff, access: 0xa09b })
    for (const name of ['ds', 'es', 'ss'] as const) expect(cpu.segments[name].selector).toBe(0x18)
  })

  it('maps the first 4 GiB to themselves', () => {
    const done = boot(bzImage())
    const { cr3 } = booted(done).cpu
    const entry = (table: number, index: number): bigint => done.memory.readU64(table + index * 8)!
    const next = (pte: bigint): number => Number(pte & 0xf_ffff_ffff_f000n)
    for (const gpa of [0, 0x9_0000, 0x100_0000, 0xbfff_ffff, 0xffff_ffff]) {
      const pdpt = next(entry(cr3, 0))
      const directory = entry(pdpt, Math.floor(gpa / 0x4000_0000))
      const page = entry(next(directory), Math.floor(gpa / 0x20_0000) % 512)
      expect(page & 0x83n).toBe(0x83n)
      expect(next(page)).toBe(Math.floor(gpa / 0x20_0000) * 0x20_0000)
    }
    expect(entry(cr3, 1)).toBe(0n)
  })

  it('has a GDT that says what the hidden parts say', () => {
    const done = boot(bzImage())
    const { gdtr } = booted(done).cpu
    expect(gdtr.limit).toBe(39)
    expect(done.memory.readU64(gdtr.base + 0x10)).toBe(0x00af_9b00_0000_ffffn)
    expect(done.memory.readU64(gdtr.base + 0x18)).toBe(0x00cf_9300_0000_ffffn)
  })

  it('enters a kernel without a 64-bit entry in flat protected mode', () => {
    const done = boot(bzImage({ xloadflags: 0 }))
    const { cpu, protocol } = booted(done)
    expect(protocol).toBe('linux-32')
    expect([cpu.rip, cpu.cr0, cpu.cr4, cpu.efer]).toEqual([0x100_0000, 0x11, 0, 0])
    expect(cpu.gprs).toEqual({ rsi: PARAMS, rsp: TEST_LAYOUT.stackTop })
    expect(done.memory.readU64(cpu.gdtr.base + 0x10)).toBe(0x00cf_9b00_0000_ffffn)
  })

  it('copies the header, the code and the pointers, and nothing else', () => {
    const file = bzImage()
    const { memory } = boot(file, { rsdp: 0xe_0000, cmdline: 'root=/dev/sda rw', initrd: Uint8Array.of(1, 2, 3) })
    expect(memory.read(0x100_0000, 0x2000)).toEqual(file.subarray(2048))
    expect(memory.readU32(PARAMS + 0x202)).toBe(0x5372_6448)
    expect(memory.readU16(PARAMS + 0x206)).toBe(0x20f)
    expect(memory.readU8(PARAMS + 0x210)).toBe(0xff)
    expect(memory.readU32(PARAMS + 0x214)).toBe(0x100_0000)
    expect(memory.readU64(PARAMS + 0x70)).toBe(0xe_0000n)
    expect(memory.readU8(PARAMS + 0x1ef)).toBe(0) // sentinel
    expect(memory.readU32(PARAMS + 0x26c)).toBe(0) // past the header's end
    const cmdline = memory.readU32(PARAMS + 0x228)!
    expect(String.fromCharCode(...memory.read(cmdline, 17)!)).toBe('root=/dev/sda rw\0')
    const initrd = memory.readU32(PARAMS + 0x218)!
    expect(initrd).toBe(64 * MIB - 4096)
    expect(memory.readU32(PARAMS + 0x21c)).toBe(3)
    expect(memory.read(initrd, 3)).toEqual(Uint8Array.of(1, 2, 3))
    expect([memory.readU32(PARAMS + 0xc0), memory.readU32(PARAMS + 0xc4), memory.readU32(PARAMS + 0xc8)]).toEqual([
      0, 0, 0,
    ])
    expect([memory.readU16(0x400), memory.readU16(0x40e), memory.readU16(0x413)]).toEqual([0x3f8, 0x9fc0, 639])
  })

  it('describes memory as QEMU does', () => {
    const { memory } = boot(bzImage())
    const map = Array.from({ length: memory.readU8(PARAMS + 0x1e8)! }, (_, i) => {
      const at = PARAMS + 0x2d0 + i * 20
      return [memory.readU64(at), memory.readU64(at + 8), memory.readU32(at + 16)]
    })
    expect(map).toEqual([
      [0n, 0x9_fc00n, 1],
      [0x9_fc00n, 0x400n, 2],
      [0xe_0000n, 0xf000n, 3],
      [0xe_f000n, 0x1000n, 4],
      [0xf_0000n, 0x1_0000n, 2],
      [0x10_0000n, 0x3f0_0000n, 1],
    ])
    expect(memory.readU32(PARAMS + 0x1e0)).toBe(63 * 1024)
  })

  it('keeps the initrd under what an older kernel can reach', () => {
    const old = bzImage({ version: 0x203, xloadflags: 0, initrdMax: 0x1ff_ffff })
    expect(booted(boot(old, { initrd: new Uint8Array(5000) })).initrd).toEqual({ base: 0x1ff_e000, length: 5000 })
    const tooBig = boot(bzImage({ xloadflags: 0, initrdMax: 0x1ff_ffff }), { initrd: new Uint8Array(20 * MIB) })
    expect(refusal(tooBig)).toEqual({
      kind: 'initrd-too-big',
      message: 'the initrd (20 MiB) is bigger than this kernel can take below 32 MiB',
    })
  })

  it('gives kernels before 2.02 their command line by the old magic', () => {
    const done = boot(bzImage({ version: 0x201, xloadflags: 0 }), { cmdline: 'x' })
    expect(booted(done).kernel.base).toBe(0x10_0000)
    expect(done.memory.readU16(PARAMS + 0x20)).toBe(0xa33f)
    expect(done.memory.readU8(PARAMS + done.memory.readU16(PARAMS + 0x22)!)).toBe('x'.charCodeAt(0))
  })

  it('loads a kernel that cannot move where it says, and counts its memory from where it runs', () => {
    const fixed = bzImage({ relocatable: false, preferred: 0x200_0000 })
    expect(booted(boot(fixed)).kernel.base).toBe(0x10_0000)
    expect(refusal(boot(fixed, { ramBytes: 32 * MIB })).kind).toBe('too-little-memory')
  })
})

describe('refusals', () => {
  it('names the memory that is missing', () => {
    expect(refusal(boot(bzImage(), { ramBytes: 16 * MIB }))).toEqual({
      kind: 'too-little-memory',
      message: 'too little memory: the kernel needs RAM up to 24 MiB, the machine has 16 MiB (try -m 128M)',
    })
    const initrd = new Uint8Array(9 * MIB)
    expect(refusal(boot(bzImage(), { ramBytes: 32 * MIB, initrd })).message).toMatch(/the kernel with its initrd needs/)
  })

  it('refuses a command line that the kernel would cut', () => {
    const image = bzImage({ cmdlineSize: 10 })
    expect(boot(image, { cmdline: '0123456789' }).result.ok).toBe(true)
    expect(refusal(boot(image, { cmdline: '0123456789a' })).kind).toBe('cmdline-too-long')
    expect(refusal(boot(image, { cmdline: 'é567890123' })).kind).toBe('cmdline-too-long')
    expect(refusal(boot(image, { cmdline: 'a\0b' })).kind).toBe('cmdline-too-long')
  })

  it('tells a file that is cut off from one that is no kernel', () => {
    const image = bzImage()
    expect(refusal(boot(image.subarray(0, 0x1000))).kind).toBe('truncated')
    expect(refusal(boot(image.subarray(0, 0x220))).kind).toBe('truncated')
    expect(refusal(boot(new Uint8Array(0))).message).toBe('not a kernel that can be started: this is an empty file')
    expect(refusal(boot(bzImage({ loadflags: 0 }))).kind).toBe('unsupported-kernel')
    expect(refusal(boot(bzImage({ preferred: 2 ** 40 }))).kind).toBe('unsupported-kernel')
  })

  it('never throws, however the header is damaged', () => {
    const on = machine(32 * MIB)
    let state = 1
    const random = (): number => (state = (state * 48271) % 0x7fff_ffff)
    const outcomes = new Set<string>()
    for (let round = 0; round < 400; round++) {
      const image = bzImage({ codeBytes: 0x400 })
      for (let n = 0; n < 4; n++) image[0x1f1 + (random() % 0x80)] = random()
      const { result } = boot(image, { on })
      outcomes.add(result.ok ? 'loaded' : result.error.kind)
    }
    expect(outcomes.size).toBeGreaterThan(2)
  })
})
