/**
 * A qcow2 image, version 2 or 3, read and written.
 *
 * Changes of tables stay in memory until the guest flushes, and then go out in an order that leaves a usable image wherever the power fails:
 * refcounts and data, then L2 tables, then the L1 table, synced in between where something depends on it; clusters are released only after
 * nothing on disk names them any more. The worst that can stay behind is a cluster that nobody uses.
 */
import type { BlockStatus } from '../../../devices/backends.ts'
import type { DiskFile } from '../file.ts'
import { SECTOR, slice, statusOf, totalLength, type DiskImage } from '../image.ts'
import { decompress } from './compressed.ts'
import { HEADER_AT, type Qcow2Header } from './header.ts'
import { Mapping, type Entry } from './mapping.ts'
import { Refcounts } from './refcounts.ts'
import { Turns } from './turns.ts'

/** Decompressed clusters that are kept. */
const DECOMPRESSED = 16

/** Neighbouring clusters that lie the same way: one host call. */
interface Run {
  readonly kind: Entry['kind']
  readonly position: number
  length: number
  /** Place in the file of `position`. */
  readonly host: number
  readonly entry: Entry
}

export class Qcow2Image implements DiskImage {
  readonly sectors: number
  readonly readOnly: boolean
  readonly #file: DiskFile
  readonly #header: Qcow2Header
  readonly #below: DiskImage | undefined
  readonly #clusterBytes: number
  readonly #refcounts: Refcounts
  readonly #mapping: Mapping
  readonly #turns = new Turns()
  readonly #decompressed = new Map<number, Uint8Array>()
  #released: number[] = []
  #marked = false

  /** `below` is the backing file's image; it is closed with this one. */
  constructor(file: DiskFile, header: Qcow2Header, below: DiskImage | undefined, readOnly: boolean) {
    this.sectors = header.size / SECTOR
    this.readOnly = readOnly
    this.#file = file
    this.#header = header
    this.#below = below
    this.#clusterBytes = 2 ** header.clusterBits
    this.#refcounts = new Refcounts(file, header)
    this.#mapping = new Mapping(file, header, this.#refcounts, (at) => this.#released.push(at))
  }

  read(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    return statusOf(this.#turns.read(() => this.#read(position, buffers)))
  }
  write(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    return this.#change(() => this.#write(position, buffers))
  }
  discard(position: number, length: number): Promise<BlockStatus> {
    // version 2 has no way to say "zeroes" over a backing file; there the contents may stay
    if (this.#header.version === 2 && this.#below) return Promise.resolve('ok')
    return this.#change(() => this.#clear(position, length, false))
  }
  writeZeroes(position: number, length: number): Promise<BlockStatus> {
    return this.#change(() => this.#clear(position, length, true))
  }
  flush(): Promise<BlockStatus> {
    return this.readOnly ? Promise.resolve('ok') : statusOf(this.#turns.write(() => this.#commit(true)))
  }

  async close(): Promise<void> {
    try {
      if (!this.readOnly) {
        await this.#turns.write(async () => {
          await this.#commit(true)
          // what was released while the tables were written
          if (this.#refcounts.dirty) await this.#refcounts.write()
        })
      }
    } finally {
      // on a full disk the lock must go too
      await this.#file.close()
      await this.#below?.close()
    }
  }

  #change(act: () => Promise<void>): Promise<BlockStatus> {
    if (this.readOnly) return Promise.resolve('read-only')
    return statusOf(
      this.#turns.write(async () => {
        await this.#mark()
        await act()
        if (this.#mapping.full || this.#refcounts.full) await this.#commit(false)
      }),
    )
  }
  /** Features that a writer who does not know them must switch off (autoclear). */
  async #mark(): Promise<void> {
    if (this.#marked) return
    this.#marked = true
    if (this.#header.autoclear !== 0n) await this.#file.write(HEADER_AT.autoclear, [new Uint8Array(8)])
  }

  async #commit(sync: boolean): Promise<void> {
    const depends = this.#mapping.l2Dirty || this.#mapping.l1Dirty
    await this.#refcounts.write()
    if (depends) {
      await this.#file.sync()
      await this.#mapping.writeL2()
      if (this.#mapping.l1Dirty) {
        await this.#file.sync()
        await this.#mapping.writeL1()
      }
    }
    if (sync || this.#released.length > 0) await this.#file.sync()
    const released = this.#released
    this.#released = []
    for (const at of released) await this.#refcounts.release(at)
  }

  /* ---- reading ---- */

  /** What this image itself says about [position, position+length): data, zeroes, or nothing, so that the image below counts. */
  async describe(
    position: number,
    length: number,
  ): Promise<{ readonly position: number; readonly length: number; readonly holds: 'data' | 'zeroes' | 'nothing' }[]> {
    const runs = await this.#turns.read(() => this.#runs(position, length))
    return runs.map(({ kind, position, length }) => {
      const holds = kind === 'unallocated' ? 'nothing' : kind === 'zero' ? 'zeroes' : 'data'
      return { position, length, holds }
    })
  }

  /** Lists the runs of [position, position+length). */
  async #runs(position: number, length: number): Promise<Run[]> {
    const size = this.#clusterBytes
    const runs: Run[] = []
    const end = position + length
    for (let at = position; at < end;) {
      const cluster = Math.floor(at / size)
      const wanted = Math.ceil(end / size) - cluster
      for (const entry of await this.#mapping.entries(cluster, wanted)) {
        const inside = at % size
        const bytes = Math.min(size - inside, end - at)
        const host = entry.kind === 'normal' ? entry.host + inside : 0
        const last = runs.at(-1)
        const joins = entry.kind !== 'compressed' && last?.kind === entry.kind
        if (joins && (entry.kind !== 'normal' || last.host + last.length === host)) last.length += bytes
        else runs.push({ kind: entry.kind, position: at, length: bytes, host, entry })
        at += bytes
      }
    }
    return runs
  }

