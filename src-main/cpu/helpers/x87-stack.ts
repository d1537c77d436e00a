/** The x87 register stack and what surrounds each of its instructions (SDM vol. 1, 8.1 and 8.4 to 8.6). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { F80, F80_PC24, F80_PC53, FLAG, type FloatEnv, type Format, type Value } from '../softfloat/core.ts'
import { chooseExtendedNaN, packExtended, unpackExtended, type Extended } from '../softfloat/extended.ts'
import { AT, CS, SEG, segAt, SS } from '../state/layout.ts'
import { checkPending, checkX87, updateSummary } from './fpu-state.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'

/** The default response to an invalid operation. */
export const REAL_INDEFINITE: Extended = { signExponent: 0xffff, significand: 0xc000000000000000n }
const STACK_FAULT = 0x40
/** Condition codes in the status word. */
export const C0 = 0x100
export const C1 = 0x200
export const C2 = 0x400
export const C3 = 0x4000
const EMPTY = 3
/** Exceptions found before the operation: unmasked, they leave everything as it was. */
const BEFORE = FLAG.invalid | FLAG.denormal | FLAG.zeroDivide

const tagOf = ({ signExponent, significand }: Extended): number => {
  const exponent = signExponent & 0x7fff
  if (exponent === 0) return significand === 0n ? 1 : 2
  return exponent === 0x7fff || !(significand >> 63n) ? 2 : 0
}
const physical = (cpu: Cpu, n: number): number => (cpu.u32(AT.ftop) + n) & 7
export function setRegister(cpu: Cpu, n: number, value: Extended): void {
  const p = physical(cpu, n)
  cpu.setU64(AT.st + 16 * p, value.significand)
  cpu.view.setUint16(AT.st + 16 * p + 8, value.signExponent, true)
  cpu.setU32(AT.ftw, (cpu.u32(AT.ftw) & ~(3 << (2 * p))) | (tagOf(value) << (2 * p)))
}
export function getRegister(cpu: Cpu, n: number): Extended {
  const at = AT.st + 16 * physical(cpu, n)
  return { signExponent: cpu.view.getUint16(at + 8, true), significand: cpu.u64(at) }
}
export const valueAt = (cpu: Cpu, n: number): Value => unpackExtended(getRegister(cpu, n))
export const setValue = (cpu: Cpu, n: number, value: Value): void => setRegister(cpu, n, packExtended(value))
export const isEmpty = (cpu: Cpu, n: number): boolean => ((cpu.u32(AT.ftw) >> (2 * physical(cpu, n))) & 3) === EMPTY
export function free(cpu: Cpu, n: number): void {
  cpu.setU32(AT.ftw, cpu.u32(AT.ftw) | (EMPTY << (2 * physical(cpu, n))))
}
export const moveTop = (cpu: Cpu, by: number): void => cpu.setU32(AT.ftop, (cpu.u32(AT.ftop) + by) & 7)
export function pop(cpu: Cpu): void {
  free(cpu, 0)
  moveTop(cpu, 1)
}
/** ST(i) of a register form. */
export const stOf = (insn: HelperInsn): number => (insn.host - AT.st) >> 4

/** Replaces bits of the status word. */
export const setStatus = (cpu: Cpu, clear: number, set: number): void =>
  cpu.setU32(AT.fsw, (cpu.u32(AT.fsw) & ~clear) | set)

/** Underflow (C1 = 0) or overflow (C1 = 1) of the stack; true when masked, so that the default response follows. */
export function stackFault(cpu: Cpu, isOverflow: boolean): boolean {
  setStatus(cpu, C1, FLAG.invalid | STACK_FAULT | (isOverflow ? C1 : 0))
  updateSummary(cpu)
  return (cpu.u32(AT.fcw) & FLAG.invalid) !== 0
}
/** Are registers 0..n-1 there? If not, the fault, and when it is masked the default response is up to `respond`. */
export function present(cpu: Cpu, registers: readonly number[], respond: () => void): boolean {
  if (!registers.some((n) => isEmpty(cpu, n))) return true
  if (stackFault(cpu, false)) respond()
  return false
}

/** Pushes; onto a full stack that is an invalid operation with C1 = 1, and nothing happens when it is unmasked. */
export function push(cpu: Cpu, value: Extended): void {
  const isRoom = isEmpty(cpu, -1)
  if (isRoom) setStatus(cpu, C1, 0)
  else if (!stackFault(cpu, true)) return
  moveTop(cpu, -1)
  setRegister(cpu, 0, isRoom ? value : REAL_INDEFINITE)
}

