/** The guest's registers as locals of a region: loaded at the entry when that is needed, stored at exits when they may have been written (tracker.ts). */
import { get64, put64 } from '../mmu/state-access.ts'
import type { Size } from '../semantics/context.ts'
import { AT } from '../state/layout.ts'
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import type { FunctionBuilder, Local } from '../wasm/module.ts'
import { Tracker } from './tracker.ts'

/** Offset that stands for "no register", in units of registers. */
const NONE = 16
/** Bits of vectors come after those of general registers. */
const FIRST_VECTOR = 16

export class Registers {
  private readonly f: FunctionBuilder
  private readonly general: (Local | undefined)[] = []
  private readonly vectors: (Local | undefined)[] = []
  readonly tracker: Tracker
  /** Nesting of the statements that an instruction runs whatever condition it looks at. */
  plainNesting = 0

  /** `all`: those of a first try, where what the whole region does to registers has to be known in the middle of it. */
  constructor(f: FunctionBuilder, all?: Registers) {
    this.f = f
    this.tracker = new Tracker(all?.tracker)
    all?.general.forEach((_, n) => this.gprLocal(n))
    all?.vectors.forEach((_, n) => this.xmmLocal(n))
  }

  private gprLocal(n: number): Local {
    return (this.general[n] ??= this.f.keep('i64'))
  }
  private xmmLocal(n: number): Local {
    return (this.vectors[n] ??= this.f.keep('v128'))
  }

  /** `offset` is the register's byte offset from the first one; an odd one is the second byte of a register. The value is in a local. */
  read(offset: number, size: Size): Expr {
    return this.f.tmp(this.peek(offset, size))
  }
  /** The same without a copy: what the register holds when the value is used. */
  peek(offset: number, size: Size): Expr {
    const n = offset >> 3
    if (n === NONE) return size === 8 ? i64(0) : konst('i32', 0)
    const whole = this.gprLocal(n)
    this.tracker.read(1 << n)
    if (size === 8) return whole
    if (size === 4) return whole.i32()
    if (size === 2) return whole.i32().and(0xffff)
    return (offset & 1 ? whole.i32().shr_u(8) : whole.i32()).and(0xff)
  }
  /** Bits of `value` above the size are ignored. */
  write(offset: number, size: number, value: Expr): void {
    const n = offset >> 3
    const whole = this.gprLocal(n)
    if (size < 4) this.tracker.read(1 << n)
    this.tracker.write(1 << n, this.f.nesting === this.plainNesting)
    if (size === 8) this.f.set(whole, value)
    else if (size === 4) this.f.set(whole, value.type === 'i64' ? value.and(0xffffffffn) : value.u64())
    else {
      const shift = offset & 1 ? 8 : 0
      const mask = (size === 2 ? 0xffffn : 0xffn) << BigInt(shift)
      const bits = value
        .u64()
        .and(mask >> BigInt(shift))
        .shl(shift)
      this.f.set(whole, whole.and(~mask).or(bits))
    }
  }
  /** For addresses: the register itself, to be used at once. */
  address(offset: number): Expr {
    const n = offset >> 3
    if (n === NONE) return i64(0)
    this.tracker.read(1 << n)
    return this.gprLocal(n)
  }
  readVector(n: number): Expr {
    this.tracker.read(1 << (FIRST_VECTOR + n))
    return this.f.tmp(this.xmmLocal(n))
  }
  writeVector(n: number, value: Expr): void {
    this.tracker.write(1 << (FIRST_VECTOR + n), this.f.nesting === this.plainNesting)
    this.f.set(this.xmmLocal(n), value)
  }

  /** Stores those that have a bit in `bits`, each under `condition` where that gives one for the bit. */
  spill(f: FunctionBuilder, bits: number, condition: (bit: number) => Expr = () => i32(1)): void {
    this.general.forEach((local, n) => {
      if (bits & (1 << n)) f.if(condition(n), () => put64(f, AT.gpr + 8 * n, local!))
    })
    this.vectors.forEach((local, n) => {
      const bit = FIRST_VECTOR + n
      if (bits & (1 << bit)) f.if(condition(bit), () => f.store(16, konst(f.module.ptr, 0), local!, AT.xmm + 16 * n))
    })
  }
  /** Loads those that have a bit in `bits`. */
  fill(f: FunctionBuilder, bits: number): void {
    f.scope(() => {
      this.general.forEach((local, n) => {
        if (local && bits & (1 << n)) f.set(local, get64(f, AT.gpr + 8 * n))
      })
      this.vectors.forEach((local, n) => {
        if (local && bits & (1 << (FIRST_VECTOR + n))) f.set(local, f.loadV(konst(f.module.ptr, 0), AT.xmm + 16 * n))
      })
    })
  }
}
