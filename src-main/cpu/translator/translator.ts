/** The code cache: has regions made where the interpreter found hot code, and drops them when their bytes change. */
import { modeKey, type DecodeMode } from '../decode/record.ts'
import { HANDLER, SLOT_MODE, SLOT_TRANSLATED } from '../region.ts'
import { AT, HOT_COUNTER_BYTES, HOT_COUNTERS, HOT_NEVER, RECORD, SLOT_BYTES, type MemoryMap } from '../state/layout.ts'
import type { Batch, FromRegionThread, Job, MadeRegion, Place, RegionThread } from './jobs.ts'
import type { RegionMaker } from './maker.ts'

interface Region {
  readonly record: number
  /** RAM pages that it was made from, with their slots: one, or two that follow each other in linear addresses. */
  readonly pages: readonly { readonly page: number; readonly slot: number }[]
  /** In the table. */
  readonly index: number
  /** In offsets from the beginning of the first page. */
  readonly ranges: readonly (readonly [number, number])[]
  readonly instructions: number
  readonly module: LiveModule
  /** In REGION_RECORDS. */
  readonly records: readonly number[]
}

/** V8 keeps a module's code as long as one of its regions is in the table. */
interface LiveModule {
  readonly instance: WebAssembly.Instance
  readonly bytes: number
  regions: number
}

/**
 * Live regions at most, and how many are left when there were more. Half-way from there to the bound all are put to sleep, so that those
 * that were not used since then are known when room has to be made: they go first, then the oldest.
 */
const MOST_REGIONS = 7000
const KEPT_SHARE = 0.8

/** Jobs that a thread may be behind; what is hot then has to become hot again. */
const MOST_WAITING = 512

/** Table entries added at a time. */
const GROWTH = 1024

export interface TranslatorCounts {
  regions: number
  made: number
  /** Guest instructions of all regions made, and of those that live. */
  instructions: number
  liveInstructions: number
  dropped: number
  /** Of the dropped ones, those that had to make room. */
  evicted: number
  refused: number
  /** Modules made, and the bytes of their code. */
  modules: number
  bytes: number
  /** Modules of which a region lives, and the bytes of their code. */
  liveModules: number
  liveBytes: number
  /** Of the table of handlers and regions. */
  tableEntries: number
  /** On the vCPU's thread: making regions there, or taking those that the thread made. */
  milliseconds: number
  /** CPU time of the translator thread. */
  threadMilliseconds: number
  /** Jobs given to the thread, those that it has at the moment and had at most, and those that had to wait because it was so far behind. */
  jobs: number
  waiting: number
  mostWaiting: number
  postponed: number
  /** Regions that came too late: the code had changed, or its page had lost its slot. */
  stale: number
}

export class Translator {
  readonly counts: TranslatorCounts = {
    regions: 0,
    made: 0,
    instructions: 0,
    liveInstructions: 0,
    dropped: 0,
    evicted: 0,
    refused: 0,
    modules: 0,
    bytes: 0,
    liveModules: 0,
    liveBytes: 0,
    tableEntries: 0,
    milliseconds: 0,
    threadMilliseconds: 0,
    jobs: 0,
    waiting: 0,
    mostWaiting: 0,
    postponed: 0,
    stale: 0,
  }
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly map: MemoryMap
  private readonly env: Readonly<Record<string, unknown>>
  private readonly table: WebAssembly.Table
  private readonly maker: RegionMaker | RegionThread
  private readonly placeOf: (record: number) => { page: number; offset: number } | undefined
  private readonly now: () => number
  /** Regions by the number of their RAM page. */
  private readonly pages = new Map<number, Region[]>()
  private readonly free: number[] = []
  /** Jobs of the thread, by id, and their records. */
  private readonly asked = new Map<number, Job>()
  private readonly askedRecords = new Set<number>()
  private nextJob = 1
  /** REGION_RECORDS for the thread to use again. They go back with the next job: never while a region runs, whose own they may be. */
  private returned: number[] = []
  /** Regions have been put to sleep since the last eviction. */
  private sleeping = false
  /** Bound of the cache; tests make it smaller. */
  mostRegions = MOST_REGIONS

