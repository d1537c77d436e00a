/** Refcounts of host clusters, and with them the allocation of new ones. Nothing here is on disk before write(). */
import type { DiskFile } from '../file.ts'
import { DiskError } from '../image.ts'
import { HEADER_AT, type Qcow2Header } from './header.ts'
import { TableCache, type Table } from './tables.ts'

/** Refcount blocks in memory; one of 64 KiB stands for 2 GiB. */
const BLOCKS = 32
const OFFSET_MASK = 0xffff_ffff_ffff_fe00n

export class Refcounts {
  readonly #file: DiskFile
  readonly #clusterBytes: number
  readonly #order: number
  /** Refcounts in a block. */
  readonly #inBlock: number
  readonly #blocks: TableCache
  #table: DataView | undefined
  #tableAt: number
  #tableClusters: number
  #tableDirty = false
  /** Everything below this cluster is in use. */
  #free = 0

  constructor(file: DiskFile, header: Qcow2Header) {
    this.#file = file
    this.#clusterBytes = 2 ** header.clusterBits
    this.#order = header.refcountOrder
    this.#inBlock = (this.#clusterBytes * 8) >> this.#order
    this.#blocks = new TableCache(file, this.#clusterBytes, BLOCKS)
    this.#tableAt = header.refcountTableAt
    this.#tableClusters = header.refcountTableClusters
  }

