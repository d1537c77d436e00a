/** Makes regions: finds their instructions, emits and compiles them. Runs on the vCPU's thread or on one of its own. */
import type { Row } from '../decode/rows.ts'
import type { Operation } from '../semantics/context.ts'
import { HANDLER } from '../region.ts'
import { seenTargets } from '../seen-targets.ts'
import { AT, HOT_COUNTER_BYTES, HOT_COUNTERS, RECORD, type MemoryMap } from '../state/layout.ts'
import { ModuleBuilder, type Func } from '../wasm/module.ts'
import { Discovery, type Plan } from './discover.ts'
import { emitRegion, REGION_PARAMS } from './emit.ts'
import { InstructionReader, type Insn } from './instructions.ts'
import type { Batch, MadeRegion, Place } from './jobs.ts'
import type { RegionImports } from './region-site.ts'
import { RegionRecords } from './region-records.ts'

const PAGE = 4096

/** A module of some regions, less the regions. */
interface Shape {
  readonly module: ModuleBuilder
  readonly imports: RegionImports
  readonly funcs: readonly Func[]
}

interface Planned {
  readonly plan: Plan
  readonly records: ReadonlyMap<Insn, number>
  readonly made: Omit<MadeRegion, 'name'>
  readonly codeSize: 2 | 4 | 8
  /** Code slot of the page, and of the one after when the region needs that. */
  readonly slot: number
  readonly second: number | undefined
}

export class RegionMaker {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly map: MemoryMap
  private readonly reader: InstructionReader
  private readonly records: RegionRecords
  /** The page and the one after it: the guest may write there, or a device, while it is read. */
  private readonly copy = new Uint8Array(2 * PAGE)
  /** By the number of regions. */
  private readonly shapes = new Map<number, Shape>()

  constructor(parts: {
    /** The engine's memory. */
    readonly buffer: ArrayBufferLike
    readonly map: MemoryMap
    readonly rows: readonly Row[]
    readonly operations: Readonly<Record<string, Operation>>
    /** Places in the table of the interpreter's handlers, by the key of their variant. */
    readonly handlers: ReadonlyMap<string, number>
  }) {
    this.bytes = new Uint8Array(parts.buffer)
    this.view = new DataView(parts.buffer)
    this.map = parts.map
    this.reader = new InstructionReader(parts.rows, parts.operations, parts.handlers)
    this.records = new RegionRecords(this.view)
  }

  /** Undefined when there is nothing to gain anywhere. */
  make(places: readonly Place[]): Batch | undefined {
    const planned = places.map((place) => this.plan(place))
    const some = planned.filter((each) => each !== undefined)
    if (some.length === 0) return undefined
    const { module, imports, funcs } = this.shape(some.length)
    const names = new Map(some.map((each, n) => [each, funcs[n]!.name]))
    some.forEach(({ plan, records, codeSize, slot, second }, n) =>
      emitRegion(module, funcs[n]!, { imports, ramBase: this.map.ramBase, codeSize, records, slot, second }, plan),
    )
    const code = module.encode()
    return {
      module: new WebAssembly.Module(code),
      bytes: code.length,
      regions: planned.map((each) => each && { ...each.made, name: names.get(each)! }),
    }
  }
  /** Records of regions that are gone. */
  give(records: Iterable<number>): void {
    this.records.give(records)
  }

  /**
   * Has a jump to this record been counted? Where few jumps make a place hot that says nothing. The vCPU writes there meanwhile, so this is
   * a guess, and a wrong one costs time only.
   */
  private isWarm(record: number): boolean {
    const { view } = this
    if (view.getUint32(AT.hotEvery, true) === 1) return true
    const handler = view.getUint16(record, true)
    if (handler === HANDLER.region || handler === HANDLER.asleep) return true
    return view.getUint16(HOT_COUNTERS + ((record / 8) & (HOT_COUNTER_BYTES - 2)), true) > 0
  }
  private plan({ page, offset, record, mode, after }: Place): Planned | undefined {
    const { copy } = this
    this.take(page, 0)
    if (after) this.take(after.page, PAGE)
    const recordOf = (at: number): number =>
      after && at >= PAGE ? after.slot + (at - PAGE) * RECORD : record + (at - offset) * RECORD
    const code = after ? copy : copy.subarray(0, PAGE)
    const plan = new Discovery(this.reader, code, mode, {
      isWarm: (at) => this.isWarm(recordOf(at)),
      targets: (at) => seenTargets(this.view, recordOf(at)).map((distance) => at + distance),
    }).plan(offset)
    const records = plan && this.records.take(plan.handled)
    if (!plan || !records) return undefined
    const { ranges, instructions } = plan
    const made = { ranges, code: bytesOf(copy, ranges), instructions, records: [...records.values()] }
    const second = after && ranges.at(-1)![1] > PAGE ? after.slot : undefined
    return { plan, records, made, codeSize: mode.codeSize, slot: record - offset * RECORD, second }
  }
  private take(page: number, to: number): void {
    const at = this.map.ramBase + page * PAGE
    this.copy.set(this.bytes.subarray(at, at + PAGE), to)
  }

  private shape(count: number): Shape {
    const known = this.shapes.get(count)
    if (known) return known
    const module = new ModuleBuilder({ pages: this.map.pages64K, is64: this.map.is64 })
    module.useTable()
    const imports = declareImports(module)
    const funcs = Array.from({ length: count }, (_, n) => module.declare(`r${n}`, REGION_PARAMS, ['i32']))
    funcs.forEach((func) => module.export(func.name, func))
    const shape = { module, imports, funcs }
    this.shapes.set(count, shape)
    return shape
  }
}

function bytesOf(pages: Uint8Array, ranges: MadeRegion['ranges']): Uint8Array {
  const code = new Uint8Array(ranges.reduce((sum, [from, to]) => sum + to - from, 0))
  let at = 0
  for (const [from, to] of ranges) {
    code.set(pages.subarray(from, to), at)
    at += to - from
  }
  return code
}

function declareImports(m: ModuleBuilder): RegionImports {
  return {
    regionReach: m.importFunc('regionReach', ['i64', 'i32', 'i32'], [m.ptr]),
    commit: m.importFunc('commit', [], []),
    linear: m.importFunc('linear', ['i32', 'i64', 'i32'], ['i64']),
    selectTlb: m.importFunc('selectTlb', [], []),
    lookAhead: m.importFunc('lookAhead', ['i64'], [m.ptr]),
    hostRange: m.importFunc('hostRange', ['i64', 'i64', 'i32'], [m.ptr]),
    flagsAll: m.importFunc('flags', ['i32', 'i64', 'i64'], ['i32']),
    flagsCarry: m.importFunc('flagsCarry', ['i32', 'i64', 'i64'], ['i32']),
  }
}
