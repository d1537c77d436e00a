/** The interpreter's side of OpContext: operands come from the predecoded record of the instruction. */
import { asSize, type Variant } from '../decode/variants.ts'
import { VECTOR } from '../mmu/access.ts'
import { type Mmu } from '../mmu/mmu.ts'
import { get32, get64, put32, put64, toPtr } from '../mmu/state-access.ts'
import { INDIRECT } from '../region.ts'
import { noteTarget } from '../seen-targets.ts'
import { STATUS, type CcKind, type OpContext, type Size } from '../semantics/context.ts'
import { ccOp, type FlagFunctions } from '../semantics/flags.ts'
import { AT, segAt, SS, STATE } from '../state/layout.ts'
import { Expr, i32, konst, type Operand } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, Label, Local } from '../wasm/module.ts'
import type { Transfers } from './transfers.ts'

/** Functions of the core module that operations call. */
export interface CoreFunctions extends Mmu {
  readonly flags: FlagFunctions
  /** (handler, record, host) as f64 where they are addresses -> status. */
  readonly helper: Func
  /** (segment, offset, size | write << 8) -> linear address, or REFUSED with an exception pending. */
  readonly linear: Func
  /** (): chooses the TLB sets for CPL and EFLAGS.AC. */
  readonly selectTlb: Func
  /** (linear, length, write) -> host address in RAM of a run within one page, or 0; never faults. */
  readonly hostRange: Func
  readonly transfers: Transfers
}

/** Where the interpreter's loop is, for handlers inlined in it. */
export interface InlineSite {
  /** Goes on at `record`, which a jump led to. */
  readonly jumped: Label
  readonly lookup: Label
  readonly fault: Label
  readonly page: Local
  readonly bias: Local
  /** 4096, or 0 while the record lies outside its page's slot. */
  readonly span: Local
}

export interface RecordSite {
  readonly f: FunctionBuilder
  readonly variant: Variant
  readonly handler: number
  readonly core: CoreFunctions
  readonly ramBase: number
  readonly record: Local
  readonly host: Local
  readonly linearAddress: Local
  /** Set when the handler stands in the loop; otherwise it is a function of its own. */
  readonly inline: InlineSite | undefined
}

const HOST_KINDS = new Set(['E', 'M', 'O', 'S', 'T', 'L', 'W', 'U', 'Q', 'N'])

export class RecordContext implements OpContext {
  readonly f: FunctionBuilder
  readonly size: Size
  readonly stackSize: 2 | 4 | 8
  readonly codeSize: 2 | 4 | 8
  readonly repeat: number
  private readonly site: RecordSite

  constructor(site: RecordSite) {
    this.site = site
    this.f = site.f
    const { variant } = site
    const first = variant.operands[0]
    this.size =
      first && (first.size === 1 || first.size === 2 || first.size === 4 || first.size === 8)
        ? first.size
        : variant.operandSize
    if (!first) this.size = variant.operandSize
    this.stackSize = variant.stackSize
    this.codeSize = variant.codeSize
    this.repeat = variant.repeat
  }

  private recordByte(offset: number): Expr {
    return this.f.load32('u8', this.site.record, offset)
  }
  private zero(): Expr {
    return konst(this.f.module.ptr, 0)
  }
  private asPtr(e: Expr): Expr {
    return this.f.module.ptr === 'i32' ? e.i32() : e.u64()
  }
  /** Address of the register whose byte offset from STATE stands at `offset` of the record. */
  private registerAt(offset: number): Expr {
    return this.asPtr(this.recordByte(offset))
  }

  get addressSize(): Expr {
    return this.f.tmp(i32(2).shl(this.recordByte(7).shr_u(5).and(3)))
  }
  sizeOf(n: number): Size {
    return asSize(this.site.variant.operands[n]!.size)
  }
  isMemory(n: number): boolean | undefined {
    const kind = this.site.variant.operands[n]!.kind
    if (kind === 'E' || kind === 'W' || kind === 'Q') return this.site.variant.memory
    return kind === 'M' || kind === 'O' || kind === 'S' || kind === 'T' || kind === 'L'
  }
  private operand(n: number) {
    const operand = this.site.variant.operands[n]
    if (!operand) throw new Error(`${this.site.variant.name} has no operand ${n}`)
    return operand
  }

