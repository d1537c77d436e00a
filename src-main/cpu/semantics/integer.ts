/** Integer arithmetic, logic, shifts and moves (SDM vol. 2). Each operation stands once; see context.ts for the rules. */
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import { RAX, RBX, RCX, RDX, type OpContext, type Operation, type Size } from './registers.ts'
import { AF, CF, OF } from './flags.ts'

const natural = (size: Size): 'i32' | 'i64' => (size === 8 ? 'i64' : 'i32')
const bitsOf = (size: Size): number => 8 * size
/** The top bit of a value of `size` bytes as an i32 0 or 1. */
const top = (e: Expr, size: Size): Expr =>
  e
    .shr_u(bitsOf(size) - 1)
    .i32()
    .and(1)
/** Sign-extends a value of `size` bytes within its natural type. */
const signed = (e: Expr, size: Size): Expr => (size < 4 ? e.signExtend(size) : e)
const clean = (e: Expr, size: Size): Expr => (size < 4 ? e.zeroExtend(size) : e)

function add(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.add(b))
  c.set(0, r)
  c.flags('add', r, b)
}
function sub(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.sub(b))
  c.set(0, r)
  c.flags('sub', r, b)
}
function cmp(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  c.flags('sub', c.f.tmp(a.sub(b)), b)
}
/** ADC and SBB: the kind of the lazy flags follows from the carry in. */
const withCarry =
  (plus: boolean): Operation =>
  (c) => {
    const a = c.get(0)
    const b = c.get(1)
    const cin = c.f.tmp(c.carry())
    const wide = a.type === 'i64' ? cin.u64() : cin
    const r = c.f.tmp(plus ? a.add(b).add(wide) : a.sub(b).sub(wide))
    c.set(0, r)
    c.f.if(
      cin,
      () => c.flags(plus ? 'adc' : 'sbb', r, b),
      () => c.flags(plus ? 'add' : 'sub', r, b),
    )
  }
const logic =
  (compute: (a: Expr, b: Expr) => Expr, write: boolean): Operation =>
  (c) => {
    const a = c.get(0)
    const b = c.get(1)
    const r = c.f.tmp(compute(a, b))
    if (write) c.set(0, r)
    c.flags('result', r, 0)
  }
const step =
  (kind: 'inc' | 'dec'): Operation =>
  (c) => {
    const a = c.get(0)
    const old = c.f.tmp(c.carry())
    const r = c.f.tmp(kind === 'inc' ? a.add(1) : a.sub(1))
    c.set(0, r)
    c.flags(kind, r, r.type === 'i64' ? old.u64() : old)
  }
function neg(c: OpContext): void {
  const a = c.get(0)
  const r = c.f.tmp(a.neg())
  c.set(0, r)
  c.flags('sub', r, a)
}
function not(c: OpContext): void {
  c.set(0, c.get(0).not())
}
function mov(c: OpContext): void {
  c.set(0, c.get(1))
}
function xchg(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  c.set(0, b)
  c.set(1, a)
}
function xadd(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.add(b))
  if (c.isMemory(0)) {
    c.set(0, r)
    c.set(1, a)
  } else {
    c.set(1, a)
    c.set(0, r)
  }
  c.flags('add', r, b)
}
/** The destination is written in both cases, as on hardware; the accumulator only when different. */
function cmpxchg(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.gpr(RAX, size)
  const d = c.get(0)
  const s = c.get(1)
  const r = c.f.tmp(a.sub(d))
  const equal = c.f.tmp(clean(r, size).eqz())
  if (c.isMemory(0)) {
    c.set(0, equal.select(s, d))
    c.f.if(equal.eqz(), () => c.setGpr(RAX, size, d))
  } else {
    c.f.if(
      equal,
      () => c.set(0, s),
      () => c.setGpr(RAX, size, d),
    )
  }
  c.flags('sub', r, d)
}
function movzx(c: OpContext): void {
  const v = c.get(1)
  c.set(0, c.sizeOf(0) === 8 ? v.u64() : v)
}
function movsx(c: OpContext): void {
  const v = c.get(1).signExtend(c.sizeOf(1))
  c.set(0, c.sizeOf(0) === 8 ? v.s64() : v)
}
function lea(c: OpContext): void {
  const ea = c.ea()
  c.set(0, c.sizeOf(0) === 8 ? ea : ea.i32())
}

