/** AES, SHA and carry-less multiplication (SDM vol. 2, AESENC ..., SHA1RNDS4 ..., PCLMULQDQ; FIPS 197 and 180-4) on wasm SIMD, without tables in memory. */
import { i32, i64, v128, type Expr } from '../wasm/expr.ts'
import { dwordsV, i32x4, i64x2, i8x16, lanes, splatBytes, v, ZERO_V } from '../wasm/simd.ts'
import type { Local } from '../wasm/module.ts'
import type { Operation, OpContext } from './context.ts'
import { enterSse, source } from './vector.ts'

/* ---- AES ---- */

/** x times 2 in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const double = (x: number): number => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff

/** SubBytes: the multiplicative inverse, then the affine map of FIPS 197, 5.1.1. */
function substitution(): number[] {
  const box = new Array<number>(256).fill(0)
  let p = 1
  let q = 1
  do {
    // p runs through the powers of 3, q through those of 1/3
    p ^= double(p)
    q ^= q << 1
    q ^= q << 2
    q ^= q << 4
    q &= 0xff
    if (q & 0x80) q ^= 9
    const rotated = (n: number): number => ((q << n) | (q >> (8 - n))) & 0xff
    box[p] = q ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63
  } while (p !== 1)
  box[0] = 0x63
  return box
}
const S_BOX = substitution()
const INVERSE_S_BOX = S_BOX.reduce<number[]>((inverse, to, from) => {
  inverse[to] = from
  return inverse
}, [])

/** Every byte of x by the table: a swizzle for each sixteenth of it gives zero for the bytes of all others. */
function substitute(c: OpContext, box: readonly number[], x: Expr): Expr {
  const { f } = c
  const at = f.local('v128')
  const out = f.local('v128')
  f.set(at, x)
  f.set(out, v.swizzle(v128(box.slice(0, 16)), at))
  for (let i = 16; i < 256; i += 16) {
    f.set(at, i8x16.sub(at, splatBytes(16)))
    f.set(out, v.or(out, v.swizzle(v128(box.slice(i, i + 16)), at)))
  }
  return out
}

/** The byte in row r, column c of the state is number 4c + r. Row r moves left by r columns, or right. */
const shiftedRows = (direction: 1 | -1): number[] =>
  Array.from({ length: 16 }, (_, i) => (i & 3) + 4 * (((i >> 2) + direction * (i & 3) + 4) & 3))
const SHIFT_ROWS = shiftedRows(1)
const INVERSE_SHIFT_ROWS = shiftedRows(-1)
/** Every column turned by n rows. */
const turned = (n: number): number[] => Array.from({ length: 16 }, (_, i) => (i & 12) | ((i + n) & 3))

function doubled(c: OpContext, x: Expr): Expr {
  const value = c.f.tmp(x)
  return v.xor(i8x16.add(value, value), v.and(i8x16.shrS(value, i32(7)), splatBytes(0x1b)))
}
/** Row r becomes 2 a[r] + 3 a[r+1] + a[r+2] + a[r+3]. */
function mixColumns(c: OpContext, x: Expr): Expr {
  const a = c.f.tmp(x)
  const next = c.f.tmp(v.shuffle(a, a, turned(1)))
  const pair = c.f.tmp(v.xor(a, next))
  return v.xor(v.xor(doubled(c, pair), next), v.shuffle(pair, pair, turned(2)))
}
/** The inverse is the same after adding 4 (a[r] + a[r+2]) to every row. */
function inverseMixColumns(c: OpContext, x: Expr): Expr {
  const a = c.f.tmp(x)
  const opposite = v.xor(a, v.shuffle(a, a, turned(2)))
  return mixColumns(c, v.xor(a, doubled(c, doubled(c, opposite))))
}

const round =
  (box: readonly number[], rows: readonly number[], mix: ((c: OpContext, x: Expr) => Expr) | undefined): Operation =>
  (c) => {
    enterSse(c)
    const key = source(c, 1)
    const state = c.getV(0)
    const replaced = substitute(c, box, v.shuffle(state, state, rows))
    c.setV(0, v.xor(mix ? mix(c, replaced) : replaced, key))
  }
const aesimc: Operation = (c) => {
  enterSse(c)
  c.setV(0, inverseMixColumns(c, source(c, 1)))
}
const aeskeygenassist: Operation = (c) => {
  enterSse(c)
  const words = substitute(c, S_BOX, source(c, 1))
  const placed = v.shuffle(words, words, [4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12])
  const constant = v.and(i32x4.splat(c.imm().and(0xff)), dwordsV(0, -1, 0, -1))
  c.setV(0, v.xor(placed, constant))
}

