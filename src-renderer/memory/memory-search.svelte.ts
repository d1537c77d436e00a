/** A search through guest memory, piece by piece, until something is found, the end is reached, or the user stops it. */
import type { AddressSpace } from '../../src-main/contract/debug.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import { parsePattern, SPACE_END } from './address.ts'

export class MemorySearch {
  running = $state(false)
  found = $state.raw<{ readonly address: bigint; readonly length: number }>()
  /** The last search reached the end. */
  exhausted = $state(false)
  #generation = 0
  readonly #api: Longmode['debug']
  readonly #id: string

  constructor(api: Longmode['debug'], id: string) {
    this.#api = api
    this.#id = id
  }

  stop(): void {
    this.#generation++
    this.running = false
  }

  /** The next place at or above `from`, else the first below it; undefined when there is none or the search was stopped. */
  async next(space: AddressSpace, text: string, from: bigint): Promise<bigint | undefined> {
    const pattern = parsePattern(text)
    if (pattern === undefined) return undefined
    const generation = ++this.#generation
    this.running = true
    this.exhausted = false
    // Round the end: what begins below `from` may reach beyond it.
    const again = from + BigInt(pattern.length) - 1n
    const stretches = [[from, SPACE_END] as const, [0n, again < SPACE_END ? again : SPACE_END] as const]
    try {
      for (const [first, to] of stretches) {
        let start: bigint | undefined = first
        while (start !== undefined && start < to) {
          const { found, next } = await this.#api.search(this.#id, { space, from: start, to, pattern })
          if (generation !== this.#generation) return undefined
          if (found.length > 0) {
            this.found = { address: found[0], length: pattern.length }
            return found[0]
          }
          start = next
        }
      }
      this.exhausted = true
      return undefined
    } finally {
      if (generation === this.#generation) this.running = false
    }
  }
}
