/**
 * Floating point of SSE done exactly: what generated code hands over because an operand or result is special (NaN, infinity, denormal, tiny,
 * too large), or MXCSR asks for more than rounding to nearest with everything masked and inexact already flagged.
 */
import { STATUS } from '../semantics/context.ts'
import * as soft from '../softfloat/core.ts'
import { F32, F64, ORDER, type Format, type Value } from '../softfloat/core.ts'
import { pack, unpack } from '../softfloat/pack.ts'
import { AT } from '../state/layout.ts'
import type { Helper } from './helper.ts'
import { immediateOf, raiseFlags, registerAddress, sseEnv, type SseEnv } from './sse-operands.ts'

/** A lane computation; the result is the lane's new bits. */
type Lane = (format: Format, a: bigint, b: bigint, env: SseEnv, imm: number) => bigint

const bytesOf = (format: Format): number => (format === F32 ? 4 : 8)

/** destination[i] = lane(destination[i], source[i]) */
function lanewise(format: Format, count: number, lane: Lane): Helper {
  return (cpu, insn) => {
    const env = sseEnv(cpu)
    const size = bytesOf(format)
    const to = registerAddress(cpu, insn)
    const imm = immediateOf(cpu, insn)
    const out: bigint[] = []
    for (let i = 0; i < count; i++)
      out.push(lane(format, cpu.hostValue(to + i * size, size), cpu.hostValue(insn.host + i * size, size), env, imm))
    raiseFlags(cpu, env)
    out.forEach((bits, i) => cpu.setHostValue(to + i * size, size, bits))
    return STATUS.next
  }
}

type Binary = (to: Format, a: Value, b: Value, env: SseEnv) => Value
const binaryLane =
  (compute: Binary): Lane =>
  (format, a, b, env) => {
    const daz = env.denormalsAreZero
    return pack(format, compute(format, unpack(format, a, daz), unpack(format, b, daz), env))
  }
const unaryLane = (compute: (to: Format, a: Value, env: SseEnv) => Value): Lane =>
  binaryLane((to, _a, b, env) => compute(to, b, env))

/** MIN and MAX hand back the second operand as it is when the two are equal zeros or not ordered. */
const extreme =
  (wanted: number): Binary =>
  (_to, a, b, env) =>
    soft.compare(a, b, env, true) === wanted ? a : b

/** Predicates 0-3 of CMPxx; 4-7 are their opposites. */
const PREDICATES: readonly ((order: number) => boolean)[] = [
  (order) => order === ORDER.equal,
  (order) => order === ORDER.less,
  (order) => order === ORDER.less || order === ORDER.equal,
  (order) => order === ORDER.unordered,
]
const compareLane: Lane = (format, a, b, env, imm) => {
  const daz = env.denormalsAreZero
  const kind = imm & 3
  const order = soft.compare(unpack(format, a, daz), unpack(format, b, daz), env, kind === 1 || kind === 2)
  return PREDICATES[kind]!(order) !== ((imm & 4) !== 0) ? -1n : 0n
}
const roundLane: Lane = (format, _a, b, env, imm) => {
  const value = unpack(format, b, env.denormalsAreZero)
  const rounding = imm & 4 ? env.rounding : imm & 3
  return pack(format, soft.roundToIntegral(value, rounding, env, (imm & 8) !== 0))
}

function four(name: string, lane: Lane): Record<string, Helper> {
  return {
    [`${name}ps`]: lanewise(F32, 4, lane),
    [`${name}pd`]: lanewise(F64, 2, lane),
    [`${name}ss`]: lanewise(F32, 1, lane),
    [`${name}sd`]: lanewise(F64, 1, lane),
  }
}

const ZF_PF_CF = 0x45
const comparison =
  (format: Format, signalQuiet: boolean): Helper =>
  (cpu, insn) => {
    const env = sseEnv(cpu)
    const size = bytesOf(format)
    const read = (at: number): Value => unpack(format, cpu.hostValue(at, size), env.denormalsAreZero)
    const order = soft.compare(read(registerAddress(cpu, insn)), read(insn.host), env, signalQuiet)
    raiseFlags(cpu, env)
    const flags = order === ORDER.unordered ? ZF_PF_CF : order === ORDER.equal ? 0x40 : order === ORDER.less ? 1 : 0
    cpu.setU64(AT.ccB, BigInt(flags))
    cpu.setU32(AT.ccOp, 0)
    return STATUS.next
  }

