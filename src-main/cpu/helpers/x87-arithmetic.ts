/** x87 arithmetic and comparisons (SDM vol. 1, 8.3.5 and 8.3.6). */
import type { Cpu } from '../cpu.ts'
import {
  add,
  bitLength,
  compare,
  DEFAULT_NAN,
  div,
  F80,
  finite,
  FLAG,
  infinity,
  mul,
  noteDenormals,
  ORDER,
  quieted,
  isSignaling,
  round,
  roundToIntegral,
  sqrt,
  sub,
  zero,
  type FloatEnv,
  type Format,
  type Value,
} from '../softfloat/core.ts'
import { AT } from '../state/layout.ts'
import type { Helper } from './helper.ts'
import {
  accept,
  C0,
  C1,
  C2,
  C3,
  computing,
  environment,
  getRegister,
  isEmpty,
  pop,
  precision,
  present,
  push,
  REAL_INDEFINITE,
  setRegister,
  setStatus,
  setValue,
  stackFault,
  stOf,
  valueAt,
} from './x87-stack.ts'
import { packExtended } from '../softfloat/extended.ts'
import { memoryInteger, memoryReal } from './x87-transfer.ts'

type Binary = (to: Format, a: Value, b: Value, env: FloatEnv) => Value
const swapped =
  (operation: Binary): Binary =>
  (to, a, b, env) =>
    operation(to, b, a, env)
/** First operand ST(0), second the other one, whichever is the destination. */
const BINARY: Readonly<Record<string, Binary>> = {
  fadd: add,
  fmul: mul,
  fsub: sub,
  fsubr: swapped(sub),
  fdiv: div,
  fdivr: swapped(div),
}

/** `other` undefined: an empty register. */
function arithmetic(cpu: Cpu, operation: Binary, other: Value | undefined, target: number, isPopping: boolean): void {
  if (isEmpty(cpu, 0) || other === undefined) {
    if (!stackFault(cpu, false)) return
    setRegister(cpu, target, REAL_INDEFINITE)
  } else {
    const env = environment(cpu)
    const result = operation(precision(cpu), valueAt(cpu, 0), other, env)
    if (!accept(cpu, env)) return
    setValue(cpu, target, result)
  }
  if (isPopping) pop(cpu)
}
const registerValue = (cpu: Cpu, n: number): Value | undefined => (isEmpty(cpu, n) ? undefined : valueAt(cpu, n))

function binaryHelpers(): Record<string, Helper> {
  const all: Record<string, Helper> = {}
  for (const [name, operation] of Object.entries(BINARY)) {
    all[`${name}_real`] = computing((cpu, insn) => arithmetic(cpu, operation, memoryReal(cpu, insn), 0, false))
    all[`${name}_int`] = computing((cpu, insn) => arithmetic(cpu, operation, memoryInteger(cpu, insn), 0, false))
    all[`${name}_st`] = computing((cpu, insn) => arithmetic(cpu, operation, registerValue(cpu, stOf(insn)), 0, false))
    for (const isPopping of [false, true])
      all[`${name}${isPopping ? 'p' : ''}_to_st`] = computing((cpu, insn) =>
        arithmetic(cpu, operation, registerValue(cpu, stOf(insn)), stOf(insn), isPopping),
      )
  }
  return all
}

/* ---- comparisons ---- */

const CONDITIONS: Readonly<Record<number, number>> = {
  [ORDER.greater]: 0,
  [ORDER.less]: C0,
  [ORDER.equal]: C3,
  [ORDER.unordered]: C0 | C2 | C3,
}
interface Comparison {
  readonly pops: 0 | 1 | 2
  readonly isQuiet: boolean
  /** Into ZF, PF, CF instead of the condition codes. */
  readonly isFlags: boolean
}
function setConditions(cpu: Cpu, codes: number, isFlags: boolean): void {
  if (!isFlags) return setStatus(cpu, C0 | C2 | C3, codes)
  // C0 is CF, C2 is PF, C3 is ZF; OF, SF and AF become zero
  cpu.setU64(AT.ccB, BigInt((codes & C0 ? 1 : 0) | (codes & C2 ? 4 : 0) | (codes & C3 ? 0x40 : 0)))
  cpu.setU32(AT.ccOp, 0)
}
function compareWith(cpu: Cpu, other: Value | undefined, how: Comparison): void {
  let order: number = ORDER.unordered
  let isDone: boolean
  if (isEmpty(cpu, 0) || other === undefined) isDone = stackFault(cpu, false)
  else {
    const env = environment(cpu)
    const before = cpu.u32(AT.fsw) & C1
    order = compare(valueAt(cpu, 0), other, env, !how.isQuiet)
    isDone = accept(cpu, env)
    // the forms for EFLAGS clear C1 for an empty register only
    if (how.isFlags) setStatus(cpu, 0, before)
  }
  // unmasked exceptions keep the operands, but the outcome shows
  setConditions(cpu, CONDITIONS[order]!, how.isFlags)
  if (!isDone) return
  for (let n = 0; n < how.pops; n++) pop(cpu)
}
const comparing = (how: Comparison): Helper =>
  computing((cpu, insn) => compareWith(cpu, registerValue(cpu, stOf(insn)), how))
