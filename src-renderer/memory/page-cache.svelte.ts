/** Pages of guest memory as the window has read them. Reading again shows what changed. */
import { SvelteMap } from 'svelte/reactivity'
import type { AddressSpace, MemoryRead } from '../../src-main/contract/debug.ts'
import { PAGE, pageOf, SPACE_END } from './address.ts'
import type { PageBytes } from './bytes.ts'

export type ReadMemory = (ask: {
  readonly space: AddressSpace
  readonly address: bigint
  readonly length: number
}) => Promise<MemoryRead>

/** Pages that are kept; far more than a screen shows. */
const MOST_PAGES = 256

export class PageCache {
  readonly #pages = new SvelteMap<string, PageBytes>()
  readonly #asked = new Set<string>()
  readonly #read: ReadMemory
  readonly #onTrouble: (error: unknown) => void

  constructor(read: ReadMemory, onTrouble: (error: unknown) => void) {
    this.#read = read
    this.#onTrouble = onTrouble
  }

  /** The page of an address, when it has been read. */
  page(space: AddressSpace, address: bigint): PageBytes | undefined {
    return this.#pages.get(key(space, pageOf(address)))
  }

  /** Reads the pages of a range that are not there yet. */
  want(space: AddressSpace, from: bigint, to: bigint): void {
    for (let page = pageOf(from); page < to && page < SPACE_END; page += PAGE) {
      if (!this.#pages.has(key(space, page))) void this.#load(space, page)
    }
  }

  /** Reads a range again; what differs from before is marked as changed. */
  async refresh(space: AddressSpace, from: bigint, to: bigint): Promise<void> {
    const loads: Promise<void>[] = []
    for (let page = pageOf(from); page < to && page < SPACE_END; page += PAGE) loads.push(this.#load(space, page))
    await Promise.all(loads)
  }

  async #load(space: AddressSpace, page: bigint): Promise<void> {
    const name = key(space, page)
    if (this.#asked.has(name)) return
    this.#asked.add(name)
    try {
      const read = await this.#read({ space, address: page, length: Number(PAGE) })
      this.#pages.set(name, compare(read, this.#pages.get(name)))
      this.#trim()
    } catch (error) {
      this.#onTrouble(error)
    } finally {
      this.#asked.delete(name)
    }
  }

  #trim(): void {
    for (const name of this.#pages.keys()) {
      if (this.#pages.size <= MOST_PAGES) return
      this.#pages.delete(name)
    }
  }

  clear(): void {
    this.#pages.clear()
  }
}

const key = (space: AddressSpace, page: bigint): string => `${space}:${page.toString(16)}`

export function compare(read: MemoryRead, before: PageBytes | undefined): PageBytes {
  const { bytes } = read
  const hole = new Uint8Array(bytes.length)
  for (const { offset, length } of read.holes) hole.fill(1, offset, offset + length)
  const changed = new Uint8Array(bytes.length)
  if (before !== undefined) {
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] !== before.bytes[at] && hole[at] === 0 && before.hole[at] === 0) changed[at] = 1
    }
  }
  return { bytes, hole, changed }
}
