import { Ram } from '../memory/ram.ts'
import { viewOf } from './bytes.ts'
import { loadKernel } from './load.ts'
import type { BootLayout, BootRequest, BootResult } from './types.ts'

/** Kernel images made for the tests, and a machine to load them into. */
export const MIB = 0x10_0000

/** A layout for the tests alone, unlike the machine's where nothing outside depends on the place. */
export const TEST_LAYOUT: BootLayout = {
  gdt: 0x600,
  startInfo: { base: 0x2000, length: 0x1000 },
  pageTables: { base: 0x1_0000, length: 0x6000 },
  stackTop: 0x8_0000,
  bootParams: 0x8_0000,
  cmdline: { base: 0x8_1000, length: 0x4000 },
  ebda: { base: 0x9_fc00, length: 0x400 },
  acpi: { base: 0xe_0000, length: 0xf000 },
  facs: { base: 0xe_f000, length: 0x1000 },
  smbios: { base: 0xf_0000, length: 0x1000 },
  firmwareEnd: 0x10_0000,
  highRamBase: 0x1_0000_0000,
}

export function machine(ramBytes: number): Pick<BootRequest, 'memory' | 'ram' | 'layout'> & { memory: Ram } {
  const memory = new Ram(new ArrayBuffer(ramBytes), { base: 0, lowSize: ramBytes, highSize: 0 })
  return { memory, ram: { low: ramBytes, high: 0 }, layout: TEST_LAYOUT }
}

export function boot(
  kernel: Uint8Array,
  options: {
    ramBytes?: number
    cmdline?: string
    initrd?: Uint8Array
    rsdp?: number
    on?: ReturnType<typeof machine>
  } = {},
): { result: BootResult; memory: Ram } {
  const { ramBytes = 64 * MIB, cmdline = 'console=ttyS0', on, ...rest } = options
  const parts = on ?? machine(ramBytes)
  const result = loadKernel({ kernel, kernelName: 'kernel', cmdline, ...rest, ...parts }, { com1: 0x3f8 })
  return { result, memory: parts.memory }
}

export function booted(done: { result: BootResult }): Extract<BootResult, { ok: true }> {
  if (!done.result.ok) throw done.result.error
  return done.result
}

export function refusal(done: { result: BootResult }): { kind: string; message: string } {
  if (done.result.ok) throw new Error('it was loaded')
  return { kind: done.result.error.kind, message: done.result.error.message }
}

export interface BzImageFields {
  version: number
  loadflags: number
  xloadflags: number
  relocatable: boolean
  alignment: number
  preferred: number
  initSize: number
  initrdMax: number
  cmdlineSize: number
  code32Start: number
  setupSectors: number
  codeBytes: number
}

/** A bzImage with the header of the given protocol; the protected-mode code is 0, 1, 2, ... */
export function bzImage(changes: Partial<BzImageFields> = {}): Uint8Array {
  const f: BzImageFields = {
    version: 0x20f,
    loadflags: 1,
    xloadflags: 3,
    relocatable: true,
    alignment: 0x20_0000,
    preferred: 0x100_0000,
    initSize: 0x80_0000,
    initrdMax: 0x7fff_ffff,
    cmdlineSize: 2047,
    code32Start: 0x10_0000,
    setupSectors: 3,
    codeBytes: 0x2000,
    ...changes,
  }
  const codeAt = (f.setupSectors + 1) * 512
  const file = new Uint8Array(codeAt + f.codeBytes)
  const view = viewOf(file)
  file[0x1f1] = f.setupSectors
  view.setUint32(0x1f4, f.codeBytes / 16, true)
  view.setUint16(0x1fe, 0xaa55, true)
  file.set([0xeb, 0x6a, 0x48, 0x64, 0x72, 0x53], 0x200) // jmp over the header; "HdrS"
  view.setUint16(0x206, f.version, true)
  view.setUint16(0x20e, 0x300, true) // the release, at 0x500
  file.set(
    Array.from('6.1.0-test (a@b) #1', (char) => char.charCodeAt(0)),
    0x500,
  )
  file[0x211] = f.loadflags
  view.setUint32(0x214, f.code32Start, true)
  view.setUint32(0x22c, f.initrdMax, true)
  view.setUint32(0x230, f.alignment, true)
  file[0x234] = f.relocatable ? 1 : 0
  view.setUint16(0x236, f.xloadflags, true)
  view.setUint32(0x238, f.cmdlineSize, true)
  view.setBigUint64(0x258, BigInt(f.preferred), true)
  view.setUint32(0x260, f.initSize, true)
  for (let i = 0; i < f.codeBytes; i++) file[codeAt + i] = i
  return file
}

export interface ElfSegment {
  type: number
  vaddr: bigint
  paddr: number
  data: Uint8Array
  memSize?: number
}

/** An ELF executable with its segments' data one after the other. */
export function elf(options: { bits?: 32 | 64; machine?: number; entry: bigint; segments: ElfSegment[] }): Uint8Array {
  const { bits = 64, machine: cpu = 62, entry, segments } = options
  const [headerSize, entrySize] = bits === 64 ? [64, 56] : [52, 32]
  const tableEnd = headerSize + segments.length * entrySize
  const file = new Uint8Array(segments.reduce((size, segment) => size + segment.data.length, tableEnd))
  const view = viewOf(file)
  file.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1])
  view.setUint16(0x10, 2, true)
  view.setUint16(0x12, cpu, true)
  if (bits === 64) {
    view.setBigUint64(0x18, entry, true)
    view.setBigUint64(0x20, BigInt(headerSize), true)
  } else {
    view.setUint32(0x18, Number(entry), true)
    view.setUint32(0x1c, headerSize, true)
  }
  view.setUint16(bits === 64 ? 0x36 : 0x2a, entrySize, true)
  view.setUint16(bits === 64 ? 0x38 : 0x2c, segments.length, true)
  let offset = tableEnd
  segments.forEach((segment, i) => {
    const { type, vaddr, paddr, data, memSize = data.length } = segment
    const at = headerSize + i * entrySize
    view.setUint32(at, type, true)
    if (bits === 64) {
      const fields = [BigInt(offset), vaddr, BigInt(paddr), BigInt(data.length), BigInt(memSize)]
      fields.forEach((value, k) => view.setBigUint64(at + 8 + 8 * k, value, true))
    } else {
      const fields = [offset, Number(vaddr), paddr, data.length, memSize]
      fields.forEach((value, k) => view.setUint32(at + 4 + 4 * k, value, true))
    }
    file.set(data, offset)
    offset += data.length
  })
  return file
}

export function words(...values: number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4)
  values.forEach((value, i) => viewOf(out).setUint32(i * 4, value, true))
  return out
}