const ordered = { pops: 0, isQuiet: false, isFlags: false } as const
const popping = { ...ordered, pops: 1 } as const
const COMPARISONS: Readonly<Record<string, Helper>> = {
  fcom_st: comparing(ordered),
  fcomp_st: comparing(popping),
  fcompp: comparing({ ...ordered, pops: 2 }),
  fucom: comparing({ ...ordered, isQuiet: true }),
  fucomp: comparing({ ...popping, isQuiet: true }),
  fucompp: comparing({ pops: 2, isQuiet: true, isFlags: false }),
  fcomi: comparing({ ...ordered, isFlags: true }),
  fcomip: comparing({ ...popping, isFlags: true }),
  fucomi: comparing({ pops: 0, isQuiet: true, isFlags: true }),
  fucomip: comparing({ pops: 1, isQuiet: true, isFlags: true }),
  fcom_real: computing((cpu, insn) => compareWith(cpu, memoryReal(cpu, insn), ordered)),
  fcomp_real: computing((cpu, insn) => compareWith(cpu, memoryReal(cpu, insn), popping)),
  fcom_int: computing((cpu, insn) => compareWith(cpu, memoryInteger(cpu, insn), ordered)),
  fcomp_int: computing((cpu, insn) => compareWith(cpu, memoryInteger(cpu, insn), popping)),
  ftst: computing((cpu) => compareWith(cpu, zero(0), ordered)),
  fxam: computing(examine),
}
function examine(cpu: Cpu): void {
  const { signExponent, significand } = getRegister(cpu, 0)
  const exponent = signExponent & 0x7fff
  let codes: number
  if (isEmpty(cpu, 0)) codes = C3 | C0
  else if (exponent === 0) codes = significand === 0n ? C3 : C3 | C2
  else if (!(significand >> 63n)) codes = 0
  else if (exponent === 0x7fff) codes = significand === 1n << 63n ? C2 | C0 : C0
  else codes = C2
  setStatus(cpu, C0 | C1 | C2 | C3, codes | (signExponent & 0x8000 ? C1 : 0))
}

/* ---- operations on ST(0), with ST(1) ---- */

/** Replaces ST(0) by what `operation` makes of it. */
export const unary = (operation: (a: Value, env: FloatEnv, cpu: Cpu) => Value): Helper =>
  computing((cpu) => {
    if (!present(cpu, [0], () => setRegister(cpu, 0, REAL_INDEFINITE))) return
    const env = environment(cpu)
    const result = operation(valueAt(cpu, 0), env, cpu)
    if (accept(cpu, env)) setValue(cpu, 0, result)
  })
/** Changes the sign alone: no exceptions but an empty register. */
const signed = (change: (signExponent: number) => number): Helper =>
  computing((cpu) => {
    if (!present(cpu, [0], () => setRegister(cpu, 0, REAL_INDEFINITE))) return
    const value = getRegister(cpu, 0)
    setRegister(cpu, 0, { ...value, signExponent: change(value.signExponent) })
    setStatus(cpu, C1, 0)
  })
export function invalid(env: FloatEnv): Value {
  env.flags |= FLAG.invalid
  return DEFAULT_NAN
}
/** The NaN that comes of operands with a NaN among them. */
export function nanOf(a: Value, b: Value, env: FloatEnv): Value | undefined {
  if (a.kind !== 'nan' && b.kind !== 'nan') return undefined
  if (isSignaling(a) || isSignaling(b)) env.flags |= FLAG.invalid
  return quieted(env.chooseNaN(a, b))
}

/** Beyond any difference of exponents. */
const FAR = 0x10000
/** a * 2^truncate(b). */
export function scale(a: Value, b: Value, env: FloatEnv): Value {
  const special = nanOf(a, b, env)
  if (special) return special
  if (b.kind === 'inf') {
    if (b.sign === 0 ? a.kind === 'zero' : a.kind === 'inf') return invalid(env)
    noteDenormals(env, a)
    return b.sign === 0 ? infinity(a.sign) : zero(a.sign)
  }
  noteDenormals(env, a, b)
  if (a.kind !== 'finite' || b.kind === 'zero') return a.kind === 'finite' ? round(F80, a.sign, a.sig, a.exp, env) : a
  const length = b.exp + bitLength(b.sig)
  const whole =
    length > 20 ? FAR : length <= 0 ? 0 : Number(b.exp < 0 ? b.sig >> BigInt(-b.exp) : b.sig << BigInt(b.exp))
  const by = Math.min(whole, FAR)
  const result = round(F80, a.sign, a.sig, a.exp + (b.sign ? -by : by), env)
  // an unmasked exception's wrapped exponent may still be out of range
  const lead = result.exp + bitLength(result.sig) - 1
  if (result.kind !== 'finite' || (lead <= F80.maxExp && lead >= F80.minExp) || env.flags & env.masks & FLAG.underflow)
    return result
  if (lead >= F80.minQuantum && !(env.flags & (FLAG.underflow | FLAG.overflow))) return result
  env.flags |= FLAG.inexact
  return lead > 0 ? infinity(a.sign) : zero(a.sign)
}

