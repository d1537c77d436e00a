/** WebAssembly's vector instructions by name (core specification 5.4.8, prefix 0xfd). Operands are used as often as they stand here: put trees in a local first. */
import { Expr, i32, simd, v128 } from './expr.ts'

type Two = (a: Expr, b: Expr) => Expr
type One = (a: Expr) => Expr
const two =
  (code: number): Two =>
  (a, b) =>
    simd('v128', code, [a, b])
const one =
  (code: number): One =>
  (a) =>
    simd('v128', code, [a])
/** Shift by an i32 count, taken modulo the lane's width. */
const shift = two
const toInt =
  (code: number): One =>
  (a) =>
    simd('i32', code, [a])

export const v = {
  and: two(78),
  /** a & ~b */
  andnot: two(79),
  or: two(80),
  xor: two(81),
  not: one(77),
  anyTrue: toInt(83),
  /** Bits of a where mask is 1, else of b. */
  select: (a: Expr, b: Expr, mask: Expr): Expr => simd('v128', 82, [a, b, mask]),
  shuffle: (a: Expr, b: Expr, bytes: readonly number[]): Expr => simd('v128', 13, [a, b], bytes),
  /** Bytes of a by index; an index of 16 and more gives 0. */
  swizzle: two(14),
}
export const i8x16 = {
  splat: one(15),
  withLane: (a: Expr, n: number, x: Expr): Expr => simd('v128', 23, [a, x], [n]),
  lane: (a: Expr, n: number): Expr => simd('i32', 22, [a], [n]),
  eq: two(35),
  ltS: two(37),
  gtS: two(39),
  abs: one(96),
  neg: one(97),
  bitmask: toInt(100),
  narrowS: two(101),
  narrowU: two(102),
  shrS: shift(108),
  add: two(110),
  addSatS: two(111),
  addSatU: two(112),
  sub: two(113),
  subSatS: two(114),
  subSatU: two(115),
  minS: two(118),
  minU: two(119),
  maxS: two(120),
  maxU: two(121),
  avgU: two(123),
}
export const i16x8 = {
  splat: one(16),
  lane: (a: Expr, n: number): Expr => simd('i32', 25, [a], [n]),
  withLane: (a: Expr, n: number, x: Expr): Expr => simd('v128', 26, [a, x], [n]),
  eq: two(45),
  gtS: two(49),
  pairwiseU8: one(125),
  abs: one(128),
  neg: one(129),
  q15mulrSat: two(130),
  narrowS: two(133),
  narrowU: two(134),
  extendLowS: one(135),
  extendHighS: one(136),
  extendLowU: one(137),
  extendHighU: one(138),
  shl: shift(139),
  shrS: shift(140),
  shrU: shift(141),
  add: two(142),
  addSatS: two(143),
  addSatU: two(144),
  sub: two(145),
  subSatS: two(146),
  subSatU: two(147),
  mul: two(149),
  minS: two(150),
  minU: two(151),
  maxS: two(152),
  maxU: two(153),
  avgU: two(155),
}
export const i32x4 = {
  splat: one(17),
  lane: (a: Expr, n: number): Expr => simd('i32', 27, [a], [n]),
  withLane: (a: Expr, n: number, x: Expr): Expr => simd('v128', 28, [a, x], [n]),
  eq: two(55),
  gtS: two(59),
  pairwiseU16: one(127),
  abs: one(160),
  neg: one(161),
  bitmask: toInt(164),
  extendLowS: one(167),
  extendLowU: one(169),
  shl: shift(171),
  shrS: shift(172),
  shrU: shift(173),
  add: two(174),
  sub: two(177),
  mul: two(181),
  minS: two(182),
  minU: two(183),
  maxS: two(184),
  maxU: two(185),
  dotI16: two(186),
  mulLowI16S: two(188),
  mulHighI16S: two(189),
  mulLowI16U: two(190),
  mulHighI16U: two(191),
}
export const i64x2 = {
  splat: one(18),
  lane: (a: Expr, n: number): Expr => simd('i64', 29, [a], [n]),
  withLane: (a: Expr, n: number, x: Expr): Expr => simd('v128', 30, [a, x], [n]),
  bitmask: toInt(196),
  extendLowS: one(199),
  extendLowU: one(201),
  shl: shift(203),
  shrU: shift(205),
  add: two(206),
  sub: two(209),
  mul: two(213),
  eq: two(214),
  gtS: two(217),
  mulLowI32S: two(220),
  mulLowI32U: two(222),
}

export const ZERO_V = v128(new Array<number>(16).fill(0))
/** Vector constants from lanes of 8, 16, 32 bits. */
export const bytesV = (...lanes: number[]): Expr => v128(lanes.map((x) => x & 255))
export const wordsV = (...lanes: number[]): Expr => v128(lanes.flatMap((x) => [x & 255, (x >> 8) & 255]))
export const dwordsV = (...lanes: number[]): Expr =>
  v128(lanes.flatMap((x) => [x & 255, (x >>> 8) & 255, (x >>> 16) & 255, (x >>> 24) & 255]))
/** 0, 1, ... 15 */
export const IOTA = bytesV(...Array.from({ length: 16 }, (_, i) => i))
/** Zero-extends an integer into a vector. */
export const intoV = (x: Expr): Expr => (x.type === 'i64' ? i64x2.withLane(ZERO_V, 0, x) : i32x4.withLane(ZERO_V, 0, x))
/** Byte indices of lanes, for shuffle. */
export const lanes = (size: number, ...numbers: number[]): number[] =>
  numbers.flatMap((n) => Array.from({ length: size }, (_, i) => n * size + i))
export const splatBytes = (x: Expr | number): Expr => i8x16.splat(typeof x === 'number' ? i32(x) : x)
