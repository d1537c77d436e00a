/** Scalar and packed floating point as one algebra, so that an operation's fast path is written once for ss, sd, ps and pd. */
import { Expr, i64, op, simd, v128 } from '../wasm/expr.ts'
import { v } from '../wasm/simd.ts'
import type { OpContext } from './context.ts'
import { source } from './vector.ts'

type Two = (a: Expr, b: Expr) => Expr
type One = (a: Expr) => Expr

export interface Lanes {
  readonly size: 4 | 8
  readonly scalar: boolean
  /** Operand n's lanes, in a local. */
  read(c: OpContext, n: number): Expr
  /** Into operand 0; a scalar keeps the lanes above. */
  write(c: OpContext, value: Expr): void
  constant(x: number): Expr
  readonly add: Two
  readonly sub: Two
  readonly mul: Two
  readonly div: Two
  readonly sqrt: One
  readonly abs: One
  readonly ceil: One
  readonly floor: One
  readonly trunc: One
  readonly nearest: One
  /** b < a ? b : a, and a < b ? b : a */
  readonly pmin: Two
  readonly pmax: Two
  readonly eq: Two
  readonly ne: Two
  readonly lt: Two
  readonly gt: Two
  readonly le: Two
  /** On the outcomes of comparisons. */
  readonly and: Two
  readonly or: Two
  /** Is the comparison true in all lanes? (i32) */
  readonly all: One
  /** Masks (0 or all ones, as a vector) of a comparison. */
  readonly smallestNormal: number
  readonly largest: number
}

const NORMAL = { 4: 2 ** -126, 8: 2 ** -1022 } as const
const LARGEST = { 4: (2 - 2 ** -23) * 2 ** 127, 8: Number.MAX_VALUE } as const

function floatBytes(size: 4 | 8, x: number): number[] {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  if (size === 4) view.setFloat32(0, x, true)
  else view.setFloat64(0, x, true)
  return [...bytes]
}

/** First opcodes: arithmetic of f32 starts at 8b, of f64 at 99; comparisons at 5b and 61 (core specification 5.4.7). */
function scalar(size: 4 | 8): Lanes {
  const type = size === 4 ? 'f32' : 'f64'
  const at = size === 4 ? 0x8b : 0x99
  const compareAt = size === 4 ? 0x5b : 0x61
  const one =
    (n: number): One =>
    (a) =>
      op(type, at + n, a)
  const two =
    (n: number): Two =>
    (a, b) =>
      op(type, at + n, a, b)
  const compare =
    (n: number): Two =>
    (a, b) =>
      op('i32', compareAt + n, a, b)
  const extract = size === 4 ? 31 : 33
  const replace = size === 4 ? 32 : 34
  return {
    size,
    scalar: true,
    read: (c, n) => c.f.tmp(simd(type, extract, [source(c, n)], [0])),
    write: (c, value) => c.setV(0, simd('v128', replace, [c.getV(0), value], [0])),
    constant: (x) => new Expr(type, [], [size === 4 ? 0x43 : 0x44, ...floatBytes(size, x)]),
    abs: one(0),
    ceil: one(2),
    floor: one(3),
    trunc: one(4),
    nearest: one(5),
    sqrt: one(6),
    add: two(7),
    sub: two(8),
    mul: two(9),
    div: two(10),
    pmin: (a, b) => compare(2)(b, a).select(b, a),
    pmax: (a, b) => compare(2)(a, b).select(b, a),
    eq: compare(0),
    ne: compare(1),
    lt: compare(2),
    gt: compare(3),
    le: compare(4),
    and: (a, b) => a.and(b),
    or: (a, b) => a.or(b),
    all: (a) => a,
    smallestNormal: NORMAL[size],
    largest: LARGEST[size],
  }
}

interface PackedCodes {
  readonly arithmetic: number
  readonly compare: number
  readonly rounding: readonly number[]
  readonly allTrue: number
}
const PACKED: Record<4 | 8, PackedCodes> = {
  4: { arithmetic: 224, compare: 65, rounding: [103, 104, 105, 106], allTrue: 163 },
  8: { arithmetic: 236, compare: 71, rounding: [116, 117, 122, 148], allTrue: 195 },
}
function packed(size: 4 | 8): Lanes {
  const codes = PACKED[size]
  const one =
    (code: number): One =>
    (a) =>
      simd('v128', code, [a])
  const two =
    (code: number): Two =>
    (a, b) =>
      simd('v128', code, [a, b])
  const at = codes.arithmetic
  return {
    size,
    scalar: false,
    read: (c, n) => source(c, n),
    write: (c, value) => c.setV(0, value),
    constant: (x) => v128(Array.from({ length: 16 / size }, () => floatBytes(size, x)).flat()),
    abs: one(at),
    sqrt: one(at + 3),
    add: two(at + 4),
    sub: two(at + 5),
    mul: two(at + 6),
    div: two(at + 7),
    pmin: two(at + 10),
    pmax: two(at + 11),
    ceil: one(codes.rounding[0]!),
    floor: one(codes.rounding[1]!),
    trunc: one(codes.rounding[2]!),
    nearest: one(codes.rounding[3]!),
    eq: two(codes.compare),
    ne: two(codes.compare + 1),
    lt: two(codes.compare + 2),
    gt: two(codes.compare + 3),
    le: two(codes.compare + 4),
    and: v.and,
    or: v.or,
    all: (a) => simd('i32', codes.allTrue, [a]),
    smallestNormal: NORMAL[size],
    largest: LARGEST[size],
  }
}

export const SS = scalar(4)
export const SD = scalar(8)
export const PS = packed(4)
export const PD = packed(8)

/** Lane `n` of a vector as a scalar. */
export const laneOf = (size: 4 | 8, a: Expr, n: number): Expr =>
  size === 4 ? simd('f32', 31, [a], [n]) : simd('f64', 33, [a], [n])
export const promote: One = (a) => op('f64', 0xbb, a)
export const demote: One = (a) => op('f32', 0xb6, a)
export const bitsOfDouble: One = (a) => op('i64', 0xbd, a)

/** Lanes that are numbers and neither denormal; comparisons are false on NaNs. */
export const isZeroOrNormal = (l: Lanes, a: Expr): Expr =>
  l.or(l.le(l.constant(l.smallestNormal), l.abs(a)), l.eq(a, l.constant(0)))

/** Trailing zeros of a double's significand, 0 to 52 (i64). */
const trailing = (x: Expr): Expr =>
  bitsOfDouble(x)
    .or(i64(1n << 52n))
    .ctz()
/** Does the product of two doubles surely fit in 53 bits? */
export function fitsProduct(c: OpContext, x: Expr, y: Expr): Expr {
  const a = c.f.tmp(trailing(x))
  const b = c.f.tmp(trailing(y))
  return a.add(b).ge_u(53).or(a.eq(52)).or(b.eq(52))
}
