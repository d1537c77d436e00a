/** Integer arithmetic on vectors: SSE2 to SSE4.2, and the same operations on MMX registers (low halves). */
import { i32, type Expr } from '../wasm/expr.ts'
import { dwordsV, i16x8, i32x4, i64x2, i8x16, IOTA, lanes, splatBytes, v, wordsV, ZERO_V } from '../wasm/simd.ts'
import type { Operation, OpContext } from './context.ts'
import { binary, enter, enterSse, put, source, unary } from './vector.ts'

type Two = (a: Expr, b: Expr) => Expr

/* ---- shifts ---- */

interface Lanes {
  readonly bits: number
  readonly shl: Two
  readonly shrU: Two
  readonly shrS?: Two
}
const WORDS: Lanes = { bits: 16, shl: i16x8.shl, shrU: i16x8.shrU, shrS: i16x8.shrS }
const DWORDS: Lanes = { bits: 32, shl: i32x4.shl, shrU: i32x4.shrU, shrS: i32x4.shrS }
const QWORDS: Lanes = { bits: 64, shl: i64x2.shl, shrU: i64x2.shrU }

/** Counts beyond the width give zero, or the sign. `count` is an i32 that is at most the width. */
function shifted(kind: Lanes, how: 'shl' | 'shrU' | 'shrS', a: Expr, count: Expr): Expr {
  if (how === 'shrS') return kind.shrS!(a, count.lt_u(kind.bits).select(count, i32(kind.bits - 1)))
  return count.lt_u(kind.bits).select(kind[how](a, count), ZERO_V)
}
const shift = (kind: Lanes, how: 'shl' | 'shrU' | 'shrS'): Operation =>
  binary((a, b, c) => {
    const count = c.f.tmp(i64x2.lane(b, 0))
    const limited = c.f.tmp(count.lt_u(kind.bits).select(count.i32(), i32(kind.bits)))
    return shifted(kind, how, a, limited)
  })
const shiftImmediate =
  (kind: Lanes, how: 'shl' | 'shrU' | 'shrS'): Operation =>
  (c) => {
    enter(c)
    put(c, 0, shifted(kind, how, c.getV(0), c.imm()))
  }

/* ---- pairs of lanes, packing ---- */

/** Both operands as one vector, where MMX has them in two low halves. */
function joined(c: OpContext, a: Expr, b: Expr): [Expr, Expr] {
  if (!c.isMmx(0)) return [a, b]
  const both = c.f.tmp(v.shuffle(a, b, lanes(8, 0, 2)))
  return [both, both]
}
const pack = (narrow: Two): Operation => binary((a, b, c) => narrow(...joined(c, a, b)))

const EVEN_WORDS = lanes(2, 0, 2, 4, 6, 8, 10, 12, 14)
const ODD_WORDS = lanes(2, 1, 3, 5, 7, 9, 11, 13, 15)
const EVEN_DWORDS = lanes(4, 0, 2, 4, 6)
const ODD_DWORDS = lanes(4, 1, 3, 5, 7)
const horizontal = (size: 2 | 4, combine: Two): Operation =>
  binary((a, b, c) => {
    const [x, y] = joined(c, a, b)
    const [even, odd] = size === 2 ? [EVEN_WORDS, ODD_WORDS] : [EVEN_DWORDS, ODD_DWORDS]
    return combine(v.shuffle(x, y, even), v.shuffle(x, y, odd))
  })

/* ---- multiplication ---- */

/** High words of the four and four products. */
const highWords = (low: Two, high: Two): Operation => binary((a, b) => v.shuffle(low(a, b), high(a, b), ODD_WORDS))

/** i16x8.q15mulr_sat_s saturates -1 * -1, which PMULHRSW leaves as 8000. */
const pmulhrsw = binary((a, b) => {
  const min = wordsV(...new Array<number>(8).fill(0x8000))
  return v.xor(i16x8.q15mulrSat(a, b), v.and(i16x8.eq(a, min), i16x8.eq(b, min)))
})
/** Unsigned bytes times signed bytes, neighbours added with saturation. */
const pmaddubsw = binary((a, b, c) => {
  const low = c.f.tmp(i16x8.mul(i16x8.extendLowU(a), i16x8.extendLowS(b)))
  const high = c.f.tmp(i16x8.mul(i16x8.extendHighU(a), i16x8.extendHighS(b)))
  return i16x8.addSatS(v.shuffle(low, high, EVEN_WORDS), v.shuffle(low, high, ODD_WORDS))
})
const evenProducts = (multiply: Two): Operation =>
  binary((a, b) => multiply(v.shuffle(a, a, EVEN_DWORDS), v.shuffle(b, b, EVEN_DWORDS)))

