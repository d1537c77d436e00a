/** x87 loads and stores: reals, integers, packed BCD, constants, exchanges, conditional moves (SDM vol. 1, 8.3.3 and 8.3.4). */
import type { Cpu } from '../cpu.ts'
import {
  convert,
  F32,
  F64,
  F80,
  FLAG,
  finite,
  fromInteger,
  ROUND,
  round,
  toInteger,
  type FloatEnv,
  type Value,
} from '../softfloat/core.ts'
import { packExtended, type Extended } from '../softfloat/extended.ts'
import { CONSTANTS, type ConstantName } from '../softfloat/constants.ts'
import { pack, unpack } from '../softfloat/pack.ts'
import { AT } from '../state/layout.ts'
import type { Helper, HelperInsn } from './helper.ts'
import {
  accept,
  C1,
  computing,
  environment,
  getRegister,
  isEmpty,
  pop,
  present,
  push,
  reach,
  REAL_INDEFINITE,
  setRegister,
  setStatus,
  stackFault,
  stOf,
  valueAt,
} from './x87-stack.ts'

const sizeOf = (insn: HelperInsn): number => insn.variant.operands[0]!.size
const realOf = (size: number) => (size === 4 ? F32 : F64)

const memory = (cpu: Cpu, insn: HelperInsn): bigint =>
  cpu.readLinear(reach(cpu, insn, sizeOf(insn), false), sizeOf(insn))
/** Real or integer memory operand of an arithmetic instruction. */
export const memoryReal = (cpu: Cpu, insn: HelperInsn): Value => unpack(realOf(sizeOf(insn)), memory(cpu, insn), false)
export function memoryInteger(cpu: Cpu, insn: HelperInsn): Value {
  const value = BigInt.asIntN(8 * sizeOf(insn), memory(cpu, insn))
  return finite(value < 0n ? 1 : 0, value < 0n ? -value : value, 0)
}

function loadReal(cpu: Cpu, insn: HelperInsn): void {
  const operand = memoryReal(cpu, insn)
  if (!isEmpty(cpu, -1)) return push(cpu, REAL_INDEFINITE)
  const env = environment(cpu)
  const value = convert(F80, operand, env)
  accept(cpu, env)
  // an unmasked denormal exception comes after the load
  if (!(env.flags & ~env.masks & FLAG.invalid)) push(cpu, packExtended(value))
}
function loadExtended(cpu: Cpu, insn: HelperInsn): void {
  const at = reach(cpu, insn, 10, false)
  const significand = cpu.readLinear(at, 8)
  push(cpu, { significand, signExponent: Number(cpu.readLinear(at + 8n, 2)) })
}
/** FLD ST(i): the copy is made before the stack moves. */
function loadRegister(cpu: Cpu, insn: HelperInsn): void {
  const n = stOf(insn)
  if (!isEmpty(cpu, n)) return push(cpu, getRegister(cpu, n))
  if (!stackFault(cpu, false)) return
  cpu.setU32(AT.ftop, (cpu.u32(AT.ftop) + 7) & 7)
  setRegister(cpu, 0, REAL_INDEFINITE)
}
const loadConstant = (name: ConstantName): Helper =>
  computing((cpu) => {
    const { sig, exp, isExact } = CONSTANTS[name]
    // FLDPI and the like follow the rounding control without an inexact exception
    const value = sig === 0n ? finite(0, 0n, 0) : round(F80, 0, sig, exp, environment(cpu), !isExact)
    push(cpu, packExtended(value))
  })

/** Stores what `convertTop` makes of ST(0); `indefinite` for an empty one. */
function store(
  cpu: Cpu,
  insn: HelperInsn,
  isPopping: boolean,
  indefinite: bigint,
  convertTop: (env: FloatEnv) => bigint,
): void {
  const size = sizeOf(insn)
  const at = reach(cpu, insn, size, true)
  cpu.probeWrite(at, size)
  const done = (bits: bigint): void => {
    cpu.writeLinear(at, size, bits)
    if (isPopping) pop(cpu)
  }
  if (!present(cpu, [0], () => done(indefinite))) return
  const env = environment(cpu)
  const bits = convertTop(env)
  if (accept(cpu, env, true)) done(bits)
}
const storeReal = (isPopping: boolean): Helper =>
  computing((cpu, insn) => {
    const to = realOf(sizeOf(insn))
    const indefinite = sizeOf(insn) === 4 ? 0xffc00000n : 0xfff8000000000000n
    // stores do not report denormals
    store(cpu, insn, isPopping, indefinite, (env) => pack(to, convert(to, plain(valueAt(cpu, 0)), env)))
  })
/** Without the mark of a denormal; anything but a finite number stays the same object. */
const plain = (v: Value): Value => (v.denormal ? { ...v, denormal: false } : v)

const storeInteger = (isPopping: boolean, isTruncating: boolean): Helper =>
  computing((cpu, insn) => {
    const bits = 8 * sizeOf(insn)
    const indefinite = 1n << BigInt(bits - 1)
    store(cpu, insn, isPopping, indefinite, (env) => {
      const rounding = isTruncating ? ROUND.zero : env.rounding
      return BigInt.asUintN(bits, toInteger(valueAt(cpu, 0), bits, rounding, env) ?? indefinite)
    })
  })

