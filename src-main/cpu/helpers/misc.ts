/** Time, random numbers, translation caches, and the long stack instructions. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { ARITHMETIC, CF } from '../semantics/flags.ts'
import { AT, RAX, RBP, RCX, RDX, RSP, SCRATCH } from '../state/layout.ts'
import { GuestFault, type Helper } from './helper.ts'
import { canonical, CR4, requireCpl0 } from './modes.ts'
import { goOn, immediate, readOperand, registerNumber, setRegister } from './operands.ts'
import { gp } from './segments.ts'
import { currentStack } from './stack.ts'
import { readTsc } from './tsc.ts'

function setLow(cpu: Cpu, register: number, value: number): void {
  cpu.setU32(AT.gpr + 8 * register, value)
  cpu.setU32(AT.gpr + 8 * register + 4, 0)
}

function timeStamp(cpu: Cpu): void {
  if (cpu.u32(AT.cr4) & CR4.TSD) requireCpl0(cpu)
  // kernels read it at every system call: split by memory, not by arithmetic with bigints
  cpu.setU64(SCRATCH, readTsc(cpu))
  setLow(cpu, RAX, cpu.u32(SCRATCH))
  setLow(cpu, RDX, cpu.u32(SCRATCH + 4))
}
const rdtsc: Helper = (cpu) => {
  timeStamp(cpu)
  return STATUS.next
}
const rdtscp: Helper = (cpu) => {
  timeStamp(cpu)
  cpu.setGpr(RCX, cpu.u64(AT.tscAux), 4)
  return STATUS.next
}
/** No performance counters: every index is beyond them. */
const rdpmc: Helper = () => {
  throw gp(0)
}
const rdpid: Helper = (cpu, insn) => {
  setRegister(cpu, insn, cpu.u64(AT.tscAux), 8)
  return STATUS.next
}

/** CF says that there was a number, and there always is; the other flags are cleared. */
const random: Helper = (cpu, insn) => {
  const { size } = insn.variant.operands[0]!
  const bytes = new Uint8Array(8)
  cpu.host.random(bytes)
  setRegister(cpu, insn, new DataView(bytes.buffer).getBigUint64(0, true), size)
  cpu.rflags = (cpu.rflags & ~ARITHMETIC) | CF
  return STATUS.next
}

const invlpg: Helper = (cpu) => {
  requireCpl0(cpu)
  cpu.flushPage(cpu.u64(AT.ea))
  return goOn(cpu)
}
/** One address, one PCID, all but global, all (SDM vol. 2, INVPCID). Translations carry no PCID here, so more is forgotten. */
const invpcid: Helper = (cpu, insn) => {
  requireCpl0(cpu)
  const type = cpu.gpr(registerNumber(cpu, insn), cpu.u32(AT.codeSize) === 8 ? 8 : 4)
  const pcid = readOperand(cpu, insn, 0, 8)
  const address = readOperand(cpu, insn, 8, 8)
  if (type > 3n || (type < 2n && pcid >> 12n)) throw gp(0)
  if (type < 2n && !(cpu.u32(AT.cr4) & CR4.PCIDE) && pcid !== 0n) throw gp(0)
  if (type === 0n && !canonical(address)) throw gp(0)
  if (type === 0n) cpu.flushPage(address)
  // type 2 is the one that includes global pages
  else if (type === 2n) cpu.flushTlb()
  else cpu.flushLocalTlb()
  return goOn(cpu)
}
/** WBINVD, INVD: nothing is cached. */
const cacheControl: Helper = (cpu) => {
  requireCpl0(cpu)
  return STATUS.next
}

const pusha: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const stack = currentStack(cpu)
  for (let n = 0; n < 8; n++) stack.push(cpu.gpr(n, size), size)
  stack.load()
  return STATUS.next
}
const popa: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const stack = currentStack(cpu)
  const values = Array.from({ length: 8 }, () => stack.pop(size)).reverse()
  values.forEach((value, n) => {
    if (n !== RSP) cpu.setGpr(n, value, size)
  })
  stack.load()
  return STATUS.next
}
/** ENTER: immediate bits 0-15 bytes to reserve, 16-20 nesting level. */
const enter: Helper = (cpu, insn) => {
  const long = cpu.u32(AT.codeSize) === 8
  const size = long && insn.variant.operandSize === 4 ? 8 : insn.variant.operandSize
  const packed = immediate(cpu, insn)
  const level = (packed >>> 16) & 31
  const stack = currentStack(cpu)
  const outer = currentStack(cpu)
  outer.pointer = cpu.gpr(RBP, cpu.u32(AT.stackSize))
  stack.push(cpu.gpr(RBP, size), size)
  const frame = stack.pointer
  for (let i = 1; i < level; i++) {
    outer.skip(-size)
    stack.push(outer.peek(0, size), size)
  }
  if (level > 0) stack.push(frame, size)
  stack.skip(-(packed & 0xffff))
  stack.load()
  cpu.setGpr(RBP, frame, size)
  return STATUS.next
}
const undefinedOpcode: Helper = () => {
  throw new GuestFault(VECTOR.UD)
}

export const MISC: Readonly<Record<string, Helper>> = {
  rdtsc,
  rdtscp,
  rdpmc,
  rdpid,
  rdrand: random,
  rdseed: random,
  invlpg,
  invpcid,
  wbinvd: cacheControl,
  invd: cacheControl,
  // CPUID does not offer MONITOR
  monitor: undefinedOpcode,
  mwait: undefinedOpcode,
  pusha,
  popa,
  enter,
}