/** |a - b| of unsigned bytes. */
const distance = (a: Expr, b: Expr): Expr => v.or(i8x16.subSatU(a, b), i8x16.subSatU(b, a))
const psadbw = binary((a, b, c) => {
  const sums = c.f.tmp(i32x4.pairwiseU16(i16x8.pairwiseU8(distance(a, b))))
  return i64x2.add(v.and(sums, dwordsV(-1, 0, -1, 0)), i64x2.shrU(sums, i32(32)))
})
/** Imm: bit 2 first byte of the destination in fours, bits 1-0 the four bytes of the source. */
const mpsadbw: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const imm = c.imm()
  const b = source(c, 1)
  const at = i8x16.add(IOTA, splatBytes(imm.and(4)))
  const window = f.tmp(v.swizzle(c.getV(0), at))
  const sum = f.local('v128')
  f.set(sum, ZERO_V)
  for (let i = 0; i < 4; i++) {
    const block = v.swizzle(b, splatBytes(imm.and(3).shl(2).add(i)))
    const moved = v.shuffle(
      window,
      window,
      Array.from({ length: 16 }, (_, k) => (k + i) & 15),
    )
    const d = distance(f.tmp(moved), f.tmp(block))
    f.set(sum, i16x8.add(sum, i16x8.extendLowU(d)))
  }
  c.setV(0, sum)
}

/* ---- others ---- */

interface Signed {
  readonly neg: (a: Expr) => Expr
  readonly gtS: Two
  readonly eq: Two
}
/** Negated where the source is negative, zero where it is zero. */
const sign = (kind: Signed): Operation =>
  binary((a, b) => {
    const negated = v.select(kind.neg(a), a, kind.gtS(ZERO_V, b))
    return v.andnot(negated, kind.eq(b, ZERO_V))
  })

/** Smallest word and its number: the words with their numbers below them, as unsigned dwords, are folded by minimum. */
const phminposuw = unary((a, c) => {
  const { f } = c
  const numbers = wordsV(0, 1, 2, 3, 4, 5, 6, 7)
  const low = v.shuffle(numbers, a, lanes(2, 0, 8, 1, 9, 2, 10, 3, 11))
  const high = v.shuffle(numbers, a, lanes(2, 4, 12, 5, 13, 6, 14, 7, 15))
  const four = f.tmp(i32x4.minU(low, high))
  const two = f.tmp(i32x4.minU(four, v.shuffle(four, four, lanes(8, 1, 0))))
  const best = f.tmp(i32x4.lane(f.tmp(i32x4.minU(two, v.shuffle(two, two, lanes(4, 1, 0, 3, 2)))), 0))
  return i32x4.withLane(ZERO_V, 0, best.rotl(16))
})

const ZF = 0x40
const CF = 1
const ptest: Operation = (c) => {
  enterSse(c)
  const b = source(c, 1)
  const a = c.getV(0)
  const zf = v.anyTrue(v.and(a, b)).eqz().select(i32(ZF), i32(0))
  const cf = v.anyTrue(v.andnot(b, a)).eqz().select(i32(CF), i32(0))
  c.setArithmeticFlags(c.f.tmp(zf.or(cf)))
}

const plain = (compute: Two): Operation => binary((a, b) => compute(a, b))
const extend = (...steps: ((a: Expr) => Expr)[]): Operation => unary((a) => steps.reduce((x, step) => step(x), a))

/** Bytes to quadwords without sign go by one shuffle, cheaper than three extensions. */
const zeroBytes = (from: number, to: number): Operation => {
  const count = 16 / to
  const bytes = Array.from({ length: count }, (_, i) =>
    Array.from({ length: to }, (_, k) => (k < from ? i * from + k : 16)),
  ).flat()
  return unary((a) => v.shuffle(a, ZERO_V, bytes))
}