function writeTen(cpu: Cpu, at: bigint, value: Extended): void {
  cpu.writeLinear(at, 8, value.significand)
  cpu.writeLinear(at + 8n, 2, BigInt(value.signExponent))
}
function storeExtended(cpu: Cpu, insn: HelperInsn): void {
  const at = reach(cpu, insn, 10, true)
  cpu.probeWrite(at, 10)
  const done = (value: Extended): void => {
    writeTen(cpu, at, value)
    pop(cpu)
  }
  if (!present(cpu, [0], () => done(REAL_INDEFINITE))) return
  done(getRegister(cpu, 0))
  setStatus(cpu, C1, 0)
}

const BCD_DIGITS = 18
const BCD_LIMIT = 10n ** 18n
const BCD_INDEFINITE: Extended = { signExponent: 0xffff, significand: 0xc000000000000000n }
function loadBcd(cpu: Cpu, insn: HelperInsn): void {
  const at = reach(cpu, insn, 10, false)
  const packed = cpu.readLinear(at, 8) | (cpu.readLinear(at + 8n, 2) << 64n)
  let value = 0n
  // digits above 9 count by their weight
  for (let n = BCD_DIGITS - 1; n >= 0; n--) value = value * 10n + ((packed >> BigInt(4 * n)) & 15n)
  const magnitude = fromInteger(F80, value, environment(cpu))
  push(cpu, packExtended(packed >> 79n ? { ...magnitude, sign: 1 } : magnitude))
}
function bcdOf(value: Value, env: FloatEnv): Extended {
  const rounded = toInteger(value, 64, env.rounding, env)
  const magnitude = rounded !== undefined && rounded < 0n ? -rounded : rounded
  if (magnitude === undefined || magnitude >= BCD_LIMIT) {
    env.flags = FLAG.invalid
    env.roundedUp = false
    return BCD_INDEFINITE
  }
  const digits = BigInt(`0x${magnitude.toString()}`)
  return { significand: BigInt.asUintN(64, digits), signExponent: Number(digits >> 64n) | (value.sign << 15) }
}
function storeBcd(cpu: Cpu, insn: HelperInsn): void {
  const at = reach(cpu, insn, 10, true)
  cpu.probeWrite(at, 10)
  const done = (value: Extended): void => {
    writeTen(cpu, at, value)
    pop(cpu)
  }
  if (!present(cpu, [0], () => done(BCD_INDEFINITE))) return
  const env = environment(cpu)
  const bcd = bcdOf(valueAt(cpu, 0), env)
  if (accept(cpu, env, true)) done(bcd)
}

const storeRegister = (isPopping: boolean): Helper =>
  computing((cpu, insn) => {
    const n = stOf(insn)
    const isThere = !isEmpty(cpu, 0)
    if (!isThere && !stackFault(cpu, false)) return
    setRegister(cpu, n, isThere ? getRegister(cpu, 0) : REAL_INDEFINITE)
    if (isThere) setStatus(cpu, C1, 0)
    if (isPopping) pop(cpu)
  })
/** D9 D8+i pops without a look at the tags: an empty register is not moved (AMD APM vol. 3, A.1). */
function storeUnchecked(cpu: Cpu, insn: HelperInsn): void {
  if (!isEmpty(cpu, 0)) setRegister(cpu, stOf(insn), getRegister(cpu, 0))
  setStatus(cpu, C1, 0)
  pop(cpu)
}
function exchange(cpu: Cpu, insn: HelperInsn): void {
  const n = stOf(insn)
  if ((isEmpty(cpu, 0) || isEmpty(cpu, n)) && !stackFault(cpu, false)) return
  const isFaulty = isEmpty(cpu, 0) || isEmpty(cpu, n)
  const [a, b] = [0, n].map((i) => (isEmpty(cpu, i) ? REAL_INDEFINITE : getRegister(cpu, i)))
  setRegister(cpu, 0, b!)
  setRegister(cpu, n, a!)
  if (!isFaulty) setStatus(cpu, C1, 0)
}

const CF = 1
const PF = 4
const ZF = 0x40
/** FCMOVcc moves when one of the flags is set, FCMOVNcc when none is. */
const conditional = (flags: number, wanted: boolean): Helper =>
  computing((cpu, insn) => {
    const n = stOf(insn)
    const isTrue = ((cpu.rflags & flags) !== 0) === wanted
    if (!present(cpu, [0, n], () => setRegister(cpu, 0, REAL_INDEFINITE))) return
    if (isTrue) setRegister(cpu, 0, getRegister(cpu, n))
    setStatus(cpu, C1, 0)
  })
const CMOV_FLAGS = { b: CF, e: ZF, be: CF | ZF, u: PF } as const

export const X87_TRANSFER_HELPERS: Readonly<Record<string, Helper>> = {
  fild: computing((cpu, insn) => push(cpu, packExtended(memoryInteger(cpu, insn)))),
  fld: computing(loadReal),
  fld_m80: computing(loadExtended),
  fld_st: computing(loadRegister),
  fst: storeReal(false),
  fstp: storeReal(true),
  fist: storeInteger(false, false),
  fistp: storeInteger(true, false),
  fisttp: storeInteger(true, true),
  fstp_m80: computing(storeExtended),
  fbld: computing(loadBcd),
  fbstp: computing(storeBcd),
  fst_st: storeRegister(false),
  fstp_st: storeRegister(true),
  fstpnce: computing(storeUnchecked),
  fxch: computing(exchange),
  ...Object.fromEntries(
    Object.entries(CMOV_FLAGS).flatMap(([cc, flags]) => [
      [`fcmov${cc}`, conditional(flags, true)],
      [`fcmovn${cc}`, conditional(flags, false)],
    ]),
  ),
  ...Object.fromEntries((Object.keys(CONSTANTS) as ConstantName[]).map((name) => [name, loadConstant(name)])),
}