/** Exponent and significand apart. */
function extract(cpu: Cpu): void {
  const isFull = !isEmpty(cpu, -1)
  if (isEmpty(cpu, 0) || isFull) {
    if (!stackFault(cpu, !isEmpty(cpu, 0))) return
    setRegister(cpu, 0, REAL_INDEFINITE)
    cpu.setU32(AT.ftop, (cpu.u32(AT.ftop) + 7) & 7)
    setRegister(cpu, 0, REAL_INDEFINITE)
    return
  }
  const env = environment(cpu)
  const [exponent, significand] = parts(valueAt(cpu, 0), env)
  if (!accept(cpu, env)) return
  setValue(cpu, 0, exponent)
  push(cpu, packExtended(significand))
}
function parts(a: Value, env: FloatEnv): [Value, Value] {
  const special = nanOf(a, a, env)
  if (special) return [special, special]
  if (a.kind === 'inf') return [infinity(0), a]
  if (a.kind === 'zero') {
    env.flags |= FLAG.zeroDivide
    return [infinity(1), a]
  }
  noteDenormals(env, a)
  const length = bitLength(a.sig)
  const lead = a.exp + length - 1
  return [finite(lead < 0 ? 1 : 0, BigInt(Math.abs(lead)), 0), finite(a.sign, a.sig, 1 - length)]
}

export interface Remainder {
  readonly value: Value
  readonly quotient: bigint
  readonly isPartial: boolean
}
/** FPREM (quotient truncated) and FPREM1 (to nearest): at most 63 bits of the quotient at a time. */
export function remainder(a: Value, b: Value, isNearest: boolean, env: FloatEnv): Remainder {
  const whole = (value: Value): Remainder => ({ value, quotient: 0n, isPartial: false })
  const special = nanOf(a, b, env)
  if (special) return whole(special)
  if (a.kind === 'inf' || b.kind === 'zero') return whole(invalid(env))
  noteDenormals(env, a, b)
  if (a.kind === 'zero') return whole(a)
  if (b.kind === 'inf') return whole(round(F80, a.sign, a.sig, a.exp, env))
  const distance = a.exp + bitLength(a.sig) - b.exp - bitLength(b.sig)
  if (distance < -1) return whole(round(F80, a.sign, a.sig, a.exp, env))
  const isPartial = distance >= 64
  // the multiple of b is b * quotient * 2^skip
  const skip = isPartial ? distance - ((distance & 31) | 32) : 0
  const exp = Math.min(a.exp, b.exp + skip)
  const dividend = a.sig << BigInt(a.exp - exp)
  const divisor = b.sig << BigInt(b.exp + skip - exp)
  let quotient = dividend / divisor
  let rest = dividend - quotient * divisor
  let { sign } = a
  const half = 2n * rest - divisor
  if (isNearest && !isPartial && (half > 0n || (half === 0n && quotient & 1n))) {
    quotient++
    rest = divisor - rest
    sign = sign ? 0 : 1
  }
  const value = rest === 0n ? zero(a.sign) : round(F80, sign, rest, exp, env)
  return { value, quotient: isPartial ? 0n : quotient, isPartial }
}
const remaindering = (isNearest: boolean): Helper =>
  computing((cpu) => {
    setStatus(cpu, C2, 0)
    if (!present(cpu, [0, 1], () => setRegister(cpu, 0, REAL_INDEFINITE))) return
    const env = environment(cpu)
    const { value, quotient, isPartial } = remainder(valueAt(cpu, 0), valueAt(cpu, 1), isNearest, env)
    if (!accept(cpu, env)) return
    setValue(cpu, 0, value)
    // the quotient's bits mean nothing then, and C0 and C3 stay
    if (value.kind === 'nan') return
    const q = Number(quotient & 7n)
    const codes = (q & 4 ? C0 : 0) | (q & 2 ? C3 : 0) | (q & 1 ? C1 : 0)
    setStatus(cpu, C0 | C1 | C2 | C3, isPartial ? C2 : codes)
  })

export const X87_ARITHMETIC_HELPERS: Readonly<Record<string, Helper>> = {
  ...binaryHelpers(),
  ...COMPARISONS,
  fchs: signed((x) => x ^ 0x8000),
  fabs: signed((x) => x & 0x7fff),
  fsqrt: unary((a, env, cpu) => sqrt(precision(cpu), a, env)),
  frndint: unary((a, env) => {
    noteDenormals(env, a)
    return roundToIntegral(a, env.rounding, env)
  }),
  fscale: computing((cpu) => {
    if (!present(cpu, [0, 1], () => setRegister(cpu, 0, REAL_INDEFINITE))) return
    const env = environment(cpu)
    const result = scale(valueAt(cpu, 0), valueAt(cpu, 1), env)
    if (accept(cpu, env)) setValue(cpu, 0, result)
  }),
  fxtract: computing(extract),
  fprem: remaindering(false),
  fprem1: remaindering(true),
}
