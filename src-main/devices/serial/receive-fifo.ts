/** A received character that was a break condition: a zero with the break flag, as the line sampled it. */
export const BREAK = 0x100

/** The receiver's FIFO: 16 characters, or the single holding register when FIFOs are off (PC16550D datasheet §8.5). */
export class ReceiveFifo {
  private readonly items = new Uint16Array(16)
  private head = 0
  private used = 0
  depth = 1

  get length(): number {
    return this.used
  }

  get space(): number {
    return Math.max(0, this.depth - this.used)
  }

  /** False when it was full and the character was lost. */
  push(item: number): boolean {
    if (this.used >= this.depth) return false
    this.items[(this.head + this.used++) & 15] = item
    return true
  }

  /** The oldest character, or undefined. */
  peek(): number | undefined {
    return this.used === 0 ? undefined : this.items[this.head]
  }

  shift(): number | undefined {
    if (this.used === 0) return undefined
    const item = this.items[this.head]
    this.head = (this.head + 1) & 15
    this.used--
    return item
  }

  clear(): void {
    this.head = this.used = 0
  }

  /** Does any character carry a break? */
  hasBreak(): boolean {
    return this.contents().some((item) => (item & BREAK) !== 0)
  }

  contents(): number[] {
    return Array.from({ length: this.used }, (_, i) => this.items[(this.head + i) & 15])
  }

  restore(items: readonly number[]): void {
    this.clear()
    for (const item of items) this.push(item)
  }
}