  get(n: number): Expr {
    const { kind, size, letter } = this.operand(n)
    const f = this.f
    if (HOST_KINDS.has(kind)) return f.load(size, this.site.host)
    switch (kind) {
      case 'G':
      case 'R':
      case 'Z':
        return f.load(size, this.registerAt(4), STATE)
      case 'P':
        return f.load(size, this.registerAt(4), AT.st)
      case 'V':
        return f.load(size, this.registerAt(4), AT.xmm)
      case 'B':
        return f.load(size, this.asPtr(f.load32('u32', this.site.record, 12)), STATE)
      case 'A':
        return f.load(size, this.zero(), AT.gpr)
      case 'C':
        return f.load(1, this.zero(), AT.gpr + 8)
      case '1':
        return i32(1)
      case 'I':
      case 'Is':
        // MOV r64, imm64 has the last eight bytes of the record
        if (letter === 'q' && this.site.variant.operandSize === 8) return f.load64(this.site.record, 8)
        if (size === 8 && letter !== 'q') return f.load64(this.site.record, 12, 's32')
        return f.load32('s32', this.site.record, 12)
      case 'Sr':
        return this.recordByte(4)
      case 'Cr':
      case 'Dr':
        return this.recordByte(5)
      default:
        throw new Error(`${this.site.variant.name}: operand ${kind} has no value`)
    }
  }

  private storeRegister(address: Expr, size: number, value: Expr, offset: number): void {
    if (size === 4) this.f.store(8, address, value.type === 'i64' ? value.and(0xffffffffn) : value.u64(), offset)
    else this.f.store(size, address, value, offset)
  }

  set(n: number, value: Expr): void {
    const { kind, size } = this.operand(n)
    const { host } = this.site
    switch (kind) {
      case 'G':
      case 'R':
      case 'Z':
        return this.storeRegister(this.registerAt(4), size, value, STATE)
      case 'B':
        return this.storeRegister(this.asPtr(this.f.load32('u32', this.site.record, 12)), size, value, STATE)
      case 'A':
        return this.storeRegister(this.zero(), size, value, AT.gpr)
      case 'P':
        return this.f.store(size, this.registerAt(4), value, AT.st)
      case 'V':
        return this.f.store(size, this.registerAt(4), value, AT.xmm)
      default:
    }
    if (!HOST_KINDS.has(kind)) throw new Error(`${this.site.variant.name}: operand ${kind} cannot be written`)
    if (kind === 'E' && !this.site.variant.memory) return this.storeRegister(host, size, value, 0)
    this.f.store(size, host, value)
    if (this.isMemory(n)) this.commit()
  }

  host(n: number): Expr {
    const { kind } = this.operand(n)
    if (HOST_KINDS.has(kind)) return this.site.host
    if (kind === 'V') return this.f.tmp(this.registerAt(4).add(AT.xmm))
    if (kind === 'P') return this.f.tmp(this.registerAt(4).add(AT.st))
    return this.f.tmp(this.registerAt(4).add(STATE))
  }
  commit(): void {
    this.f.if(this.site.host.lt_u(this.site.ramBase), () => this.f.call(this.site.core.commit))
  }
  ea(): Expr {
    return this.site.linearAddress
  }
  imm(): Expr {
    return this.f.load32('s32', this.site.record, 12)
  }

  gpr(register: number, size: Size): Expr {
    return this.f.load(size, this.zero(), AT.gpr + 8 * register)
  }
  setGpr(register: number, size: Size, value: Expr): void {
    this.storeRegister(this.zero(), size, value, AT.gpr + 8 * register)
  }
  width(n: number): number {
    return this.operand(n).size
  }
  isMmx(n: number): boolean {
    const { kind } = this.operand(n)
    return kind === 'P' || kind === 'Q' || kind === 'N'
  }
  getV(n: number): Expr {
    const { kind, size } = this.operand(n)
    const { host } = this.site
    if (kind === 'V') return this.f.loadV(this.registerAt(4), AT.xmm)
    if (kind === 'P') return this.f.loadVZero(8, this.registerAt(4), AT.st)
    if (kind === 'U' || (kind === 'W' && !this.isMemory(n))) return this.f.loadV(host)
    return this.f.loadVZero(size, host)
  }
  xmm(register: number): Expr {
    return this.f.loadV(this.zero(), AT.xmm + 16 * register)
  }
  setXmm(register: number, value: Expr): void {
    this.f.store(16, this.zero(), value, AT.xmm + 16 * register)
  }
  setV(n: number, value: Expr): void {
    const { kind } = this.operand(n)
    if (kind === 'V') this.f.store(16, this.registerAt(4), value, AT.xmm)
    else {
      this.f.store(16, this.site.host, value)
      if (this.isMemory(n)) this.commit()
    }
  }

