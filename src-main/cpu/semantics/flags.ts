/**
 * Lazy flags (SDM vol. 1, 3.4.3.1). An operation leaves what the flags follow from, and whoever needs a flag works it out:
 *   ccOp  kind | shift << 8, where shift = 64 - operand bits
 *   ccRes result, ccB second operand, at natural width (bits above the operand size are noise)
 * Kinds: eflags (ccB holds the six flags as EFLAGS bits), result (ZF SF PF from ccRes, CF OF AF from the bits in ccB), add, adc (carry in
 * was 1), sub, sbb (borrow in was 1), inc, dec (ccB holds the old CF).
 */
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'
import { CC, type CcKind, type Size } from './context.ts'

export const CF = 1
export const PF = 4
export const AF = 0x10
export const ZF = 0x40
export const SF = 0x80
export const OF = 0x800
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF
export const TF = 0x100
export const IF = 0x200
export const DF = 0x400
export const NT = 0x4000
export const RF = 0x10000
export const VM = 0x20000
export const AC = 0x40000
export const VIF = 0x80000
export const VIP = 0x100000
export const ID = 0x200000

export const ccOp = (kind: CcKind, size: Size): number => CC[kind] | ((64 - 8 * size) << 8)

export interface FlagFunctions {
  /** (ccOp, ccRes, ccB) -> all six flags as EFLAGS bits. */
  readonly all: Func
  /** (ccOp, ccRes, ccB) -> CF. */
  readonly carry: Func
  /** (cc, ccOp, ccRes, ccB) -> 0 or 1. */
  readonly condition: Func
}

/** ZF, SF and PF of a result shifted up to bit 63 and the raw result. */
function resultFlags(shifted: Expr, raw: Expr): Expr {
  const parity = raw.and(0xff).i32().popcnt().and(1).xor(1).shl(2)
  return shifted.eqz().shl(6).or(shifted.shr_u(56).i32().and(SF)).or(parity)
}

export function defineFlagFunctions(m: ModuleBuilder): FlagFunctions {
  const params = ['i32', 'i64', 'i64'] as const
  const carry = m.func('carry', params, ['i32'], (f, op, res, b) => {
    const kind = f.tmp(op.and(0xff))
    const shift = f.tmp(op.shr_u(8).u64())
    const r = f.tmp(res.shl(shift))
    const y = f.tmp(b.shl(shift))
    f.if(kind.le_u(CC.result), () => f.ret(b.i32().and(1)))
    f.if(kind.eq(CC.sub), () => f.ret(r.add(y).lt_u(y)))
    f.if(kind.eq(CC.add), () => f.ret(r.lt_u(y)))
    f.if(kind.ge_u(CC.inc), () => f.ret(b.i32().and(1)))
    f.if(kind.eq(CC.adc), () => f.ret(r.le_u(y)))
    f.ret(r.add(y).add(i64(1).shl(shift)).le_u(y))
  })
  const all = m.func('flags', params, ['i32'], (f, op, res, b) => {
    const kind = f.tmp(op.and(0xff))
    f.if(kind.eqz(), () => f.ret(b.i32().and(ARITHMETIC)))
    const shift = f.tmp(op.shr_u(8).u64())
    const r = f.tmp(res.shl(shift))
    const zsp = f.tmp(resultFlags(r, res))
    f.if(kind.eq(CC.result), () => f.ret(zsp.or(b.i32().and(CF | OF | AF))))
    const c = f.call(carry, op, res, b)
    const out = f.tmp(zsp.or(c))
    const topBit = (e: Expr) => e.shr_u(63).i32().shl(11)
    f.if(kind.eq(CC.inc), () => {
      const overflow = r.eq(i64(1n << 63n)).shl(11)
      f.ret(out.or(overflow).or(res.i32().and(15).eqz().shl(4)))
    })
    f.if(kind.eq(CC.dec), () => {
      const overflow = r
        .eq(
          i64(-1n)
            .shl(shift)
            .xor(i64(1n << 63n)),
        )
        .shl(11)
      f.ret(out.or(overflow).or(res.i32().and(15).eq(15).shl(4)))
    })
    f.if(kind.le_u(CC.adc), () => {
      const a = f.tmp(res.sub(b).sub(kind.eq(CC.adc).u64()))
      f.ret(out.or(a.xor(b).xor(res).i32().and(AF)).or(topBit(res.xor(b).and(res.xor(a)).shl(shift))))
    })
    const a = f.tmp(res.add(b).add(kind.eq(CC.sbb).u64()))
    f.ret(out.or(a.xor(b).xor(res).i32().and(AF)).or(topBit(a.xor(b).and(a.xor(res)).shl(shift))))
  })
  const condition = m.func('condition', ['i32', ...params], ['i32'], (f, cc, op, res, b) => {
    const bits = f.call(all, op, res, b)
    f.ret(conditionOf(f, cc, bits))
  })
  return { all, carry, condition }
}

/** Condition `cc` (dynamic, 0..15) of EFLAGS bits. */
function conditionOf(f: FunctionBuilder, cc: Expr, bits: Expr): Expr {
  const kind = f.tmp(cc.shr_u(1))
  const out = f.local('i32')
  f.set(out, bits.shr_u(11).and(1))
  const less = f.tmp(bits.shr_u(7).xor(bits.shr_u(11)).and(1))
  const test = (k: number, value: Expr) => f.if(kind.eq(k), () => f.set(out, value))
  test(1, bits.and(CF))
  test(2, bits.shr_u(6).and(1))
  test(3, bits.and(CF | ZF).ne(0))
  test(4, bits.shr_u(7).and(1))
  test(5, bits.shr_u(2).and(1))
  test(6, less)
  test(7, less.or(bits.shr_u(6).and(1)))
  return out.xor(cc.and(1))
}

