/**
 * IEEE 754 arithmetic on values of any binary format, as x86 does it (SDM vol. 1, chapters 4.8, 4.9, 8.5, 11.5): the slow path of SSE, and all
 * of x87. A value is unpacked to sign, integer significand and exponent; operations are exact on BigInt and rounded once, to a format.
 */

/** Rounding control, as encoded in MXCSR.RC and in the x87 control word. */
export const ROUND = { nearest: 0, down: 1, up: 2, zero: 3 } as const
/** Exceptions, as the flag bits of MXCSR and of the x87 status word. */
export const FLAG = { invalid: 1, denormal: 2, zeroDivide: 4, overflow: 8, underflow: 16, inexact: 32 } as const

export interface Format {
  /** Bits of the significand, the integer bit included. */
  readonly precision: number
  /** Least and greatest exponent of normal numbers (1.f * 2^e). */
  readonly minExp: number
  readonly maxExp: number
  /** Weight of the last bit of the smallest denormal: minExp - precision + 1, also where x87's PC reduces the precision. */
  readonly minQuantum: number
  /** Bias adjustment of an unmasked overflow's or underflow's result (SDM vol. 1, 4.9.1.4). */
  readonly wrap: number
}

const format = (precision: number, maxExp: number, wrap: number): Format => ({
  precision,
  minExp: 1 - maxExp,
  maxExp,
  minQuantum: 1 - maxExp - precision + 1,
  wrap,
})
export const F32 = format(24, 127, 192)
export const F64 = format(53, 1023, 1536)
export const F80 = format(64, 16383, 24576)
/** Results of x87 arithmetic under precision control: 24 or 53 bits in the exponent range of 80-bit numbers. */
export const F80_PC24 = format(24, 16383, 24576)
export const F80_PC53 = format(53, 16383, 24576)

/**
 * 'finite': sig * 2^exp with sig > 0, not normalized. 'nan': sig is the significand aligned to 64 bits (bit 63 set, bit 62 the quiet bit);
 * exp is 0 where it means nothing.
 */
export interface Value {
  readonly kind: 'zero' | 'finite' | 'inf' | 'nan'
  readonly sign: 0 | 1
  readonly sig: bigint
  readonly exp: number
  /** The operand was a denormal of its format. */
  readonly denormal: boolean
}

/** What surrounds an operation; `flags` collects. */
export interface FloatEnv {
  readonly rounding: number
  /** FLAG bits of the masked exceptions: underflow differs (masked: only when inexact). */
  readonly masks: number
  /** Tiny results become zero, when underflow is masked (MXCSR.FTZ). */
  readonly flushToZero: boolean
  /** Unmasked overflow and underflow hand back the result with a wrapped exponent (x87). */
  readonly wrap: boolean
  /** The NaN that two operands give (at least one is one); quieted by the caller of it. */
  readonly chooseNaN: (a: Value, b: Value) => Value
  flags: number
  /** The last rounding went away from zero (x87 C1). */
  roundedUp: boolean
}

export const QUIET = 1n << 62n
const INTEGER = 1n << 63n

export const zero = (sign: 0 | 1): Value => ({ kind: 'zero', sign, sig: 0n, exp: 0, denormal: false })
export const infinity = (sign: 0 | 1): Value => ({ kind: 'inf', sign, sig: 0n, exp: 0, denormal: false })
export const finite = (sign: 0 | 1, sig: bigint, exp: number, denormal = false): Value =>
  sig === 0n ? zero(sign) : { kind: 'finite', sign, sig, exp, denormal }
export const nan = (sign: 0 | 1, sig: bigint): Value => ({
  kind: 'nan',
  sign,
  sig: sig | INTEGER,
  exp: 0,
  denormal: false,
})
/** x86's default NaN, "real indefinite": negative, quiet. */
export const DEFAULT_NAN: Value = nan(1, QUIET)

export const isSignaling = (v: Value): boolean => v.kind === 'nan' && (v.sig & QUIET) === 0n
export const quieted = (v: Value): Value => nan(v.sign, v.sig | QUIET)
const flip = (sign: 0 | 1): 0 | 1 => (sign === 0 ? 1 : 0)
export const negated = (v: Value): Value => ({ ...v, sign: flip(v.sign) })

export function bitLength(x: bigint): number {
  if (x === 0n) return 0
  const hex = x.toString(16)
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28
}

