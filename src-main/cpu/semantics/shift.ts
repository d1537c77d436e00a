/** Shifts and rotates (SDM vol. 2). */
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import { type OpContext, type Operation } from './registers.ts'
import { CF, OF } from './flags.ts'
import { natural, bitsOf, top, signed, clean, asCount, resultBits } from './operands.ts'

/* Shifts and rotates. The count is masked to 5 bits (6 for 64-bit operands); a zero count changes no flag. */

function countOf(c: OpContext, n = 1): Expr {
  const raw = c.get(n)
  const count = c.f.tmp(raw.i32().and(c.sizeOf(0) === 8 ? 63 : 31))
  return count
}

/** Runs `body` only for a non-zero count, but a memory or 32-bit destination is still touched as the manual says. */
function shifting(c: OpContext, body: (a: Expr, n: Expr) => void): void {
  const a = c.get(0)
  const count = countOf(c)
  c.f.if(
    count,
    () => body(a, count),
    () => {
      if (c.sizeOf(0) === 4) c.set(0, a)
    },
  )
}
function shl(c: OpContext): void {
  const size = c.sizeOf(0)
  shifting(c, (a, n) => {
    const cnt = asCount(n, a)
    const r = c.f.tmp(clean(a.shl(cnt), size))
    // the last bit out: for byte and word operands the i32 still holds it
    const cf = c.f.tmp(
      size < 4
        ? a.shl(cnt).shr_u(bitsOf(size)).and(1)
        : a
            .shl(cnt.sub(1))
            .shr_u(bitsOf(size) - 1)
            .i32(),
    )
    c.set(0, r)
    resultBits(c, r, cf, top(r, size).xor(cf))
  })
}
function shr(c: OpContext): void {
  const size = c.sizeOf(0)
  shifting(c, (a, n) => {
    const cnt = asCount(n, a)
    const r = c.f.tmp(a.shr_u(cnt))
    const cf = a.shr_u(cnt.sub(1)).i32().and(1)
    c.set(0, r)
    resultBits(c, r, c.f.tmp(cf), top(r.xor(r.shl(1)), size))
  })
}
function sar(c: OpContext): void {
  const size = c.sizeOf(0)
  shifting(c, (a, n) => {
    const cnt = asCount(n, a)
    const s = c.f.tmp(signed(a, size))
    const r = c.f.tmp(clean(s.shr_s(cnt), size))
    const cf = s.shr_s(cnt.sub(1)).i32().and(1)
    c.set(0, r)
    resultBits(c, r, c.f.tmp(cf), i32(0))
  })
}
/** Rotates change CF and OF alone. */
function rotateFlags(c: OpContext, cf: Expr, of: Expr): void {
  const rest = c.arithmeticFlags().and(~(CF | OF))
  c.setArithmeticFlags(rest.or(cf.and(1)).or(of.and(1).shl(11)))
}
const rotate =
  (left: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const bits = bitsOf(size)
    shifting(c, (a, n) => {
      let r: Expr
      if (size >= 4) {
        const cnt = asCount(n, a)
        r = c.f.tmp(left ? a.rotl(cnt) : a.rotr(cnt))
      } else {
        const k = n.and(bits - 1)
        const l = left
          ? k
          : i32(bits)
              .sub(k)
              .and(bits - 1)
        r = c.f.tmp(clean(a.shl(l).or(a.shr_u(i32(bits).sub(l))), size))
      }
      c.set(0, r)
      if (left) rotateFlags(c, r.i32(), top(r, size).xor(r.i32()))
      else rotateFlags(c, top(r, size), top(r.xor(r.shl(1)), size))
    })
  }