export const SSE_INT: Readonly<Record<string, Operation>> = {
  psllw: shift(WORDS, 'shl'),
  pslld: shift(DWORDS, 'shl'),
  psllq: shift(QWORDS, 'shl'),
  psrlw: shift(WORDS, 'shrU'),
  psrld: shift(DWORDS, 'shrU'),
  psrlq: shift(QWORDS, 'shrU'),
  psraw: shift(WORDS, 'shrS'),
  psrad: shift(DWORDS, 'shrS'),
  psllw_i: shiftImmediate(WORDS, 'shl'),
  pslld_i: shiftImmediate(DWORDS, 'shl'),
  psllq_i: shiftImmediate(QWORDS, 'shl'),
  psrlw_i: shiftImmediate(WORDS, 'shrU'),
  psrld_i: shiftImmediate(DWORDS, 'shrU'),
  psrlq_i: shiftImmediate(QWORDS, 'shrU'),
  psraw_i: shiftImmediate(WORDS, 'shrS'),
  psrad_i: shiftImmediate(DWORDS, 'shrS'),
  packsswb: pack(i8x16.narrowS),
  packuswb: pack(i8x16.narrowU),
  packssdw: pack(i16x8.narrowS),
  packusdw: pack(i16x8.narrowU),
  phaddw: horizontal(2, i16x8.add),
  phaddd: horizontal(4, i32x4.add),
  phaddsw: horizontal(2, i16x8.addSatS),
  phsubw: horizontal(2, i16x8.sub),
  phsubd: horizontal(4, i32x4.sub),
  phsubsw: horizontal(2, i16x8.subSatS),
  pmulhw: highWords(i32x4.mulLowI16S, i32x4.mulHighI16S),
  pmulhuw: highWords(i32x4.mulLowI16U, i32x4.mulHighI16U),
  pmulhrsw,
  pmaddubsw,
  pmuludq: evenProducts(i64x2.mulLowI32U),
  pmuldq: evenProducts(i64x2.mulLowI32S),
  pmaddwd: plain(i32x4.dotI16),
  pmullw: plain(i16x8.mul),
  pmulld: plain(i32x4.mul),
  psadbw,
  mpsadbw,
  psignb: sign(i8x16),
  psignw: sign(i16x8),
  psignd: sign(i32x4),
  pabsb: unary(i8x16.abs),
  pabsw: unary(i16x8.abs),
  pabsd: unary(i32x4.abs),
  phminposuw,
  ptest,
  paddb: plain(i8x16.add),
  paddw: plain(i16x8.add),
  paddd: plain(i32x4.add),
  paddq: plain(i64x2.add),
  psubb: plain(i8x16.sub),
  psubw: plain(i16x8.sub),
  psubd: plain(i32x4.sub),
  psubq: plain(i64x2.sub),
  paddsb: plain(i8x16.addSatS),
  paddsw: plain(i16x8.addSatS),
  paddusb: plain(i8x16.addSatU),
  paddusw: plain(i16x8.addSatU),
  psubsb: plain(i8x16.subSatS),
  psubsw: plain(i16x8.subSatS),
  psubusb: plain(i8x16.subSatU),
  psubusw: plain(i16x8.subSatU),
  pavgb: plain(i8x16.avgU),
  pavgw: plain(i16x8.avgU),
  pcmpeqb: plain(i8x16.eq),
  pcmpeqw: plain(i16x8.eq),
  pcmpeqd: plain(i32x4.eq),
  pcmpeqq: plain(i64x2.eq),
  pcmpgtb: plain(i8x16.gtS),
  pcmpgtw: plain(i16x8.gtS),
  pcmpgtd: plain(i32x4.gtS),
  pcmpgtq: plain(i64x2.gtS),
  pminub: plain(i8x16.minU),
  pminsb: plain(i8x16.minS),
  pminuw: plain(i16x8.minU),
  pminsw: plain(i16x8.minS),
  pminud: plain(i32x4.minU),
  pminsd: plain(i32x4.minS),
  pmaxub: plain(i8x16.maxU),
  pmaxsb: plain(i8x16.maxS),
  pmaxuw: plain(i16x8.maxU),
  pmaxsw: plain(i16x8.maxS),
  pmaxud: plain(i32x4.maxU),
  pmaxsd: plain(i32x4.maxS),
  pand: plain(v.and),
  pandn: plain((a, b) => v.andnot(b, a)),
  por: plain(v.or),
  pxor: plain(v.xor),
  pmovsxbw: extend(i16x8.extendLowS),
  pmovsxbd: extend(i16x8.extendLowS, i32x4.extendLowS),
  pmovsxbq: extend(i16x8.extendLowS, i32x4.extendLowS, i64x2.extendLowS),
  pmovsxwd: extend(i32x4.extendLowS),
  pmovsxwq: extend(i32x4.extendLowS, i64x2.extendLowS),
  pmovsxdq: extend(i64x2.extendLowS),
  pmovzxbw: zeroBytes(1, 2),
  pmovzxbd: zeroBytes(1, 4),
  pmovzxbq: zeroBytes(1, 8),
  pmovzxwd: zeroBytes(2, 4),
  pmovzxwq: zeroBytes(2, 8),
  pmovzxdq: zeroBytes(4, 8),
}