/** Does a discarded fraction (of the last kept bit) make the magnitude go up? `half`: fraction compared to one half. */
function goesUp(rounding: number, sign: 0 | 1, isOdd: boolean, half: -1 | 0 | 1): boolean {
  switch (rounding) {
    case ROUND.nearest:
      return half > 0 || (half === 0 && isOdd)
    case ROUND.down:
      return sign === 1
    case ROUND.up:
      return sign === 0
    default:
      return false
  }
}

interface Rounded {
  readonly sig: bigint
  readonly inexact: boolean
  readonly up: boolean
}

/** sig * 2^exp as a multiple of 2^quantum; `sticky`: the true magnitude is a little (less than one unit of sig) above. */
function toQuantum(sign: 0 | 1, sig: bigint, exp: number, quantum: number, rounding: number, sticky: boolean): Rounded {
  // one more bit carries the sticky information
  const wide = (sig << 1n) | (sticky ? 1n : 0n)
  const shift = quantum - (exp - 1)
  if (shift <= 0) {
    if (sticky) throw new Error('softfloat: too few bits for a sticky result')
    return { sig: wide << BigInt(-shift), inexact: false, up: false }
  }
  const n = BigInt(shift)
  const kept = wide >> n
  const rest = wide - (kept << n)
  if (rest === 0n) return { sig: kept, inexact: false, up: false }
  const middle = 1n << (n - 1n)
  const up = goesUp(rounding, sign, (kept & 1n) === 1n, rest > middle ? 1 : rest === middle ? 0 : -1)
  return { sig: up ? kept + 1n : kept, inexact: true, up }
}

/**
 * Rounds sig * 2^exp (sig > 0) to `to`, with the flags of overflow, underflow and inexact. With `sticky` the true magnitude lies strictly
 * between sig and sig + 1, and sig must have at least precision + 2 bits.
 */
export function round(to: Format, sign: 0 | 1, sig: bigint, exp: number, env: FloatEnv, sticky = false): Value {
  const lead = exp + bitLength(sig) - 1
  const free = toQuantum(sign, sig, exp, lead - to.precision + 1, env.rounding, sticky)
  // tininess is detected after rounding, as if the exponent had no bounds
  const freeLead = lead + (bitLength(free.sig) > to.precision ? 1 : 0)
  const quantum = lead - to.precision + 1
  if (freeLead < to.minExp) return roundTiny(to, sign, sig, exp, env, sticky, free, quantum)
  if (freeLead > to.maxExp) return overflow(to, sign, env, free, quantum)
  const r = lead < to.minExp ? toQuantum(sign, sig, exp, to.minQuantum, env.rounding, sticky) : free
  if (r.inexact) env.flags |= FLAG.inexact
  env.roundedUp = r.up
  return finite(sign, r.sig, lead < to.minExp ? to.minQuantum : quantum)
}

function roundTiny(
  to: Format,
  sign: 0 | 1,
  sig: bigint,
  exp: number,
  env: FloatEnv,
  sticky: boolean,
  free: Rounded,
  quantum: number,
): Value {
  if (!(env.masks & FLAG.underflow)) {
    env.flags |= FLAG.underflow
    if (free.inexact) env.flags |= FLAG.inexact
    // as with overflow: SSE has no result
    if (!env.wrap) return zero(sign)
    env.roundedUp = free.up
    return finite(sign, free.sig, quantum + to.wrap)
  } else if (env.flushToZero) {
    env.flags |= FLAG.underflow | FLAG.inexact
    return zero(sign)
  }
  const r = toQuantum(sign, sig, exp, Math.max(to.minQuantum, quantum), env.rounding, sticky)
  if (r.inexact) env.flags |= FLAG.inexact | FLAG.underflow
  env.roundedUp = r.up
  return finite(sign, r.sig, Math.max(to.minQuantum, quantum))
}

function overflow(to: Format, sign: 0 | 1, env: FloatEnv, free: Rounded, quantum: number): Value {
  env.flags |= FLAG.overflow
  if (!(env.masks & FLAG.overflow)) {
    // SSE has no result then, but tells whether it would have been exact with a wider exponent
    if (free.inexact) env.flags |= FLAG.inexact
    env.roundedUp = free.up
    return env.wrap ? finite(sign, free.sig, quantum - to.wrap) : infinity(sign)
  }
  env.flags |= FLAG.inexact
  const isInfinite = goesUp(env.rounding, sign, true, 1)
  env.roundedUp = isInfinite
  if (isInfinite) return infinity(sign)
  return finite(sign, (1n << BigInt(to.precision)) - 1n, to.maxExp - to.precision + 1)
}