/* ---- horizontal ---- */

const add: Binary = soft.add
const sub: Binary = soft.sub

/** Lanes in pairs: of the destination, then of the source. */
function pairwise(format: Format, count: number, compute: Binary): Helper {
  return (cpu, insn) => {
    const env = sseEnv(cpu)
    const size = bytesOf(format)
    const to = registerAddress(cpu, insn)
    const lanes = [to, insn.host].flatMap((from) =>
      Array.from({ length: count }, (_, i) =>
        unpack(format, cpu.hostValue(from + i * size, size), env.denormalsAreZero),
      ),
    )
    const out = Array.from({ length: count }, (_, i) =>
      pack(format, compute(format, lanes[2 * i]!, lanes[2 * i + 1]!, env)),
    )
    raiseFlags(cpu, env)
    out.forEach((bits, i) => cpu.setHostValue(to + i * size, size, bits))
    return STATUS.next
  }
}
/** Even lanes subtract, odd lanes add. */
function alternating(format: Format, count: number): Helper {
  return (cpu, insn) => {
    const env = sseEnv(cpu)
    const size = bytesOf(format)
    const to = registerAddress(cpu, insn)
    const out = Array.from({ length: count }, (_, i) =>
      binaryLane(i & 1 ? add : sub)(
        format,
        cpu.hostValue(to + i * size, size),
        cpu.hostValue(insn.host + i * size, size),
        env,
        0,
      ),
    )
    raiseFlags(cpu, env)
    out.forEach((bits, i) => cpu.setHostValue(to + i * size, size, bits))
    return STATUS.next
  }
}
/** Sum of the products that imm's high bits choose, into the lanes that its low bits choose; added in pairs (SDM vol. 2, DPPS). */
function dotProduct(format: Format, count: number): Helper {
  return (cpu, insn) => {
    const env = sseEnv(cpu)
    const size = bytesOf(format)
    const to = registerAddress(cpu, insn)
    const imm = immediateOf(cpu, insn)
    const read = (at: number): Value => unpack(format, cpu.hostValue(at, size), env.denormalsAreZero)
    const products = Array.from({ length: count }, (_, i) =>
      imm & (0x10 << i) ? soft.mul(format, read(to + i * size), read(insn.host + i * size), env) : soft.zero(0),
    )
    raiseFlags(cpu, env)
    const plus = (a: Value, b: Value): Value => {
      const sum = soft.add(format, again(format, a, env), again(format, b, env), env)
      raiseFlags(cpu, env)
      return sum
    }
    let sum = plus(products[0]!, products[1]!)
    if (count === 4) sum = plus(sum, plus(products[2]!, products[3]!))
    const bits = pack(format, sum)
    for (let i = 0; i < count; i++) cpu.setHostValue(to + i * size, size, imm & (1 << i) ? bits : 0n)
    return STATUS.next
  }
}
/** A result as an operand. */
const again = (format: Format, v: Value, env: SseEnv): Value => unpack(format, pack(format, v), env.denormalsAreZero)

export const SSE_FLOAT_HELPERS: Readonly<Record<string, Helper>> = {
  ...four('add', binaryLane(soft.add)),
  ...four('sub', binaryLane(soft.sub)),
  ...four('mul', binaryLane(soft.mul)),
  ...four('div', binaryLane(soft.div)),
  ...four('sqrt', unaryLane(soft.sqrt)),
  ...four('min', binaryLane(extreme(ORDER.less))),
  ...four('max', binaryLane(extreme(ORDER.greater))),
  ...four('cmp', compareLane),
  ...four('round', roundLane),
  ucomiss: comparison(F32, false),
  ucomisd: comparison(F64, false),
  comiss: comparison(F32, true),
  comisd: comparison(F64, true),
  haddps: pairwise(F32, 4, add),
  haddpd: pairwise(F64, 2, add),
  hsubps: pairwise(F32, 4, sub),
  hsubpd: pairwise(F64, 2, sub),
  addsubps: alternating(F32, 4),
  addsubpd: alternating(F64, 2),
  dpps: dotProduct(F32, 4),
  dppd: dotProduct(F64, 2),
}