const cmov =
  (cc: number): Operation =>
  (c) => {
    const src = c.get(1)
    const old = c.get(0)
    c.set(0, c.condition(cc).select(src, old))
  }
const setcc =
  (cc: number): Operation =>
  (c) =>
    c.set(0, c.condition(cc))

/** CBW CWDE CDQE. */
function cbw(c: OpContext): void {
  const half = (c.size / 2) as Size
  const v = c.gpr(RAX, half).signExtend(half)
  c.setGpr(RAX, c.size, c.size === 8 ? v.s64() : v)
}
/** CWD CDQ CQO. */
function cwd(c: OpContext): void {
  const a = signed(c.gpr(RAX, c.size), c.size)
  c.setGpr(RDX, c.size, a.shr_s(c.size === 8 ? 63 : 31))
}

/* Shifts and rotates. The count is masked to 5 bits (6 for 64-bit operands); a zero count changes no flag. */

function countOf(c: OpContext, n = 1): Expr {
  const raw = c.get(n)
  const count = c.f.tmp(raw.i32().and(c.sizeOf(0) === 8 ? 63 : 31))
  return count
}
/** `count` in the type of `e`. */
const asCount = (count: Expr, e: Expr): Expr => (e.type === 'i64' ? count.u64() : count.i32())

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
const resultBits = (c: OpContext, r: Expr, cf: Expr, of: Expr, af = 0): void => {
  const bits = cf.and(1).or(of.and(1).shl(11)).or(af)
  c.flags('result', r, r.type === 'i64' ? bits.u64() : bits)
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

/* Bits. */

/** Bit tests with the bit number modulo the operand size (register or immediate forms). */
const bitTest =
  (change: ((a: Expr, mask: Expr) => Expr) | undefined): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const a = c.get(0)
    const n = c.f.tmp(asCount(c.get(1), a).and(bitsOf(size) - 1))
    const cf = c.f.tmp(a.shr_u(n).i32().and(1))
    if (change) c.set(0, change(a, konst(a.type, 1).shl(n)))
    c.setArithmeticFlags(c.arithmeticFlags().and(~CF).or(cf))
  }
const flip = {
  bts: (a: Expr, mask: Expr) => a.or(mask),
  btr: (a: Expr, mask: Expr) => a.and(mask.not()),
  btc: (a: Expr, mask: Expr) => a.xor(mask),
}
/** BT family with a register bit offset and a memory operand: the offset reaches beyond the operand. */
const bitTestFar =
  (change: ((a: Expr, mask: Expr) => Expr) | undefined): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const f = c.f
    const offset = f.tmp(size === 8 ? c.get(1) : signed(c.get(1), size).s64())
    const address = f.tmp(c.ea().add(offset.shr_s(3).and(-size)))
    const n = f.tmp((size === 8 ? offset : offset.i32()).and(bitsOf(size) - 1))
    const a = c.load(address, size)
    const cf = f.tmp(a.shr_u(n).i32().and(1))
    if (change) c.store(address, size, change(a, konst(a.type, 1).shl(n)))
    c.setArithmeticFlags(c.arithmeticFlags().and(~CF).or(cf))
  }
/** BSF, BSR: a zero source sets ZF and leaves the destination. */
const bitScan =
  (forward: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const src = c.get(1)
    const width = src.type === 'i64' ? 63 : 31
    c.f.if(src.type === 'i64' ? src.ne(0) : src, () =>
      c.set(0, forward ? src.ctz() : konst(src.type, width).sub(src.clz())),
    )
    c.flags('result', size < 4 ? clean(src, size) : src, 0)
  }
/** TZCNT, LZCNT: CF when the source is zero, ZF when the result is. */
const countZeros =
  (trailing: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const src = c.get(1)
    const bits = bitsOf(size)
    const n = trailing ? (size === 2 ? src.or(0x10000).ctz() : src.ctz()) : size === 2 ? src.clz().sub(16) : src.clz()
    const r = c.f.tmp(n)
    c.set(0, r)
    const cf = r.eq(bits)
    c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
  }
