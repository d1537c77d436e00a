/** Multiplication and division (SDM vol. 2). */
import { i32, i64, type Expr } from '../wasm/expr.ts'
import { RAX, RDX, type OpContext, type Operation } from './registers.ts'
import { CF, OF } from './flags.ts'
import { bitsOf, signed } from './operands.ts'

/* Multiplication and division. */

/** High 64 bits of an unsigned 64x64 product: wasm has no such instruction. */
function mulHigh(c: OpContext, a: Expr, b: Expr): Expr {
  const f = c.f
  const al = f.tmp(a.and(0xffffffffn))
  const ah = f.tmp(a.shr_u(32))
  const bl = f.tmp(b.and(0xffffffffn))
  const bh = f.tmp(b.shr_u(32))
  const mid = f.tmp(ah.mul(bl).add(al.mul(bl).shr_u(32)))
  const mid2 = f.tmp(al.mul(bh).add(mid.and(0xffffffffn)))
  return f.tmp(ah.mul(bh).add(mid.shr_u(32)).add(mid2.shr_u(32)))
}
function mulHighSigned(c: OpContext, a: Expr, b: Expr): Expr {
  const high = mulHigh(c, a, b)
  return c.f.tmp(high.sub(a.shr_s(63).and(b)).sub(b.shr_s(63).and(a)))
}
/** Flags of a product: CF = OF = "does not fit"; the rest as ZF SF PF of the low half (undefined by the manual). */
function productFlags(c: OpContext, low: Expr, overflow: Expr): void {
  const bits = overflow.select(i32(CF | OF), i32(0))
  c.flags('result', low, low.type === 'i64' ? bits.u64() : bits)
}
const mulWide =
  (isSigned: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const f = c.f
    const b = c.get(0)
    const a = c.gpr(RAX, size)
    if (size === 8) {
      const low = f.tmp(a.mul(b))
      const high = isSigned ? mulHighSigned(c, a, b) : mulHigh(c, a, b)
      c.setGpr(RAX, 8, low)
      c.setGpr(RDX, 8, high)
      productFlags(c, low, isSigned ? high.ne(low.shr_s(63)) : high.ne(0))
      return
    }
    const extend = (e: Expr) => (isSigned ? signed(e, size).s64() : e.u64())
    const p = f.tmp(extend(a).mul(extend(b)))
    const low = f.tmp(p.i32())
    const fits = isSigned ? p.eq(p.signExtend(size)) : p.shr_u(bitsOf(size)).eqz()
    const overflow = f.tmp(fits.eqz())
    if (size === 1) c.setGpr(RAX, 2, low)
    else {
      c.setGpr(RAX, size, low)
      c.setGpr(RDX, size, p.shr_u(bitsOf(size)).i32())
    }
    productFlags(c, low, overflow)
  }