/* ---- SHA: the only vector instructions of this size without a check of alignment ---- */

/** The four dwords, the highest first, as the manual counts them. */
const fromHighest = (c: OpContext, x: Expr): [Expr, Expr, Expr, Expr] => {
  const { f } = c
  return [f.tmp(i32x4.lane(x, 3)), f.tmp(i32x4.lane(x, 2)), f.tmp(i32x4.lane(x, 1)), f.tmp(i32x4.lane(x, 0))]
}
const toHighest = (a: Expr, b: Expr, c: Expr, d: Expr): Expr =>
  i32x4.withLane(i32x4.withLane(i32x4.withLane(i32x4.splat(d), 1, c), 2, b), 3, a)

const choose = (x: Expr, y: Expr, z: Expr): Expr => x.and(y).xor(x.not().and(z))
const parity = (x: Expr, y: Expr, z: Expr): Expr => x.xor(y).xor(z)
const majority = (x: Expr, y: Expr, z: Expr): Expr => x.and(y).xor(x.and(z)).xor(y.and(z))

/** FIPS 180-4, 4.1.1 and 4.2.1: function and constant of each twenty rounds. */
const SHA1_ROUNDS = [
  { mix: choose, constant: 0x5a827999 },
  { mix: parity, constant: 0x6ed9eba1 },
  { mix: majority, constant: 0x8f1bbcdc },
  { mix: parity, constant: 0xca62c1d6 },
] as const

const sha1rnds4: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const words = fromHighest(c, c.getV(1))
  const kind = f.tmp(c.imm().and(3))
  const [a, b, cc, d, e] = Array.from({ length: 5 }, () => f.local('i32')) as [Local, Local, Local, Local, Local]
  const start = fromHighest(c, c.getV(0))
  ;[a, b, cc, d].forEach((local, i) => f.set(local, start[i]!))
  // the first word already holds E
  f.set(e, 0)
  const rounds = ({ mix, constant }: (typeof SHA1_ROUNDS)[number]): void => {
    for (const word of words) {
      const next = f.tmp(mix(b, cc, d).add(a.rotl(5)).add(word).add(e).add(constant))
      f.set(e, d)
      f.set(d, cc)
      f.set(cc, b.rotl(30))
      f.set(b, a)
      f.set(a, next)
    }
  }
  for (const [i, way] of SHA1_ROUNDS.entries()) f.if(kind.eq(i), () => rounds(way))
  c.setV(0, toHighest(a, b, cc, d))
}
const sha1nexte: Operation = (c) => {
  enterSse(c)
  const words = c.getV(1)
  const e = i32x4.lane(c.getV(0), 3).rotl(30)
  c.setV(0, i32x4.withLane(words, 3, i32x4.lane(words, 3).add(e)))
}
const sha1msg1: Operation = (c) => {
  enterSse(c)
  const later = c.getV(1)
  const first = c.getV(0)
  c.setV(0, v.xor(first, v.shuffle(later, first, lanes(4, 2, 3, 4, 5))))
}
const sha1msg2: Operation = (c) => {
  enterSse(c)
  const [, w13, w14, w15] = fromHighest(c, c.getV(1))
  const [a, b, cc, d] = fromHighest(c, c.getV(0))
  const w16 = c.f.tmp(a.xor(w13).rotl(1))
  c.setV(0, toHighest(w16, b.xor(w14).rotl(1), cc.xor(w15).rotl(1), d.xor(w16).rotl(1)))
}

const turns = (x: Expr, a: number, b: number, third: Expr): Expr => x.rotr(a).xor(x.rotr(b)).xor(third)
/** FIPS 180-4, 4.1.2. */
const bigSigma0 = (x: Expr): Expr => turns(x, 2, 13, x.rotr(22))
const bigSigma1 = (x: Expr): Expr => turns(x, 6, 11, x.rotr(25))
const sigma0 = (x: Expr): Expr => turns(x, 7, 18, x.shr_u(3))
const sigma1 = (x: Expr): Expr => turns(x, 17, 19, x.shr_u(10))

