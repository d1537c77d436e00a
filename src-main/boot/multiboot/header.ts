import { viewOf } from '../bytes.ts'

/** Multiboot 0.6.96 §3.1: the header lies, 4-byte aligned, within the first 8 KiB of the image. */
const HEADER_MAGIC = 0x1bad_b002
const SEARCH_BYTES = 8192

export const FLAG_ALIGN_MODULES = 1 << 0
export const FLAG_MEMORY_INFO = 1 << 1
export const FLAG_ADDRESSES = 1 << 16
/** Bits 0 to 15 are requirements: a loader that does not know one must refuse. Bit 2 asks for a video mode. */
export const FLAGS_REQUIRED = 0xffff

export interface MultibootHeader {
  /** Where in the file the header is. */
  readonly offset: number
  readonly flags: number
  /** Present with FLAG_ADDRESSES; physical addresses. Zero for loadEnd: to the file's end; for bssEnd: no bss. */
  readonly addresses?: {
    readonly header: number
    readonly load: number
    readonly loadEnd: number
    readonly bssEnd: number
    readonly entry: number
  }
}

/** The first header with a right checksum, or undefined. */
export function findMultibootHeader(file: Uint8Array): MultibootHeader | undefined {
  const view = viewOf(file)
  const end = Math.min(SEARCH_BYTES, file.length)
  for (let offset = 0; offset + 12 <= end; offset += 4) {
    if (view.getUint32(offset, true) !== HEADER_MAGIC) continue
    const flags = view.getUint32(offset + 4, true)
    if ((HEADER_MAGIC + flags + view.getUint32(offset + 8, true)) % 0x1_0000_0000 !== 0) continue
    if (!(flags & FLAG_ADDRESSES)) return { offset, flags }
    if (offset + 32 > end) continue
    const field = (index: number): number => view.getUint32(offset + 12 + index * 4, true)
    const addresses = { header: field(0), load: field(1), loadEnd: field(2), bssEnd: field(3), entry: field(4) }
    return { offset, flags, addresses }
  }
  return undefined
}