  constructor(parts: {
    readonly memory: WebAssembly.Memory
    readonly map: MemoryMap
    /** The exports of the core module, and its memory. */
    readonly env: Readonly<Record<string, unknown>>
    readonly table: WebAssembly.Table
    /** A maker makes regions at once, a thread while the guest runs on. */
    readonly maker: RegionMaker | RegionThread
    /** Where a record stands for code; undefined when its slot was emptied. */
    readonly placeOf: (record: number) => { page: number; offset: number } | undefined
    readonly now: () => number
  }) {
    this.bytes = new Uint8Array(parts.memory.buffer)
    this.view = new DataView(parts.memory.buffer)
    this.map = parts.map
    this.env = parts.env
    this.table = parts.table
    this.maker = parts.maker
    this.placeOf = parts.placeOf
    this.now = parts.now
  }

  /** Code at a place is hot. */
  translate(place: Place): void {
    if (this.isRegion(place.record)) return
    const { maker } = this
    const asked = { id: this.nextJob, ...place }
    if ('send' in maker) return this.ask(maker, asked)
    const start = this.now()
    const batch = maker.make([asked])
    const region = batch?.regions[0]
    if (!batch || !region) {
      this.counts.refused++
      return
    }
    this.install(asked, region, this.instance(batch))
    this.counts.milliseconds += this.now() - start
  }
  private isRegion(record: number): boolean {
    const handler = this.view.getUint16(record, true)
    return handler === HANDLER.region || handler === HANDLER.asleep
  }
  private instance({ module, bytes }: Batch): LiveModule {
    this.counts.modules++
    this.counts.bytes += bytes
    return { instance: new WebAssembly.Instance(module, { env: this.env }), bytes, regions: 0 }
  }

  /* ---- the thread ---- */

  private ask(thread: RegionThread, asked: Job): void {
    const { counts } = this
    if (this.askedRecords.has(asked.record)) return
    if (this.asked.size >= MOST_WAITING) {
      this.clearCounter(asked.record)
      counts.postponed++
      return
    }
    this.nextJob++
    this.asked.set(asked.id, asked)
    this.askedRecords.add(asked.record)
    thread.send({ jobs: [asked], returned: this.returned })
    this.returned = []
    counts.jobs++
    counts.waiting = this.asked.size
    counts.mostWaiting = Math.max(counts.mostWaiting, counts.waiting)
  }
  /** Takes what the thread has made; between two slices of guest code. `wanted`: false throws it away. */
  receive({ ids, batch, milliseconds }: FromRegionThread, wanted: boolean): void {
    const { counts } = this
    const start = this.now()
    let module: LiveModule | undefined
    ids.forEach((id, n) => {
      const asked = this.asked.get(id)
      if (!asked) throw new Error(`the translator thread answers job ${id}, which nobody gave it`)
      this.asked.delete(id)
      this.askedRecords.delete(asked.record)
      const region = batch?.regions[n]
      if (!region) counts.refused++
      else if (wanted && this.stands(asked, region)) this.install(asked, region, (module ??= this.instance(batch!)))
      else {
        counts.stale++
        this.returned.push(...region.records)
        this.clearCounter(asked.record)
      }
    })
    counts.waiting = this.asked.size
    counts.threadMilliseconds = milliseconds
    counts.milliseconds += this.now() - start
  }
  /** Is the code still what the region was made from, and its record where it was? */
  private stands({ page, offset, record, mode, after }: Job, { ranges, code }: MadeRegion): boolean {
    if (this.isRegion(record) || !this.holds(record, page, offset, mode)) return false
    const isLong = ranges.at(-1)![1] > 4096
    if (isLong && !(after && this.holds(after.slot, after.page, 0, mode))) return false
    const { ramBase } = this.map
    const bases = [ramBase + page * 4096, ramBase + ((after?.page ?? 0) - 1) * 4096]
    let at = 0
    for (const [from, to] of ranges)
      for (let i = from; i < to; i++) if (this.bytes[bases[i < 4096 ? 0 : 1]! + i] !== code[at++]) return false
    return true
  }
  /** Does the record stand for this place? */
  private holds(record: number, page: number, offset: number, mode: DecodeMode): boolean {
    const place = this.placeOf(record)
    if (place?.page !== page || place.offset !== offset) return false
    return this.view.getUint8(this.slotByte(record, SLOT_MODE)) === modeKey(mode)
  }
  /** No thread makes regions any more: what is not translated now is left to the interpreter. */
  stop(): void {
    this.asked.clear()
    this.askedRecords.clear()
    this.counts.waiting = 0
    this.view.setUint32(AT.hotAt, HOT_NEVER, true)
  }

  /* ---- the cache ---- */

