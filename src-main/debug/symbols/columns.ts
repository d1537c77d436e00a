/**
 * Symbols as columns: what the thread that reads a file hands to the one that asks, without an object for each of its hundreds of thousands. A symbol is a number,
 * its position in the order of addresses.
 */
import { byAddress, type Symbol } from './symbol-table.ts'

export const kinds = ['code', 'data', 'absolute'] as const satisfies readonly Symbol['kind'][]

export interface SymbolColumns {
  /** All names in UTF-8, one behind the other. */
  readonly names: Uint8Array<ArrayBuffer>
  /** Where each name begins, and the end of the last. */
  readonly nameAt: Uint32Array<ArrayBuffer>
  readonly addresses: BigUint64Array<ArrayBuffer>
  readonly sizes: Float64Array<ArrayBuffer>
  /** Positions in `kinds`. */
  readonly kinds: Uint8Array<ArrayBuffer>
  /** Symbols that are found by address, in its order. */
  readonly places: Uint32Array<ArrayBuffer>
  /** Symbols in the order of their names' bytes; the first of several with one name. */
  readonly byName: Uint32Array<ArrayBuffer>
}

const UPPER_HALF = 1n << 63n

export function columnsOf(symbols: readonly Symbol[]): SymbolColumns {
  const sorted = symbols.toSorted(byAddress)
  const encoder = new TextEncoder()
  const encoded = sorted.map(({ name }) => encoder.encode(name))
  const nameAt = new Uint32Array(sorted.length + 1)
  for (const [n, name] of encoded.entries()) nameAt[n + 1] = nameAt[n]! + name.length
  const names = new Uint8Array(nameAt[sorted.length]!)
  for (const [n, name] of encoded.entries()) names.set(name, nameAt[n])
  const first = new Map<string, number>()
  for (const [n, { name }] of sorted.entries()) if (!first.has(name)) first.set(name, n)
  const byName = [...first.values()].sort((a, b) => compareBytes(encoded[a]!, encoded[b]!))
  const all = [...sorted.keys()].filter((n) => sorted[n]!.kind !== 'absolute')
  // a kernel's low addresses are offsets of per-CPU data, which no address of the user's must be named after
  const upper = all.filter((n) => sorted[n]!.address >= UPPER_HALF)
  return {
    names,
    nameAt,
    addresses: BigUint64Array.from(sorted, ({ address }) => address),
    sizes: Float64Array.from(sorted, ({ size }) => size),
    kinds: Uint8Array.from(sorted, ({ kind }) => kinds.indexOf(kind)),
    places: Uint32Array.from(upper.length > 0 ? upper : all),
    byName: Uint32Array.from(byName),
  }
}

/** Negative, 0 or positive: the order of two byte strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!
  return a.length - b.length
}
