/** A 256-bit register of the local APIC: one bit a vector. */
export class VectorSet {
  private readonly words = new Uint32Array(8)
  /** Number of the highest vector set, kept because it is asked for at every instruction border that matters; -1 for none. */
  private top = -1

  has(vector: number): boolean {
    return (this.words[vector >> 5] & (1 << (vector & 31))) !== 0
  }

  set(vector: number): void {
    this.words[vector >> 5] |= 1 << (vector & 31)
    if (vector > this.top) this.top = vector
  }

  clear(vector: number): void {
    this.words[vector >> 5] &= ~(1 << (vector & 31))
    if (vector === this.top) this.top = this.search()
  }

  /** The highest vector in the set, or -1. */
  highest(): number {
    return this.top
  }

  /** Vectors 32 * index .. 32 * index + 31. */
  word(index: number): number {
    return this.words[index]
  }

  reset(): void {
    this.words.fill(0)
    this.top = -1
  }

  /** The vectors of the set, one byte each. */
  save(): Uint8Array {
    return Uint8Array.from(Array.from({ length: 256 }, (_, vector) => vector).filter((vector) => this.has(vector)))
  }

  restore(vectors: Uint8Array): void {
    this.reset()
    for (const vector of vectors) this.set(vector)
  }

  private search(): number {
    for (let index = 7; index >= 0; index--) {
      const word = this.words[index]
      if (word !== 0) return index * 32 + 31 - Math.clz32(word)
    }
    return -1
  }
}