export const environment = (cpu: Cpu): FloatEnv => ({
  rounding: (cpu.u32(AT.fcw) >> 10) & 3,
  masks: cpu.u32(AT.fcw) & 0x3f,
  flushToZero: false,
  wrap: true,
  chooseNaN: chooseExtendedNaN,
  flags: 0,
  roundedUp: false,
})
/** Precision control: add, subtract, multiply, divide and square root round to it. */
export function precision(cpu: Cpu): Format {
  const control = (cpu.u32(AT.fcw) >> 8) & 3
  return control === 0 ? F80_PC24 : control === 2 ? F80_PC53 : F80
}

/** Enters the exceptions and C1 of an operation in the status word; true when its result is to be stored. */
export function accept(cpu: Cpu, env: FloatEnv, toMemory = false): boolean {
  const open = env.flags & ~env.masks
  const isKept = (open & BEFORE) !== 0 || (toMemory && (open & (FLAG.overflow | FLAG.underflow)) !== 0)
  const flags = open & BEFORE ? env.flags & BEFORE : isKept ? env.flags & ~FLAG.inexact : env.flags
  setStatus(cpu, C1, flags | (env.roundedUp && !isKept ? C1 : 0))
  updateSummary(cpu)
  return !isKept
}

/** Bytes 1 and 2 of the instruction without prefixes: the 11 bits of the last opcode. */
function lastOpcode(cpu: Cpu): number {
  const start = cpu.u64(AT.rip) + cpu.u64(segAt(CS, 'base'))
  for (let n = 0n; n < 14n; n++) {
    const at = cpu.u32(AT.codeSize) === 8 ? start + n : BigInt.asUintN(32, start + n)
    const byte = Number(cpu.readLinear(at, 1, true))
    if (byte >> 3 === 0xd8 >> 3) return ((byte & 7) << 8) | Number(cpu.readLinear(at + 1n, 1, true))
  }
  return 0
}
const segmentOf = (cpu: Cpu, insn: HelperInsn): number => (cpu.view.getUint8(insn.record + 7) >> 2) & 7

/** Offset of the memory operand in its segment. */
export function offsetOf(cpu: Cpu, insn: HelperInsn): bigint {
  const ea = cpu.u64(AT.ea)
  const segment = segmentOf(cpu, insn)
  if (cpu.u32(AT.codeSize) === 8 && segment < 4) return ea
  const offset = ea - cpu.u64(segAt(segment, 'base'))
  return BigInt.asUintN(cpu.u32(AT.codeSize) === 8 ? 64 : 32, offset)
}
/** Linear address of a memory operand of `size` bytes that the record gives only the address of. */
export function reach(cpu: Cpu, insn: HelperInsn, size: number, write: boolean): bigint {
  const segment = segmentOf(cpu, insn)
  if (cpu.u32(AT.codeSize) !== 8) return cpu.linear(segment, offsetOf(cpu, insn), size, write)
  const ea = cpu.u64(AT.ea)
  const isCanonical = [ea, ea + BigInt(size - 1)].every((x) => BigInt.asIntN(48, x) === BigInt.asIntN(64, x))
  if (!isCanonical) throw new GuestFault(segment === SS ? VECTOR.SS : VECTOR.GP, 0)
  return ea
}
/** Makes sure that all of [at, at + size) may be written. */
export function probe(cpu: Cpu, at: bigint, size: number): void {
  cpu.probeWrite(at, 1)
  cpu.probeWrite(at + BigInt(size - 1), 1)
}

/** Last instruction and data pointers (SDM vol. 1, 8.1.8); the opcode is kept of instructions with an unmasked exception, as by current processors. */
function keepPointers(cpu: Cpu, insn: HelperInsn): void {
  cpu.setU64(AT.fip, cpu.u64(AT.rip))
  cpu.setU32(AT.fcs, cpu.u32(AT.segments + 32 * CS + SEG.selector) & 0xffff)
  if (insn.variant.operands.some((o) => o.kind === 'M' || o.kind === 'M-')) {
    cpu.setU64(AT.fdp, offsetOf(cpu, insn))
    cpu.setU32(AT.fds, cpu.u32(segAt(segmentOf(cpu, insn), 'selector')) & 0xffff)
  }
  if (cpu.u32(AT.fsw) & 0x80) cpu.setU32(AT.fop, lastOpcode(cpu))
}

/** A helper for an instruction that waits for pending exceptions and is remembered by the pointers. */
export const computing =
  (body: (cpu: Cpu, insn: HelperInsn) => void): Helper =>
  (cpu, insn) => {
    checkX87(cpu)
    checkPending(cpu)
    body(cpu, insn)
    keepPointers(cpu, insn)
    return STATUS.next
  }
/** The same for control instructions, which leave the pointers alone. */
export const controlling =
  (body: (cpu: Cpu, insn: HelperInsn) => void): Helper =>
  (cpu, insn) => {
    checkX87(cpu)
    checkPending(cpu)
    body(cpu, insn)
    return STATUS.next
  }
