/**
 * Little-endian fields of a 9P message (9P2000.L: integers, s = u16 length + bytes, qid = type u8, version u32, path u64).
 * The reader never throws: past the end it yields zeroes and remembers that it was `short`.
 */
export class MessageReader {
  private bytes: Uint8Array = new Uint8Array(0)
  private position = 0
  private end = 0
  short = false

  /** Read `bytes` from `start` (inclusive) to `end`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.position = start
    this.end = end
    this.short = false
  }

  get left(): number {
    return this.end - this.position
  }

  u8(): number {
    if (this.position >= this.end) return this.missing()
    return this.bytes[this.position++]
  }

  u16(): number {
    if (this.position + 2 > this.end) return this.missing()
    const at = this.position
    this.position = at + 2
    return this.bytes[at] | (this.bytes[at + 1] << 8)
  }

  u32(): number {
    if (this.position + 4 > this.end) return this.missing()
    const at = this.position
    this.position = at + 4
    const b = this.bytes
    return (b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24)) >>> 0
  }

  /** As a number: exact below 2^53, rounded above (callers refuse such values). */
  u64(): number {
    const low = this.u32()
    return this.u32() * 0x1_0000_0000 + low
  }

  u64Exact(): bigint {
    const low = this.u32()
    return (BigInt(this.u32()) << 32n) | BigInt(low)
  }

  /** Signed 64-bit seconds as a number. */
  i64(): number {
    const low = this.u32()
    return (this.u32() | 0) * 0x1_0000_0000 + low
  }

  /** A private copy of a string's bytes: the buffer under the reader is used again. */
  string(): Uint8Array {
    const length = this.u16()
    if (this.position + length > this.end) {
      this.missing()
      return new Uint8Array(0)
    }
    const at = this.position
    this.position = at + length
    return this.bytes.slice(at, at + length)
  }

  private missing(): number {
    this.short = true
    this.position = this.end
    return 0
  }
}

/** Writes past the end are dropped and remembered as `overflow`. */
export class MessageWriter {
  readonly bytes: Uint8Array
  private limit: number
  position = 0
  overflow = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.limit = bytes.length
  }

  /** Start again at `position`; at most `limit` bytes in all. */
  reset(position: number, limit: number): void {
    this.position = position
    this.limit = Math.min(limit, this.bytes.length)
    this.overflow = false
  }

  get room(): number {
    return this.limit - this.position
  }

  u8(value: number): void {
    if (this.take(1)) this.bytes[this.position - 1] = value
  }

  u16(value: number): void {
    if (!this.take(2)) return
    const at = this.position - 2
    this.bytes[at] = value
    this.bytes[at + 1] = value >>> 8
  }

  u32(value: number): void {
    if (!this.take(4)) return
    const at = this.position - 4
    const b = this.bytes
    b[at] = value
    b[at + 1] = value >>> 8
    b[at + 2] = value >>> 16
    b[at + 3] = value >>> 24
  }

  /** A whole number; negative ones as two's complement. */
  u64(value: number): void {
    this.u32(value >>> 0)
    this.u32(Math.floor(value / 0x1_0000_0000) >>> 0)
  }

  u64Exact(value: bigint): void {
    this.u32(Number(value & 0xffff_ffffn))
    this.u32(Number((value >> 32n) & 0xffff_ffffn))
  }

  string(value: Uint8Array): void {
    this.u16(value.length)
    this.raw(value)
  }

  raw(value: Uint8Array): void {
    if (this.take(value.length)) this.bytes.set(value, this.position - value.length)
  }

  private take(count: number): boolean {
    if (this.position + count > this.limit) {
      this.overflow = true
      return false
    }
    this.position += count
    return true
  }
}