  get dirty(): boolean {
    return this.#tableDirty || this.#blocks.dirtyCount > 0
  }
  get full(): boolean {
    return this.#blocks.full
  }
  /** Clusters that the table can speak of. */
  get reach(): number {
    return ((this.#tableClusters * this.#clusterBytes) / 8) * this.#inBlock
  }
  /** The table's own clusters, and where its blocks are: for the check. */
  async places(): Promise<{ at: number; clusters: number; blocks: readonly number[] }> {
    const table = await this.#loadTable()
    const all = Array.from({ length: table.byteLength / 8 }, (_, n) => this.#blockAt(table, n))
    return { at: this.#tableAt, clusters: this.#tableClusters, blocks: all.filter((at) => at !== 0) }
  }

  async #loadTable(): Promise<DataView> {
    if (this.#table) return this.#table
    const bytes = new Uint8Array(this.#tableClusters * this.#clusterBytes)
    await this.#file.read(this.#tableAt, [bytes])
    return (this.#table = new DataView(bytes.buffer))
  }
  #blockAt(table: DataView, index: number): number {
    return index * 8 < table.byteLength ? Number(table.getBigUint64(index * 8) & OFFSET_MASK) : 0
  }

  async get(cluster: number): Promise<number> {
    const at = this.#blockAt(await this.#loadTable(), Math.floor(cluster / this.#inBlock))
    return at === 0 ? 0 : this.#read(await this.#blocks.get(at), cluster % this.#inBlock)
  }
  #read({ view }: Table, index: number): number {
    const order = this.#order
    if (order === 4) return view.getUint16(index * 2)
    if (order === 3) return view.getUint8(index)
    if (order === 5) return view.getUint32(index * 4)
    if (order === 6) return Number(view.getBigUint64(index * 8))
    const perByte = 8 >> order
    return (view.getUint8(Math.floor(index / perByte)) >> ((index % perByte) << order)) & ((1 << (1 << order)) - 1)
  }
  #write(table: Table, index: number, value: number): void {
    const { view } = table
    const order = this.#order
    const most = order >= 6 ? Number.MAX_SAFE_INTEGER : 2 ** (1 << order) - 1
    if (value > most)
      throw new DiskError('A cluster of the qcow2 image is shared more often than its refcounts can say.')
    table.dirty = true
    if (order === 4) view.setUint16(index * 2, value)
    else if (order === 3) view.setUint8(index, value)
    else if (order === 5) view.setUint32(index * 4, value)
    else if (order === 6) view.setBigUint64(index * 8, BigInt(value))
    else {
      const perByte = 8 >> order
      const at = Math.floor(index / perByte)
      const shift = (index % perByte) << order
      const mask = ((1 << (1 << order)) - 1) << shift
      view.setUint8(at, (view.getUint8(at) & ~mask) | (value << shift))
    }
  }

  async set(cluster: number, value: number): Promise<void> {
    const index = Math.floor(cluster / this.#inBlock)
    await this.#ensureBlock(index)
    const table = await this.#loadTable()
    this.#write(await this.#blocks.get(this.#blockAt(table, index)), cluster % this.#inBlock, value)
    if (value === 0 && cluster < this.#free) this.#free = cluster
  }

  /** Clusters one after the other, refcount 1; gives the first one's place in the file. */
  async allocate(count: number): Promise<number> {
    for (;;) {
      const first = await this.#findRun(count)
      const indexes = new Set<number>()
      for (let n = 0; n < count; n++) indexes.add(Math.floor((first + n) / this.#inBlock))
      let made = false
      // a new block may take a place in the run that was found
      for (const index of indexes) made = (await this.#ensureBlock(index)) || made
      if (made) continue
      for (let n = 0; n < count; n++) await this.set(first + n, 1)
      if (first === this.#free) this.#free = first + count
      return first * this.#clusterBytes
    }
  }
  /** One user of the cluster at `at` less. */
  async release(at: number): Promise<void> {
    const cluster = Math.floor(at / this.#clusterBytes)
    const old = await this.get(cluster)
    if (old > 0) await this.set(cluster, old - 1)
  }

  async #findRun(count: number): Promise<number> {
    const table = await this.#loadTable()
    let run = 0
    for (let cluster = this.#free; ; cluster++) {
      const index = Math.floor(cluster / this.#inBlock)
      const at = this.#blockAt(table, index)
      // nothing behind the table is in use
      if (index * 8 >= table.byteLength) return cluster - run
      if (at === 0) {
        const rest = this.#inBlock - (cluster % this.#inBlock)
        if (run + rest >= count) return cluster - run
        run += rest
        cluster += rest - 1
        continue
      }
      const block = await this.#blocks.get(at)
      const end = (index + 1) * this.#inBlock
      for (; cluster < end; cluster++) {
        run = this.#read(block, cluster % this.#inBlock) === 0 ? run + 1 : 0
        if (run === 0 && cluster === this.#free) this.#free++
        if (run === count) return cluster + 1 - count
      }
      cluster--
    }
  }

  /** True when the block had to be made. */
  async #ensureBlock(index: number): Promise<boolean> {
    let table = await this.#loadTable()
    if (this.#blockAt(table, index) !== 0) return false
    if (index * 8 >= table.byteLength) {
      await this.#growTable(index + 1)
      table = await this.#loadTable()
      if (this.#blockAt(table, index) !== 0) return true
    }
    const cluster = await this.#findRun(1)
    const home = Math.floor(cluster / this.#inBlock)
    // it lies where another missing block would have to count it: that one first
    if (home !== index && this.#blockAt(table, home) === 0) {
      await this.#ensureBlock(home)
      return await this.#ensureBlock(index)
    }
    const block = this.#blocks.create(cluster * this.#clusterBytes)
    table.setBigUint64(index * 8, BigInt(block.at))
    this.#tableDirty = true
    const counted = home === index ? block : await this.#blocks.get(this.#blockAt(table, home))
    this.#write(counted, cluster % this.#inBlock, 1)
    return true
  }

  /** A larger table behind everything that is in use, with blocks for itself; the old one is free afterwards. */
  async #growTable(least: number): Promise<void> {
    const old = await this.#loadTable()
    const first = await this.#firstBeyondUse(old)
    const wanted = Math.max(least, Math.ceil((old.byteLength / 8) * 1.5))
    const { clusters, blocks } = this.#planTable(old, first, wanted)
    const table = new DataView(new ArrayBuffer(clusters * this.#clusterBytes))
    new Uint8Array(table.buffer).set(new Uint8Array(old.buffer))
    blocks.forEach((index, n) => {
      const block = this.#blocks.create((first + clusters + n) * this.#clusterBytes)
      table.setBigUint64(index * 8, BigInt(block.at))
    })
    for (let n = 0; n < clusters + blocks.length; n++) {
      const at = this.#blockAt(table, Math.floor((first + n) / this.#inBlock))
      this.#write(await this.#blocks.get(at), (first + n) % this.#inBlock, 1)
    }
    await this.#blocks.writeDirty()
    await this.#file.write(first * this.#clusterBytes, [new Uint8Array(table.buffer)])
    await this.#file.sync()
    const pointer = new DataView(new ArrayBuffer(12))
    pointer.setBigUint64(0, BigInt(first * this.#clusterBytes))
    pointer.setUint32(8, clusters)
    await this.#file.write(HEADER_AT.refcountTable, [new Uint8Array(pointer.buffer)])
    await this.#file.sync()
    const [oldAt, oldClusters] = [this.#tableAt, this.#tableClusters]
    this.#table = table
    this.#tableAt = first * this.#clusterBytes
    this.#tableClusters = clusters
    this.#tableDirty = false
    for (let n = 0; n < oldClusters; n++) await this.release(oldAt + n * this.#clusterBytes)
  }
  async #firstBeyondUse(table: DataView): Promise<number> {
    for (let index = table.byteLength / 8 - 1; index >= 0; index--) {
      const at = this.#blockAt(table, index)
      if (at === 0) continue
      const block = await this.#blocks.get(at)
      for (let n = this.#inBlock - 1; n >= 0; n--) if (this.#read(block, n) !== 0) return index * this.#inBlock + n + 1
    }
    return 1
  }
  /** Clusters of a table for `wanted` blocks at cluster `first`, and the blocks that must be made to count it and themselves. */
  #planTable(old: DataView, first: number, wanted: number): { clusters: number; blocks: number[] } {
    let blocks: number[] = []
    let entries = wanted
    for (;;) {
      const clusters = Math.ceil((entries * 8) / this.#clusterBytes)
      const last = Math.floor((first + clusters + blocks.length - 1) / this.#inBlock)
      const missing: number[] = []
      for (let index = Math.floor(first / this.#inBlock); index <= last; index++)
        if (this.#blockAt(old, index) === 0) missing.push(index)
      if (missing.length === blocks.length && last < (clusters * this.#clusterBytes) / 8)
        return { clusters, blocks: missing }
      blocks = missing
      entries = Math.max(entries, last + 1)
    }
  }

  /** Everything to the file; the caller syncs. */
  async write(): Promise<void> {
    await this.#blocks.writeDirty()
    if (!this.#tableDirty) return
    const table = await this.#loadTable()
    await this.#file.write(this.#tableAt, [new Uint8Array(table.buffer)])
    this.#tableDirty = false
  }
}