function popcnt(c: OpContext): void {
  const src = c.get(1)
  c.set(0, src.popcnt())
  c.setArithmeticFlags((src.type === 'i64' ? src.eqz() : src.eqz()).shl(6))
}
function bswap(c: OpContext): void {
  c.set(0, byteSwap(c, c.get(0), c.sizeOf(0)))
}
/** Bytes reversed; of a 16-bit operand BSWAP gives zero (documented as undefined, so on all processors). */
function byteSwap(c: OpContext, v: Expr, size: Size): Expr {
  if (size === 2) return i32(0)
  if (size === 4) return c.f.tmp(v.rotl(8).and(0x00ff00ff).or(v.rotr(8).and(0xff00ff00)))
  const a = c.f.tmp(v.shl(8).and(0xff00ff00ff00ff00n).or(v.shr_u(8).and(0x00ff00ff00ff00ffn)))
  const b = c.f.tmp(a.shl(16).and(0xffff0000ffff0000n).or(a.shr_u(16).and(0x0000ffff0000ffffn)))
  return c.f.tmp(b.rotl(32))
}
function movbe(c: OpContext): void {
  const size = c.sizeOf(0)
  const v = c.get(1)
  c.set(0, size === 2 ? v.shl(8).or(v.shr_u(8)).and(0xffff) : byteSwap(c, v, size))
}

/* Flags. */
const flagBit =
  (change: (flags: Expr) => Expr): Operation =>
  (c) =>
    c.setArithmeticFlags(change(c.arithmeticFlags()))
function lahf(c: OpContext): void {
  const ah = c.f.tmp(c.arithmeticFlags().and(0xd5).or(2))
  c.setGpr(RAX, 2, c.gpr(RAX, 1).or(ah.shl(8)))
}
function sahf(c: OpContext): void {
  const ah = c.gpr(RAX, 2).shr_u(8)
  c.setArithmeticFlags(c.arithmeticFlags().and(OF).or(ah.and(0xd5)))
}
/** SALC (undocumented, all processors): AL = CF ? 0xff : 0. */
function salc(c: OpContext): void {
  c.setGpr(RAX, 1, c.carry().neg())
}

/* Decimal arithmetic (16- and 32-bit modes). */
const daa =
  (plus: boolean): Operation =>
  (c) => {
    const f = c.f
    const al = c.gpr(RAX, 1)
    const flags = f.tmp(c.arithmeticFlags())
    const r = f.local('i32')
    const bits = f.local('i32')
    f.set(r, al)
    f.set(bits, 0)
    f.if(al.and(15).gt_u(9).or(flags.and(AF).ne(0)), () => {
      // the borrow of the low nibble reaches CF in DAS
      if (!plus) f.if(al.lt_u(6), () => f.set(bits, CF))
      f.set(r, plus ? r.add(6) : r.sub(6))
      f.set(bits, bits.or(AF))
    })
    f.if(al.gt_u(0x99).or(flags.and(CF)), () => {
      f.set(r, plus ? r.add(0x60) : r.sub(0x60))
      f.set(bits, bits.or(CF))
    })
    f.set(r, r.and(0xff))
    c.setGpr(RAX, 1, r)
    c.flags('result', r, bits)
  }
const aaa =
  (plus: boolean): Operation =>
  (c) => {
    const f = c.f
    const ax = c.gpr(RAX, 2)
    const flags = f.tmp(c.arithmeticFlags())
    const adjust = f.tmp(ax.and(15).gt_u(9).or(flags.and(AF).ne(0)))
    const changed = f.tmp(plus ? ax.add(0x106) : ax.sub(0x106))
    const r = f.tmp(adjust.select(changed, ax).and(0xff0f))
    c.setGpr(RAX, 2, r)
    c.flags('result', f.tmp(r.and(0xff)), adjust.select(i32(AF | CF), i32(0)))
  }
function aam(c: OpContext): void {
  const base = c.f.tmp(c.imm().and(0xff))
  c.f.if(base.eqz(), () => c.raise(DIVIDE_ERROR))
  const al = c.gpr(RAX, 1)
  const r = c.f.tmp(al.rem_u(base))
  c.setGpr(RAX, 2, al.div_u(base).shl(8).or(r))
  c.flags('result', r, 0)
}
function aad(c: OpContext): void {
  const ax = c.gpr(RAX, 2)
  const r = c.f.tmp(ax.and(0xff).add(ax.shr_u(8).mul(c.imm())).and(0xff))
  c.setGpr(RAX, 2, r)
  c.flags('result', r, 0)
}

