/** Little-endian assembly of tables, and the few checked reads that file headers need. */

/** Grows as it is written; numbers are little-endian. */
export class ByteWriter {
  private readonly bytes: number[] = []

  get length(): number {
    return this.bytes.length
  }

  u8(value: number): this {
    this.bytes.push(value & 0xff)
    return this
  }

  u16(value: number): this {
    return this.u8(value).u8(value >>> 8)
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16)
  }

  /** Whole numbers from 0 to 2^53. */
  u64(value: number): this {
    return this.u32(value % 0x1_0000_0000).u32(Math.floor(value / 0x1_0000_0000))
  }

  raw(data: ArrayLike<number>): this {
    for (let i = 0; i < data.length; i++) this.bytes.push(data[i])
    return this
  }

  /** ASCII, cut or padded with `pad` to exactly `length` bytes. */
  text(value: string, length = value.length, pad = 0): this {
    for (let i = 0; i < length; i++) this.u8(i < value.length ? value.charCodeAt(i) : pad)
    return this
  }

  zeroes(count: number): this {
    for (let i = 0; i < count; i++) this.bytes.push(0)
    return this
  }

  align(unit: number): this {
    return this.zeroes(alignUp(this.length, unit) - this.length)
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes)
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A u64 as a number; beyond 2^53 it is no address of ours, and comes back as Infinity. */
export function readU64(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true)
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value)
}

export function startsWith(bytes: Uint8Array, offset: number, magic: readonly number[] | string): boolean {
  if (offset + magic.length > bytes.length) return false
  for (let i = 0; i < magic.length; i++) {
    const wanted = typeof magic === 'string' ? magic.charCodeAt(i) : magic[i]
    if (bytes[offset + i] !== wanted) return false
  }
  return true
}

/** NUL-terminated ASCII, at most `max` bytes; other characters end it too. */
export function asciiAt(bytes: Uint8Array, offset: number, max: number): string {
  let text = ''
  for (let i = offset; i < bytes.length && i < offset + max; i++) {
    const code = bytes[i]
    if (code < 0x20 || code > 0x7e) break
    text += String.fromCharCode(code)
  }
  return text
}

/** UTF-8 with a NUL at the end. A NUL inside would cut the text: it is refused by the callers' own checks. */
export function utf8z(text: string): Uint8Array {
  const out: number[] = []
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (code < 0x80) out.push(code)
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x1_0000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  out.push(0)
  return Uint8Array.from(out)
}

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

export function alignDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit
}
