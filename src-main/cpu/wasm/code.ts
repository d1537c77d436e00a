/** Bytes of generated code: a buffer that grows. */
const FIRST_SIZE = 1024
const EMPTY = new Uint8Array(0)

export class Code {
  private bytes = EMPTY
  length = 0
  /** Places of conditional branches with a guess: offset, then 1 for taken, 0 for not. */
  readonly hints: number[] = []
  /** Where the last local.set stands and which local it sets, while nothing follows it. */
  private setAt = -1
  private setEnd = -1
  private setLocal = -1

  private room(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(FIRST_SIZE, 2 * this.bytes.length, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.room(1)
    this.bytes[this.length++] = value
  }
  append(values: ArrayLike<number>): void {
    this.room(values.length)
    for (let i = 0; i < values.length; i++) this.bytes[this.length++] = values[i]!
  }
  /** Another buffer's bytes. */
  code(other: Code): void {
    this.room(other.length)
    this.bytes.set(other.bytes.subarray(0, other.length), this.length)
    other.hints.forEach((x, i) => this.hints.push(i % 2 === 0 ? x + this.length : x))
    this.length += other.length
  }
  /** Unsigned LEB128 of a number below 2^53. */
  leb(value: number): void {
    let rest = value
    while (rest > 0x7fff_ffff) {
      this.byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.byte((rest & 127) | 128)
      rest >>>= 7
    }
    this.byte(rest)
  }
  /** Signed LEB128. */
  signed(value: number | bigint): void {
    if (typeof value === 'bigint' || (value | 0) !== value) return this.signedWide(BigInt(value))
    let rest = value
    for (;;) {
      const low = rest & 127
      rest >>= 7
      if ((rest === 0 && !(low & 64)) || (rest === -1 && low & 64)) return this.byte(low)
      this.byte(low | 128)
    }
  }
  private signedWide(value: bigint): void {
    let rest = value
    for (;;) {
      const low = Number(rest & 127n)
      rest >>= 7n
      if ((rest === 0n && !(low & 64)) || (rest === -1n && low & 64)) return this.byte(low)
      this.byte(low | 128)
    }
  }

  /** The branch that follows is usually taken, or not (an `if`: its condition usually holds, or not). */
  hint(likely: boolean | undefined): void {
    if (likely !== undefined) this.hints.push(this.length, likely ? 1 : 0)
  }

  /** local.set of the value on the stack. */
  setValue(local: number): void {
    this.setAt = this.length
    this.byte(0x21)
    this.leb(local)
    this.setEnd = this.length
    this.setLocal = local
  }
  /** local.get; right behind a local.set of the same local the two become a local.tee. */
  getValue(local: number): void {
    if (this.setEnd === this.length && this.setLocal === local) {
      this.bytes[this.setAt] = 0x22
      this.setEnd = -1
      return
    }
    this.byte(0x20)
    this.leb(local)
  }

  /** The bytes so far, as a copy. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }
}
