/** Lazy flags in locals, and what is known about them while a block is generated. */
import { get32, get64, put32, put64 } from '../mmu/state-access.ts'
import type { CcKind, Size } from '../semantics/context.ts'
import { ccOp, conditionOfBits, knownCarry, knownCondition, knownFlags, type KnownFlags } from '../semantics/flags.ts'
import { AT } from '../state/layout.ts'
import { Expr, i32, konst, type Operand } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, Local } from '../wasm/module.ts'
import { Tracker } from './tracker.ts'

export interface FlagImports {
  readonly flagsAll: Func
  readonly flagsCarry: Func
}

/** What the locals hold, as far as it is the same on every path that leads here. */
export interface FlagShape {
  readonly kind: CcKind
  readonly size: Size
  readonly wide: boolean
  /** CF, OF and AF are zero (kind 'result'). */
  readonly clear: boolean
  readonly hasFirst: boolean
}

export function sameShape(a: FlagShape | undefined, b: FlagShape | undefined): FlagShape | undefined {
  if (!a || !b || a.kind !== b.kind || a.size !== b.size || a.wide !== b.wide || a.clear !== b.clear) return undefined
  return a.hasFirst === b.hasFirst ? a : undefined
}

export class RegionFlags {
  private readonly f: FunctionBuilder
  private readonly imports: FlagImports
  private readonly op: Local
  private readonly res: Local
  private readonly b: Local
  private readonly a: Local
  /** Of the only bit 1. */
  readonly tracker: Tracker
  shape: FlagShape | undefined

  /** `all`: those of a first try, as with registers. */
  constructor(f: FunctionBuilder, imports: FlagImports, all?: RegionFlags) {
    this.tracker = new Tracker(all?.tracker)
    this.f = f
    this.imports = imports
    this.op = f.keep('i32')
    this.res = f.keep('i64')
    this.b = f.keep('i64')
    this.a = f.keep('i64')
  }

  /** `isPlain`: not under a condition of the operation, so that it holds afterwards for sure. */
  set(kind: CcKind, size: Size, res: Expr, b: Operand, a: Expr | undefined, isPlain: boolean): void {
    const { f } = this
    const wide = res.type === 'i64'
    const second = b instanceof Expr ? b : konst(res.type, b)
    this.tracker.write(1, isPlain)
    f.set(this.res, res.u64())
    f.set(this.b, second.u64())
    if (a) f.set(this.a, a.u64())
    f.set(this.op, i32(ccOp(kind, wide ? 8 : size)))
    const clear = kind === 'result' && second.constant === 0
    this.shape = isPlain ? { kind, size: wide ? 8 : size, wide, clear, hasFirst: a !== undefined } : undefined
  }
  setBits(bits: Expr, isPlain: boolean): void {
    this.set('eflags', 8, konst('i64', 0), bits.u64(), undefined, isPlain)
  }

  private known(): KnownFlags | undefined {
    const { shape } = this
    if (!shape) return undefined
    const narrow = (e: Expr): Expr => (shape.wide ? e : e.i32())
    return {
      kind: shape.kind,
      size: shape.size,
      res: narrow(this.res),
      b: shape.clear ? konst(shape.wide ? 'i64' : 'i32', 0) : narrow(this.b),
      ...(shape.hasFirst ? { a: narrow(this.a) } : {}),
    }
  }
  all(): Expr {
    const known = this.known()
    this.tracker.read(1)
    if (known) return this.f.tmp(knownFlags(this.f, known))
    return this.f.call(this.imports.flagsAll, this.op, this.res, this.b)
  }
  carry(): Expr {
    const known = this.known()
    this.tracker.read(1)
    if (known) return this.f.tmp(knownCarry(known))
    return this.f.call(this.imports.flagsCarry, this.op, this.res, this.b)
  }
  condition(cc: number): Expr {
    const known = this.known()
    this.tracker.read(1)
    const direct = known && knownCondition(known, cc)
    if (direct) return this.f.tmp(direct)
    return this.f.tmp(conditionOfBits(this.all(), cc))
  }

  spill(f: FunctionBuilder): void {
    put64(f, AT.ccRes, this.res)
    put64(f, AT.ccB, this.b)
    put32(f, AT.ccOp, this.op)
  }
  fill(f: FunctionBuilder): void {
    f.scope(() => {
      f.set(this.res, get64(f, AT.ccRes))
      f.set(this.b, get64(f, AT.ccB))
      f.set(this.op, get32(f, AT.ccOp))
    })
  }
}
