/** Compressed clusters: raw deflate, or one zstd frame. What follows them in their last sector belongs to others. */
import { inflateRawSync, zstdDecompressSync } from 'node:zlib'

/** Throws when the data is damaged. */
export function decompress(data: Uint8Array, how: 'zlib' | 'zstd', bytes: number): Uint8Array {
  const frame = how === 'zstd' ? data.subarray(0, zstdFrameBytes(data)) : data
  const options = { maxOutputLength: bytes }
  const result = how === 'zstd' ? zstdDecompressSync(frame, options) : inflateRawSync(frame, options)
  if (result.length === bytes) return result
  // a cluster that holds the disk's end may be shorter
  const whole = new Uint8Array(bytes)
  whole.set(result)
  return whole
}

const ZSTD_MAGIC = 0xfd2f_b528
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_BYTES = [0, 2, 4, 8]

/** Length of a zstd frame (RFC 8878, 3.1.1): header, blocks up to the last one, checksum. */
export function zstdFrameBytes(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  if (data.length < 6 || view.getUint32(0, true) !== ZSTD_MAGIC) throw new Error('not a zstd frame')
  const descriptor = data[4]!
  const single = (descriptor & 0x20) !== 0
  const content = descriptor >> 6 === 0 && single ? 1 : CONTENT_BYTES[descriptor >> 6]!
  let at = 5 + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + content
  for (;;) {
    if (at + 3 > data.length) throw new Error('a zstd frame without an end')
    const block = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16)
    const type = (block >> 1) & 3
    // a block of type 1 is one byte repeated
    at += 3 + (type === 1 ? 1 : block >> 3)
    if (block & 1) return at + (descriptor & 4 ? 4 : 0)
  }
}
