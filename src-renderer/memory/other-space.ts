/** The same byte in the other address space: what the viewer shows when the space is switched. */
import type { AddressSpace } from '../../src-main/contract/debug.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import { SPACE_END } from './address.ts'

/** The direct map is the first thing that Linux keeps in the upper half, with KASLR too: a few pieces of the map reach it. */
const UPPER_HALF = 0xffff_8000_0000_0000n
const MOST_PIECES = 16

export class OtherSpace {
  readonly #api: Longmode['debug']
  readonly #id: string
  /** The virtual address that was left last, and the page that it lies in. */
  #left: { readonly virtual: bigint; readonly physical: bigint; readonly pageBytes: bigint } | undefined

  constructor(api: Longmode['debug'], id: string) {
    this.#api = api
    this.#id = id
  }

  /** Where the byte at an address of the one space lies in the other, `to`; undefined: nowhere that is known. Rejects as the calls do. */
  of(address: bigint, to: AddressSpace): Promise<bigint | undefined> {
    return to === 'physical' ? this.#physical(address) : this.#virtual(address)
  }

  async #physical(virtual: bigint): Promise<bigint | undefined> {
    const { result } = await this.#api.walk(this.#id, virtual)
    if (result.kind !== 'mapped') return undefined
    this.#left = { virtual, physical: result.physical, pageBytes: BigInt(result.pageBytes) }
    return result.physical
  }

  /** The way back within the page that it came by, as long as that is mapped so; else the direct map. */
  async #virtual(physical: bigint): Promise<bigint | undefined> {
    const left = this.#left
    if (left !== undefined && left.physical / left.pageBytes === physical / left.pageBytes) {
      const virtual = left.virtual + (physical - left.physical)
      const { result } = await this.#api.walk(this.#id, virtual)
      if (result.kind === 'mapped' && result.physical === physical) return virtual
    }
    return await this.#direct(physical)
  }

  /** A running guest may change its tables between two pieces; the walk view beside shows what is true. */
  async #direct(physical: bigint): Promise<bigint | undefined> {
    let from: bigint | undefined = UPPER_HALF
    for (let count = 0; count < MOST_PIECES && from !== undefined && from < SPACE_END; count++) {
      const { ranges, next }: Awaited<ReturnType<Longmode['debug']['map']>> = await this.#api.map(this.#id, from)
      for (const { start, end, physical: base } of ranges) {
        // A map may tell more than it was asked.
        if (start < UPPER_HALF || base === undefined) continue
        if (physical >= base && physical - base < end - start) return start + (physical - base)
      }
      from = next
    }
    return undefined
  }
}
