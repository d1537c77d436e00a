/**
 * Floating point of SSE. The host's arithmetic serves when it surely gives x86's result and flags: everything masked, rounding to nearest, no
 * flushing to zero, operands zero or normal, result neither too large nor tiny, and inexact either flagged already (it is sticky) or shown
 * not to happen. Everything else goes to the helper of the instruction's name, which computes exactly.
 */
import { AT } from '../state/layout.ts'
import { i32, v128, type Expr } from '../wasm/expr.ts'
import { i32x4, lanes, v } from '../wasm/simd.ts'
import { fitsProduct, isZeroOrNormal, laneOf, PD, promote, PS, SD, SS, type Lanes } from './float-lanes.ts'
import type { Operation, OpContext } from './context.ts'
import { checkAligned, enterSse, source } from './vector.ts'

/** MXCSR less the six flags: all masked, to nearest, no DAZ, no FTZ. */
const CONTROL = 0xffc0
const DEFAULT_CONTROL = 0x1f80
const INEXACT = 0x20

/** Leaves to the exact helper unless `good`; where `exact` is given, it is tried when inexact is not flagged yet. */
export function orExact(c: OpContext, name: string, good: Expr, exact?: () => Expr): void {
  const { f } = c
  const mxcsr = c.state(AT.mxcsr, 4)
  const isFast = f.local('i32')
  f.set(isFast, mxcsr.and(CONTROL | INEXACT).eq(DEFAULT_CONTROL | INEXACT))
  if (exact) f.if(mxcsr.and(CONTROL | INEXACT).eq(DEFAULT_CONTROL), () => f.scope(() => f.set(isFast, exact())))
  f.if(good.and(isFast).eqz(), () => c.helper(name))
}

interface Arithmetic {
  compute(l: Lanes, a: Expr, b: Expr): Expr
  /** Operands for which a zero result is exact. */
  zero(l: Lanes, a: Expr, b: Expr): Expr | undefined
  /** Where the operands and the result are in range: is the result exact? May say no too often. Scalars only, but for sums. */
  exact(c: OpContext, l: Lanes, a: Expr, b: Expr, r: Expr): Expr
}

/** The rounding error of a sum (Knuth's TwoSum) is zero. */
function sumIsExact(c: OpContext, l: Lanes, a: Expr, b: Expr, r: Expr): Expr {
  const bPart = c.f.tmp(l.sub(r, a))
  const aError = l.sub(a, l.sub(r, bPart))
  return l.eq(l.add(aError, l.sub(b, bPart)), l.constant(0))
}
const wide = (l: Lanes, x: Expr): Expr => (l.size === 4 ? promote(x) : x)
/** x * y == z, where the product of x and y needs no rounding (as doubles; that of two floats never does). */
function productIs(c: OpContext, l: Lanes, x: Expr, y: Expr, z: Expr): Expr {
  const equal = SD.eq(SD.mul(wide(l, x), wide(l, y)), wide(l, z))
  return l.size === 4 ? equal : equal.and(fitsProduct(c, x, y))
}

const ADD: Arithmetic = {
  compute: (l, a, b) => l.add(a, b),
  zero: () => undefined,
  exact: sumIsExact,
}
const SUB: Arithmetic = {
  compute: (l, a, b) => l.sub(a, b),
  zero: () => undefined,
  // the same with -b
  exact: (c, l, a, b, r) => {
    const bPart = c.f.tmp(l.sub(a, r))
    return l.eq(l.add(l.sub(a, l.add(r, bPart)), l.sub(bPart, b)), l.constant(0))
  },
}
const MUL: Arithmetic = {
  compute: (l, a, b) => l.mul(a, b),
  zero: (l, a, b) => l.or(l.eq(a, l.constant(0)), l.eq(b, l.constant(0))),
  exact: (c, l, a, b, r) => productIs(c, l, a, b, r),
}
const DIV: Arithmetic = {
  compute: (l, a, b) => l.div(a, b),
  zero: (l, a) => l.eq(a, l.constant(0)),
  exact: (c, l, a, b, r) => productIs(c, l, r, b, a),
}
const SQRT: Arithmetic = {
  compute: (l, _a, b) => l.sqrt(b),
  zero: (l, _a, b) => l.eq(b, l.constant(0)),
  exact: (c, l, _a, b, r) => productIs(c, l, r, r, b),
}

