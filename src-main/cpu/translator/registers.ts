/** The guest's registers as locals of a region: loaded at the entry when used, stored at the exits when written. */
import { get64, put64 } from '../mmu/state-access.ts'
import type { Size } from '../semantics/context.ts'
import { AT } from '../state/layout.ts'
import { i64, konst, type Expr } from '../wasm/expr.ts'
import type { FunctionBuilder, Local } from '../wasm/module.ts'

/** Offset that stands for "no register", in units of registers. */
const NONE = 16

export class Registers {
  private readonly f: FunctionBuilder
  private readonly general: (Local | undefined)[] = []
  private readonly vectors: (Local | undefined)[] = []
  private readonly dirty = new Set<Local>()

  /** `all`: those of a first try, where what the whole region does to registers has to be known in the middle of it. */
  constructor(f: FunctionBuilder, all?: Registers) {
    this.f = f
    all?.general.forEach((local, n) => {
      if (local) this.keep(this.gprLocal(n), all.dirty.has(local))
    })
    all?.vectors.forEach((local, n) => {
      if (local) this.keep(this.xmmLocal(n), all.dirty.has(local))
    })
  }
  private keep(local: Local, isDirty: boolean): void {
    if (isDirty) this.dirty.add(local)
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
    if (size === 8) return whole
    if (size === 4) return whole.i32()
    if (size === 2) return whole.i32().and(0xffff)
    return (offset & 1 ? whole.i32().shr_u(8) : whole.i32()).and(0xff)
  }
  /** Bits of `value` above the size are ignored. */
  write(offset: number, size: number, value: Expr): void {
    const whole = this.gprLocal(offset >> 3)
    this.dirty.add(whole)
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
    return offset >> 3 === NONE ? i64(0) : this.gprLocal(offset >> 3)
  }
  readVector(n: number): Expr {
    return this.f.tmp(this.xmmLocal(n))
  }
  writeVector(n: number, value: Expr): void {
    const local = this.xmmLocal(n)
    this.dirty.add(local)
    this.f.set(local, value)
  }

  /** Stores what may have changed. */
  spill(f: FunctionBuilder): void {
    this.general.forEach((local, n) => {
      if (local && this.dirty.has(local)) put64(f, AT.gpr + 8 * n, local)
    })
    this.vectors.forEach((local, n) => {
      if (local && this.dirty.has(local)) f.store(16, konst(f.module.ptr, 0), local, AT.xmm + 16 * n)
    })
  }
  /** Loads all that the region touches. */
  fill(f: FunctionBuilder): void {
    f.scope(() => {
      this.general.forEach((local, n) => {
        if (local) f.set(local, get64(f, AT.gpr + 8 * n))
      })
      this.vectors.forEach((local, n) => {
        if (local) f.set(local, f.loadV(konst(f.module.ptr, 0), AT.xmm + 16 * n))
      })
    })
  }
}