/** CMPXCHG8B / CMPXCHG16B: only ZF changes. The memory is written in both cases. */
function cmpxchg8b(c: OpContext): void {
  const f = c.f
  const m = c.get(0)
  const expected = f.tmp(c.gpr(RDX, 4).u64().shl(32).or(c.gpr(RAX, 4).u64()))
  const wanted = f.tmp(c.gpr(RCX, 4).u64().shl(32).or(c.gpr(RBX, 4).u64()))
  const equal = f.tmp(m.eq(expected))
  c.set(0, equal.select(wanted, m))
  f.if(equal.eqz(), () => {
    c.setGpr(RAX, 4, m.i32())
    c.setGpr(RDX, 4, m.shr_u(32).i32())
  })
  c.setArithmeticFlags(c.arithmeticFlags().and(~0x40).or(equal.shl(6)))
}
function cmpxchg16b(c: OpContext): void {
  const f = c.f
  f.if(c.ea().and(15).ne(0), () => c.raise(13, 0))
  const h = c.host(0)
  const low = f.load64(h, 0)
  const high = f.load64(h, 8)
  const equal = f.tmp(low.eq(c.gpr(RAX, 8)).and(high.eq(c.gpr(RDX, 8))))
  f.if(
    equal,
    () => {
      f.store(8, h, c.gpr(RBX, 8), 0)
      f.store(8, h, c.gpr(RCX, 8), 8)
    },
    () => {
      c.setGpr(RAX, 8, low)
      c.setGpr(RDX, 8, high)
    },
  )
  c.commit(0)
  c.setArithmeticFlags(c.arithmeticFlags().and(~0x40).or(equal.shl(6)))
}

/* BMI1, BMI2, ADX. Operand order as in the rows: destination, first and second source. */
function andn(c: OpContext): void {
  const r = c.f.tmp(c.get(1).not().and(c.get(2)))
  c.set(0, r)
  c.flags('result', r, 0)
}
const lowestBit =
  (compute: (a: Expr) => Expr, carry: (a: Expr) => Expr): Operation =>
  (c) => {
    const a = c.get(1)
    const r = c.f.tmp(compute(a))
    const cf = c.f.tmp(carry(a))
    c.set(0, r)
    c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
  }
function bextr(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.get(1)
  const control = c.get(2).i32()
  const start = c.f.tmp(control.and(0xff))
  const length = c.f.tmp(control.shr_u(8).and(0xff))
  const zero = konst(a.type, 0)
  const bits = bitsOf(size)
  const shifted = c.f.tmp(start.lt_u(bits).select(a.shr_u(asCount(start, a)), zero))
  const mask = konst(a.type, 1).shl(asCount(length, a)).sub(1)
  const r = c.f.tmp(length.lt_u(bits).select(shifted.and(mask), shifted))
  c.set(0, r)
  c.setArithmeticFlags(r.eqz().shl(6))
}
function bzhi(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.get(1)
  const n = c.f.tmp(c.get(2).i32().and(0xff))
  const inside = c.f.tmp(n.lt_u(bitsOf(size)))
  const r = c.f.tmp(inside.select(a.and(konst(a.type, 1).shl(asCount(n, a)).sub(1)), a))
  c.set(0, r)
  const cf = inside.eqz()
  c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
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
/** PDEP, PEXT: one step for each bit set in the mask. */
const parallel =
  (deposit: boolean): Operation =>
  (c) => {
    const f = c.f
    const src = c.get(1)
    const type = src.type
    const mask = f.local(type)
    f.set(mask, c.get(2))
    const r = f.local(type)
    f.set(r, konst(type, 0))
    const bit = f.local(type)
    f.set(bit, konst(type, 1))
    const some = (e: Expr) => (type === 'i64' ? e.ne(0) : e)
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, mask.eqz())
        const low = f.tmp(mask.and(mask.neg()))
        f.if(some(src.and(deposit ? bit : low)), () => f.set(r, r.or(deposit ? low : bit)))
        f.set(mask, mask.xor(low))
        f.set(bit, bit.shl(1))
        f.br(again)
      })
    })
    c.set(0, r)
  }
