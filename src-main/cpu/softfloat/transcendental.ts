/**
 * Transcendental functions of finite values, in fixed point with so many bits that the error before the one rounding lies far below a unit in
 * the last place (SDM vol. 1, 8.3.10 asks for less than 1 ulp). Arguments that are tiny follow the first term of the series.
 */
import { FRACTION, LN2, PI } from './constants.ts'
import { add, bitLength, div, F80, finite, integerSqrt, mul, round, ROUND, zero } from './core.ts'
import type { FloatEnv, Format, Value } from './core.ts'

const BITS = BigInt(FRACTION)
const ONE = 1n << BITS
/** Below 2^-TINY the second term of a series does not reach the bits that count. */
const TINY = 80
/** Bits of intermediate values: for results of tiny arguments. */
const WIDE: Format = { precision: 192, minExp: -0x20000, maxExp: 0x20000, minQuantum: -0x40000, wrap: 0 }

const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS
const magnitude = (x: bigint): bigint => (x < 0n ? -x : x)
const lead = (v: Value): number => v.exp + bitLength(v.sig) - 1
/** |v| in fixed point, truncated. */
const fixedOf = (v: Value): bigint => {
  const shift = v.exp + FRACTION
  return shift >= 0 ? v.sig << BigInt(shift) : v.sig >> BigInt(-shift)
}
/** Signed fixed point to a value (never exact). */
const valueOf = (x: bigint): Value => finite(x < 0n ? 1 : 0, magnitude(x), -FRACTION)
const scratch = (): FloatEnv => ({
  rounding: ROUND.zero,
  masks: 0x3f,
  flushToZero: false,
  wrap: false,
  chooseNaN: (a) => a,
  flags: 0,
  roundedUp: false,
})
export const product = (a: Value, b: Value): Value => mul(WIDE, a, b, scratch())
const quotient = (a: Value, b: Value): Value => div(WIDE, a, b, scratch())

/** Rounds an approximation: the true value differs by a bit far below, so that it is inexact and never a tie. */
export function approximate(v: Value, env: FloatEnv, isBelow = false): Value {
  if (v.kind !== 'finite') return v
  const sig = v.sig << BigInt(Math.max(0, 192 - bitLength(v.sig)))
  const exp = v.exp - Math.max(0, 192 - bitLength(v.sig))
  return round(F80, v.sign, isBelow ? sig - 1n : sig, exp, env, true)
}

/** Sum over terms: term(n) follows from term(n - 1) by `next`, until it vanishes. */
function series(first: bigint, next: (term: bigint, n: bigint) => bigint): bigint {
  let sum = 0n
  let n = 1n
  for (let term = first; term !== 0n && term !== -1n; term = next(term, n++)) sum += term
  return sum
}

/** 2^x - 1 for |x| < 1, x not zero. */
export function powerMinusOne(x: Value): Value {
  if (lead(x) < -TINY) return product(x, finite(0, LN2, -FRACTION))
  const y = times(x.sign ? -fixedOf(x) : fixedOf(x), LN2)
  return valueOf(series(y, (term, n) => times(term, y) / (n + 1n)))
}

/** 2 atanh(z), fixed point, |z| < 1/3. */
function logOfRatio(z: bigint): bigint {
  const square = times(z, z)
  let power = z
  return 2n * series(z, (_, n) => (power = times(power, square)) / (2n * n + 1n))
}
/** log2 of a finite positive value; zero for 1. Powers of two are exact. */
export function log2(x: Value): Value {
  const length = bitLength(x.sig)
  let whole = x.exp + length - 1
  let m = x.sig << BigInt(FRACTION - length + 1)
  // into [sqrt(1/2), sqrt(2)) or so
  if (m > (ONE * 3n) / 2n) {
    m >>= 1n
    whole++
  }
  if (m === ONE) return finite(whole < 0 ? 1 : 0, BigInt(Math.abs(whole)), 0)
  const z = ((m - ONE) << BITS) / (m + ONE)
  return valueOf(BigInt(whole) * ONE + (logOfRatio(z) << BITS) / LN2)
}
/** log2(1 + x) for x > -1, not zero. */
export function log2Plus1(x: Value): Value {
  if (lead(x) < -TINY) return quotient(x, finite(0, LN2, -FRACTION))
  const wide: Format = { ...WIDE, precision: 20000 }
  return log2(add(wide, finite(0, 1n, 0), x, scratch()))
}

