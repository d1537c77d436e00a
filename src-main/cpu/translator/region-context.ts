/** The translator's side of OpContext: operands are known, registers and flags are locals of the region. */
import { ACCESS_READ, ACCESS_WRITE, KIND, SIZE_NONE, SIZE_SHIFT } from '../decode/record.ts'
import { asSize } from '../decode/variants.ts'
import { ACCESS } from '../mmu/access.ts'
import { get32, get64, put32, put64, toPtr } from '../mmu/state-access.ts'
import { REGION_EXIT } from '../region.ts'
import { STATUS, type CcKind, type OpContext, type Size } from '../semantics/context.ts'
import { AT, segAt, SS, TLB_ENTRIES, TLB_STRIDE } from '../state/layout.ts'
import { Expr, i32, i64, konst, type Operand } from '../wasm/expr.ts'
import type { FunctionBuilder } from '../wasm/module.ts'
import { i16x8, i32x4, i64x2, i8x16, ZERO_V } from '../wasm/simd.ts'
import { LANDING, type Insn } from './instructions.ts'
import { linearAddress } from './region-address.ts'
import { callHandler } from './region-handler.ts'
import { markUnsaved, type RegionSite } from './region-site.ts'

const HOST_KINDS = new Set(['E', 'M', 'O', 'S', 'T', 'L', 'W', 'U', 'Q', 'N'])

/** Operations that use what they get before they write any register. */
const READS_FIRST = new Set(['mov', 'movzx', 'movsx', 'push', 'cmp', 'test'])

export class RegionContext implements OpContext {
  readonly f: FunctionBuilder
  /** Set by branch() and jumpRelative(): the condition to go to the target. */
  branching: Expr | undefined
  private readonly site: RegionSite
  private insn!: Insn
  private undo = 0
  private isFlagless = false
  private depth = 0
  private at: Expr = i64(0)
  private hostLocal: Expr = i32(0)

  constructor(site: RegionSite) {
    this.site = site
    this.f = site.f
  }

  /** Emits one instruction. `undo`: instructions of the block not done before it, itself included; `isFlagless`: nobody sees its flags. */
  emit(insn: Insn, undo: number, isFlagless: boolean): void {
    this.insn = insn
    this.isFlagless = isFlagless
    this.undo = undo
    this.depth = this.f.nesting
    this.site.registers.plainNesting = this.depth
    this.at = i64(0)
    this.branching = undefined
    let isAccess = false
    if (this.inMemory()) {
      this.at = this.f.tmp(linearAddress(this.site, insn))
      const sizeCode = (insn.access >> SIZE_SHIFT) & 7
      isAccess = sizeCode !== SIZE_NONE
      if (isAccess) {
        const isWrite = (insn.access & ACCESS_WRITE) !== 0
        const how = (isWrite ? ACCESS.write : 0) | (insn.access & ACCESS_READ ? ACCESS.read : 0)
        this.hostLocal = this.reach(this.at, 1 << sizeCode, how | (this.segment() === SS ? ACCESS.stack : 0))
      }
    }
    if (insn.handler === undefined) insn.operation(this)
    else callHandler(this.site, insn, undo, this.at, isAccess ? this.hostLocal : undefined)
  }

  private isPlain(): boolean {
    return this.f.nesting === this.depth
  }
  private segment(): number {
    return (this.insn.packed >> 2) & 7
  }
  private inMemory(): boolean {
    const kind = this.insn.access & 7
    return this.insn.access !== 0 && kind !== KIND.gpr && kind !== KIND.xmm && kind !== KIND.mmx
  }

  /** Host address for an access: the TLB inline, else the slow path, which may end the region. */
  private reach(address: Expr, size: number, how: number): Expr {
    const { f, site } = this
    const isWrite = (how & ACCESS.write) !== 0
    const host = f.local(f.module.ptr)
    // entries are 32 bytes: the page number shifted by 5; what is left of it lies in the low half of the address
    const entry = f.tmp(
      site.tlb.add(
        toPtr(f, address)
          .shr_u(7)
          .and((TLB_ENTRIES - 1) * TLB_STRIDE),
      ),
    )
    f.if(
      address.xor(f.load64(entry, isWrite ? 8 : 0)).le_u(4096 - size),
      () => f.set(host, toPtr(f, address).add(f.loadPtr(entry, 16))),
      () => {
        f.callInto(host, site.imports.regionReach, address, how | (size << 8), this.insn.at | (this.undo << 16))
        f.set(site.status, host.i32())
        markUnsaved(this.site)
        f.brIf(site.stop, host.le_u(1), false)
      },
      true,
    )
    return host
  }