  flags(kind: CcKind, res: Expr, b: Operand): void {
    const f = this.f
    put64(f, AT.ccRes, res.u64())
    put64(f, AT.ccB, (b instanceof Expr ? b : konst(res.type, b)).u64())
    put32(f, AT.ccOp, i32(ccOp(kind, res.type === 'i64' ? 8 : this.size)))
  }
  compareFlags(res: Expr, b: Expr, size: Size): void {
    const f = this.f
    put64(f, AT.ccRes, res.u64())
    put64(f, AT.ccB, b.u64())
    put32(f, AT.ccOp, i32(ccOp('sub', size)))
  }
  setArithmeticFlags(bits: Expr): void {
    put64(this.f, AT.ccB, bits.u64())
    put32(this.f, AT.ccOp, i32(ccOp('eflags', 8)))
  }
  private lazy(): [Expr, Expr, Expr] {
    return [get32(this.f, AT.ccOp), get64(this.f, AT.ccRes), get64(this.f, AT.ccB)]
  }
  arithmeticFlags(): Expr {
    return this.f.call(this.site.core.flags.all, ...this.lazy())
  }
  carry(): Expr {
    return this.f.call(this.site.core.flags.carry, ...this.lazy())
  }
  condition(cc: number): Expr {
    const f = this.f
    // ZF follows from the result for every kind but "eflags"
    if (cc >> 1 !== 2) return f.call(this.site.core.flags.condition, cc, ...this.lazy())
    const [op, res, b] = this.lazy()
    const out = f.local('i32')
    f.if(
      op.and(0xff),
      () => f.set(out, res.shl(op.shr_u(8).u64()).eqz()),
      () => f.set(out, b.shr_u(6).i32().and(1)),
    )
    return f.tmp(cc & 1 ? out.xor(1) : out)
  }

  state(at: number, size: 4 | 8): Expr {
    return size === 4 ? get32(this.f, at) : get64(this.f, at)
  }
  setState(at: number, size: 4 | 8, value: Expr): void {
    if (size === 4) put32(this.f, at, value)
    else put64(this.f, at, value)
  }

  /** Linear address of the instruction, when inlined. */
  private lip(site: InlineSite): Expr {
    const index = this.site.record.shr_u(4)
    return site.bias.add(index.u64())
  }
  private csBase(): Expr {
    return get64(this.f, segAt(1, 'base'))
  }
  private rip(): Expr {
    const { inline } = this.site
    if (!inline) return get64(this.f, AT.rip)
    return this.codeSize === 8 ? this.lip(inline) : this.lip(inline).sub(this.csBase())
  }
  nextRip(): Expr {
    const next = this.rip().add(this.recordByte(2).u64())
    return this.f.tmp(this.codeSize === 8 ? next : next.and(0xffffffffn))
  }
  jump(target: Expr): void {
    const f = this.f
    const { inline, record, variant } = this.site
    if (INDIRECT.has(variant.name)) noteTarget(f, record, target.sub(this.rip()))
    put64(f, AT.rip, target)
    if (!inline) return f.ret(STATUS.jump)
    if (this.codeSize === 8) {
      const off = f.tmp(target.sub(inline.bias).sub(inline.page.shr_u(4).u64()))
      f.if(off.lt_u(inline.span.u64()), () => {
        f.set(this.site.record, inline.page.add(toPtr(f, off.shl(4))))
        f.br(inline.jumped)
      })
    }
    f.br(inline.lookup)
  }
  private relativeTarget(): Expr {
    const target = this.nextRip().add(this.imm().s64())
    if (this.codeSize === 8) return target
    return target.and(this.site.variant.operandSize === 2 ? 0xffffn : 0xffffffffn)
  }
  jumpRelative(): void {
    const f = this.f
    const { inline, record, variant } = this.site
    if (inline && (this.codeSize === 8 || (this.codeSize === 4 && variant.operandSize === 4))) {
      const off = f.tmp(record.sub(inline.page).shr_u(4).i32().add(this.recordByte(2)).add(this.imm()))
      f.if(off.lt_u(inline.span), () => {
        f.set(record, inline.page.add(this.asPtr(off.shl(4))))
        f.br(inline.jumped)
      })
    }
    const target = this.relativeTarget()
    put64(f, AT.rip, target)
    if (inline) f.br(inline.lookup)
    else f.ret(STATUS.jump)
  }
  branch(condition: Expr): void {
    this.f.if(condition, () => this.jumpRelative())
  }

