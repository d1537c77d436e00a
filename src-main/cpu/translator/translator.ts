/** The code cache: makes regions where the interpreter found hot code, and drops them when their bytes change. */
import type { DecodeMode } from '../decode/record.ts'
import type { Row } from '../decode/rows.ts'
import { HANDLER, SLOT_TRANSLATED } from '../region.ts'
import type { Operation } from '../semantics/context.ts'
import { AT, HOT_COUNTER_BYTES, HOT_COUNTERS, RECORD, type MemoryMap } from '../state/layout.ts'
import { ModuleBuilder, type Func } from '../wasm/module.ts'
import { discover } from './discover.ts'
import { emitRegion, REGION_PARAMS } from './emit.ts'
import { InstructionReader } from './instructions.ts'
import type { RegionImports } from './region-context.ts'
import { RegionRecords } from './region-records.ts'

interface Region {
  readonly record: number
  readonly index: number
  readonly ranges: readonly (readonly [number, number])[]
  readonly instructions: number
  /** In REGION_RECORDS. */
  readonly records: readonly number[]
}

/**
 * Live regions at most, and how many are left when there were more. Half-way from there to the bound all are put to sleep, so that those
 * that were not used since then are known when room has to be made: they go first, then the oldest.
 */
const MOST_REGIONS = 7000
const KEPT_SHARE = 0.8

/** Table entries added at a time. */
const GROWTH = 1024

export interface TranslatorCounts {
  regions: number
  made: number
  instructions: number
  dropped: number
  /** Of the dropped ones, those that had to make room. */
  evicted: number
  refused: number
  bytes: number
  milliseconds: number
}

export class Translator {
  readonly counts: TranslatorCounts = {
    regions: 0,
    made: 0,
    instructions: 0,
    dropped: 0,
    evicted: 0,
    refused: 0,
    bytes: 0,
    milliseconds: 0,
  }
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly map: MemoryMap
  private readonly env: Readonly<Record<string, unknown>>
  private readonly table: WebAssembly.Table
  private readonly reader: InstructionReader
  private readonly records: RegionRecords
  private readonly now: () => number
  /** The module that every region is, less the region. */
  private readonly shape: { readonly module: ModuleBuilder; readonly imports: RegionImports; readonly func: Func }
  /** Regions by the number of their RAM page. */
  private readonly pages = new Map<number, Region[]>()
  private readonly free: number[] = []
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
    readonly rows: readonly Row[]
    readonly operations: Readonly<Record<string, Operation>>
    /** Places in the table of the interpreter's handlers, by the key of their variant. */
    readonly handlers: ReadonlyMap<string, number>
    readonly now: () => number
  }) {
    this.bytes = new Uint8Array(parts.memory.buffer)
    this.view = new DataView(parts.memory.buffer)
    this.map = parts.map
    this.env = parts.env
    this.table = parts.table
    this.now = parts.now
    this.reader = new InstructionReader(parts.rows, parts.operations, parts.handlers)
    this.records = new RegionRecords(this.view)
    const module = new ModuleBuilder({ pages: parts.map.pages64K, is64: parts.map.is64 })
    module.useTable()
    const imports = declareImports(module)
    const func = module.declare('region', REGION_PARAMS, ['i32'])
    module.export('region', func)
    this.shape = { module, imports, func }
  }

  /** Makes a region that begins at byte `offset` of RAM page `page`, whose record is at `record`. False when there is nothing to gain. */
  translate(page: number, offset: number, record: number, mode: DecodeMode): boolean {
    const handler = this.view.getUint16(record, true)
    if (handler === HANDLER.region || handler === HANDLER.asleep) return true
    const start = this.now()
    const plan = discover(this.reader, this.bytes, this.map.ramBase + page * 4096, offset, mode)
    const records = plan && this.records.take(plan.handled)
    if (!plan || !records) {
      this.counts.refused++
      return false
    }
    const { module, imports, func } = this.shape
    emitRegion(module, func, { imports, ramBase: this.map.ramBase, codeSize: mode.codeSize, records }, plan)
    const code = module.encode()
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: this.env })
    this.install(page, record, {
      record,
      index: this.place(instance.exports.region),
      ranges: plan.ranges,
      instructions: plan.instructions,
      records: [...records.values()],
    })
    const { counts } = this
    counts.made++
    counts.regions++
    counts.instructions += plan.instructions
    counts.bytes += code.length
    counts.milliseconds += this.now() - start
    this.evict()
    return true
  }
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
      for (let i = GROWTH - 1; i >= 0; i--) this.free.push(first + i)
    }
    const index = this.free.pop()!
    table.set(index, region)
    return index
  }
  private install(page: number, record: number, region: Region): void {
    const known = this.pages.get(page)
    if (known) known.push(region)
    else this.pages.set(page, [region])
    const { view } = this
    view.setUint32(record, HANDLER.region, true)
    view.setUint32(record + 8, region.index, true)
    view.setUint8(this.mark(record), 1)
  }
  /** The byte of a record's slot that says that the page holds translated code. */
  private mark(record: number): number {
    const { slotBase } = this.map
    const slotBytes = (4096 + 16) * RECORD
    return slotBase + Math.floor((record - slotBase) / slotBytes) * slotBytes + 4096 * RECORD + SLOT_TRANSLATED
  }

  /** Bytes [from, to) of a RAM page are about to change: regions made from them go. */
  drop(page: number, from: number, to: number): void {
    this.dropWhere(page, ({ ranges }) => ranges.some(([start, end]) => start < to && from < end))
  }
  private dropWhere(page: number, goes: (region: Region) => boolean): void {
    const regions = this.pages.get(page)
    if (!regions) return
    const kept = regions.filter((region) => {
      if (!goes(region)) return true
      this.forget(region)
      return false
    })
    if (kept.length === regions.length) return
    this.view.setUint32(AT.regionDropped, 1, true)
    if (kept.length > 0) this.pages.set(page, kept)
    else {
      this.view.setUint8(this.mark(regions[0]!.record), 0)
      this.pages.delete(page)
    }
  }
  dropAll(): void {
    for (const page of [...this.pages.keys()]) this.drop(page, 0, 4096)
  }
  private forget(region: Region): void {
    this.view.setUint32(region.record, HANDLER.decode, true)
    // what takes its place may become hot in its turn
    this.view.setUint16(HOT_COUNTERS + ((region.record / 8) & (HOT_COUNTER_BYTES - 2)), 0, true)
    this.table.set(region.index, null)
    this.free.push(region.index)
    this.records.give(region.records)
    this.counts.dropped++
    this.counts.regions--
  }
}

function declareImports(m: ModuleBuilder): RegionImports {
  return {
    regionReach: m.importFunc('regionReach', ['i64', 'i32', 'i32'], [m.ptr]),
    commit: m.importFunc('commit', [], []),
    linear: m.importFunc('linear', ['i32', 'i64', 'i32'], ['i64']),
    selectTlb: m.importFunc('selectTlb', [], []),
    hostRange: m.importFunc('hostRange', ['i64', 'i64', 'i32'], [m.ptr]),
    flagsAll: m.importFunc('flags', ['i32', 'i64', 'i64'], ['i32']),
    flagsCarry: m.importFunc('flagsCarry', ['i32', 'i64', 'i64'], ['i32']),
  }
}
