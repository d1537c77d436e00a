/**
 * From a plan to a wasm function. Blocks are emitted along the dominator tree: a loop header becomes a loop, a block with several
 * forward edges ends a block, everything else stands where its only predecessor jumps to it (Ramsey: Beyond Relooper, 2022).
 */
import { codeTlbEntry, get32, get64, put32, put64, toPtr } from '../mmu/state-access.ts'
import { HANDLER, REGION_EXIT } from '../region.ts'
import { AT, RECORD, segAt } from '../state/layout.ts'
import { STATUS } from '../semantics/context.ts'
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import { FunctionBuilder, type Func, type Label, type Local, type ModuleBuilder } from '../wasm/module.ts'
import { deadFlags } from './dead-flags.ts'
import type { Plan } from './discover.ts'
import { Graph, type Block, type Node, type Place } from './flow.ts'
import { LANDING, type Insn } from './instructions.ts'
import { RegionContext } from './region-context.ts'
import { UNSAVED_FLAGS, type RegionImports, type RegionSite } from './region-site.ts'
import { RegionFlags, sameShape, type FlagShape } from './region-flags.ts'
import { Registers } from './registers.ts'
import { ALL, inLoop, meet, NOTHING, type Marks } from './tracker.ts'

/** (linear address of the page, budget) -> REGION_EXIT */
export const REGION_PARAMS = ['i64', 'i32'] as const

/** No page is there. */
const NOWHERE = 1n

export interface RegionCode {
  readonly imports: RegionImports
  readonly ramBase: number
  readonly codeSize: 2 | 4 | 8
  /** Addresses of the records of the plan's handled instructions. */
  readonly records: ReadonlyMap<Insn, number>
  /** Code slot of the region's page; and the one that the page after must have, when the region lies on two. */
  readonly slot: number
  readonly second: number | undefined
}

export function emitRegion(m: ModuleBuilder, func: Func, code: RegionCode, plan: Plan): void {
  let all: RegionSite | undefined
  if (plan.handled.length > 0) {
    // where a handler is called everything that the region has changed by then must be in the state, loops included
    const f = new FunctionBuilder(m, func.params)
    all = new RegionEmitter(f, code, plan).emit()
  }
  m.define(func, (f) => {
    new RegionEmitter(f, code, plan, all).emit()
  })
}

/** What is known of the locals at a place of the code. */
interface Known {
  readonly registers: Marks
  readonly flags: Marks
  readonly shape: FlagShape | undefined
}
const AT_ENTRY: Known = { registers: NOTHING, flags: NOTHING, shape: undefined }
const meeting = (a: Known, b: Known): Known => ({
  registers: meet(a.registers, b.registers),
  flags: meet(a.flags, b.flags),
  shape: sameShape(a.shape, b.shape),
})
/** Where what a loop does has happened or not. */
const anywhere = ({ registers, flags }: Known): Known => ({
  registers: inLoop(registers),
  flags: inLoop(flags),
  shape: undefined,
})

class RegionEmitter {
  private readonly f: FunctionBuilder
  private readonly budget: Local
  private readonly plan: Plan
  private readonly site: Omit<RegionSite, 'stop' | 'quit'>
  private readonly graph: Graph
  private readonly headers = new Map<Node, Label>()
  private readonly follows = new Map<Node, Label>()
  /** On the edges to a block that have been emitted so far. */
  private readonly arriving = new Map<Node, Known>()
  private context!: RegionContext
  /** Goes on at `rip`; `away` stores all that is written anywhere before. */
  private chained!: Label
  private away!: Label
  private readonly code: RegionCode
  /** Linear address of the page where chain() need not look it up, where that is not always `bias`. */
  private readonly home: Local | undefined
  /** Which of the graph's dispatched nodes the dispatcher is to go on with. */
  private readonly selector: Local

  constructor(f: FunctionBuilder, code: RegionCode, plan: Plan, all?: RegionSite) {
    this.f = f
    this.plan = plan
    const [bias, budget] = f.params as [Local, Local]
    this.budget = budget
    this.graph = new Graph(plan.blocks, plan.entry)
    this.selector = f.keep('i32')
    this.code = code
    this.home = plan.handled.length > 0 ? f.keep('i64') : undefined
    this.site = {
      f,
      imports: code.imports,
      ramBase: code.ramBase,
      codeSize: code.codeSize,
      registers: new Registers(f, all?.registers),
      flags: new RegionFlags(f, code.imports, all?.flags),
      bias,
      tlb: f.keep(f.module.ptr),
      rip: f.keep('i64'),
      status: f.keep('i32'),
      unsaved: f.keep('i64'),
      leave: () => this.leaveRegion(),
      records: code.records,
      ripAt: (offset) => this.ripAt(offset),
    }
  }

