/** Port I/O, time stamps, random numbers and other single instructions. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, ES, FS, GS, RAX, RCX, RDI, RDX, RBP, RSI, RSP, segAt, SS, TR } from '../state/layout.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'
import { isReal, isVm86, moveStack, requireRing0 } from './segments.ts'

type PortWidth = 1 | 2 | 4

/** IOPL or the TSS's I/O permission bitmap (SDM vol. 1, 19.5). */
function checkPort(cpu: Cpu, port: number, width: PortWidth): void {
  const iopl = (cpu.u32(AT.eflags) >> 12) & 3
  if (isReal(cpu) || (cpu.u32(AT.cpl) <= iopl && !isVm86(cpu))) return
  const refuse = (): never => {
    throw new GuestFault(VECTOR.GP, 0)
  }
  const limit = cpu.u32(segAt(TR, 'limit'))
  if ((cpu.u32(segAt(TR, 'attr')) & 0x88) !== 0x88 || limit < 103) refuse()
  const base = cpu.u64(segAt(TR, 'base'))
  const at = Number(cpu.readLinear(base + 102n, 2, true)) + (port >> 3)
  if (at + 1 > limit) refuse()
  const bits = Number(cpu.readLinear(base + BigInt(at), 2, true))
  if (bits & (((1 << width) - 1) << (port & 7))) refuse()
}
const portWidth = (size: number): PortWidth => (size === 1 ? 1 : size === 2 ? 2 : 4)

function input(cpu: Cpu, insn: HelperInsn, port: number): number {
  const width = portWidth(insn.variant.operands[0]!.size)
  checkPort(cpu, port, width)
  cpu.setGpr(RAX, BigInt(cpu.host.portRead(port, width) >>> 0), width)
  return afterIo(cpu)
}
function output(cpu: Cpu, insn: HelperInsn, port: number): number {
  const width = portWidth(insn.variant.operands[0]!.size)
  checkPort(cpu, port, width)
  cpu.host.portWrite(port, width, Number(cpu.gpr(RAX, width)))
  return afterIo(cpu)
}
/** A device may have raised an interrupt, or ended the machine. */
const afterIo = (cpu: Cpu): number => (cpu.u32(AT.attention) ? STATUS.steer : STATUS.next)
const immediate = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 12)
const dx = (cpu: Cpu): number => Number(cpu.gpr(RDX, 2))

/** INS and OUTS: one element a step, registers written after each, so that faults and interrupts find them right. */
const string =
  (isInput: boolean, byte: boolean): Helper =>
  (cpu, insn) => {
    const width: PortWidth = byte ? 1 : insn.variant.operandSize === 2 ? 2 : 4
    const packed = cpu.view.getUint8(insn.record + 7)
    const addressSize = 2 << ((packed >> 5) & 3)
    const segment = isInput ? ES : (packed >> 2) & 7
    const pointer = isInput ? RDI : RSI
    const step = cpu.u32(AT.eflags) & 0x400 ? -width : width
    const repeat = insn.variant.repeat !== 0
    checkPort(cpu, dx(cpu), width)
    for (let left = 1024; ; left--) {
      if (repeat && cpu.gpr(RCX, addressSize) === 0n) return afterIo(cpu)
      if (left === 0) return STATUS.leave
      const linear = cpu.linear(segment, cpu.gpr(pointer, addressSize), width, isInput)
      if (isInput) {
        cpu.probeWrite(linear, width)
        cpu.writeLinear(linear, width, BigInt(cpu.host.portRead(dx(cpu), width) >>> 0))
      } else cpu.host.portWrite(dx(cpu), width, Number(cpu.readLinear(linear, width)))
      cpu.setGpr(pointer, cpu.gpr(pointer, addressSize) + BigInt(step), addressSize)
      if (!repeat) return afterIo(cpu)
      cpu.setGpr(RCX, cpu.gpr(RCX, addressSize) - 1n, addressSize)
    }
  }

function timeStamp(cpu: Cpu): void {
  // CR4.TSD
  if (cpu.u64(AT.cr4) & 4n && cpu.u32(AT.cpl) !== 0) throw new GuestFault(VECTOR.GP, 0)
  const tsc = cpu.tsc()
  cpu.setGpr(RAX, tsc, 4)
  cpu.setGpr(RDX, tsc >> 32n, 4)
}
const random: Helper = (cpu, insn) => {
  const size = insn.variant.operands[0]!.size
  const bytes = new Uint8Array(8)
  cpu.host.random(bytes)
  cpu.setGpr(cpu.view.getUint8(insn.record + 4) / 8, new DataView(bytes.buffer).getBigUint64(0, true), size)
  cpu.rflags = (cpu.rflags & ~0x8d5) | 1
  return STATUS.next
}
const requireFsgsbase = (cpu: Cpu): void => {
  if ((cpu.u64(AT.cr4) & 0x10000n) === 0n) throw new GuestFault(VECTOR.UD)
}
const readBase =
  (segment: number): Helper =>
  (cpu, insn) => {
    requireFsgsbase(cpu)
    cpu.setGpr(cpu.view.getUint8(insn.record + 4) / 8, cpu.u64(segAt(segment, 'base')), insn.variant.operands[0]!.size)
    return STATUS.next
  }