/** Result normal and above the smallest (which may have been tiny before rounding), or an exact zero. */
function inRange(l: Lanes, r: Expr, zeroWhen: Expr | undefined): Expr {
  const size = l.abs(r)
  const normal = l.and(l.gt(size, l.constant(l.smallestNormal)), l.le(size, l.constant(l.largest)))
  const isZero = l.eq(r, l.constant(0))
  return l.or(normal, zeroWhen ? l.and(isZero, zeroWhen) : isZero)
}
function arithmeticOn(c: OpContext, name: string, l: Lanes, how: Arithmetic, a: Expr, b: Expr): Expr {
  const r = c.f.tmp(how.compute(l, a, b))
  const operands = how === SQRT ? isZeroOrNormal(l, b) : l.and(isZeroOrNormal(l, a), isZeroOrNormal(l, b))
  const good = c.f.tmp(l.all(l.and(operands, inRange(l, r, how.zero(l, a, b)))))
  // sums are tested as vectors, the others lane by lane
  const atOnce = l.scalar || how === ADD || how === SUB
  orExact(c, name, good, () => (atOnce ? c.f.tmp(l.all(how.exact(c, l, a, b, r))) : lanesAreExact(c, l, how, a, b, r)))
  return r
}
function lanesAreExact(c: OpContext, l: Lanes, how: Arithmetic, a: Expr, b: Expr, r: Expr): Expr {
  const one = l.size === 4 ? SS : SD
  const all = c.f.local('i32')
  c.f.set(all, 1)
  for (let n = 0; n < 16 / l.size; n++) {
    const lane = (e: Expr) => c.f.tmp(laneOf(l.size, e, n))
    c.f.if(all, () => c.f.set(all, how.exact(c, one, lane(a), lane(b), lane(r))))
  }
  return all
}
const arithmetic =
  (name: string, l: Lanes, how: Arithmetic): Operation =>
  (c) => {
    enterSse(c)
    const b = l.read(c, 1)
    const a = how === SQRT ? b : l.read(c, 0)
    l.write(c, arithmeticOn(c, name, l, how, a, b))
  }

/** MIN and MAX: no flags, and no special rule, where no operand is a NaN or denormal. x86 gives the second operand unless the first one wins. */
const extreme =
  (name: string, l: Lanes, compute: (l: Lanes, a: Expr, b: Expr) => Expr): Operation =>
  (c) => {
    enterSse(c)
    const b = l.read(c, 1)
    const a = l.read(c, 0)
    c.f.if(l.all(l.and(isZeroOrNormal(l, a), isZeroOrNormal(l, b))).eqz(), () => c.helper(name))
    l.write(c, compute(l, a, b))
  }

/** All ones where the i32 condition is 1. */
const spread = (condition: Expr): Expr => i32x4.splat(condition.neg())
/** CMPxx: predicates 0 equal, 1 less, 2 less or equal, 3 unordered; 4-7 the opposites. Without NaNs unordered is false. */
const compareMask =
  (name: string, l: Lanes): Operation =>
  (c) => {
    enterSse(c)
    const b = l.read(c, 1)
    const a = l.read(c, 0)
    const { f } = c
    f.if(l.all(l.and(isZeroOrNormal(l, a), isZeroOrNormal(l, b))).eqz(), () => c.helper(name))
    const kind = f.tmp(c.imm().and(3))
    const mask = (x: Expr): Expr => (l.scalar ? spread(x) : x)
    const equal = v.and(mask(l.eq(a, b)), spread(kind.and(1).eqz()))
    const less = v.and(mask(l.lt(a, b)), spread(kind.eq(1).or(kind.eq(2))))
    const r = f.tmp(v.xor(v.or(equal, less), spread(c.imm().shr_u(2).and(1))))
    c.setV(0, l.scalar ? v.shuffle(r, c.getV(0), lanes(l.size, ...lowFrom(l))) : r)
  }
/** Lane 0 of the first vector, the others of the second. */
const lowFrom = (l: Lanes): number[] => (l.size === 4 ? [0, 5, 6, 7] : [0, 3])

const ZF = 0x40
const CF = 1
const compareFlags =
  (name: string, l: Lanes): Operation =>
  (c) => {
    enterSse(c)
    const b = l.read(c, 1)
    const a = l.read(c, 0)
    c.f.if(l.all(l.and(isZeroOrNormal(l, a), isZeroOrNormal(l, b))).eqz(), () => c.helper(name))
    c.setArithmeticFlags(c.f.tmp(l.eq(a, b).select(i32(ZF), l.lt(a, b).select(i32(CF), i32(0)))))
  }

/* ---- horizontal ---- */

const horizontal =
  (name: string, l: Lanes, how: Arithmetic): Operation =>
  (c) => {
    enterSse(c)
    const b = source(c, 1)
    const a = c.getV(0)
    const [even, odd] = l.size === 4 ? [[0, 2, 4, 6], [1, 3, 5, 7]] : [[0, 2], [1, 3]] // prettier-ignore
    const first = c.f.tmp(v.shuffle(a, b, lanes(l.size, ...even!)))
    const second = c.f.tmp(v.shuffle(a, b, lanes(l.size, ...odd!)))
    c.setV(0, arithmeticOn(c, name, l, how, first, second))
  }
/** Even lanes subtract: they add the operand with its sign turned. */
const alternating =
  (name: string, l: Lanes): Operation =>
  (c) => {
    enterSse(c)
    const b = source(c, 1)
    const signs = v128(Array.from({ length: 16 }, (_, i) => (i % (2 * l.size) === l.size - 1 ? 0x80 : 0)))
    const a = c.getV(0)
    c.setV(0, arithmeticOn(c, name, l, ADD, a, c.f.tmp(v.xor(b, signs))))
  }

