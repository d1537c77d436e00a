/** Conversions of SSE done exactly: see sse-float.ts for when. */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import * as soft from '../softfloat/core.ts'
import { F32, F64, ROUND, type Format } from '../softfloat/core.ts'
import { pack, unpack } from '../softfloat/pack.ts'
import { AT } from '../state/layout.ts'
import type { Helper, HelperInsn } from './helper.ts'
import { raiseFlags, registerAddress, sseEnv, type SseEnv } from './sse-operands.ts'

/** One element of `from` bytes to one of `to` bytes. */
interface Conversion {
  readonly from: number
  readonly to: number
  readonly convert: (bits: bigint, env: SseEnv) => bigint
}
const between = (from: Format, to: Format): Conversion => ({
  from: from === F32 ? 4 : 8,
  to: to === F32 ? 4 : 8,
  convert: (bits, env) => pack(to, soft.convert(to, unpack(from, bits, env.denormalsAreZero), env)),
})
/** What does not fit becomes the integer indefinite, the smallest number. */
const toInteger = (from: Format, bytes: 4 | 8, truncate: boolean): Conversion => ({
  from: from === F32 ? 4 : 8,
  to: bytes,
  convert: (bits, env) => {
    const value = unpack(from, bits, env.denormalsAreZero)
    const rounding = truncate ? ROUND.zero : env.rounding
    return soft.toInteger(value, bytes * 8, rounding, env) ?? 1n << BigInt(bytes * 8 - 1)
  },
})
const fromInteger = (bytes: 4 | 8, to: Format): Conversion => ({
  from: bytes,
  to: to === F32 ? 4 : 8,
  convert: (bits, env) => pack(to, soft.fromInteger(to, BigInt.asIntN(bytes * 8, bits), env)),
})

/** `count` elements of the source, converted; nothing is written when an exception is unmasked. */
function elements(cpu: Cpu, insn: HelperInsn, kind: Conversion, count: number): bigint[] {
  const env = sseEnv(cpu)
  const out = Array.from({ length: count }, (_, i) =>
    kind.convert(cpu.hostValue(insn.host + i * kind.from, kind.from), env),
  )
  raiseFlags(cpu, env)
  return out
}

/** Into an XMM register; what lies above the results is kept, or cleared up to 16 bytes. */
const toXmm =
  (kind: Conversion, count: number, clears = false): Helper =>
  (cpu, insn) => {
    const to = registerAddress(cpu, insn)
    const out = elements(cpu, insn, kind, count)
    if (clears) cpu.bytes.fill(0, to, to + 16)
    out.forEach((bits, i) => cpu.setHostValue(to + i * kind.to, kind.to, bits))
    return STATUS.next
  }

const toMmx =
  (kind: Conversion): Helper =>
  (cpu, insn) => {
    const to = registerAddress(cpu, insn, AT.st)
    // the transition to MMX happens even where an exception keeps the result away
    cpu.setU32(AT.ftop, 0)
    cpu.setU32(AT.ftw, 0)
    const out = elements(cpu, insn, kind, 2)
    out.forEach((bits, i) => cpu.setHostValue(to + i * 4, 4, bits))
    cpu.setHostValue(to + 8, 2, 0xffffn)
    return STATUS.next
  }
/** From an MMX register or memory; the operation has done the transition. */
const fromMmx = (to: Format): Helper => toXmm(fromInteger(4, to), 2)

/** Into a general register, 4 or 8 bytes as the operand says. */
const toGeneral =
  (from: Format, truncate: boolean): Helper =>
  (cpu, insn) => {
    const bytes = insn.variant.operands[0]!.size === 8 ? 8 : 4
    const [value] = elements(cpu, insn, toInteger(from, bytes, truncate), 1)
    cpu.setGpr(cpu.view.getUint8(insn.record + 4) / 8, value!, bytes)
    return STATUS.next
  }
const fromGeneral =
  (to: Format): Helper =>
  (cpu, insn) =>
    toXmm(fromInteger(insn.variant.operands[1]!.size === 8 ? 8 : 4, to), 1)(cpu, insn)

export const SSE_CONVERT_HELPERS: Readonly<Record<string, Helper>> = {
  cvtsi2ss: fromGeneral(F32),
  cvtsi2sd: fromGeneral(F64),
  cvttss2si: toGeneral(F32, true),
  cvttsd2si: toGeneral(F64, true),
  cvtss2si: toGeneral(F32, false),
  cvtsd2si: toGeneral(F64, false),
  cvtps2pd: toXmm(between(F32, F64), 2),
  cvtpd2ps: toXmm(between(F64, F32), 2, true),
  cvtss2sd: toXmm(between(F32, F64), 1),
  cvtsd2ss: toXmm(between(F64, F32), 1),
  cvtdq2ps: toXmm(fromInteger(4, F32), 4),
  cvtps2dq: toXmm(toInteger(F32, 4, false), 4),
  cvttps2dq: toXmm(toInteger(F32, 4, true), 4),
  cvtpd2dq: toXmm(toInteger(F64, 4, false), 2, true),
  cvttpd2dq: toXmm(toInteger(F64, 4, true), 2, true),
  cvtpi2ps: fromMmx(F32),
  cvtpi2pd: fromMmx(F64),
  cvttps2pi: toMmx(toInteger(F32, 4, true)),
  cvtps2pi: toMmx(toInteger(F32, 4, false)),
  cvttpd2pi: toMmx(toInteger(F64, 4, true)),
  cvtpd2pi: toMmx(toInteger(F64, 4, false)),
}
