/** Names of addresses, both ways, from whatever listed them; kernels that were loaded elsewhere (KASLR) by a slide. */

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

export class SymbolTable {
  /** What is added to addresses in the upper half: where the kernel really is less where it was linked. */
  slide = 0n
  readonly size: number
  readonly #names = new Map<string, Symbol>()
  readonly #places: readonly Symbol[]

  constructor(symbols: readonly Symbol[]) {
    this.size = symbols.length
    for (const symbol of symbols) if (!this.#names.has(symbol.name)) this.#names.set(symbol.name, symbol)
    const places = symbols.filter(({ kind }) => kind !== 'absolute')
    // a kernel's low addresses are offsets of per-CPU data, which no address of the user's must be named after
    const upper = places.filter(({ address }) => address >= UPPER_HALF)
    this.#places = (upper.length > 0 ? upper : places).toSorted(byAddress)
  }

  /** Where a name is now. */
  addressOf(name: string): bigint | undefined {
    const symbol = this.#names.get(name)
    return symbol && this.#moved(symbol)
  }
  get(name: string): Symbol | undefined {
    return this.#names.get(name)
  }

  #moved({ address, kind }: Symbol): bigint {
    return address >= UPPER_HALF && kind !== 'absolute' ? BigInt.asUintN(64, address + this.slide) : address
  }

  /** What lies at an address, as `name + offset`. */
  at(address: bigint): Place | undefined {
    const places = this.#places
    let low = 0
    let high = places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#moved(places[middle]!) <= address) low = middle + 1
      else high = middle
    }
    // of several at the same address the first one counts; one that ended before may lie in a larger one before it
    for (let n = low - 1; n >= 0 && n > low - 16; n--) {
      const symbol = places[n]!
      const offset = address - this.#moved(symbol)
      const last = symbol.size > 0 ? BigInt(symbol.size) : MOST_OFFSET
      if (offset >= last) continue
      const first = this.#firstAt(n)
      return { symbol: first.name, offset: Number(offset) }
    }
    return undefined
  }
  #firstAt(n: number): Symbol {
    let at = n
    while (at > 0 && this.#places[at - 1]!.address === this.#places[n]!.address) at--
    return this.#places[at]!
  }

  /** Names that contain `part`, the shortest first, for a search field. */
  search(part: string, most: number): { readonly name: string; readonly address: bigint }[] {
    const found = [...this.#names.values()].filter(({ name }) => name.includes(part))
    return found
      .sort((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
      .slice(0, most)
      .map((symbol) => ({ name: symbol.name, address: this.#moved(symbol) }))
  }
}

/** Code before data and what has a size before what has not, at the same address. */
export function byAddress(a: Symbol, b: Symbol): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return Number(b.size > 0) - Number(a.size > 0) || Number(b.kind === 'code') - Number(a.kind === 'code')
}
