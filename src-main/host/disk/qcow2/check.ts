/** Counts who uses each cluster of a qcow2 image, and compares that with its refcounts. */
import { openDiskFile, type DiskFile } from '../file.ts'
import { DiskError } from '../image.ts'
import { parseHeader, type Qcow2Header } from './header.ts'
import { decodeEntry, isCopied, offsetOf } from './mapping.ts'
import { readHead } from './open.ts'
import { Refcounts } from './refcounts.ts'

export interface Qcow2Check {
  /** In words, the first hundred of them. */
  readonly errors: readonly string[]
  /** Clusters that nobody uses and that are not free: lost space, no danger. */
  readonly leaks: number
}

const MOST_WORDS = 100
const SNAPSHOT_HEADER = 40

class Check {
  readonly errors: string[] = []
  leaks = 0
  private readonly file: DiskFile
  private readonly header: Qcow2Header
  private readonly size: number
  private readonly clusters: number
  private readonly users: Uint32Array
  private readonly refcounts: Refcounts
  /** What the active tables say is theirs alone: cluster, and whether they say so. */
  private readonly copied: { readonly cluster: number; readonly flag: boolean; readonly what: string }[] = []

  constructor(file: DiskFile, header: Qcow2Header) {
    this.file = file
    this.header = header
    this.size = 2 ** header.clusterBits
    this.clusters = Math.ceil(file.size / this.size)
    this.users = new Uint32Array(this.clusters)
    this.refcounts = new Refcounts(file, header)
  }

  async run(): Promise<void> {
    const { header } = this
    this.use(0, 1, 'the header')
    const places = await this.refcounts.places()
    this.use(places.at, places.clusters, 'the refcount table')
    for (const at of places.blocks) this.use(at, 1, 'a refcount block')
    await this.l1(header.l1At, header.l1Entries, true)
    await this.snapshots()
    for (const { cluster, flag, what } of this.copied) {
      const count = await this.refcounts.get(cluster)
      if (flag !== (count === 1))
        this.say(`${what} ${flag ? 'claims' : 'does not claim'} cluster ${cluster}, whose refcount is ${count}`)
    }
    for (let cluster = 0; cluster < this.clusters; cluster++) {
      const count = await this.refcounts.get(cluster)
      const users = this.users[cluster]!
      if (count > users) this.leaks++
      else if (count < users) this.say(`cluster ${cluster} has refcount ${count} and is used ${users} times`)
    }
  }

  private say(text: string): void {
    if (this.errors.length < MOST_WORDS) this.errors.push(text)
  }

  private use(at: number, clusters: number, what: string): boolean {
    if (at % this.size !== 0) {
      this.say(`${what} lies between clusters, at ${at}`)
      return false
    }
    const first = at / this.size
    if (first + clusters > this.clusters) {
      this.say(`${what} lies beyond the end of the file, at ${at}`)
      return false
    }
    for (let n = 0; n < clusters; n++) this.users[first + n]!++
    return true
  }

  private async table(at: number, bytes: number): Promise<DataView> {
    const data = new Uint8Array(bytes)
    await this.file.read(at, [data])
    return new DataView(data.buffer)
  }

  private async l1(at: number, entries: number, active: boolean): Promise<void> {
    if (!this.use(at, Math.ceil((entries * 8) / this.size), 'an L1 table')) return
    const l1 = await this.table(at, entries * 8)
    for (let n = 0; n < entries; n++) {
      const l2 = offsetOf(l1, n)
      if (l2 === 0 || !this.use(l2, 1, `the L2 table ${n}`)) continue
      if (active) this.copied.push({ cluster: l2 / this.size, flag: isCopied(l1, n), what: `L1 entry ${n}` })
      this.l2(await this.table(l2, this.size), n, active)
    }
  }
  private l2(l2: DataView, table: number, active: boolean): void {
    for (let n = 0; n < this.size / 8; n++) {
      const entry = decodeEntry(l2.getUint32(n * 8), l2.getUint32(n * 8 + 4), this.header)
      if (entry.kind === 'unallocated' || entry.host === 0) continue
      const what = `entry ${n} of L2 table ${table}`
      if (entry.kind === 'compressed') {
        const first = entry.host - (entry.host % this.size)
        // the last sector may end behind the file
        for (let at = first; at < Math.min(entry.host + entry.bytes, this.clusters * this.size); at += this.size)
          this.use(at, 1, what)
      } else if (this.use(entry.host, 1, what) && active)
        this.copied.push({ cluster: entry.host / this.size, flag: entry.copied, what })
    }
  }

  /** The table of snapshots, and the L1 table of each. */
  private async snapshots(): Promise<void> {
    const { snapshots, snapshotsAt } = this.header
    let at = snapshotsAt
    for (let n = 0; n < snapshots; n++) {
      const head = await this.table(at, SNAPSHOT_HEADER)
      const entries = head.getUint32(8)
      if (entries > this.header.l1Entries + 1024) {
        this.say(`snapshot ${n} has an L1 table of ${entries} entries`)
        return
      }
      await this.l1(Number(head.getBigUint64(0)), entries, false)
      const bytes = SNAPSHOT_HEADER + head.getUint32(36) + head.getUint16(12) + head.getUint16(14)
      at += Math.ceil(bytes / 8) * 8
    }
    if (snapshots > 0) this.use(snapshotsAt, Math.ceil((at - snapshotsAt) / this.size), 'the table of snapshots')
  }
}

/** Changes nothing. Throws DiskError when the file is not qcow2 or somebody is writing it. */
export async function checkQcow2(path: string): Promise<Qcow2Check> {
  const file = openDiskFile(path, true)
  try {
    const header = parseHeader(readHead(path), path)
    if (header.bitmaps) throw new DiskError(`Disk image ${path} keeps dirty bitmaps, which Longmode cannot check.`)
    const check = new Check(file, header)
    await check.run()
    return { errors: check.errors, leaks: check.leaks }
  } finally {
    await file.close()
  }
}