  private leaveFaulting(): void {
    const { inline } = this.site
    if (inline) this.f.br(inline.fault)
    else this.f.ret(STATUS.fault)
  }
  raise(vector: Operand, error?: Operand): void {
    const f = this.f
    put32(f, AT.excVector, vector instanceof Expr ? vector : i32(vector))
    put32(f, AT.excHasError, i32(error === undefined ? 0 : 1))
    put32(f, AT.excError, error === undefined ? i32(0) : error instanceof Expr ? error : i32(error))
    put32(f, AT.excSoft, i32(0))
    this.leaveFaulting()
  }
  helper(): void {
    const { f, site } = this
    if (site.inline) throw new Error(`${site.variant.name}: helpers are called from cold handlers`)
    const asF64 = (e: Expr) => new Expr('f64', [e], [e.type === 'i32' ? 0xb8 : 0xba])
    put64(f, AT.ea, site.linearAddress)
    put64(f, AT.nextRip, this.nextRip())
    const { name, operandSize } = site.variant
    const quick = name === 'syscall' || operandSize === 8 ? site.core.transfers.instructions[name] : undefined
    if (quick) {
      const status = f.call(quick)
      f.if(status.ge_s(0), () => f.ret(status))
    }
    f.ret(f.call(site.core.helper, site.handler, asF64(site.record), asF64(site.host)))
  }

  leave(status: number): void {
    if (this.site.inline) throw new Error(`${this.site.variant.name} leaves: it cannot be inlined`)
    this.f.ret(status)
  }
  steering(always: boolean): void {
    const f = this.f
    if (this.site.inline) throw new Error(`${this.site.variant.name} steers: it cannot be inlined`)
    if (always) f.ret(STATUS.steer)
    else f.if(get32(f, AT.attention), () => f.ret(STATUS.steer))
  }
  selectTlb(): void {
    this.f.call(this.site.core.selectTlb)
  }
  inhibit(what: 1 | 2): void {
    put32(this.f, AT.shadow, i32(what))
    put64(this.f, AT.shadowRip, this.nextRip())
    this.steering(what === 2)
  }
  hostRange(address: Expr, length: Expr, write: boolean): Expr {
    return this.f.call(this.site.core.hostRange, address, length, write ? 1 : 0)
  }

  linear(segment: number | Expr, offset: Expr): Expr {
    return this.f.call(this.site.core.linear, segment, offset, 1)
  }
  /** Host address of a further memory operand; leaves on fault. */
  private reach(func: Func, address: Expr, size: number): Expr {
    const host = this.f.call(func, address, size)
    this.f.if(host.eqz(), () => this.leaveFaulting())
    return host
  }
  load(address: Expr, size: Size): Expr {
    return this.f.load(size, this.reach(this.site.core.hostRead, address, size))
  }
  loadToModify(address: Expr, size: Size): Expr {
    const host = this.f.call(this.site.core.hostWrite, address, size)
    this.f.if(host.eqz(), () => {
      const wrong = this.dataSegment().eq(SS).and(get32(this.f, AT.excVector).eq(VECTOR.GP))
      this.f.if(wrong, () => put32(this.f, AT.excVector, i32(VECTOR.SS)))
      this.leaveFaulting()
    })
    put32(this.f, AT.commitKind, i32(0))
    return this.load(address, size)
  }
  store(address: Expr, size: Size, value: Expr): void {
    const host = this.reach(this.site.core.hostWrite, address, size)
    this.f.store(size, host, value)
    this.f.if(host.lt_u(this.site.ramBase), () => this.f.call(this.site.core.commit))
  }
  /** Segment number of the memory operand, or the override of a string operation. */
  dataSegment(): Expr {
    return this.f.tmp(this.recordByte(7).shr_u(2).and(7))
  }
}