  /** Leaves the region before this instruction, or after it. */
  private stop(status: number, isDone: boolean): void {
    const { f, site, insn } = this
    f.set(site.status, status - 1)
    put32(f, AT.regionWhere, i32(isDone ? insn.next | ((this.undo - 1) << 16) : insn.at | (this.undo << 16)))
    markUnsaved(this.site)
    f.br(site.stop)
  }

  get size(): Size {
    const first = this.insn.variant.operands[0]
    return first && first.size <= 8 ? asSize(first.size) : this.insn.variant.operandSize
  }
  get stackSize(): 2 | 4 | 8 {
    return this.insn.variant.stackSize
  }
  get codeSize(): 2 | 4 | 8 {
    return this.insn.variant.codeSize
  }
  get repeat(): number {
    return this.insn.variant.repeat
  }
  get addressSize(): Expr {
    return i32(2 << (this.insn.packed >> 5))
  }
  sizeOf(n: number): Size {
    return asSize(this.insn.variant.operands[n]!.size)
  }
  width(n: number): number {
    return this.operand(n).size
  }
  isMemory(n: number): boolean | undefined {
    const { variant } = this.insn
    const kind = variant.operands[n]!.kind
    if (kind === 'E' || kind === 'W' || kind === 'Q') return variant.memory
    return kind === 'M' || kind === 'O' || kind === 'S' || kind === 'T' || kind === 'L'
  }
  isMmx(n: number): boolean {
    const { kind } = this.operand(n)
    return kind === 'P' || kind === 'Q' || kind === 'N'
  }
  private operand(n: number) {
    const operand = this.insn.variant.operands[n]
    if (!operand) throw new Error(`${this.insn.name} has no operand ${n}`)
    return operand
  }

  get(n: number): Expr {
    const { insn, f } = this
    const { registers } = this.site
    const { kind, size, letter } = this.operand(n)
    if (HOST_KINDS.has(kind)) {
      if (this.inMemory()) return f.load(size, this.hostLocal)
      const access = insn.access & 7
      if (access === KIND.xmm) return this.lane(insn.rm >> 4, size)
      if (access === KIND.mmx) return f.load(size, konst(f.module.ptr, 0), AT.st + insn.rm)
      return this.register(insn.rm, asSize(size))
    }
    switch (kind) {
      case 'G':
      case 'R':
      case 'Z':
        return this.register(insn.register, asSize(size))
      case 'P':
        return f.load(size, konst(f.module.ptr, 0), AT.st + insn.register)
      case 'V':
        return this.lane(insn.register >> 4, size)
      case 'B':
        return registers.read(insn.imm, asSize(size))
      case 'A':
        return registers.read(0, asSize(size))
      case 'C':
        return registers.read(8, 1)
      case '1':
        return i32(1)
      case 'I':
      case 'Is':
        if (letter === 'q' && insn.variant.operandSize === 8)
          return i64((BigInt(insn.imm) << 32n) | BigInt(insn.disp >>> 0))
        return size === 8 && letter !== 'q' ? i64(insn.imm) : i32(insn.imm)
      case 'Sr':
        return i32(insn.register)
      case 'Cr':
      case 'Dr':
        return i32(insn.rm)
      default:
        throw new Error(`${insn.name}: operand ${kind} has no value`)
    }
  }
  private register(offset: number, size: Size): Expr {
    const { registers } = this.site
    return READS_FIRST.has(this.insn.name) ? registers.peek(offset, size) : registers.read(offset, size)
  }
  /** The low bytes of a vector register as an integer. */
  private lane(n: number, size: number): Expr {
    const whole = this.site.registers.readVector(n)
    if (size === 8) return this.f.tmp(i64x2.lane(whole, 0))
    const low = i32x4.lane(whole, 0)
    return this.f.tmp(size === 4 ? low : low.and(size === 2 ? 0xffff : 0xff))
  }
  private setLane(n: number, size: number, value: Expr): void {
    const { registers } = this.site
    const whole = registers.readVector(n)
    const lanes = { 1: i8x16, 2: i16x8, 4: i32x4, 8: i64x2 }[asSize(size)]
    registers.writeVector(n, lanes.withLane(whole, 0, size === 8 ? value.u64() : value.i32()))
  }

