/** SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM vol. 2; AMD APM vol. 3 where the vendors differ). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { AC, ID, IF, NT, RF, TF, VM, ARITHMETIC, DF } from '../semantics/flags.ts'
import { AT, CS, RCX, RDX, RSP, SS } from '../state/layout.ts'
import { GuestFault, type Helper } from './helper.ts'
import { canonical, EFER, longMode, protectedMode, refreshMode, requireCpl0 } from './modes.ts'
import { transferred } from './operands.ts'
import { gp, writeSegment } from './segments.ts'

const R11 = 11
/** Flat segments as these instructions load them, without descriptors: attributes for level 0. */
const CODE64 = 0xa09b
const CODE32 = 0xc09b
const DATA = 0xc093
const FLAGS_RETURNED = ARITHMETIC | TF | IF | DF | 0x3000 | NT | AC | ID

function loadFlat(cpu: Cpu, code: number, stack: number, long: boolean, cpl: number): void {
  const flat = { base: 0n, limit: 0xffff_ffff }
  writeSegment(cpu, CS, { ...flat, selector: code, attr: (long ? CODE64 : CODE32) | (cpl << 5) })
  writeSegment(cpu, SS, { ...flat, selector: stack, attr: DATA | (cpl << 5) })
  cpu.setU32(AT.cpl, cpl)
  refreshMode(cpu)
}
const isIntel = (cpu: Cpu): boolean => cpu.u32(AT.intel) !== 0
function requireSyscall(cpu: Cpu): void {
  const enabled = (cpu.u32(AT.efer) & EFER.SCE) !== 0
  if (!enabled || !protectedMode(cpu) || (isIntel(cpu) && cpu.u32(AT.codeSize) !== 8)) throw new GuestFault(VECTOR.UD)
}

const syscall: Helper = (cpu) => {
  requireSyscall(cpu)
  const star = cpu.u64(AT.star)
  const selector = Number((star >> 32n) & 0xfffcn)
  const next = cpu.u64(AT.nextRip)
  if (!longMode(cpu)) {
    // AMD's legacy mode
    cpu.setGpr(RCX, next, 4)
    cpu.setU64(AT.rip, star & 0xffffffffn)
    cpu.rflags = cpu.rflags & ~(IF | RF | VM)
    loadFlat(cpu, selector, selector + 8, false, 0)
    return transferred(cpu)
  }
  const target = cpu.u64(cpu.u32(AT.codeSize) === 8 ? AT.lstar : AT.cstar)
  const flags = cpu.rflags & ~RF
  cpu.setGpr(RCX, next)
  cpu.setGpr(R11, BigInt(flags))
  cpu.rflags = flags & ~cpu.u32(AT.fmask)
  cpu.setU64(AT.rip, target)
  loadFlat(cpu, selector, selector + 8, true, 0)
  return transferred(cpu)
}

const sysret: Helper = (cpu, insn) => {
  requireSyscall(cpu)
  requireCpl0(cpu)
  const base = Number(cpu.u64(AT.star) >> 48n)
  const wide = insn.variant.operandSize === 8
  const target = cpu.gpr(RCX, wide ? 8 : 4)
  // Intel checks RCX while still privileged; AMD faults at the first fetch of the outer level
  if (wide && isIntel(cpu) && !canonical(target)) throw gp(0)
  const code = (wide ? base + 16 : base) | 3
  if (longMode(cpu)) cpu.rflags = Number(cpu.gpr(R11, 4)) & FLAGS_RETURNED
  else cpu.rflags = cpu.rflags | IF
  cpu.setU64(AT.rip, target)
  loadFlat(cpu, code & 0xffff, ((base + 8) | 3) & 0xffff, wide, 3)
  return transferred(cpu)
}

function requireSysenter(cpu: Cpu): number {
  if (longMode(cpu) && !isIntel(cpu)) throw new GuestFault(VECTOR.UD)
  const selector = Number(cpu.u64(AT.sysenterCs) & 0xfffcn)
  if (!protectedMode(cpu) || selector === 0) throw gp(0)
  return selector
}
const sysenter: Helper = (cpu) => {
  const selector = requireSysenter(cpu)
  const long = longMode(cpu)
  const bits = long ? 64 : 32
  cpu.rflags = cpu.rflags & ~(VM | IF | RF)
  cpu.setGpr(RSP, BigInt.asUintN(bits, cpu.u64(AT.sysenterEsp)))
  cpu.setU64(AT.rip, BigInt.asUintN(bits, cpu.u64(AT.sysenterEip)))
  loadFlat(cpu, selector, selector + 8, long, 0)
  return transferred(cpu)
}
const sysexit: Helper = (cpu, insn) => {
  const selector = requireSysenter(cpu)
  requireCpl0(cpu)
  const wide = insn.variant.operandSize === 8
  const size = wide ? 8 : 4
  const pointer = cpu.gpr(RCX, size)
  const target = cpu.gpr(RDX, size)
  if (wide && !(canonical(pointer) && canonical(target))) throw gp(0)
  const code = selector + (wide ? 32 : 16)
  cpu.setGpr(RSP, pointer)
  cpu.setU64(AT.rip, target)
  loadFlat(cpu, code | 3, (code + 8) | 3, wide, 3)
  return transferred(cpu)
}

export const SYSTEM_CALLS: Readonly<Record<string, Helper>> = { syscall, sysret, sysenter, sysexit }
