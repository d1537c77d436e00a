/** What helpers read of the instruction that called them: fields of the predecoded record (decode/decoder.ts). */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { TF } from '../semantics/flags.ts'
import { AT, segAt, STATE } from '../state/layout.ts'
import type { HelperInsn } from './helper.ts'

/** Number of the general register in the reg field (or in the place of it). */
export const registerNumber = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 4) >> 3
/** Number of the segment register of an Sr operand. */
export const segmentOperand = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 4)
/** Number of the control or debug register of a Cr or Dr operand. */
export const controlNumber = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 5)
export const displacement = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getInt32(insn.record + 8, true)
export const immediate = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getInt32(insn.record + 12, true)
/** Segment of the memory operand. */
const segmentOf = (cpu: Cpu, insn: HelperInsn): number => (cpu.view.getUint8(insn.record + 7) >> 2) & 7

/** The register of an operand R (general register in place of G), or of Cr's and Dr's partner. */
export function setRegister(cpu: Cpu, insn: HelperInsn, value: bigint, size: number): void {
  cpu.setGpr(registerNumber(cpu, insn), value, size)
}

/** The ModRM operand, register or memory, zero-extended. */
export const readRm = (cpu: Cpu, insn: HelperInsn, size: number): bigint => cpu.hostValue(insn.host, size)

/** Writes operand 0, an E or M. */
export function writeRm(cpu: Cpu, insn: HelperInsn, value: bigint): void {
  const operand = insn.variant.operands[0]!
  if (operand.kind === 'E' && !insn.variant.memory) {
    cpu.setGpr((insn.host - STATE) >> 3, value, operand.size)
    return
  }
  cpu.setHostValue(insn.host, operand.size, value)
  cpu.commit(insn.host)
}

/** Linear address of [M- operand + offset], checked against its segment outside 64-bit mode. */
export function operandAddress(cpu: Cpu, insn: HelperInsn, offset: number, size: number, write: boolean): bigint {
  const ea = cpu.u64(AT.ea) + BigInt(offset)
  if (cpu.u32(AT.codeSize) === 8) return BigInt.asUintN(64, ea)
  const segment = segmentOf(cpu, insn)
  return cpu.linear(segment, BigInt.asUintN(32, ea - cpu.u64(segAt(segment, 'base'))), size, write)
}
export const readOperand = (cpu: Cpu, insn: HelperInsn, offset: number, size: number): bigint =>
  cpu.readLinear(operandAddress(cpu, insn, offset, size, false), size)

/** After an instruction that changed what code or data addresses mean: fetch anew. */
export function goOn(cpu: Cpu): number {
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}

/** After a transfer of control that may have enabled interrupts or single-stepping. */
export function transferred(cpu: Cpu): number {
  return cpu.u32(AT.eflags) & TF || cpu.u32(AT.attention) ? STATUS.leave : STATUS.jump
}