/* ---- ROUNDxx ---- */

/** Imm: 1-0 rounding unless bit 2 says MXCSR's; bit 3 keeps inexact from being flagged. */
const round =
  (name: string, l: Lanes): Operation =>
  (c) => {
    enterSse(c)
    const { f } = c
    const b = l.read(c, 1)
    const imm = c.imm()
    const mxcsr = c.state(AT.mxcsr, 4)
    const mode = f.tmp(imm.and(4).select(mxcsr.shr_u(13), imm).and(3))
    const up = mode.eq(2).select(l.ceil(b), l.trunc(b))
    const r = f.tmp(mode.eqz().select(l.nearest(b), mode.eq(1).select(l.floor(b), up)))
    const quiet = imm.and(8).or(mxcsr.and(PM_PE).eq(PM_PE))
    const good = l.all(isZeroOrNormal(l, b)).and(quiet.ne(0).or(l.all(l.eq(r, b))))
    f.if(good.eqz(), () => c.helper(name))
    l.write(c, r)
  }
/** Inexact is masked and flagged already. */
export const PM_PE = 0x1020

/* ---- reciprocals: documented error 1.5 * 2^-12; ours are correctly rounded, the same on every host ---- */

const SIGN = v128([0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 128])
const QUIET = v128([0, 0, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 0])
const INDEFINITE = v128([0, 0, 0xc0, 255, 0, 0, 0xc0, 255, 0, 0, 0xc0, 255, 0, 0, 0xc0, 255])
/** No flags; denormal operands and tiny results are zero (SDM vol. 2, RCPPS, RSQRTPS). */
const reciprocal =
  (root: boolean, isScalar: boolean): Operation =>
  (c) => {
    enterSse(c)
    const { f } = c
    const x = source(c, 1)
    const signOf = (a: Expr): Expr => v.and(a, SIGN)
    const tiny = (a: Expr): Expr => PS.lt(PS.abs(a), PS.constant(PS.smallestNormal))
    const operand = f.tmp(v.select(signOf(x), x, tiny(x)))
    const quotient = f.tmp(PS.div(PS.constant(1), root ? PS.sqrt(operand) : operand))
    const flushed = f.tmp(v.select(signOf(quotient), quotient, tiny(quotient)))
    const checked = root ? v.select(INDEFINITE, flushed, PS.lt(operand, PS.constant(0))) : flushed
    const r = f.tmp(v.select(v.or(x, QUIET), checked, PS.ne(x, x)))
    c.setV(0, isScalar ? v.shuffle(r, c.getV(0), lanes(4, 0, 5, 6, 7)) : r)
  }

const viaHelper =
  (name: string): Operation =>
  (c) => {
    enterSse(c)
    checkAligned(c, 1)
    c.helper(name)
  }

function four(name: string, make: (name: string, l: Lanes) => Operation): Record<string, Operation> {
  return {
    [`${name}ps`]: make(`${name}ps`, PS),
    [`${name}pd`]: make(`${name}pd`, PD),
    [`${name}ss`]: make(`${name}ss`, SS),
    [`${name}sd`]: make(`${name}sd`, SD),
  }
}

export const SSE_FLOAT: Readonly<Record<string, Operation>> = {
  ...four('add', (name, l) => arithmetic(name, l, ADD)),
  ...four('sub', (name, l) => arithmetic(name, l, SUB)),
  ...four('mul', (name, l) => arithmetic(name, l, MUL)),
  ...four('div', (name, l) => arithmetic(name, l, DIV)),
  ...four('sqrt', (name, l) => arithmetic(name, l, SQRT)),
  // pmin(b, a) is a < b ? a : b
  ...four('min', (name, l) => extreme(name, l, (k, a, b) => k.pmin(b, a))),
  ...four('max', (name, l) => extreme(name, l, (k, a, b) => k.pmax(b, a))),
  ...four('cmp', compareMask),
  ...four('round', round),
  ucomiss: compareFlags('ucomiss', SS),
  ucomisd: compareFlags('ucomisd', SD),
  comiss: compareFlags('comiss', SS),
  comisd: compareFlags('comisd', SD),
  haddps: horizontal('haddps', PS, ADD),
  haddpd: horizontal('haddpd', PD, ADD),
  hsubps: horizontal('hsubps', PS, SUB),
  hsubpd: horizontal('hsubpd', PD, SUB),
  addsubps: alternating('addsubps', PS),
  addsubpd: alternating('addsubpd', PD),
  dpps: viaHelper('dpps'),
  dppd: viaHelper('dppd'),
  rcpps: reciprocal(false, false),
  rcpss: reciprocal(false, true),
  rsqrtps: reciprocal(true, false),
  rsqrtss: reciprocal(true, true),
}
