import { readU64, startsWith, viewOf } from '../bytes.ts'
import { BootError } from '../types.ts'

/** ELF executables (System V gABI chapter 4 and 5), as far as a loader needs them. Every offset is checked against the file. */
const CLASS_32 = 1
const CLASS_64 = 2
const LITTLE_ENDIAN = 1
export const PT_LOAD = 1
export const PT_NOTE = 4
export const EM_386 = 3
export const EM_X86_64 = 62
const MAX_PROGRAM_HEADERS = 1024

export interface ProgramHeader {
  readonly type: number
  readonly offset: number
  /** A bigint: the upper half of the address space is beyond the numbers. */
  readonly vaddr: bigint
  readonly paddr: number
  readonly fileSize: number
  readonly memSize: number
}

export interface ElfImage {
  readonly bits: 32 | 64
  readonly machine: number
  readonly type: number
  readonly entry: bigint
  readonly programHeaders: readonly ProgramHeader[]
}

export function isElf(file: Uint8Array): boolean {
  return startsWith(file, 0, [0x7f, 0x45, 0x4c, 0x46])
}

export function parseElf(file: Uint8Array): ElfImage {
  if (!isElf(file)) throw new BootError('not-a-kernel', 'not an ELF file')
  const bits = file[4] === CLASS_64 ? 64 : 32
  if (file.length < (bits === 64 ? 64 : 52)) throw truncated()
  if ((file[4] !== CLASS_32 && file[4] !== CLASS_64) || file[5] !== LITTLE_ENDIAN) {
    throw new BootError('wrong-machine', 'an ELF file of another kind of machine; Longmode runs x86-64')
  }
  const view = viewOf(file)
  const headersAt = bits === 64 ? readU64(view, 0x20) : view.getUint32(0x1c, true)
  const entrySize = view.getUint16(bits === 64 ? 0x36 : 0x2a, true)
  const count = view.getUint16(bits === 64 ? 0x38 : 0x2c, true)
  const least = bits === 64 ? 56 : 32
  if (count > MAX_PROGRAM_HEADERS) throw new BootError('not-a-kernel', 'an ELF file with too many program headers')
  if (count > 0 && entrySize < least) throw new BootError('not-a-kernel', 'an ELF file with a damaged header')
  if (headersAt + count * entrySize > file.length) throw truncated()
  const programHeaders: ProgramHeader[] = []
  for (let i = 0; i < count; i++) {
    const at = headersAt + i * entrySize
    programHeaders.push(bits === 64 ? programHeader64(view, at) : programHeader32(view, at))
  }
  for (const header of programHeaders) {
    if (header.type !== PT_LOAD && header.type !== PT_NOTE) continue
    if (header.offset + header.fileSize > file.length) throw truncated()
    if (header.type === PT_LOAD && header.fileSize > header.memSize) {
      throw new BootError('not-a-kernel', 'an ELF file with a segment that is bigger in the file than in memory')
    }
  }
  return {
    bits,
    machine: view.getUint16(0x12, true),
    type: view.getUint16(0x10, true),
    entry: bits === 64 ? view.getBigUint64(0x18, true) : BigInt(view.getUint32(0x18, true)),
    programHeaders,
  }
}

function programHeader64(view: DataView, at: number): ProgramHeader {
  return {
    type: view.getUint32(at, true),
    offset: readU64(view, at + 8),
    vaddr: view.getBigUint64(at + 16, true),
    paddr: readU64(view, at + 24),
    fileSize: readU64(view, at + 32),
    memSize: readU64(view, at + 40),
  }
}

function programHeader32(view: DataView, at: number): ProgramHeader {
  return {
    type: view.getUint32(at, true),
    offset: view.getUint32(at + 4, true),
    vaddr: BigInt(view.getUint32(at + 8, true)),
    paddr: view.getUint32(at + 12, true),
    fileSize: view.getUint32(at + 16, true),
    memSize: view.getUint32(at + 20, true),
  }
}

/** The descriptor of the first note with this owner and type, in any PT_NOTE segment. */
export function findNote(file: Uint8Array, image: ElfImage, owner: string, type: number): Uint8Array | undefined {
  const view = viewOf(file)
  for (const header of image.programHeaders) {
    if (header.type !== PT_NOTE) continue
    const end = header.offset + header.fileSize
    let at = header.offset
    while (at + 12 <= end) {
      const nameSize = view.getUint32(at, true)
      const descSize = view.getUint32(at + 4, true)
      const desc = at + 12 + Math.ceil(nameSize / 4) * 4
      if (desc + descSize > end) break
      const named = nameSize === owner.length + 1 && startsWith(file, at + 12, owner)
      if (named && view.getUint32(at + 8, true) === type) return file.subarray(desc, desc + descSize)
      at = desc + Math.ceil(descSize / 4) * 4
    }
  }
  return undefined
}

function truncated(): BootError {
  return new BootError('truncated', 'the ELF file is cut off: a part that its header names is missing')
}