  emit(): RegionSite {
    const { f } = this
    const { registers, flags } = this.site
    let site!: RegionSite
    f.block((stop) => {
      f.block((chain) => {
        this.chained = chain
        f.block((quit) => {
          f.block((away) => {
            this.away = away
            site = { ...this.site, stop, quit }
            this.context = new RegionContext(site)
            this.tree(this.graph.root)
          })
          registers.spill(f, registers.tracker.written)
          if (flags.tracker.written) flags.spill(f)
          f.br(chain)
        })
        if (this.plan.handled.length > 0) this.quit()
        else f.unreachable()
      })
      this.chain()
    })
    this.stop()
    // what has to be loaded is known only now
    f.before(() => {
      this.check()
      if (this.home) f.set(this.home, this.site.bias)
      f.set(this.site.tlb, f.loadPtr(konst(f.module.ptr, 0), AT.tlb))
      registers.fill(f, registers.tracker.atEntry)
      if (flags.tracker.atEntry) flags.fill(f)
    })
    return site
  }

  /**
   * A region on two pages: the second must be mapped behind the first here too. If not, the interpreter has the first instruction. What
   * changes page tables later ends in quit(), for its handler says STATUS.jump.
   */
  private check(): void {
    const { f, budget, plan } = this
    const { second } = this.code
    if (second === undefined) return
    f.rarely(this.hasSecondPage(second).eqz(), () => {
      put64(f, AT.rip, this.ripAt(plan.begin))
      put32(f, AT.budget, budget)
      f.ret(REGION_EXIT.restart)
    })
  }
  private hasSecondPage(slot: number): Expr {
    const { f } = this
    const linear = f.tmp(this.site.bias.add(4096))
    const entry = codeTlbEntry(f, linear)
    const found = f.local(f.module.ptr)
    f.if(
      f.load64(entry).eq(linear),
      () => f.set(found, f.loadPtr(entry, 8)),
      () => f.callInto(found, this.site.imports.lookAhead, linear),
      true,
    )
    return f.tmp(found.eq(slot))
  }
  private leaveRegion(): void {
    const { f, site } = this
    const { registers, flags } = site
    if (registers.tracker.now.dirty === ALL || flags.tracker.now.dirty === ALL) {
      registers.tracker.leaveForAll()
      flags.tracker.leaveForAll()
      f.br(this.away)
      return
    }
    registers.spill(f, registers.tracker.leave())
    if (flags.tracker.leave()) flags.spill(f)
    f.br(this.chained)
  }

  /**
   * Goes on at `rip`, with all registers in the state: in another region when one begins there, else in the interpreter. In the region's own
   * page the record is where it was: the page's code is alive as long as the region is.
   */
  private chain(): void {
    const { f, budget, home, code } = this
    const { rip, codeSize } = this.site
    const linear = codeSize === 8 ? rip : f.tmp(rip.add(get64(f, segAt(1, 'base'))).and(0xffffffffn))
    const page = f.tmp(linear.and(-4096n))
    const slot = f.local(f.module.ptr)
    f.set(slot, code.slot)
    f.block((unknown) => {
      f.if(page.ne(home ?? this.site.bias), () => {
        const entry = codeTlbEntry(f, linear)
        f.brIf(unknown, f.load64(entry).ne(page), false)
        f.set(slot, f.loadPtr(entry, 8))
      })
      const record = f.tmp(slot.add(toPtr(f, linear).and(4095).mul(RECORD)))
      const goOn = f.load32('u16', record).eq(HANDLER.region).and(budget.gt_s(0))
      f.if(
        goOn,
        () => f.tailCallIndirect(REGION_PARAMS, 'i32', f.load32('u32', record, 8), page, budget),
        undefined,
        true,
      )
    })
    put64(f, AT.rip, rip)
    put32(f, AT.budget, budget)
    f.ret(REGION_EXIT.go)
  }
  /** Leaves at or after an instruction in the middle of a block. */
  private stop(): void {
    const { f, budget } = this
    this.spillUnsaved()
    const where = get32(f, AT.regionWhere)
    put64(f, AT.rip, this.ripAt(where.and(0xffff)))
    put32(f, AT.budget, budget.add(where.shr_u(16)))
    f.ret(this.site.status.add(1))
  }
  /** What the place that stops asked for; where all ask for the same it need not be looked at. */
  private spillUnsaved(): void {
    const { f, site } = this
    const { registers, flags, unsaved } = site
    const isUnsaved = (bit: bigint): Expr => unsaved.and(1n << bit).ne(0)
    const { written, someStops, allStops } = registers.tracker
    registers.spill(f, written & someStops, (bit) => (allStops & (1 << bit) ? i32(1) : isUnsaved(BigInt(bit))))
    if (!(flags.tracker.written & flags.tracker.someStops)) return
    f.if(flags.tracker.allStops & 1 ? i32(1) : isUnsaved(UNSAVED_FLAGS), () => flags.spill(f))
  }
  /** As a handler's STATUS says; `rip` is the next instruction. Falls through to chain(). */
  private quit(): void {
    const { f, budget } = this
    const { rip, status, codeSize } = this.site
    f.set(budget, budget.add(get32(f, AT.regionWhere).shr_u(16)))
    f.if(status.ne(STATUS.fault), () => f.set(budget, budget.sub(1)))
    f.if(status, () => {
      put32(f, AT.budget, budget)
      f.if(status.eq(STATUS.steer), () => put64(f, AT.rip, rip))
      f.if(status.eq(STATUS.fault), () => f.ret(REGION_EXIT.fault))
      f.if(status.eq(STATUS.halt), () => f.ret(REGION_EXIT.halt))
      f.if(status.ne(STATUS.jump), () => f.ret(REGION_EXIT.look))
      // the mode may be another one, or the privilege level, which may not have this page
      f.if(get32(f, AT.codeSize).ne(i32(codeSize)), () => f.ret(REGION_EXIT.go))
      f.set(rip, get64(f, AT.rip))
      f.set(this.home!, i64(NOWHERE))
    })
  }
  private ripAt(offset: Expr | number): Expr {
    const { f } = this
    const { bias, codeSize } = this.site
    const linear = bias.add(typeof offset === 'number' ? offset : offset.u64())
    return codeSize === 8 ? linear : linear.sub(get64(f, segAt(1, 'base'))).and(0xffffffffn)
  }