/** What the last flag-setting operation left, where it is known while generating. */
export interface KnownFlags {
  readonly kind: CcKind
  readonly size: Size
  readonly res: Expr
  readonly b: Expr
  /** First operand, where at hand. */
  readonly a?: Expr
}

/** All six flags of a known operation as EFLAGS bits, without calls: what of it is not needed costs nothing. */
export function knownFlags(f: FunctionBuilder, flags: KnownFlags): Expr {
  const { kind, size, res, b } = flags
  if (kind === 'eflags') return b.i32().and(ARITHMETIC)
  const bits = res.type === 'i64' ? 64 : 32
  const up = (e: Expr) => f.tmp(e.shl(bits - 8 * size))
  const r = up(res)
  const parity = res.i32().and(0xff).popcnt().and(1).xor(1).shl(2)
  const zsp = f.tmp(
    r
      .eqz()
      .shl(6)
      .or(
        r
          .shr_u(bits - 8)
          .i32()
          .and(SF),
      )
      .or(parity),
  )
  if (kind === 'result') return zsp.or(b.i32().and(CF | OF | AF))
  const out = f.tmp(zsp.or(knownCarry(flags)))
  const topBit = (e: Expr) =>
    up(e)
      .shr_u(bits - 1)
      .i32()
      .shl(11)
  const low = res.i32().and(15)
  const least = konst(res.type, -1n << BigInt(bits - 1))
  if (kind === 'inc') return out.or(r.eq(least).shl(11)).or(low.eqz().shl(4))
  if (kind === 'dec') return out.or(r.eq(up(least.shr_s(bits - 8 * size).sub(1))).shl(11)).or(low.eq(15).shl(4))
  if (kind === 'add' || kind === 'adc') {
    const a = f.tmp(res.sub(b).sub(kind === 'adc' ? 1 : 0))
    return out.or(a.xor(b).xor(res).i32().and(AF)).or(topBit(res.xor(b).and(res.xor(a))))
  }
  const a = f.tmp(res.add(b).add(kind === 'sbb' ? 1 : 0))
  return out.or(a.xor(b).xor(res).i32().and(AF)).or(topBit(a.xor(b).and(a.xor(res))))
}

/** CF of a known operation. */
export function knownCarry(flags: KnownFlags): Expr {
  const { kind, size, res, b } = flags
  const bits = res.type === 'i64' ? 64 : 32
  const up = (e: Expr) => e.shl(bits - 8 * size)
  switch (kind) {
    case 'sub':
      return (flags.a ? up(flags.a) : up(res.add(b))).lt_u(up(b))
    case 'add':
      return up(res).lt_u(up(b))
    case 'adc':
      return up(res).le_u(up(b))
    case 'sbb':
      return up(res.add(b).add(1)).le_u(up(b))
    default:
      return b.i32().and(1)
  }
}

/** Condition `cc` (known) of EFLAGS bits. */
export function conditionOfBits(bits: Expr, cc: number): Expr {
  const less = bits.shr_u(7).xor(bits.shr_u(11)).and(1)
  const conditions = [
    bits.shr_u(11).and(1),
    bits.and(CF),
    bits.shr_u(6).and(1),
    bits.and(CF | ZF).ne(0),
    bits.shr_u(7).and(1),
    bits.shr_u(2).and(1),
    less,
    less.or(bits.shr_u(6).and(1)),
  ]
  const value = conditions[cc >> 1]!
  return cc & 1 ? value.eqz() : value
}

const inverse = (e: Expr, negate: number): Expr => (negate ? e.eqz() : e)

/** Condition `cc` straight from a known operation, or undefined when the general way is as good. */
export function knownCondition(flags: KnownFlags, cc: number): Expr | undefined {
  const { kind, size, res } = flags
  const wide = res.type === 'i64'
  const bits = wide ? 64 : 32
  const up = (e: Expr) => e.shl(bits - 8 * size)
  const negate = cc & 1
  const signed = up(res)
  switch (cc >> 1) {
    case 2:
      return kind === 'eflags' ? undefined : negate ? (size >= 4 ? res.ne(0) : signed.ne(0)) : signed.eqz()
    case 4:
      return kind === 'eflags' ? undefined : negate ? signed.ge_s(0) : signed.lt_s(0)
    case 5:
      return kind === 'eflags' ? undefined : inverse(res.and(0xff).i32().popcnt().and(1).eqz(), negate)
    default:
  }
  if (kind === 'sub') {
    const b = up(flags.b)
    const a = flags.a ? up(flags.a) : up(res.add(flags.b))
    switch (cc >> 1) {
      case 1:
        return negate ? a.ge_u(b) : a.lt_u(b)
      case 3:
        return negate ? a.gt_u(b) : a.le_u(b)
      case 6:
        return negate ? a.ge_s(b) : a.lt_s(b)
      case 7:
        return negate ? a.gt_s(b) : a.le_s(b)
      default:
    }
  }
  if (kind === 'add' && cc >> 1 === 1) return negate ? signed.ge_u(up(flags.b)) : signed.lt_u(up(flags.b))
  if (kind === 'result' && flags.b.constant === 0) {
    // AND, OR, XOR, TEST: CF = OF = 0
    switch (cc >> 1) {
      case 0:
      case 1:
        return i32(negate)
      case 3:
        return negate ? signed.ne(0) : signed.eqz()
      case 6:
        return negate ? signed.ge_s(0) : signed.lt_s(0)
      case 7:
        return negate ? signed.gt_s(0) : signed.le_s(0)
      default:
    }
  }
  return undefined
}
