/** F2XM1, FYL2X, FYL2XP1, FPATAN, FPTAN, FSIN, FCOS, FSINCOS (SDM vol. 1, 8.3.7 to 8.3.10; special values by the tables of vol. 2). */
import type { Cpu } from '../cpu.ts'
import {
  bitLength,
  F80,
  finite,
  FLAG,
  infinity,
  noteDenormals,
  order,
  round,
  zero,
  type FloatEnv,
  type Value,
} from '../softfloat/core.ts'
import { packExtended } from '../softfloat/extended.ts'
import {
  approximate,
  arcTangent,
  cosine,
  log2,
  log2Plus1,
  powerMinusOne,
  product,
  quarterTurns,
  sine,
  tangent,
} from '../softfloat/transcendental.ts'
import type { Helper } from './helper.ts'
import { invalid, nanOf, unary } from './x87-arithmetic.ts'
import {
  accept,
  C1,
  C2,
  computing,
  environment,
  isEmpty,
  moveTop,
  pop,
  present,
  push,
  REAL_INDEFINITE,
  setRegister,
  setStatus,
  setValue,
  stackFault,
  valueAt,
} from './x87-stack.ts'

const ONE = finite(0, 1n, 0)
const either = (a: Value, b: Value): 0 | 1 => (a.sign === b.sign ? 0 : 1)
const opposite = (v: Value): 0 | 1 => (v.sign ? 0 : 1)

/** 2^x - 1; outside -1..1 the result is undefined, and x stays. */
function twoToXMinusOne(x: Value, env: FloatEnv): Value {
  const special = nanOf(x, x, env)
  if (special) return special
  if (x.kind === 'inf') return x.sign ? finite(1, 1n, 0) : x
  noteDenormals(env, x)
  if (x.kind === 'zero') return x
  const size = order({ ...x, sign: 0 }, ONE)
  if (size > 0) return x
  if (size === 0) return x.sign ? finite(1, 1n, -1) : x
  return approximate(powerMinusOne(x), env)
}

/** y * log for a logarithm that may be exact (a whole number). */
function scaledLog(y: Value, log: Value, env: FloatEnv): Value {
  if (log.kind === 'zero') return zero(y.sign)
  const scaled = product(y, log)
  return log.exp === 0 ? round(F80, scaled.sign, scaled.sig, scaled.exp, env) : approximate(scaled, env)
}
/** y * log2(x) */
function yLog2(x: Value, y: Value, env: FloatEnv): Value {
  const special = nanOf(x, y, env)
  if (special) return special
  if (x.kind !== 'zero' && x.sign) return invalid(env)
  if (x.kind === 'zero') {
    if (y.kind === 'zero') return invalid(env)
    if (y.kind === 'finite') env.flags |= FLAG.zeroDivide
    return infinity(opposite(y))
  }
  if (x.kind === 'inf') {
    if (y.kind === 'zero') return invalid(env)
    noteDenormals(env, y)
    return infinity(y.sign)
  }
  const side = order(x, ONE)
  if (y.kind === 'inf' && side === 0) return invalid(env)
  noteDenormals(env, x, y)
  if (y.kind !== 'finite') return { ...y, sign: side < 0 ? opposite(y) : y.sign }
  return scaledLog(y, log2(x), env)
}
/** y * log2(x + 1); x at or below -1 is outside the range of the instruction, and invalid. */
function yLog2Plus1(x: Value, y: Value, env: FloatEnv): Value {
  const special = nanOf(x, y, env)
  if (special) return special
  if (x.sign && order(x, finite(1, 1n, 0)) <= 0) return invalid(env)
  if (x.kind === 'inf') {
    if (y.kind === 'zero') return invalid(env)
    noteDenormals(env, y)
    return infinity(y.sign)
  }
  if (x.kind === 'zero' && y.kind === 'inf') return invalid(env)
  noteDenormals(env, x, y)
  const sign = either(x, y)
  if (y.kind === 'inf') return infinity(sign)
  if (x.kind === 'zero' || y.kind === 'zero') return zero(sign)
  return scaledLog(y, log2Plus1(x), env)
}
/** Angle of (x, y). */
function angle(x: Value, y: Value, env: FloatEnv): Value {
  const special = nanOf(x, y, env)
  if (special) return special
  noteDenormals(env, x, y)
  if (y.kind === 'inf') {
    const quarters = x.kind !== 'inf' ? 2 : x.sign ? 3 : 1
    return approximate(quarterTurns(y.sign, quarters), env)
  }
  if (y.kind === 'zero' || x.kind === 'inf') return x.sign ? approximate(quarterTurns(y.sign, 4), env) : zero(y.sign)
  if (x.kind === 'zero') return approximate(quarterTurns(y.sign, 2), env)
  const { value, isBelow } = arcTangent(y, x)
  return approximate(value, env, isBelow)
}
/** ST(1) becomes f(ST(0), ST(1)); ST(0) is popped. */
const binary = (operation: (x: Value, y: Value, env: FloatEnv) => Value): Helper =>
  computing((cpu) => {
    const respond = (): void => {
      setRegister(cpu, 1, REAL_INDEFINITE)
      pop(cpu)
    }
    if (!present(cpu, [0, 1], respond)) return
    const env = environment(cpu)
    const result = operation(valueAt(cpu, 0), valueAt(cpu, 1), env)
    if (!accept(cpu, env)) return
    setValue(cpu, 1, result)
    pop(cpu)
  })

