/** Names of addresses, both ways, from whatever listed them; kernels that were loaded elsewhere (KASLR) by a slide. */
import { compareBytes, kinds, type SymbolColumns } from './columns.ts'

export interface Symbol {
  readonly name: string
  /** As the file says it, without the slide. */
  readonly address: bigint
  /** Bytes; 0 when the file does not say. */
  readonly size: number
  /** `absolute`: a number, not a place; never found by address. */
  readonly kind: 'code' | 'data' | 'absolute'
}

export interface Place {
  readonly symbol: string
  readonly offset: number
}

const UPPER_HALF = 1n << 63n
/** A symbol without a size ends here at the latest. */
const MOST_OFFSET = 1n << 20n

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class SymbolTable {
  /** What is added to addresses in the upper half: where the kernel really is less where it was linked. */
  slide = 0n
  readonly size: number
  readonly #columns: SymbolColumns

  constructor(columns: SymbolColumns) {
    this.#columns = columns
    this.size = columns.addresses.length
  }

  /** Where a name is now. */
  addressOf(name: string): bigint | undefined {
    const n = this.#numberOf(name)
    return n === undefined ? undefined : this.#moved(n)
  }
  get(name: string): Symbol | undefined {
    const n = this.#numberOf(name)
    if (n === undefined) return undefined
    const { addresses, sizes, kinds: kindOf } = this.#columns
    return { name, address: addresses[n]!, size: sizes[n]!, kind: kinds[kindOf[n]!]! }
  }

  #bytesOf(n: number): Uint8Array {
    const { names, nameAt } = this.#columns
    return names.subarray(nameAt[n], nameAt[n + 1])
  }
  #nameOf(n: number): string {
    return decoder.decode(this.#bytesOf(n))
  }
  #numberOf(name: string): number | undefined {
    const { byName } = this.#columns
    const wanted = encoder.encode(name)
    const at = firstOf(byName.length, (n) => compareBytes(this.#bytesOf(byName[n]!), wanted) >= 0)
    const n = byName[at]
    return n !== undefined && compareBytes(this.#bytesOf(n), wanted) === 0 ? n : undefined
  }

  #moved(n: number): bigint {
    const { addresses, kinds: kindOf } = this.#columns
    const address = addresses[n]!
    const moves = address >= UPPER_HALF && kinds[kindOf[n]!] !== 'absolute'
    return moves ? BigInt.asUintN(64, address + this.slide) : address
  }

  /** What lies at an address, as `name + offset`. */
  at(address: bigint): Place | undefined {
    const { places, sizes } = this.#columns
    const after = firstOf(places.length, (at) => this.#moved(places[at]!) > address)
    // of several at the same address the first one counts; one that ended before may lie in a larger one before it
    for (let at = after - 1; at >= 0 && at > after - 17; at--) {
      const n = places[at]!
      const offset = address - this.#moved(n)
      const last = sizes[n]! > 0 ? BigInt(sizes[n]!) : MOST_OFFSET
      if (offset < last) return { symbol: this.#nameOf(this.#firstAt(at)), offset: Number(offset) }
    }
    return undefined
  }
  #firstAt(at: number): number {
    const { places, addresses } = this.#columns
    let first = at
    while (first > 0 && addresses[places[first - 1]!] === addresses[places[at]!]) first--
    return places[first]!
  }

  /** Names that contain `part`, the shortest first, for a search field. */
  search(part: string, most: number): { readonly name: string; readonly address: bigint }[] {
    const { nameAt } = this.#columns
    const lengthOf = (n: number) => nameAt[n + 1]! - nameAt[n]!
    const found = [...this.#containing(encoder.encode(part))].sort((a, b) => lengthOf(a) - lengthOf(b))
    // Only names that may be among the first have to become text.
    const longest = lengthOf(found[Math.min(most, found.length) - 1] ?? 0)
    return found
      .filter((n) => lengthOf(n) <= longest)
      .map((n) => ({ n, name: this.#nameOf(n) }))
      .sort((a, b) => lengthOf(a.n) - lengthOf(b.n) || (a.name < b.name ? -1 : 1))
      .slice(0, most)
      .map(({ n, name }) => ({ name, address: this.#moved(n) }))
  }

  /** Of several symbols with one name the one that the name stands for. */
  *#containing(part: Uint8Array): Generator<number> {
    const { names, nameAt, byName } = this.#columns
    const chosen = new Uint8Array(this.size)
    for (const n of byName) chosen[n] = 1
    for (let at = 0, n = 0; at <= names.length - part.length && n < this.size;) {
      at = part.length === 0 ? at : names.indexOf(part[0]!, at)
      if (at < 0) return
      while (n < this.size && nameAt[n + 1]! <= at) n++
      const isHere = at + part.length <= nameAt[n + 1]! && part.every((byte, k) => names[at + k] === byte)
      if (!isHere) at++
      else {
        if (chosen[n] === 1) yield n
        // The rest of this name may contain it again.
        at = nameAt[n + 1]!
      }
    }
  }
}

/** The first number below `count` for which `holds`, which holds for all after it; `count` when there is none. */
function firstOf(count: number, holds: (n: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Code before data and what has a size before what has not, at the same address. */
export function byAddress(a: Symbol, b: Symbol): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return Number(b.size > 0) - Number(a.size > 0) || Number(b.kind === 'code') - Number(a.kind === 'code')
}
