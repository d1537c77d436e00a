import { asciiAt, readU64, startsWith, viewOf } from '../bytes.ts'
import { BootError } from '../types.ts'

/** The setup header of a bzImage (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). Offsets are in the file. */
export const SETUP_HEADER = 0x1f1
const JUMP_LENGTH = 0x201
const MAGIC = 0x202

export const LOADED_HIGH = 0x01
export const XLF_KERNEL_64 = 0x1
export const XLF_ABOVE_4G = 0x2

export interface SetupHeader {
  /** Protocol version as (major << 8) + minor. */
  readonly version: number
  /** The header's bytes, to be copied to boot params at SETUP_HEADER. */
  readonly bytes: Uint8Array
  /** File offset of the protected-mode code. */
  readonly codeOffset: number
  /** "6.1.0-... #1 SMP ...", or ''. */
  readonly release: string
  readonly loadflags: number
  readonly xloadflags: number
  readonly code32Start: number
  readonly relocatable: boolean
  /** In bytes; a power of two. */
  readonly alignment: number
  /** Where it prefers to be loaded; 0 before 2.10. */
  readonly preferred: number
  /** Bytes it needs from its run-time start before it has read the memory map; 0 before 2.10. */
  readonly initSize: number
  /** Highest address that a byte of the initrd may have. */
  readonly initrdMax: number
  /** Longest command line without the NUL. */
  readonly cmdlineSize: number
}

export function isBzImage(file: Uint8Array): boolean {
  return startsWith(file, 0x1fe, [0x55, 0xaa]) && startsWith(file, MAGIC, 'HdrS')
}

/** Reads and checks the header. Fields that its protocol version does not have get the defaults that boot.rst states. */
export function parseSetupHeader(file: Uint8Array): SetupHeader {
  if (!isBzImage(file)) throw new BootError('not-a-kernel', 'not a Linux kernel image (no boot sector with "HdrS")')
  const headerEnd = MAGIC + file[JUMP_LENGTH]
  if (headerEnd > file.length || headerEnd < 0x22c) {
    throw new BootError('truncated', 'the kernel image is cut off or damaged: its setup header is incomplete')
  }
  // Fields past the header's end are not fields: they are read as zero from this copy.
  const padded = new Uint8Array(0x290)
  padded.set(file.subarray(0, Math.min(headerEnd, padded.length)))
  const view = viewOf(padded)
  const version = view.getUint16(0x206, true)
  if (version < 0x200) throw new BootError('unsupported-kernel', `boot protocol ${versionText(version)} is too old`)
  const from = <T>(least: number, value: T, otherwise: T): T => (version >= least ? value : otherwise)
  const versionAt = view.getUint16(0x20e, true)
  const alignment = from(0x205, view.getUint32(0x230, true), 0)
  return {
    version,
    bytes: file.slice(SETUP_HEADER, headerEnd),
    codeOffset: ((padded[SETUP_HEADER] || 4) + 1) * 512,
    release: versionAt ? asciiAt(file, versionAt + 0x200, 200) : '',
    loadflags: view.getUint8(0x211),
    xloadflags: from(0x20c, view.getUint16(0x236, true), 0),
    code32Start: view.getUint32(0x214, true),
    relocatable: from(0x205, view.getUint8(0x234) !== 0, false),
    alignment: isPowerOfTwo(alignment) ? alignment : 4096,
    preferred: from(0x20a, readU64(view, 0x258), 0),
    initSize: from(0x20a, view.getUint32(0x260, true), 0),
    initrdMax: from(0x203, view.getUint32(0x22c, true), 0x37ff_ffff),
    cmdlineSize: from(0x206, view.getUint32(0x238, true), 255),
  }
}

/** Bytes of protected-mode code in the file; `truncated` when the header says that there should be more. */
export function protectedModeCode(file: Uint8Array, header: SetupHeader): Uint8Array {
  const sizeAt = 0x1f4 // syssize in paragraphs: 32 bits from 2.04 on, before that 16
  const view = viewOf(file)
  const paragraphs = header.version >= 0x204 ? view.getUint32(sizeAt, true) : view.getUint16(sizeAt, true)
  const present = file.length - header.codeOffset
  if (present <= 0 || (header.version >= 0x204 && present + 16 <= paragraphs * 16)) {
    const wanted = header.codeOffset + paragraphs * 16
    throw new BootError('truncated', `the kernel image is cut off: ${file.length} bytes of about ${wanted}`)
  }
  return file.subarray(header.codeOffset)
}

export function versionText(version: number): string {
  return `${version >>> 8}.${String(version & 0xff).padStart(2, '0')}`
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