  private tree(node: Node): void {
    const merges = node.children.filter((child) => child.isMerge).sort((a, b) => a.order - b.order)
    if (!node.isLoop) return this.within(node, merges)
    this.f.loop((label) => {
      this.headers.set(node, label)
      this.within(node, merges)
    })
  }
  /** The node, and after it the merges that it dominates: the last in order is outermost. */
  private within(node: Node, merges: readonly Node[]): void {
    const last = merges.at(-1)
    if (!last) return this.block(node)
    this.f.block((label) => {
      this.follows.set(last, label)
      this.within(node, merges.slice(0, -1))
    })
    this.tree(last)
  }

  private block(node: Node): void {
    const { block } = node
    if (!block) return this.dispatch()
    const { f, context } = this
    const arriving = this.arriving.get(node) ?? AT_ENTRY
    this.known = node.isLoop ? anywhere(arriving) : arriving
    const count = block.insns.length
    f.set(this.budget, this.budget.sub(count))
    const dead = deadFlags(block.insns)
    block.insns.forEach((insn, i) => f.scope(() => context.emit(insn, count - i, dead.has(i))))
    this.leave(node, block, block.insns[count - 1]!)
  }
  /** From the end of a block to where its last instruction leads. */
  private leave(node: Node, block: Block, last: Insn): void {
    const { f } = this
    const { rip } = this.site
    const { known } = this
    const condition = last.flow === 'next' ? undefined : this.context.branching
    if (condition) {
      const target = block.target ?? { at: last.target!, key: undefined }
      f.if(condition, () => this.edge(node, target, known), undefined, this.isLikely(target, block.next))
    }
    if (block.next !== undefined) return this.edge(node, block.next, known)
    if (!LANDING.has(last.name)) return f.unreachable()
    for (const place of block.landings) f.if(rip.eq(this.ripAt(place.at)), () => this.edge(node, place, known))
    this.known = known
    this.leaveRegion()
  }
  /** What leaves the region was not warm when it was made: its code shall not stand in the way of the rest. */
  private isLikely(target: Place, next: Place | undefined): boolean | undefined {
    const stays = this.graph.find(target) !== undefined
    const goesOn = next !== undefined && this.graph.find(next) !== undefined
    return stays === goesOn ? undefined : stays
  }
  private dispatch(): void {
    const { f } = this
    const { dispatched } = this.graph
    // on the way through here nothing is known
    for (const node of dispatched) this.arriving.set(node, anywhere(AT_ENTRY))
    const labels = dispatched.map((node) => this.follows.get(node)!)
    f.brTable(labels, labels[0]!, this.selector)
  }

  private edge(from: Node, place: Place, known: Known): void {
    const { f, graph } = this
    this.known = known
    const to = graph.find(place)
    if (!to) return this.goTo(place.at)
    const isSideways = graph.isSideways(from, to)
    if (isSideways || graph.isBack(from, to)) {
      f.rarely(this.budget.le_s(0), () => this.goTo(place.at))
      if (isSideways) f.set(this.selector, i32(graph.dispatched.indexOf(to)))
      f.br(this.headers.get(isSideways ? graph.root : to)!)
      return
    }
    const before = this.arriving.get(to)
    this.arriving.set(to, before ? meeting(before, known) : known)
    if (to.isMerge) f.br(this.follows.get(to)!)
    else this.tree(to)
  }
  private goTo(offset: number): void {
    this.f.set(this.site.rip, this.ripAt(offset))
    this.leaveRegion()
  }
  private get known(): Known {
    const { registers, flags } = this.site
    return { registers: registers.tracker.now, flags: flags.tracker.now, shape: flags.shape }
  }
  private set known({ registers, flags, shape }: Known) {
    const { site } = this
    site.registers.tracker.now = registers
    site.flags.tracker.now = flags
    site.flags.shape = shape
  }
}