  /** Keeps the bound. */
  private evict(): void {
    const { counts, mostRegions } = this
    const kept = Math.floor(mostRegions * KEPT_SHARE)
    if (counts.regions <= mostRegions) {
      if (counts.regions > (kept + mostRegions) / 2 && !this.sleeping) this.sleep()
      return
    }
    const before = counts.regions
    const isUnused = (region: Region): boolean => this.view.getUint16(region.record, true) === HANDLER.asleep
    for (const choice of [isUnused, () => true])
      for (const page of [...this.pages.keys()]) if (counts.regions > kept) this.dropWhere(page, choice)
    counts.evicted += before - counts.regions
    this.sleeping = false
  }
  private sleep(): void {
    for (const regions of this.pages.values())
      for (const { record } of regions) this.view.setUint16(record, HANDLER.asleep, true)
    this.sleeping = true
  }

  private place(region: unknown): number {
    const { table } = this
    if (this.free.length === 0) {
      const first = table.grow(GROWTH)
      this.counts.tableEntries = first + GROWTH
      for (let i = GROWTH - 1; i >= 0; i--) this.free.push(first + i)
    }
    const index = this.free.pop()!
    table.set(index, region)
    return index
  }
  private install({ page, record, after }: Job, made: MadeRegion, module: LiveModule): void {
    const { counts, view } = this
    const { ranges, instructions, records } = made
    const pages = [{ page, slot: record }]
    if (after && ranges.at(-1)![1] > 4096) pages.push(after)
    const index = this.place(module.instance.exports[made.name])
    const region: Region = { record, pages, index, ranges, instructions, module, records }
    if (module.regions++ === 0) {
      counts.liveModules++
      counts.liveBytes += module.bytes
    }
    counts.made++
    counts.regions++
    counts.instructions += instructions
    counts.liveInstructions += instructions
    for (const { page, slot } of pages) {
      const known = this.pages.get(page)
      if (known) known.push(region)
      else this.pages.set(page, [region])
      view.setUint8(this.slotByte(slot, SLOT_TRANSLATED), 1)
    }
    view.setUint32(record, HANDLER.region, true)
    view.setUint32(record + 8, region.index, true)
    this.evict()
  }
  /** A byte of what a record's slot says about its page. */
  private slotByte(record: number, what: number): number {
    const { slotBase } = this.map
    return slotBase + Math.floor((record - slotBase) / SLOT_BYTES) * SLOT_BYTES + 4096 * RECORD + what
  }

  /** Bytes [from, to) of a RAM page are about to change: regions made from them go. */
  drop(page: number, from: number, to: number): void {
    this.dropWhere(page, ({ pages, ranges }) => {
      const base = pages[0]!.page === page ? 0 : 4096
      return ranges.some(([start, end]) => start < base + to && base + from < end)
    })
  }
  private dropWhere(page: number, goes: (region: Region) => boolean): void {
    const gone = this.pages.get(page)?.filter(goes)
    if (!gone || gone.length === 0) return
    this.view.setUint32(AT.regionDropped, 1, true)
    for (const region of gone) {
      this.forget(region)
      for (const { page, slot } of region.pages) this.leavePage(region, page, slot)
    }
  }
  private leavePage(region: Region, page: number, slot: number): void {
    const kept = this.pages.get(page)!.filter((other) => other !== region)
    if (kept.length > 0) this.pages.set(page, kept)
    else {
      this.view.setUint8(this.slotByte(slot, SLOT_TRANSLATED), 0)
      this.pages.delete(page)
    }
  }
  dropAll(): void {
    for (const page of [...this.pages.keys()]) this.drop(page, 0, 4096)
  }
  private forget(region: Region): void {
    this.view.setUint32(region.record, HANDLER.decode, true)
    // what takes its place may become hot in its turn
    this.clearCounter(region.record)
    this.table.set(region.index, null)
    this.free.push(region.index)
    if ('send' in this.maker) this.returned.push(...region.records)
    else this.maker.give(region.records)
    const { counts } = this
    counts.dropped++
    counts.regions--
    counts.liveInstructions -= region.instructions
    if (--region.module.regions > 0) return
    counts.liveModules--
    counts.liveBytes -= region.module.bytes
  }
  private clearCounter(record: number): void {
    this.view.setUint16(HOT_COUNTERS + ((record / 8) & (HOT_COUNTER_BYTES - 2)), 0, true)
  }
}