/** ADCX (CF) and ADOX (OF): add with one flag as carry, other flags kept. */
const addWithFlag =
  (flag: number, shift: number): Operation =>
  (c) => {
    const f = c.f
    const a = c.get(0)
    const b = c.get(1)
    const flags = f.tmp(c.arithmeticFlags())
    const cin = f.tmp(flags.shr_u(shift).and(1))
    const wide = a.type === 'i64' ? cin.u64() : cin
    const r = f.tmp(a.add(b).add(wide))
    const out = f.tmp(cin.select(r.le_u(a), r.lt_u(a)))
    c.set(0, r)
    c.setArithmeticFlags(flags.and(~flag).or(out.shl(shift)))
  }
/** CRC32C over 1, 2, 4 or 8 bytes, bit by bit (polynomial 0x11EDC6F41 reflected). */
function crc32(c: OpContext): void {
  const f = c.f
  const size = c.sizeOf(1)
  const src = c.get(1)
  const crc = f.local('i64')
  const old = c.get(0)
  f.set(crc, (old.type === 'i64' ? old.and(0xffffffffn) : old.u64()).xor(src.u64()))
  const n = f.local('i32')
  f.set(n, bitsOf(size))
  f.loop((again) => {
    f.set(crc, crc.shr_u(1).xor(crc.and(1).neg().and(0x82f63b78n)))
    f.set(n, n.sub(1))
    f.brIf(again, n)
  })
  c.set(0, c.sizeOf(0) === 8 ? crc : crc.i32())
}

export const INTEGER: Record<string, Operation> = {
  add,
  sub,
  cmp,
  adc: withCarry(true),
  sbb: withCarry(false),
  and: logic((a, b) => a.and(b), true),
  or: logic((a, b) => a.or(b), true),
  xor: logic((a, b) => a.xor(b), true),
  test: logic((a, b) => a.and(b), false),
  inc: step('inc'),
  dec: step('dec'),
  neg,
  not,
  mov,
  xchg,
  xadd,
  cmpxchg,
  cmpxchg8b,
  cmpxchg16b,
  movzx,
  movsx,
  lea,
  cbw,
  cwd,
  shl,
  shr,
  sar,
  rol: rotate(true),
  ror: rotate(false),
  rcl: rotateCarry(true),
  rcr: rotateCarry(false),
  shld: doubleShift(true),
  shrd: doubleShift(false),
  mul: mulWide(false),
  imul1: mulWide(true),
  imul,
  div: divide(false),
  idiv: divide(true),
  bt: bitTest(undefined),
  bts: bitTest(flip.bts),
  btr: bitTest(flip.btr),
  btc: bitTest(flip.btc),
  bt_far: bitTestFar(undefined),
  bts_far: bitTestFar(flip.bts),
  btr_far: bitTestFar(flip.btr),
  btc_far: bitTestFar(flip.btc),
  bsf: bitScan(true),
  bsr: bitScan(false),
  tzcnt: countZeros(true),
  lzcnt: countZeros(false),
  popcnt,
  bswap,
  movbe,
  clc: flagBit((x) => x.and(~CF)),
  stc: flagBit((x) => x.or(CF)),
  cmc: flagBit((x) => x.xor(CF)),
  lahf,
  sahf,
  salc,
  daa: daa(true),
  das: daa(false),
  aaa: aaa(true),
  aas: aaa(false),
  aam,
  aad,
  andn,
  blsr: lowestBit(
    (a) => a.sub(1).and(a),
    (a) => a.eqz(),
  ),
  blsmsk: lowestBit(
    (a) => a.sub(1).xor(a),
    (a) => a.eqz(),
  ),
  blsi: lowestBit(
    (a) => a.neg().and(a),
    (a) => a.eqz().xor(1),
  ),
  bextr,
  bzhi,
  shlx: plainShift((a, n) => a.shl(n)),
  shrx: plainShift((a, n) => a.shr_u(n)),
  sarx: plainShift((a, n) => a.shr_s(n)),
  rorx,
  mulx,
  pdep: parallel(true),
  pext: parallel(false),
  adcx: addWithFlag(CF, 0),
  adox: addWithFlag(OF, 11),
  crc32,
}
for (let cc = 0; cc < 16; cc++) {
  INTEGER[`cmov${cc}`] = cmov(cc)
  INTEGER[`set${cc}`] = setcc(cc)
}