  set(n: number, value: Expr): void {
    const { insn, f } = this
    const { registers } = this.site
    const { kind, size } = this.operand(n)
    switch (kind) {
      case 'G':
      case 'R':
      case 'Z':
        return registers.write(insn.register, size, value)
      case 'B':
        return registers.write(insn.imm, size, value)
      case 'A':
        return registers.write(0, size, value)
      case 'P':
        return f.store(size, konst(f.module.ptr, 0), value, AT.st + insn.register)
      case 'V':
        return this.setLane(insn.register >> 4, size, value)
      default:
    }
    if (!HOST_KINDS.has(kind)) throw new Error(`${insn.name}: operand ${kind} cannot be written`)
    if (this.inMemory()) {
      f.store(size, this.hostLocal, value)
      this.commit()
      return
    }
    const access = insn.access & 7
    if (access === KIND.xmm) this.setLane(insn.rm >> 4, size, value)
    else if (access === KIND.mmx) f.store(size, konst(f.module.ptr, 0), value, AT.st + insn.rm)
    else registers.write(insn.rm, size, value)
  }

  host(n: number): Expr {
    const { kind } = this.operand(n)
    const { insn } = this
    const mmx = (offset: number): Expr => konst(this.f.module.ptr, AT.st + offset)
    if (kind === 'P') return mmx(insn.register)
    if (HOST_KINDS.has(kind)) {
      if (this.inMemory()) return this.hostLocal
      if ((insn.access & 7) === KIND.mmx) return mmx(insn.rm)
    }
    throw new Error(`${insn.name}: operand ${n} is in no memory`)
  }
  commit(): void {
    this.commitAt(this.hostLocal)
  }
  private commitAt(host: Expr): void {
    this.f.rarely(host.lt_u(this.site.ramBase), () => this.f.call(this.site.imports.commit))
  }
  ea(): Expr {
    return this.at
  }
  imm(): Expr {
    return i32(this.insn.imm)
  }

  gpr(register: number, size: Size): Expr {
    return this.site.registers.read(register * 8, size)
  }
  setGpr(register: number, size: Size, value: Expr): void {
    this.site.registers.write(register * 8, size, value)
  }
  getV(n: number): Expr {
    const { kind, size } = this.operand(n)
    const { insn, f } = this
    const zero = konst(f.module.ptr, 0)
    if (kind === 'V') return this.site.registers.readVector(insn.register >> 4)
    if (kind === 'P') return f.loadVZero(8, zero, AT.st + insn.register)
    if (this.inMemory()) return f.loadVZero(size, this.hostLocal)
    if ((insn.access & 7) === KIND.mmx) return f.loadVZero(size, zero, AT.st + insn.rm)
    if ((insn.access & 7) === KIND.xmm) return this.site.registers.readVector(insn.rm >> 4)
    const value = this.site.registers.read(insn.rm, asSize(size))
    return f.tmp(size === 8 ? i64x2.withLane(ZERO_V, 0, value) : i32x4.withLane(ZERO_V, 0, value))
  }
  xmm(register: number): Expr {
    return this.site.registers.readVector(register)
  }
  setXmm(register: number, value: Expr): void {
    this.site.registers.writeVector(register, value)
  }
  setV(n: number, value: Expr): void {
    const { kind } = this.operand(n)
    const { insn } = this
    if (kind === 'V') this.site.registers.writeVector(insn.register >> 4, value)
    else if (this.inMemory()) {
      this.f.store(16, this.hostLocal, value)
      this.commit()
    } else if ((insn.access & 7) === KIND.xmm) this.site.registers.writeVector(insn.rm >> 4, value)
    else throw new Error(`${insn.name}: operand ${n} is no vector`)
  }

  flags(kind: CcKind, res: Expr, b: Operand, a?: Expr): void {
    if (!this.isFlagless) this.site.flags.set(kind, this.size, res, b, a, this.isPlain())
  }
  compareFlags(res: Expr, b: Expr, size: Size): void {
    if (!this.isFlagless) this.site.flags.set('sub', size, res, b, undefined, this.isPlain())
  }
  setArithmeticFlags(bits: Expr): void {
    this.site.flags.setBits(bits, this.isPlain())
  }
  arithmeticFlags(): Expr {
    return this.site.flags.all()
  }
  carry(): Expr {
    return this.site.flags.carry()
  }
  condition(cc: number): Expr {
    return this.site.flags.condition(cc)
  }

