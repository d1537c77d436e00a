/** From guest clusters to host clusters: the L1 and L2 tables. */
import type { DiskFile } from '../file.ts'
import type { Qcow2Header } from './header.ts'
import type { Refcounts } from './refcounts.ts'
import { TableCache, type Table } from './tables.ts'

/** L2 tables in memory; one of 64 KiB maps 512 MiB. */
const L2_TABLES = 64

/** Upper word of an entry: refcount is exactly one; the cluster is compressed. */
const COPIED = 0x8000_0000
const COMPRESSED = 0x4000_0000
const OFFSET_HIGH = 0x00ff_ffff
/** Lower word, version 3: reads as zeroes. */
const ZERO = 1

export type Entry =
  | { readonly kind: 'unallocated' }
  /** `host` is 0 or a cluster that is kept for later. */
  | { readonly kind: 'zero' | 'normal'; readonly host: number; readonly copied: boolean }
  /** `bytes` from `host` on, the last sector not to its end. */
  | { readonly kind: 'compressed'; readonly host: number; readonly bytes: number }

export class Mapping {
  readonly #file: DiskFile
  readonly #header: Qcow2Header
  readonly #refcounts: Refcounts
  readonly #l2: TableCache
  readonly #l2Bits: number
  #l1: DataView | undefined
  #l1Dirty = false
  /** Clusters to release when the tables without them are on disk. */
  readonly #released: (at: number) => void

  constructor(file: DiskFile, header: Qcow2Header, refcounts: Refcounts, released: (at: number) => void) {
    this.#file = file
    this.#header = header
    this.#refcounts = refcounts
    this.#released = released
    this.#l2 = new TableCache(file, 2 ** header.clusterBits, L2_TABLES)
    this.#l2Bits = header.clusterBits - 3
  }

  get l2Dirty(): boolean {
    return this.#l2.dirtyCount > 0
  }
  get l1Dirty(): boolean {
    return this.#l1Dirty
  }
  get full(): boolean {
    return this.#l2.full
  }

  async l1(): Promise<DataView> {
    if (this.#l1) return this.#l1
    const bytes = new Uint8Array(this.#header.l1Entries * 8)
    await this.#file.read(this.#header.l1At, [bytes])
    return (this.#l1 = new DataView(bytes.buffer))
  }

  /** Entries of consecutive clusters, as many as lie in one L2 table, `most` at most. */
  async entries(cluster: number, most: number): Promise<Entry[]> {
    const inTable = 2 ** this.#l2Bits
    const index = Math.floor(cluster / inTable)
    const first = cluster % inTable
    const count = Math.min(most, inTable - first)
    const at = offsetOf(await this.l1(), index)
    if (at === 0) return Array<Entry>(count).fill({ kind: 'unallocated' })
    const table = await this.#l2.get(at)
    return Array.from({ length: count }, (_, n) => this.#decode(table.view, first + n))
  }
  #decode(view: DataView, index: number): Entry {
    const high = view.getUint32(index * 8)
    const low = view.getUint32(index * 8 + 4)
    return decodeEntry(high, low, this.#header)
  }

  /** `copied` means that the entry is the cluster's only user. */
  async set(cluster: number, host: number, zero = false): Promise<void> {
    const inTable = 2 ** this.#l2Bits
    const table = await this.#ownTable(Math.floor(cluster / inTable))
    const at = (cluster % inTable) * 8
    table.view.setUint32(at, host === 0 ? 0 : (COPIED | Math.floor(host / 0x1_0000_0000)) >>> 0)
    table.view.setUint32(at + 4, (host % 0x1_0000_0000) + (zero ? ZERO : 0))
    table.dirty = true
  }

  /** The L2 table of an L1 entry, made or copied when it is not ours alone. */
  async #ownTable(index: number): Promise<Table> {
    const l1 = await this.l1()
    const at = offsetOf(l1, index)
    const copied = (l1.getUint32(index * 8) & COPIED) !== 0
    if (at !== 0 && copied) return await this.#l2.get(at)
    const contents = at === 0 ? undefined : (await this.#l2.get(at)).bytes
    const place = await this.#refcounts.allocate(1)
    const table = this.#l2.create(place, contents)
    l1.setBigUint64(index * 8, BigInt(place) | (BigInt(COPIED) << 32n))
    this.#l1Dirty = true
    if (at !== 0) this.#released(at)
    return table
  }

  async writeL2(): Promise<void> {
    await this.#l2.writeDirty()
  }
  async writeL1(): Promise<void> {
    if (!this.#l1Dirty) return
    await this.#file.write(this.#header.l1At, [new Uint8Array((await this.l1()).buffer)])
    this.#l1Dirty = false
  }
}

/** Place of the L2 table that an L1 entry names; 0: none. */
export function offsetOf(l1: DataView, index: number): number {
  if (index * 8 >= l1.byteLength) return 0
  return (l1.getUint32(index * 8) & OFFSET_HIGH) * 0x1_0000_0000 + ((l1.getUint32(index * 8 + 4) & ~511) >>> 0)
}
export const isCopied = (view: DataView, index: number): boolean => (view.getUint32(index * 8) & COPIED) !== 0

export function decodeEntry(high: number, low: number, { clusterBits, version }: Qcow2Header): Entry {
  if (high & COMPRESSED) {
    const word = (BigInt(high) << 32n) | BigInt(low)
    const bits = BigInt(62 - (clusterBits - 8))
    const host = Number(word & ((1n << bits) - 1n))
    const sectors = Number((word >> bits) & ((1n << (62n - bits)) - 1n)) + 1
    return { kind: 'compressed', host, bytes: sectors * 512 - (host % 512) }
  }
  const host = (high & OFFSET_HIGH) * 0x1_0000_0000 + ((low & ~511) >>> 0)
  const copied = (high & COPIED) !== 0
  if (version === 3 && low & ZERO) return { kind: 'zero', host, copied }
  return host === 0 ? { kind: 'unallocated' } : { kind: 'normal', host, copied }
}