const sha256rnds2: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const [a0, b0, e0, f0] = fromHighest(c, c.getV(1))
  const [c0, d0, g0, h0] = fromHighest(c, c.getV(0))
  const keys = c.xmm(0)
  const step = (a: Expr, b: Expr, x: Expr, d: Expr, e: Expr, g: Expr, h: Expr, i: Expr, key: Expr): [Expr, Expr] => {
    const one = f.tmp(choose(e, g, h).add(bigSigma1(e)).add(key).add(i))
    return [f.tmp(one.add(majority(a, b, x)).add(bigSigma0(a))), f.tmp(one.add(d))]
  }
  const [a1, e1] = step(a0, b0, c0, d0, e0, f0, g0, h0, i32x4.lane(keys, 0))
  const [a2, e2] = step(a1, a0, b0, c0, e1, e0, f0, g0, i32x4.lane(keys, 1))
  c.setV(0, toHighest(a2, a1, e2, e1))
}
const sha256msg1: Operation = (c) => {
  enterSse(c)
  const [w3, w2, w1, w0] = fromHighest(c, c.getV(0))
  const w4 = c.f.tmp(i32x4.lane(c.getV(1), 0))
  c.setV(0, toHighest(w3.add(sigma0(w4)), w2.add(sigma0(w3)), w1.add(sigma0(w2)), w0.add(sigma0(w1))))
}
const sha256msg2: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const [w15, w14] = fromHighest(c, c.getV(1))
  const [x3, x2, x1, x0] = fromHighest(c, c.getV(0))
  const w16 = f.tmp(x0.add(sigma1(w14)))
  const w17 = f.tmp(x1.add(sigma1(w15)))
  c.setV(0, toHighest(x3.add(sigma1(w17)), x2.add(sigma1(w16)), w17, w16))
}

/* ---- PCLMULQDQ ---- */

/** Every fourth bit, from bit n on. */
const FOURTH = [0, 1, 2, 3].map((n) => i64(0x1111_1111_1111_1111n << BigInt(n)))

/** Low half of the carry-less product: with three zeros between their bits, integer products keep their carries out of the bits that count. */
function productLow(c: OpContext, a: Expr, b: Expr): Expr {
  const part = (x: Expr): Expr[] => FOURTH.map((mask) => c.f.tmp(x.and(mask)))
  const [as, bs] = [part(a), part(b)]
  return FOURTH.map((mask, sum) =>
    as
      .map((x, i) => x.mul(bs[(sum - i) & 3]!))
      .reduce((all, x) => all.xor(x))
      .and(mask),
  ).reduce((all, x) => all.or(x))
}
function reversed(c: OpContext, x: Expr): Expr {
  const { f } = c
  const swap = (a: Expr, bits: number, mask: bigint): Expr => f.tmp(a.shr_u(bits).and(mask).or(a.and(mask).shl(bits)))
  let out = swap(f.tmp(x), 1, 0x5555_5555_5555_5555n)
  out = swap(out, 2, 0x3333_3333_3333_3333n)
  out = swap(out, 4, 0x0f0f_0f0f_0f0f_0f0fn)
  out = swap(out, 8, 0x00ff_00ff_00ff_00ffn)
  out = swap(out, 16, 0x0000_ffff_0000_ffffn)
  return f.tmp(out.rotl(32))
}
const pclmulqdq: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const imm = f.tmp(c.imm())
  const half = (x: Expr, bit: number): Expr =>
    f.tmp(
      imm
        .and(1 << bit)
        .ne(0)
        .select(i64x2.lane(x, 1), i64x2.lane(x, 0)),
    )
  const b = half(source(c, 1), 4)
  const a = half(c.getV(0), 0)
  const low = f.tmp(productLow(c, a, b))
  // the product of the reversed factors is the reversed product
  const high = reversed(c, productLow(c, reversed(c, a), reversed(c, b))).shr_u(1)
  c.setV(0, i64x2.withLane(i64x2.withLane(ZERO_V, 0, low), 1, high))
}

export const SSE_CRYPTO: Readonly<Record<string, Operation>> = {
  aesenc: round(S_BOX, SHIFT_ROWS, mixColumns),
  aesenclast: round(S_BOX, SHIFT_ROWS, undefined),
  aesdec: round(INVERSE_S_BOX, INVERSE_SHIFT_ROWS, inverseMixColumns),
  aesdeclast: round(INVERSE_S_BOX, INVERSE_SHIFT_ROWS, undefined),
  aesimc,
  aeskeygenassist,
  sha1rnds4,
  sha1nexte,
  sha1msg1,
  sha1msg2,
  sha256rnds2,
  sha256msg1,
  sha256msg2,
  pclmulqdq,
}