type Circular = (x: Value, env: FloatEnv) => Value
/** Arguments of 2^63 and more are left alone, with C2 set. */
const isOutside = (x: Value): boolean => x.kind === 'finite' && x.exp + bitLength(x.sig) > 63
function circular(x: Value, env: FloatEnv, operation: Circular): Value {
  const special = nanOf(x, x, env)
  if (special) return special
  if (x.kind === 'inf') return invalid(env)
  noteDenormals(env, x)
  return operation(x, env)
}
/** FSIN and FCOS, or with `second` a function whose result is pushed. */
const turning = (first: Circular, second?: Circular): Helper =>
  computing((cpu) => {
    setStatus(cpu, C2, 0)
    const isFull = second !== undefined && !isEmpty(cpu, -1)
    if (isEmpty(cpu, 0) || isFull) return stackResponse(cpu, isFull, second !== undefined)
    const x = valueAt(cpu, 0)
    if (isOutside(x)) return setStatus(cpu, C1, C2)
    const env = environment(cpu)
    const result = circular(x, env, first)
    const pushed = second && circular(x, env, second)
    if (!accept(cpu, env)) return
    setValue(cpu, 0, result)
    if (!pushed) return
    const direction = env.roundedUp ? C1 : 0
    push(cpu, packExtended(pushed))
    setStatus(cpu, 0, direction)
  })
function stackResponse(cpu: Cpu, isFull: boolean, isPushing: boolean): void {
  if (!stackFault(cpu, isFull && !isEmpty(cpu, 0))) return
  setRegister(cpu, 0, REAL_INDEFINITE)
  if (!isPushing) return
  moveTop(cpu, -1)
  setRegister(cpu, 0, REAL_INDEFINITE)
}
/** FPTAN pushes 1, except for a NaN, which it pushes again. */
const tangentsOne: Circular = () => ONE

export const X87_TRANSCENDENTAL_HELPERS: Readonly<Record<string, Helper>> = {
  f2xm1: unary(twoToXMinusOne),
  fyl2x: binary(yLog2),
  fyl2xp1: binary(yLog2Plus1),
  fpatan: binary(angle),
  fptan: turning(tangent, tangentsOne),
  fsin: turning(sine),
  fcos: turning(cosine),
  fsincos: turning(sine, cosine),
}
