/** One row of the hex view, cut into pieces that look alike, and the values that begin at a byte. */
import type { RowBytes } from './address.ts'

/** How a byte is drawn. */
export type ByteLook = 'plain' | 'zero' | 'changed' | 'found' | 'hole'

export interface Segment {
  readonly look: ByteLook
  readonly text: string
}

/** The page as it was read last. */
export interface PageBytes {
  readonly bytes: Uint8Array
  /** 1 where nothing could be read. */
  readonly hole: Uint8Array
  /** 1 where the byte differs from the reading before. */
  readonly changed: Uint8Array
}

export function lookOf(page: PageBytes, offset: number, found: boolean): ByteLook {
  if (page.hole[offset] !== 0) return 'hole'
  if (found) return 'found'
  if (page.changed[offset] !== 0) return 'changed'
  return page.bytes[offset] === 0 ? 'zero' : 'plain'
}

/** A letter of the text column. */
export function letter(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'
}

/** Neighbours with the same look become one segment. In the hex column a space follows every byte, two after the eighth. */
function gather(count: number, look: (at: number) => ByteLook, text: (at: number) => string): Segment[] {
  const segments: { look: ByteLook; text: string }[] = []
  for (let at = 0; at < count; at++) {
    const mine = look(at)
    const last = segments.at(-1)
    if (last?.look === mine) last.text += text(at)
    else segments.push({ look: mine, text: text(at) })
  }
  return segments
}

/** Characters before the byte `at` of a row in the hex column. */
export const hexColumn = (at: number): number => at * 3 + (at >= 8 ? 1 : 0)
/** The byte at a character of the hex column of a row. */
export function byteAtColumn(column: number, bytes: RowBytes): number {
  const at = column >= 25 ? Math.floor((column - 1) / 3) : Math.min(7, Math.floor(column / 3))
  return Math.max(0, Math.min(bytes - 1, at))
}

/** The row of so many bytes at an offset of the page. */
export function hexRow(
  page: PageBytes,
  offset: number,
  bytes: RowBytes,
  isFound: (offset: number) => boolean,
): Segment[] {
  return gather(
    bytes,
    (at) => lookOf(page, offset + at, isFound(offset + at)),
    (at) => {
      const digits = page.hole[offset + at] !== 0 ? '··' : page.bytes[offset + at].toString(16).padStart(2, '0')
      return at === bytes - 1 ? digits : at === 7 ? `${digits}  ` : `${digits} `
    },
  )
}

export function textRow(
  page: PageBytes,
  offset: number,
  bytes: RowBytes,
  isFound: (offset: number) => boolean,
): Segment[] {
  return gather(
    bytes,
    (at) => lookOf(page, offset + at, isFound(offset + at)),
    (at) => (page.hole[offset + at] !== 0 ? ' ' : letter(page.bytes[offset + at])),
  )
}

export interface Values {
  readonly u8: number
  readonly u16: number
  readonly u32: number
  readonly u64: bigint
  readonly i64: bigint
  readonly text: string
}

/** What the bytes are as numbers (little-endian) and as text up to the first unprintable byte; undefined with fewer than eight. */
export function valuesOf(bytes: Uint8Array): Values | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.findIndex((byte) => byte < 0x20 || byte >= 0x7f)
  const u64 = view.getBigUint64(0, true)
  return {
    u8: view.getUint8(0),
    u16: view.getUint16(0, true),
    u32: view.getUint32(0, true),
    u64,
    i64: BigInt.asIntN(64, u64),
    text: String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end)),
  }
}
