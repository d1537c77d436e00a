/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, on AMD's and on Intel's terms (SDM vol. 2; AMD APM vol. 3). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { IF, RF, TF, VM } from '../semantics/flags.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, CS, RCX, RDX, RSP, SS } from '../state/layout.ts'
import { GuestFault, type Helper } from './helper.ts'
import { isLongMode, isReal, requireRing0, setCpl, setSegment, updateMode } from './segments.ts'

const R11 = 11
const CODE64 = 0xa09b
const CODE32 = 0xc09b
const DATA = 0xc093
const DPL3 = 0x60
const canonical = (a: bigint): boolean => BigInt.asIntN(48, a) === BigInt.asIntN(64, a)

function flatCode(cpu: Cpu, selector: number, attr: number, cpl: number): void {
  setSegment(cpu, CS, { selector, base: 0n, limit: 0xffffffff, attr })
  setCpl(cpu, cpl)
}
const flatStack = (cpu: Cpu, selector: number, attr: number): void =>
  setSegment(cpu, SS, { selector, base: 0n, limit: 0xffffffff, attr })

const syscall: Helper = (cpu) => {
  if ((cpu.u64(AT.efer) & 1n) === 0n) throw new GuestFault(VECTOR.UD)
  const size = cpu.u32(AT.codeSize)
  const long = isLongMode(cpu)
  if (cpu.intel && size !== 8) throw new GuestFault(VECTOR.UD)
  const star = cpu.u64(AT.star)
  const selector = Number((star >> 32n) & 0xfffcn)
  const flags = cpu.rflags
  const next = cpu.u64(AT.nextRip)
  if (long) {
    cpu.setGpr(RCX, next)
    cpu.setGpr(R11, BigInt(flags & ~RF))
    flatCode(cpu, selector, CODE64, 0)
    flatStack(cpu, selector + 8, DATA)
    cpu.setU64(AT.rip, cpu.u64(size === 8 ? AT.lstar : AT.cstar))
    updateMode(cpu)
    cpu.rflags = flags & ~Number(cpu.u64(AT.fmask)) & ~RF
  } else {
    cpu.setGpr(RCX, next, 4)
    flatCode(cpu, selector, CODE32, 0)
    flatStack(cpu, selector + 8, DATA)
    updateMode(cpu)
    cpu.setU64(AT.rip, star & 0xffffffffn)
    cpu.rflags = flags & ~(VM | IF | RF)
  }
  return STATUS.jump
}
const sysret: Helper = (cpu, insn) => {
  if ((cpu.u64(AT.efer) & 1n) === 0n || (cpu.intel && cpu.u32(AT.codeSize) !== 8)) throw new GuestFault(VECTOR.UD)
  requireRing0(cpu)
  if (isReal(cpu)) throw new GuestFault(VECTOR.GP, 0)
  const base = Number((cpu.u64(AT.star) >> 48n) & 0xffffn)
  const to64 = insn.variant.operandSize === 8
  const rip = cpu.gpr(RCX, to64 ? 8 : 4)
  // AMD takes a non-canonical address and faults at CPL 3
  if (to64 && cpu.intel && !canonical(rip)) throw new GuestFault(VECTOR.GP, 0)
  const flags = cpu.rflags
  flatCode(cpu, ((to64 ? base + 16 : base) | 3) & 0xffff, (to64 ? CODE64 : CODE32) | DPL3, 3)
  const ss = ((base + 8) | 3) & 0xffff
  if (cpu.intel) flatStack(cpu, ss, DATA | DPL3)
  else {
    // AMD loads the selector alone; base, limit and attributes stay, as an OS that nulls SS notices
    cpu.setU32(AT.segments + SS * 32 + 16, ss)
  }
  updateMode(cpu)
  cpu.setU64(AT.rip, rip)
  cpu.rflags = isLongMode(cpu) ? (Number(cpu.gpr(R11, 4)) & 0x3c7fd7) | 2 : flags | IF
  return cpu.u32(AT.eflags) & TF || (cpu.u32(AT.eflags) & IF && cpu.u32(AT.attention)) ? STATUS.leave : STATUS.jump
}
const sysenter: Helper = (cpu) => {
  if (!cpu.intel && isLongMode(cpu)) throw new GuestFault(VECTOR.UD)
  const selector = Number(cpu.u64(AT.sysenterCs) & 0xfffcn)
  if (isReal(cpu) || selector === 0) throw new GuestFault(VECTOR.GP, 0)
  const long = isLongMode(cpu)
  const flags = cpu.rflags
  flatCode(cpu, selector, long ? CODE64 : CODE32, 0)
  flatStack(cpu, selector + 8, DATA)
  updateMode(cpu)
  cpu.setGpr(RSP, cpu.u64(AT.sysenterEsp), long ? 8 : 4)
  cpu.setU64(AT.rip, long ? cpu.u64(AT.sysenterEip) : cpu.u64(AT.sysenterEip) & 0xffffffffn)
  cpu.rflags = flags & ~(VM | IF | RF)
  return STATUS.jump
}
const sysexit: Helper = (cpu, insn) => {
  if (!cpu.intel && isLongMode(cpu)) throw new GuestFault(VECTOR.UD)
  const base = Number(cpu.u64(AT.sysenterCs) & 0xfffcn)
  if (isReal(cpu) || base === 0 || cpu.u32(AT.cpl) !== 0) throw new GuestFault(VECTOR.GP, 0)
  const to64 = insn.variant.operandSize === 8
  const rip = cpu.gpr(RDX, to64 ? 8 : 4)
  const rsp = cpu.gpr(RCX, to64 ? 8 : 4)
  if (to64 && !(canonical(rip) && canonical(rsp))) throw new GuestFault(VECTOR.GP, 0)
  flatCode(cpu, base + (to64 ? 32 : 16) + 3, (to64 ? CODE64 : CODE32) | DPL3, 3)
  flatStack(cpu, base + (to64 ? 40 : 24) + 3, DATA | DPL3)
  updateMode(cpu)
  cpu.setGpr(RSP, rsp)
  cpu.setU64(AT.rip, rip)
  return STATUS.jump
}
export const SYSCALL_HELPERS: Readonly<Record<string, Helper>> = { syscall, sysret, sysenter, sysexit }
