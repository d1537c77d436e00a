import { HOT_COUNTER_BYTES, HOT_COUNTERS } from '../state/layout.ts'

/**
 * Halves the jump counters every so many guest instructions: so a threshold is a rate, and what is executed now and then over a whole boot never reaches it,
 * while what a program does again and again gets there in a fraction of a second. What was jumped to at all keeps a 1: discovery asks for that (`maker.ts`).
 */
export class Cooling {
  readonly #counters: Int32Array
  readonly #every: number
  #last: number

  /** `every`: instructions (under 2^32); `retired`: the low 32 bits of what the processor has retired so far. */
  constructor(memory: WebAssembly.Memory, every: number, retired: number) {
    this.#counters = new Int32Array(memory.buffer, HOT_COUNTERS, HOT_COUNTER_BYTES / 4)
    this.#every = every
    this.#last = retired
  }

  /** To be called between slices with the low 32 bits of the instructions retired. */
  at(retired: number): void {
    if ((retired - this.#last) >>> 0 < this.#every) return
    this.#last = retired
    const counters = this.#counters
    for (let i = 0; i < counters.length; i++) {
      // two of 16 bits in one number, rounded up
      const pair = counters[i]
      if (pair !== 0) counters[i] = ((pair >>> 1) & 0x7fff7fff) + (pair & 0x10001)
    }
  }
}