function invalid(env: FloatEnv): Value {
  env.flags |= FLAG.invalid
  return DEFAULT_NAN
}
/** The NaN result when an operand is a NaN, else undefined after noting denormals. */
function special(a: Value, b: Value, env: FloatEnv): Value | undefined {
  if (a.kind !== 'nan' && b.kind !== 'nan') return undefined
  if (isSignaling(a) || isSignaling(b)) env.flags |= FLAG.invalid
  return quieted(env.chooseNaN(a, b))
}
export function noteDenormals(env: FloatEnv, ...values: Value[]): void {
  if (values.some((v) => v.denormal)) env.flags |= FLAG.denormal
}

export function add(to: Format, a: Value, b: Value, env: FloatEnv): Value {
  const result = special(a, b, env)
  if (result) return result
  if (a.kind === 'inf' && b.kind === 'inf' && a.sign !== b.sign) return invalid(env)
  noteDenormals(env, a, b)
  if (a.kind === 'inf') return a
  if (b.kind === 'inf') return b
  const zeroSign = env.rounding === ROUND.down ? 1 : 0
  if (a.kind === 'zero' && b.kind === 'zero') return zero(a.sign === b.sign ? a.sign : zeroSign)
  const [x, y] = aligned(a, b, to.precision)
  const total = (x.sign ? -x.sig : x.sig) + (y.sign ? -y.sig : y.sig)
  if (total === 0n) return zero(zeroSign)
  return round(to, total < 0n ? 1 : 0, total < 0n ? -total : total, x.exp, env)
}
export const sub = (to: Format, a: Value, b: Value, env: FloatEnv): Value =>
  b.kind === 'nan' ? add(to, a, b, env) : add(to, a, negated(b), env)

/** Both with the smaller exponent; a magnitude far below the other one's last bit is replaced by a tiny one that rounds the same. */
function aligned(a: Value, b: Value, precision: number): [Value, Value] {
  if (a.kind === 'zero') return [{ ...a, exp: b.exp }, b]
  if (b.kind === 'zero') return [a, { ...b, exp: a.exp }]
  const leadA = a.exp + bitLength(a.sig)
  const leadB = b.exp + bitLength(b.sig)
  if (leadA < leadB) {
    const [y, x] = aligned(b, a, precision)
    return [x, y]
  }
  let small = b
  const floor = Math.min(a.exp, leadA - precision) - 4
  if (leadB < floor) small = { ...b, sig: 1n, exp: floor }
  const exp = Math.min(a.exp, small.exp)
  const at = (v: Value): Value => ({ ...v, sig: v.sig << BigInt(v.exp - exp), exp })
  return [at(a), at(small)]
}

export function mul(to: Format, a: Value, b: Value, env: FloatEnv): Value {
  const result = special(a, b, env)
  if (result) return result
  const sign = (a.sign ^ b.sign) as 0 | 1
  const isInf = a.kind === 'inf' || b.kind === 'inf'
  const isZero = a.kind === 'zero' || b.kind === 'zero'
  if (isInf && isZero) return invalid(env)
  noteDenormals(env, a, b)
  if (isInf) return infinity(sign)
  if (isZero) return zero(sign)
  return round(to, sign, a.sig * b.sig, a.exp + b.exp, env)
}

export function div(to: Format, a: Value, b: Value, env: FloatEnv): Value {
  const result = special(a, b, env)
  if (result) return result
  const sign = (a.sign ^ b.sign) as 0 | 1
  if (a.kind === b.kind && (a.kind === 'inf' || a.kind === 'zero')) return invalid(env)
  if (b.kind === 'zero' && a.kind === 'finite') {
    env.flags |= FLAG.zeroDivide
    return infinity(sign)
  }
  noteDenormals(env, a, b)
  if (a.kind === 'inf' || b.kind === 'zero') return infinity(sign)
  if (a.kind === 'zero' || b.kind === 'inf') return zero(sign)
  const shift = Math.max(0, to.precision + 3 + bitLength(b.sig) - bitLength(a.sig))
  const dividend = a.sig << BigInt(shift)
  const quotient = dividend / b.sig
  return round(to, sign, quotient, a.exp - shift - b.exp, env, quotient * b.sig !== dividend)
}