/** Rotate through carry, bit by bit in blocks: count is reduced modulo size + 1 for bytes and words. */
const rotateCarry =
  (left: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const bits = bitsOf(size)
    shifting(c, (a, n) => {
      const f = c.f
      const k = f.tmp(size < 4 ? n.rem_u(bits + 1) : n)
      const cin = f.tmp(c.carry())
      const wide = (e: Expr) => (size === 8 ? e.u64() : e)
      const r = f.local(natural(size))
      const cf = f.local('i32')
      f.set(r, a)
      f.set(cf, cin)
      f.if(k, () => {
        const cnt = wide(k)
        // the carry enters k places in; what lies beyond it comes from the other end (no shift by the full width)
        if (left) {
          const beyond = k.gt_u(1).select(a.shr_u(wide(i32(bits + 1).sub(k))), konst(natural(size), 0))
          f.set(
            cf,
            a
              .shr_u(wide(i32(bits).sub(k)))
              .i32()
              .and(1),
          )
          f.set(
            r,
            clean(
              a
                .shl(cnt)
                .or(wide(cin).shl(cnt.sub(1)))
                .or(beyond),
              size,
            ),
          )
        } else {
          const beyond = k.gt_u(1).select(a.shl(wide(i32(bits + 1).sub(k))), konst(natural(size), 0))
          f.set(cf, a.shr_u(cnt.sub(1)).i32().and(1))
          f.set(
            r,
            clean(
              a
                .shr_u(cnt)
                .or(wide(cin).shl(wide(i32(bits).sub(k))))
                .or(beyond),
              size,
            ),
          )
        }
      })
      c.set(0, r)
      if (left) rotateFlags(c, cf, top(r, size).xor(cf))
      else rotateFlags(c, cf, top(r.xor(r.shl(1)), size))
    })
  }
/** SHLD, SHRD; 16-bit forms with counts above 16 follow what processors do: the two words repeat. */
const doubleShift =
  (left: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const bits = bitsOf(size)
    const f = c.f
    const a = c.get(0)
    const b = c.get(1)
    const n = countOf(c, 2)
    f.if(
      n,
      () => {
        let r: Expr
        let cf: Expr
        if (size === 2) {
          const x = f.tmp(
            left ? a.u64().shl(32).or(b.u64().shl(16)).or(a.u64()) : a.u64().or(b.u64().shl(16)).or(a.u64().shl(32)),
          )
          if (left) {
            r = f.tmp(x.shl(n.u64()).shr_u(32).i32().and(0xffff))
            cf = x.shr_u(i64(48).sub(n.u64())).i32()
          } else {
            r = f.tmp(x.shr_u(n.u64()).i32().and(0xffff))
            cf = x.shr_u(n.u64().sub(1)).i32()
          }
        } else {
          const k = asCount(n, a)
          const rest = konst(natural(size), bits).sub(k)
          r = f.tmp(left ? a.shl(k).or(b.shr_u(rest)) : a.shr_u(k).or(b.shl(rest)))
          cf = left ? a.shr_u(rest).i32() : a.shr_u(k.sub(1)).i32()
        }
        cf = f.tmp(cf.and(1))
        c.set(0, r)
        resultBits(c, r, cf, top(r.xor(a), size))
      },
      () => {
        if (size === 4) c.set(0, a)
      },
    )
  }

const plainShift =
  (compute: (a: Expr, n: Expr) => Expr): Operation =>
  (c) => {
    const a = c.get(1)
    const n = c.get(2)
    c.set(0, compute(a, n))
  }
function rorx(c: OpContext): void {
  const a = c.get(1)
  c.set(0, a.rotr(asCount(c.imm(), a)))
}

export const SHIFTS: Record<string, Operation> = {
  shl,
  shr,
  sar,
  rol: rotate(true),
  ror: rotate(false),
  rcl: rotateCarry(true),
  rcr: rotateCarry(false),
  shld: doubleShift(true),
  shrd: doubleShift(false),
  shlx: plainShift((a, n) => a.shl(n)),
  shrx: plainShift((a, n) => a.shr_u(n)),
  sarx: plainShift((a, n) => a.shr_s(n)),
  rorx,
}