  async #read(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const runs = await this.#runs(position, totalLength(buffers))
    await Promise.all(runs.map((run) => this.#readRun(run, slice(buffers, run.position - position, run.length))))
  }
  async #readRun(run: Run, part: readonly Uint8Array[]): Promise<void> {
    if (run.kind === 'normal') return await this.#file.read(run.host, part)
    if (run.kind === 'unallocated') return await this.#readBelow(run.position, part)
    if (run.kind === 'zero') {
      for (const buffer of part) buffer.fill(0)
      return
    }
    const cluster = await this.#decompress(run.entry)
    let from = run.position % this.#clusterBytes
    for (const buffer of part) {
      buffer.set(cluster.subarray(from, from + buffer.length))
      from += buffer.length
    }
  }
  /** From the backing file; what lies beyond its end is zeroes. */
  async #readBelow(position: number, part: readonly Uint8Array[]): Promise<void> {
    const below = this.#below
    const length = totalLength(part)
    const there = below ? Math.max(0, Math.min(length, below.sectors * SECTOR - position)) : 0
    for (const buffer of slice(part, there, length - there)) buffer.fill(0)
    if (!below || there === 0) return
    const status = await below.read(position, slice(part, 0, there))
    if (status !== 'ok') throw new Error(`the backing file says ${status}`)
  }
  async #decompress(entry: Entry): Promise<Uint8Array> {
    if (entry.kind !== 'compressed') throw new Error('a cluster that is not compressed')
    const known = this.#decompressed.get(entry.host)
    if (known) return known
    const data = new Uint8Array(entry.bytes)
    await this.#file.read(entry.host, [data])
    const cluster = decompress(data, this.#header.compression, this.#clusterBytes)
    this.#decompressed.set(entry.host, cluster)
    if (this.#decompressed.size > DECOMPRESSED) {
      const [oldest] = this.#decompressed.keys()
      if (oldest !== undefined) this.#decompressed.delete(oldest)
    }
    return cluster
  }

  /* ---- writing ---- */

  async #write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const size = this.#clusterBytes
    const end = position + totalLength(buffers)
    for (let at = position; at < end;) {
      const cluster = Math.floor(at / size)
      const entries = await this.#mapping.entries(cluster, Math.ceil(end / size) - cluster)
      const own = isOwn(entries[0]!)
      // in place as long as the host clusters follow each other; new clusters as long as new ones are needed
      let count = 1
      while (count < entries.length && isOwn(entries[count]!) === own && (!own || follows(entries, count, size)))
        count++
      const stop = Math.min(end, (cluster + count) * size)
      const part = slice(buffers, at - position, stop - at)
      const first = entries[0]!
      if (own && first.kind === 'normal') await this.#file.write(first.host + (at % size), part)
      else await this.#writeNew(at, stop, part, entries.slice(0, count))
      at = stop
    }
  }

  /** Writes whole new clusters for [at, stop): what is not written keeps its contents. */
  async #writeNew(at: number, stop: number, part: readonly Uint8Array[], old: readonly Entry[]): Promise<void> {
    const size = this.#clusterBytes
    const start = at - (at % size)
    const end = start + old.length * size
    const head = new Uint8Array(at - start)
    const tail = new Uint8Array(end - stop)
    const known = Math.min(end, this.#header.size)
    if (head.length > 0) await this.#read(start, [head])
    if (stop < known) await this.#read(stop, [tail.subarray(0, known - stop)])
    const host = await this.#refcounts.allocate(old.length)
    try {
      await this.#file.write(
        host,
        [head, ...part, tail].filter(({ length }) => length > 0),
      )
      for (let n = 0; n < old.length; n++) await this.#mapping.set(start / size + n, host + n * size)
    } catch (error) {
      // nothing names them yet, or nothing that will be written
      for (let n = 0; n < old.length; n++) await this.#forgetNew(start / size + n, host + n * size)
      throw error
    }
    for (const entry of old) this.#release(entry)
  }
  /** A cluster that was allocated and not filled is free again unless the mapping has it already. */
  async #forgetNew(cluster: number, host: number): Promise<void> {
    const [entry] = await this.#mapping.entries(cluster, 1)
    if (entry?.kind !== 'normal' || entry.host !== host) await this.#refcounts.release(host)
  }
  #release(entry: Entry): void {
    if (entry.kind === 'unallocated' || (entry.kind === 'zero' && entry.host === 0)) return
    if (entry.kind !== 'compressed') {
      this.#released.push(entry.host)
      return
    }
    this.#decompressed.delete(entry.host)
    // compressed data may lie in two clusters, each of which counts it
    const size = this.#clusterBytes
    const last = entry.host + entry.bytes - 1
    for (let at = entry.host - (entry.host % size); at <= last; at += size) this.#released.push(at)
  }

  /** Whole clusters lose their data; the edges are written as zeroes when they have to be. */
  async #clear(position: number, length: number, edges: boolean): Promise<void> {
    const size = this.#clusterBytes
    const end = position + length
    // the disk may end inside its last cluster, and what follows is nobody's
    const last = end === this.#header.size ? Math.ceil(end / size) : Math.floor(end / size)
    const first = Math.ceil(position / size)
    if (edges && position < Math.min(first * size, end))
      await this.#writeZeroData(position, Math.min(first * size, end))
    if (edges && last >= first && last * size < end) await this.#writeZeroData(last * size, end)
    for (let cluster = first; cluster < last;) {
      const entries = await this.#mapping.entries(cluster, last - cluster)
      for (const [n, entry] of entries.entries()) await this.#clearCluster(cluster + n, entry)
      cluster += entries.length
    }
  }
  async #clearCluster(cluster: number, entry: Entry): Promise<void> {
    const plain = this.#below === undefined
    if (entry.kind === 'zero' && entry.host === 0) return
    if (plain && entry.kind === 'unallocated') return
    if (this.#header.version === 2 && !plain) {
      const at = cluster * this.#clusterBytes
      return await this.#writeZeroData(at, Math.min(at + this.#clusterBytes, this.#header.size))
    }
    await this.#mapping.set(cluster, 0, this.#header.version === 3 && !plain)
    this.#release(entry)
  }
  async #writeZeroData(from: number, to: number): Promise<void> {
    const zeroes = new Uint8Array(Math.min(to - from, 1 << 20))
    for (let at = from; at < to; at += zeroes.length) await this.#write(at, [zeroes.subarray(0, to - at)])
  }
}

/** May be overwritten where it is. */
const isOwn = (entry: Entry): boolean => entry.kind === 'normal' && entry.copied
function follows(entries: readonly Entry[], n: number, size: number): boolean {
  const [before, here] = [entries[n - 1]!, entries[n]!]
  return before.kind === 'normal' && here.kind === 'normal' && before.host + size === here.host
}