  state(at: number, size: 4 | 8): Expr {
    return size === 4 ? get32(this.f, at) : get64(this.f, at)
  }
  setState(at: number, size: 4 | 8, value: Expr): void {
    if (size === 4) put32(this.f, at, value)
    else put64(this.f, at, value)
    if (at === AT.tlb) this.reloadTlb()
  }
  private reloadTlb(): void {
    this.f.set(this.site.tlb, this.f.loadPtr(konst(this.f.module.ptr, 0), AT.tlb))
  }
  selectTlb(): void {
    this.f.call(this.site.imports.selectTlb)
    this.reloadTlb()
  }

  nextRip(): Expr {
    const { f, site, insn } = this
    const linear = site.bias.add(insn.next)
    return f.tmp(site.codeSize === 8 ? linear : linear.sub(get64(f, segAt(1, 'base'))).and(0xffffffffn))
  }
  jump(target: Expr): void {
    this.f.set(this.site.rip, target)
    // this may stay in the region: emit.ts looks
    if (!LANDING.has(this.insn.name)) this.site.leave()
  }
  jumpRelative(): void {
    const { target, variant, imm } = this.insn
    if (target !== undefined) this.branching = i32(1)
    else
      this.jump(
        this.nextRip()
          .add(imm)
          .and(variant.operandSize === 2 ? 0xffff : 0xffffffff),
      )
  }
  branch(condition: Expr): void {
    this.branching = condition
  }

  raise(vector: Operand, error?: Operand): void {
    const { f } = this
    put32(f, AT.excVector, vector instanceof Expr ? vector : i32(vector))
    put32(f, AT.excHasError, i32(error === undefined ? 0 : 1))
    put32(f, AT.excError, error === undefined ? i32(0) : error instanceof Expr ? error : i32(error))
    put32(f, AT.excSoft, i32(0))
    this.stop(REGION_EXIT.fault, false)
  }
  /** The interpreter runs it with its helper. */
  helper(): void {
    this.stop(REGION_EXIT.restart, false)
  }
  leave(status: number): void {
    if (status === STATUS.leave) this.stop(REGION_EXIT.look, false)
    else throw new Error(`${this.insn.name} leaves with status ${status}: it is the interpreter's`)
  }
  steering(always: boolean): void {
    const { f } = this
    if (always) this.stop(REGION_EXIT.look, true)
    else f.if(get32(f, AT.attention), () => this.stop(REGION_EXIT.look, true))
  }
  inhibit(what: 1 | 2): void {
    put32(this.f, AT.shadow, i32(what))
    put64(this.f, AT.shadowRip, this.nextRip())
    this.steering(what === 2)
  }
  hostRange(address: Expr, length: Expr, write: boolean): Expr {
    return this.f.call(this.site.imports.hostRange, address, length, write ? 1 : 0)
  }

  linear(segment: number | Expr, offset: Expr): Expr {
    const n = segment instanceof Expr ? Number(segment.constant ?? -1) : segment
    if (this.site.codeSize === 8 && n >= 0) {
      return n === 4 || n === 5 ? this.f.tmp(offset.add(get64(this.f, segAt(n, 'base')))) : offset
    }
    return this.f.call(this.site.imports.linear, segment, offset, 1)
  }
  load(address: Expr, size: Size): Expr {
    return this.f.load(size, this.reach(address, size, ACCESS.read))
  }
  loadToModify(address: Expr, size: Size): Expr {
    // a non-canonical address faults as the segment of the operand asks
    const how = ACCESS.write | (this.segment() === SS ? ACCESS.stack : 0)
    this.reach(address, size, how)
    put32(this.f, AT.commitKind, i32(0))
    return this.load(address, size)
  }
  store(address: Expr, size: Size, value: Expr): void {
    const host = this.reach(address, size, ACCESS.write)
    this.f.store(size, host, value)
    this.commitAt(host)
  }
  dataSegment(): Expr {
    return i32(this.segment())
  }
}
