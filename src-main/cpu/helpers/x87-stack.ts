/** The x87 register stack and loads of integers, which are exact (SDM vol. 1, 8.1.2 and 8.5.1.1). */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { AT } from '../state/layout.ts'
import { checkPending, checkX87, updateSummary } from './fpu-state.ts'
import type { Helper } from './helper.ts'

/** An 80-bit value: sign and exponent (bias 16383) in the high 16 bits. */
export interface Extended {
  readonly signExponent: number
  readonly significand: bigint
}
const BIAS = 16383
/** The default response to an invalid operation. */
export const REAL_INDEFINITE: Extended = { signExponent: 0xffff, significand: 0xc000000000000000n }
const INVALID = 0x01
const STACK_FAULT = 0x40
const C1 = 0x200
const EMPTY = 3

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
const isEmpty = (cpu: Cpu, n: number): boolean => ((cpu.u32(AT.ftw) >> (2 * physical(cpu, n))) & 3) === EMPTY

/** Pushes; onto a full stack that is an invalid operation with C1 = 1, and nothing happens when it is unmasked. */
export function push(cpu: Cpu, value: Extended): void {
  let result = value
  if (isEmpty(cpu, -1)) cpu.setU32(AT.fsw, cpu.u32(AT.fsw) & ~C1)
  else {
    cpu.setU32(AT.fsw, cpu.u32(AT.fsw) | INVALID | STACK_FAULT | C1)
    updateSummary(cpu)
    if ((cpu.u32(AT.fcw) & INVALID) === 0) return
    result = REAL_INDEFINITE
  }
  cpu.setU32(AT.ftop, (cpu.u32(AT.ftop) + 7) & 7)
  setRegister(cpu, 0, result)
}

export function fromInteger(value: bigint): Extended {
  if (value === 0n) return { signExponent: 0, significand: 0n }
  const magnitude = value < 0n ? -value : value
  const length = magnitude.toString(2).length
  return {
    signExponent: (value < 0n ? 0x8000 : 0) | (BIAS + length - 1),
    significand: magnitude << BigInt(64 - length),
  }
}

const fild: Helper = (cpu, insn) => {
  checkX87(cpu)
  checkPending(cpu)
  const { size } = insn.variant.operands[0]!
  push(cpu, fromInteger(BigInt.asIntN(8 * size, cpu.hostValue(insn.host, size))))
  return STATUS.next
}
export const X87_STACK_HELPERS: Readonly<Record<string, Helper>> = { fild }
