import type { GuestMemory } from '../memory/guest-memory.ts'
import { alignUp, ByteWriter } from './bytes.ts'
import type { BootLayout, RamSplit } from './types.ts'

/** System Management BIOS 2.8 (DMTF DSP0134): the few structures from which Linux says on what it runs. */
const VENDOR = 'Longmode'
const ENTRY_BYTES = 31
const END_OF_TABLE = 127

const MAJOR = 2
const MINOR = 8
const BCD_REVISION = 0x28

export interface SmbiosFacts {
  /** Of the program, for the BIOS version. */
  readonly version: string
  readonly ram: RamSplit
}

/** A structure (§6.1): header, formatted area, then its strings (1-based in the order given). */
function structure(type: number, handle: number, formatted: ByteWriter, strings: readonly string[]): Uint8Array {
  const out = new ByteWriter()
  out
    .u8(type)
    .u8(4 + formatted.length)
    .u16(handle)
    .raw(formatted.done())
  for (const value of strings) out.text(value).u8(0)
  if (strings.length === 0) out.u8(0)
  return out.u8(0).done()
}

/** Type 0, §7.1: characteristics "not supported"; a virtual machine (extension byte 2, bit 4). */
function biosInformation(version: string): Uint8Array {
  const body = new ByteWriter().u8(1).u8(2).u16(0xe000).u8(3).u8(0)
  body
    .u64(1 << 3)
    .u8(0)
    .u8(1 << 4)
    .u8(0)
    .u8(0)
    .u8(0xff)
    .u8(0xff)
  return structure(0, 0x0000, body, [VENDOR, version, '01/01/2026'])
}

/** Type 1, §7.2: no UUID, woken by the power switch. */
function systemInformation(version: string): Uint8Array {
  const body = new ByteWriter().u8(1).u8(2).u8(3).u8(0).zeroes(16).u8(6).u8(0).u8(0)
  return structure(1, 0x0100, body, [VENDOR, 'Longmode PC (i440FX + PIIX)', version])
}

/** Type 3, §7.4: chassis "other", all states safe. */
function chassis(): Uint8Array {
  const body = new ByteWriter().u8(1).u8(1).u8(0).u8(0).u8(0).u8(3).u8(3).u8(3).u8(2).u32(0).u8(0).u8(0).u8(0).u8(0)
  return structure(3, 0x0300, body.u8(0), [VENDOR])
}

const MEBIBYTE = 0x10_0000

/** Type 16, §7.17: one array of system memory on the board. Its extended form is not needed below 2 TiB. */
function memoryArray(bytes: number): Uint8Array {
  const body = new ByteWriter()
    .u8(1)
    .u8(3)
    .u8(3)
    .u32(bytes / 1024)
    .u16(0xfffe)
    .u16(1)
    .u64(0)
  return structure(16, 0x1000, body, [])
}

/** Type 17, §7.18: one module of type RAM. */
function memoryDevice(bytes: number): Uint8Array {
  const body = new ByteWriter()
    .u16(0x1000)
    .u16(0xfffe)
    .u16(0xffff)
    .u16(0xffff)
    .u16(Math.floor(bytes / MEBIBYTE))
  body.u8(9).u8(0).u8(1).u8(0).u8(7).u16(2).u16(0).u8(2).u8(0).u8(0).u8(0).u8(0).u32(0)
  return structure(17, 0x1100, body.u16(0).u16(0).u16(0).u16(0), ['DIMM 0', VENDOR])
}

/** §5.2.1: `_SM_` entry point with both checksums, on a 16-byte boundary; the structures follow it. */
export function buildSmbios(base: number, facts: SmbiosFacts): Uint8Array {
  const bytes = facts.ram.low + facts.ram.high
  const structures = [
    biosInformation(facts.version),
    systemInformation(facts.version),
    chassis(),
    memoryArray(bytes),
    memoryDevice(bytes),
    structure(END_OF_TABLE, 0x7f00, new ByteWriter(), []),
  ]
  const tables = new ByteWriter()
  for (const one of structures) tables.raw(one)
  const largest = Math.max(...structures.map((one) => one.length))
  const tablesAt = base + alignUp(ENTRY_BYTES, 16)

  const out = new ByteWriter().text('_SM_').u8(0).u8(ENTRY_BYTES).u8(MAJOR).u8(MINOR)
  out.u16(largest).u8(0).zeroes(5)
  out.text('_DMI_').u8(0).u16(tables.length).u32(tablesAt).u16(structures.length).u8(BCD_REVISION)
  const entry = out.done()
  entry[0x15] = checksum(entry.subarray(0x10))
  entry[0x04] = checksum(entry)
  return new ByteWriter().raw(entry).align(16).raw(tables.done()).done()
}

/** What makes the sum of all bytes zero. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
}

/** Writes the tables into guest RAM. To be called at every reset, before loadKernel. */
export function placeSmbios(memory: GuestMemory, layout: BootLayout, facts: SmbiosFacts): void {
  const bytes = buildSmbios(layout.smbios.base, facts)
  if (bytes.length > layout.smbios.length) throw new RangeError('the SMBIOS tables do not fit their area')
  if (!memory.write(layout.smbios.base, bytes)) throw new RangeError('the SMBIOS area is not RAM')
}