const writeBase =
  (segment: number): Helper =>
  (cpu, insn) => {
    requireFsgsbase(cpu)
    const value = cpu.gpr(cpu.view.getUint8(insn.record + 4) / 8, insn.variant.operands[0]!.size)
    if (BigInt.asIntN(48, value) !== BigInt.asIntN(64, value)) throw new GuestFault(VECTOR.GP, 0)
    cpu.setU64(segAt(segment, 'base'), value)
    return STATUS.next
  }

const stackLinear = (cpu: Cpu, pointer: bigint, size: number, write: boolean): bigint =>
  cpu.linear(SS, pointer, size, write)
const pusha: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const width = cpu.u32(AT.stackSize)
  const sp = cpu.gpr(RSP, width)
  const values = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => cpu.gpr(n, size))
  values.forEach((value, n) => {
    const at = BigInt.asUintN(8 * width, sp - BigInt(size * (n + 1)))
    cpu.writeLinear(stackLinear(cpu, at, size, true), size, value)
  })
  moveStack(cpu, -8 * size)
  return STATUS.next
}
const popa: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const width = cpu.u32(AT.stackSize)
  const sp = cpu.gpr(RSP, width)
  const values = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => {
    const at = BigInt.asUintN(8 * width, sp + BigInt(size * n))
    return cpu.readLinear(stackLinear(cpu, at, size, false), size)
  })
  values.forEach((value, n) => {
    if (n !== 3) cpu.setGpr(7 - n, value, size)
  })
  moveStack(cpu, 8 * size)
  return STATUS.next
}
/** ENTER with its nesting levels; RSP and RBP change only when every push has gone well. */
const enter: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const width = cpu.u32(AT.stackSize)
  const imm = cpu.u32(insn.record + 12)
  const level = (imm >>> 16) & 31
  let sp = cpu.gpr(RSP, width)
  const wrap = (v: bigint): bigint => BigInt.asUintN(8 * width, v)
  const push = (value: bigint): void => {
    sp = wrap(sp - BigInt(size))
    cpu.writeLinear(stackLinear(cpu, sp, size, true), size, value)
  }
  push(cpu.gpr(RBP, size))
  const frame = sp
  let bp = cpu.gpr(RBP, width)
  for (let n = 1; n < level; n++) {
    bp = wrap(bp - BigInt(size))
    push(cpu.readLinear(stackLinear(cpu, bp, size, false), size))
  }
  if (level > 0) push(frame)
  cpu.setGpr(RBP, frame, size)
  cpu.setGpr(RSP, wrap(sp - BigInt(imm & 0xffff)), width)
  return STATUS.next
}
const bound: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const ea = cpu.u64(AT.ea)
  const signed = (v: bigint): bigint => BigInt.asIntN(8 * size, v)
  const index = signed(cpu.gpr(cpu.view.getUint8(insn.record + 4) / 8, size))
  const lower = signed(cpu.readLinear(ea, size))
  const upper = signed(cpu.readLinear(ea + BigInt(size), size))
  if (index < lower || index > upper) throw new GuestFault(VECTOR.BR)
  return STATUS.next
}
/** Not offered by CPUID. */
const undefinedHere: Helper = () => {
  throw new GuestFault(VECTOR.UD)
}

export const IO_HELPERS: Readonly<Record<string, Helper>> = {
  in_imm: (cpu, insn) => input(cpu, insn, immediate(cpu, insn)),
  in_dx: (cpu, insn) => input(cpu, insn, dx(cpu)),
  out_imm: (cpu, insn) => output(cpu, insn, immediate(cpu, insn)),
  out_dx: (cpu, insn) => output(cpu, insn, dx(cpu)),
  insb: string(true, true),
  ins: string(true, false),
  outsb: string(false, true),
  outs: string(false, false),
  rdtsc: (cpu) => {
    timeStamp(cpu)
    return STATUS.next
  },
  rdtscp: (cpu) => {
    timeStamp(cpu)
    cpu.setGpr(RCX, cpu.u64(AT.tscAux), 4)
    return STATUS.next
  },
  rdpid: (cpu, insn) => {
    cpu.setGpr(cpu.view.getUint8(insn.record + 4) / 8, cpu.u64(AT.tscAux) & 0xffffffffn)
    return STATUS.next
  },
  rdpmc: (cpu) => {
    requireRing0(cpu)
    throw new GuestFault(VECTOR.GP, 0)
  },
  rdrand: random,
  rdseed: random,
  rdfsbase: readBase(FS),
  rdgsbase: readBase(GS),
  wrfsbase: writeBase(FS),
  wrgsbase: writeBase(GS),
  pusha,
  popa,
  enter,
  bound,
  monitor: undefinedHere,
  mwait: undefinedHere,
}