/** Largest integer whose square is not above x. */
export function integerSqrt(x: bigint): bigint {
  if (x < 2n) return x
  let r = 1n << BigInt((bitLength(x) + 1) >> 1)
  for (;;) {
    const next = (r + x / r) >> 1n
    if (next >= r) return r
    r = next
  }
}

export function sqrt(to: Format, a: Value, env: FloatEnv): Value {
  const result = special(a, a, env)
  if (result) return result
  if (a.kind === 'zero') return a
  if (a.sign === 1) return invalid(env)
  noteDenormals(env, a)
  if (a.kind === 'inf') return a
  let shift = Math.max(0, 2 * (to.precision + 3) - bitLength(a.sig))
  if ((a.exp - shift) & 1) shift++
  const wide = a.sig << BigInt(shift)
  const root = integerSqrt(wide)
  return round(to, 0, root, (a.exp - shift) / 2, env, root * root !== wide)
}

/** To another format (or to the same one, which rounds under reduced precision). */
export function convert(to: Format, a: Value, env: FloatEnv): Value {
  const result = special(a, a, env)
  if (result) return result
  noteDenormals(env, a)
  return a.kind === 'finite' ? round(to, a.sign, a.sig, a.exp, env) : a
}

/** To an integral value, the exponent unbounded; inexact is flagged unless `quiet`. */
export function roundToIntegral(a: Value, rounding: number, env: FloatEnv, quiet = false): Value {
  const result = special(a, a, env)
  if (result) return result
  if (a.kind !== 'finite' || a.exp >= 0) return a
  const r = toQuantum(a.sign, a.sig, a.exp, 0, rounding, false)
  if (r.inexact && !quiet) env.flags |= FLAG.inexact
  env.roundedUp = r.up
  return finite(a.sign, r.sig, 0)
}

/** To a signed integer of `bits`; undefined (and invalid) when it does not fit. The caller supplies the integer indefinite. */
export function toInteger(a: Value, bits: number, rounding: number, env: FloatEnv): bigint | undefined {
  if (a.kind === 'zero') return 0n
  const refuse = (): undefined => {
    env.flags |= FLAG.invalid
    return undefined
  }
  if (a.kind !== 'finite' || a.exp + bitLength(a.sig) > bits + 1) return refuse()
  const r = toQuantum(a.sign, a.sig, a.exp, 0, rounding, false)
  const value = a.sign ? -r.sig : r.sig
  if (BigInt.asIntN(bits, value) !== value) return refuse()
  if (r.inexact) env.flags |= FLAG.inexact
  env.roundedUp = r.up
  return value
}
export function fromInteger(to: Format, value: bigint, env: FloatEnv): Value {
  if (value === 0n) return zero(0)
  return round(to, value < 0n ? 1 : 0, value < 0n ? -value : value, 0, env)
}

export const ORDER = { less: -1, equal: 0, greater: 1, unordered: 2 } as const
/** An ORDER. Signals invalid for signaling NaNs, and for quiet ones where `signalQuiet`. */
export function compare(a: Value, b: Value, env: FloatEnv, signalQuiet: boolean): number {
  if (a.kind === 'nan' || b.kind === 'nan') {
    if (signalQuiet || isSignaling(a) || isSignaling(b)) env.flags |= FLAG.invalid
    return ORDER.unordered
  }
  noteDenormals(env, a, b)
  return order(a, b)
}
/** Numerical order of two values that are no NaNs. */
export function order(a: Value, b: Value): number {
  const side = (v: Value): number => (v.kind === 'zero' ? 0 : v.sign ? -1 : 1)
  if (side(a) !== side(b) || side(a) === 0) return Math.sign(side(a) - side(b))
  const magnitude = orderMagnitude(a, b)
  return magnitude === 0 ? 0 : magnitude * side(a)
}
function orderMagnitude(a: Value, b: Value): number {
  if (a.kind === 'inf' || b.kind === 'inf') return (a.kind === 'inf' ? 1 : 0) - (b.kind === 'inf' ? 1 : 0)
  const leads = a.exp + bitLength(a.sig) - b.exp - bitLength(b.sig)
  if (leads !== 0) return Math.sign(leads)
  const exp = Math.min(a.exp, b.exp)
  const x = a.sig << BigInt(a.exp - exp)
  const y = b.sig << BigInt(b.exp - exp)
  return x < y ? -1 : x > y ? 1 : 0
}
