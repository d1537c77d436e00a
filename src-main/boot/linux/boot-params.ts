import { viewOf } from '../bytes.ts'
import type { E820Entry } from '../e820.ts'
import type { GpaRange, RamSplit } from '../types.ts'
import { SETUP_HEADER } from './header.ts'

/** struct boot_params, the "zero page" (Documentation/arch/x86/zero-page.rst and arch/x86/include/uapi/asm/bootparam.h). */
export const BOOT_PARAMS_BYTES = 4096

const FIELD = {
  extMemK: 0x002, // u16, KiB above 1 MiB, at most 63 MiB
  cmdlineMagic: 0x020, // u16, before protocol 2.02
  cmdlineOffset: 0x022, // u16, from the start of the boot params
  acpiRsdp: 0x070, // u64
  extRamdiskImage: 0x0c0, // u32, upper halves of the pointers in the setup header
  extRamdiskSize: 0x0c4,
  extCmdlinePtr: 0x0c8,
  altMemK: 0x1e0, // u32, KiB above 1 MiB
  e820Entries: 0x1e8, // u8
  vidMode: 0x1fa, // u16
  bootFlag: 0x1fe, // u16
  magic: 0x202, // "HdrS"
  version: 0x206, // u16
  typeOfLoader: 0x210, // u8
  loadflags: 0x211, // u8
  code32Start: 0x214, // u32
  ramdiskImage: 0x218, // u32
  ramdiskSize: 0x21c, // u32
  cmdLinePtr: 0x228, // u32
  kernelAlignment: 0x230, // u32
  cmdlineSize: 0x238, // u32
  e820Table: 0x2d0, // entries of 20 bytes
} as const

const E820_MAX = 128
const OLD_CMDLINE_MAGIC = 0xa33f
const LOADER_UNDEFINED = 0xff
const VIDEO_NORMAL = 0xffff
const TWO_32 = 0x1_0000_0000

export interface BootParamsInput {
  /** The kernel's own header; absent for an ELF kernel, which has none. */
  readonly header?: { readonly bytes: Uint8Array; readonly version: number }
  readonly loadAddress: number
  readonly base: number
  readonly cmdline: number
  readonly initrd?: GpaRange
  readonly e820: readonly E820Entry[]
  readonly ram: RamSplit
  readonly rsdp?: number
}

/** All 4096 bytes. Whatever is not said here is zero, as the protocol asks, `sentinel` (0x1ef) included. */
export function buildBootParams(input: BootParamsInput): Uint8Array {
  const page = new Uint8Array(BOOT_PARAMS_BYTES)
  const view = viewOf(page)
  if (input.header) page.set(input.header.bytes, SETUP_HEADER)
  else writeElfHeader(view)
  writeMemory(view, input)
  view.setUint16(FIELD.vidMode, VIDEO_NORMAL, true)
  view.setUint8(FIELD.typeOfLoader, LOADER_UNDEFINED)
  view.setUint32(FIELD.code32Start, input.loadAddress, true)
  view.setUint32(FIELD.cmdLinePtr, input.cmdline % TWO_32, true)
  view.setUint32(FIELD.extCmdlinePtr, Math.floor(input.cmdline / TWO_32), true)
  if (input.header && input.header.version < 0x202) {
    view.setUint16(FIELD.cmdlineMagic, OLD_CMDLINE_MAGIC, true)
    view.setUint16(FIELD.cmdlineOffset, input.cmdline - input.base, true)
  }
  const initrd = input.initrd ?? { base: 0, length: 0 }
  view.setUint32(FIELD.ramdiskImage, initrd.base % TWO_32, true)
  view.setUint32(FIELD.ramdiskSize, initrd.length % TWO_32, true)
  view.setUint32(FIELD.extRamdiskImage, Math.floor(initrd.base / TWO_32), true)
  view.setUint32(FIELD.extRamdiskSize, Math.floor(initrd.length / TWO_32), true)
  if (input.rsdp !== undefined) view.setBigUint64(FIELD.acpiRsdp, BigInt(input.rsdp), true)
  return page
}

function writeMemory(view: DataView, input: BootParamsInput): void {
  const aboveFirst = Math.max(0, Math.floor(input.ram.low / 1024) - 1024)
  view.setUint16(FIELD.extMemK, Math.min(aboveFirst, 0xfc00), true)
  view.setUint32(FIELD.altMemK, aboveFirst, true)
  if (input.e820.length > E820_MAX) throw new RangeError('boot params hold at most 128 e820 entries')
  view.setUint8(FIELD.e820Entries, input.e820.length)
  input.e820.forEach((entry, i) => {
    const at = FIELD.e820Table + i * 20
    view.setBigUint64(at, BigInt(entry.base), true)
    view.setBigUint64(at + 8, BigInt(entry.length), true)
    view.setUint32(at + 16, entry.type, true)
  })
}

/** What the kernel proper asks of the header when an ELF kernel came without one: the marks of a valid one, and its version. */
function writeElfHeader(view: DataView): void {
  view.setUint16(FIELD.bootFlag, 0xaa55, true)
  view.setUint32(FIELD.magic, 0x53726448, true)
  view.setUint16(FIELD.version, 0x20f, true)
  view.setUint8(FIELD.loadflags, 1)
  view.setUint32(FIELD.kernelAlignment, 0x100_0000, true)
  view.setUint32(FIELD.cmdlineSize, 2047, true)
}