/** atan of fixed point 0 <= t <= 1: the argument is halved three times before the series. */
function arcTangentFixed(t: bigint): bigint {
  let x = t
  for (let i = 0; i < 3; i++) x = (x << BITS) / (ONE + integerSqrt((ONE + times(x, x)) << BITS))
  const square = times(x, x)
  let power = x
  return 8n * series(x, (_, n) => (power = -times(power, square)) / (2n * n + 1n))
}
/** Angle of the point (x, y), both finite and not zero, in (-pi, pi]. `isBelow`: the true magnitude is a little less than the result. */
export function arcTangent(y: Value, x: Value): { value: Value; isBelow: boolean } {
  const distance = lead(y) - lead(x)
  const { sign } = y
  if (distance < -TINY && x.sign === 0) {
    const ratio = quotient({ ...y, sign: 0 }, x)
    return { value: { ...ratio, sign }, isBelow: true }
  }
  const isSteep = distance > 0
  const [small, large] = isSteep ? [x, y] : [y, x]
  const far = Math.abs(distance) > FRACTION
  const ratio = far ? 0n : fixedOf(quotient({ ...small, sign: 0 }, { ...large, sign: 0 }))
  let angle = ratio > ONE ? PI / 2n - arcTangentFixed((ONE << BITS) / ratio) : arcTangentFixed(ratio)
  if (isSteep) angle = PI / 2n - angle
  if (x.sign) angle = PI - angle
  return { value: finite(sign, angle, -FRACTION), isBelow: false }
}
/** pi * n / 4. */
export const quarterTurns = (sign: 0 | 1, n: number): Value => finite(sign, PI * BigInt(n), -FRACTION - 2)

/** Sine and cosine in fixed point of an angle below 2^64; quadrant reduction by pi to 384 bits. */
function circle(x: Value): { sine: bigint; cosine: bigint } {
  const angle = fixedOf(x)
  const half = PI >> 1n
  const turns = (angle + half / 2n) / half
  const r = angle - turns * half
  const square = times(r, r)
  const sine = series(r, (term, n) => -times(term, square) / (2n * n * (2n * n + 1n)))
  const cosine = series(ONE, (term, n) => -times(term, square) / ((2n * n - 1n) * (2n * n)))
  const quadrant = Number(turns & 3n)
  const s = [sine, cosine, -sine, -cosine][quadrant]!
  const c = [cosine, -sine, -cosine, sine][quadrant]!
  return { sine: x.sign ? -s : s, cosine: c }
}
/** Of a finite value with |x| < 2^63. */
export function sine(x: Value, env: FloatEnv): Value {
  if (x.kind === 'zero') return x
  if (lead(x) < -TINY) return approximate(x, env, true)
  return approximate(valueOf(circle(x).sine), env)
}
export function cosine(x: Value, env: FloatEnv): Value {
  if (x.kind === 'zero') return finite(0, 1n, 0)
  if (lead(x) < -TINY) return approximate(finite(0, 1n, 0), env, true)
  return approximate(valueOf(circle(x).cosine), env)
}
export function tangent(x: Value, env: FloatEnv): Value {
  if (x.kind === 'zero') return zero(x.sign)
  if (lead(x) < -TINY) return approximate(x, env)
  const c = circle(x)
  return approximate(quotient(valueOf(c.sine), valueOf(c.cosine)), env)
}