/** IMUL with two or three operands: operand 0 = 1 * 2 (two-operand rows repeat operand 0). */
function imul(c: OpContext): void {
  const size = c.sizeOf(0)
  const f = c.f
  const a = c.get(1)
  const b = c.get(2)
  if (size === 8) {
    const low = f.tmp(a.mul(b))
    const high = mulHighSigned(c, a, b)
    c.set(0, low)
    productFlags(c, low, high.ne(low.shr_s(63)))
    return
  }
  const p = f.tmp(signed(a, size).s64().mul(signed(b, size).s64()))
  const low = f.tmp(p.i32())
  c.set(0, low)
  productFlags(c, low, p.ne(p.signExtend(size)))
}
const DIVIDE_ERROR = 0
function divideNarrow(c: OpContext, size: 1 | 2 | 4, isSigned: boolean): void {
  const f = c.f
  const d32 = c.get(0)
  const d = f.tmp(isSigned ? signed(d32, size).s64() : d32.u64())
  const bits = bitsOf(size)
  const n = f.tmp(
    size === 1
      ? isSigned
        ? c.gpr(RAX, 2).signExtend(2).s64()
        : c.gpr(RAX, 2).u64()
      : size === 2
        ? (isSigned ? c.gpr(RDX, 2).signExtend(2).s64() : c.gpr(RDX, 2).u64()).shl(16).or(c.gpr(RAX, 2).u64())
        : c.gpr(RDX, 4).u64().shl(32).or(c.gpr(RAX, 4).u64()),
  )
  f.if(d.eqz(), () => c.raise(DIVIDE_ERROR))
  // INT64_MIN / -1 traps in wasm and overflows here too
  if (isSigned && size === 4) f.if(d.eq(-1).and(n.eq(i64(-(1n << 63n)))), () => c.raise(DIVIDE_ERROR))
  const q = f.tmp(isSigned ? n.div_s(d) : n.div_u(d))
  const r = f.tmp(isSigned ? n.rem_s(d) : n.rem_u(d))
  const fits = isSigned ? q.eq(q.signExtend(size)) : q.shr_u(bits).eqz()
  f.if(fits.eqz(), () => c.raise(DIVIDE_ERROR))
  if (size === 1) c.setGpr(RAX, 2, q.i32().and(0xff).or(r.i32().and(0xff).shl(8)))
  else {
    c.setGpr(RAX, size, q.i32())
    c.setGpr(RDX, size, r.i32())
  }
}
/** Magnitudes: 128 by 64 bits; high < d holds. Schoolbook, 64 steps, unless the high half is zero. */
function divide128(c: OpContext, high: Expr, low: Expr, d: Expr): { q: Expr; r: Expr } {
  const f = c.f
  const q = f.local('i64')
  const r = f.local('i64')
  f.if(
    high.eqz(),
    () => {
      f.set(q, low.div_u(d))
      f.set(r, low.rem_u(d))
    },
    () => {
      const n = f.local('i32')
      f.set(r, high)
      f.set(q, low)
      f.set(n, 64)
      f.loop((again) => {
        const carry = f.tmp(r.shr_s(63))
        f.set(r, r.shl(1).or(q.shr_u(63)))
        f.set(q, q.shl(1))
        f.if(carry.i32().or(r.ge_u(d)), () => {
          f.set(r, r.sub(d))
          f.set(q, q.or(1))
        })
        f.set(n, n.sub(1))
        f.brIf(again, n)
      })
    },
  )
  return { q, r }
}
function divideWide(c: OpContext, isSigned: boolean): void {
  const f = c.f
  const d = c.get(0)
  const low = c.gpr(RAX, 8)
  const high = c.gpr(RDX, 8)
  f.if(d.eqz(), () => c.raise(DIVIDE_ERROR))
  if (!isSigned) {
    f.if(high.ge_u(d), () => c.raise(DIVIDE_ERROR))
    const { q, r } = divide128(c, high, low, d)
    c.setGpr(RAX, 8, q)
    c.setGpr(RDX, 8, r)
    return
  }
  const negN = f.tmp(high.shr_s(63))
  const negD = f.tmp(d.shr_s(63))
  const magD = f.tmp(d.xor(negD).sub(negD))
  const lowX = f.tmp(low.xor(negN))
  const magLow = f.tmp(lowX.sub(negN))
  const borrow = f.tmp(negN.i32().and(lowX.eq(-1n)))
  const magHigh = f.tmp(high.xor(negN).add(borrow.u64()))
  f.if(magHigh.ge_u(magD), () => c.raise(DIVIDE_ERROR))
  const { q, r } = divide128(c, magHigh, magLow, magD)
  const negQ = f.tmp(negN.xor(negD))
  const quotient = f.tmp(q.xor(negQ).sub(negQ))
  // the magnitude fits 63 bits, or is 2^63 with a negative result
  f.if(q.ne(0).and(quotient.shr_s(63).ne(negQ)), () => c.raise(DIVIDE_ERROR))
  c.setGpr(RAX, 8, quotient)
  c.setGpr(RDX, 8, r.xor(negN).sub(negN))
}
const divide =
  (isSigned: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    if (size === 8) divideWide(c, isSigned)
    else divideNarrow(c, size, isSigned)
  }

function mulx(c: OpContext): void {
  // operands: high destination, low destination, source
  const size = c.sizeOf(0)
  const b = c.get(2)
  const a = c.gpr(RDX, size)
  if (size === 8) {
    const high = mulHigh(c, a, b)
    c.set(1, a.mul(b))
    c.set(0, high)
  } else {
    const p = c.f.tmp(a.u64().mul(b.u64()))
    c.set(1, p.i32())
    c.set(0, p.shr_u(32).i32())
  }
}

export const MULTIPLICATION: Record<string, Operation> = {
  mul: mulWide(false),
  imul1: mulWide(true),
  imul,
  div: divide(false),
  idiv: divide(true),
  mulx,
}
