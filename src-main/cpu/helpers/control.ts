/** Control and debug registers, TLB instructions (SDM vol. 3, 2.5 and 17.2). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, CS, segAt } from '../state/layout.ts'
import { updateBlocked } from './blocked.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'
import { ATTR, isLongMode, requireNotUmip, requireRing0, storeOperand, updateMode } from './segments.ts'

const PE = 1n
const ET = 0x10n
const NW = 1n << 29n
const CD = 1n << 30n
const PG = 1n << 31n
const WP = 1n << 16n
/** PE MP EM TS ET NE WP AM NW CD PG. */
const CR0_DEFINED = 0xe005003fn
/** TSD DE PSE PAE MCE PGE OSFXSR OSXMMEXCPT UMIP FSGSBASE PCIDE OSXSAVE SMEP SMAP. */
const CR4_DEFINED = 0x370efcn & ~0x100n
const PAE = 0x20n
const PCIDE = 1n << 17n
/** CR4 bits whose change invalidates translations: PSE PAE PGE PCIDE SMEP SMAP. */
const CR4_FLUSH = 0x3200b0n
const EFER_LME = 0x100n
const EFER_LMA = 0x400n

export function writeCr0(cpu: Cpu, value: bigint): void {
  const old = cpu.u64(AT.cr0)
  if (value >> 32n) throw new GuestFault(VECTOR.GP, 0)
  const next = (value & CR0_DEFINED) | ET
  if ((next & PG && !(next & PE)) || (next & NW && !(next & CD))) throw new GuestFault(VECTOR.GP, 0)
  if (next & PG && !(old & PG)) enterPaging(cpu)
  if (!(next & PG) && old & PG) leavePaging(cpu)
  cpu.setU64(AT.cr0, next)
  updateBlocked(cpu)
  if ((old ^ next) & (PG | WP | PE)) cpu.flushTlb()
  cpu.selectTlb()
  updateMode(cpu)
}
function enterPaging(cpu: Cpu): void {
  if ((cpu.u64(AT.efer) & EFER_LME) === 0n) return
  const longCode = (cpu.u32(segAt(CS, 'attr')) & ATTR.long) !== 0
  if ((cpu.u64(AT.cr4) & PAE) === 0n || longCode) throw new GuestFault(VECTOR.GP, 0)
  cpu.setU64(AT.efer, cpu.u64(AT.efer) | EFER_LMA)
}
function leavePaging(cpu: Cpu): void {
  if (cpu.u32(AT.codeSize) === 8 || cpu.u64(AT.cr4) & PCIDE) throw new GuestFault(VECTOR.GP, 0)
  cpu.setU64(AT.efer, cpu.u64(AT.efer) & ~EFER_LMA)
}

function writeCr3(cpu: Cpu, value: bigint): void {
  const pcid = (cpu.u64(AT.cr4) & PCIDE) !== 0n
  // bit 63 asks to keep translations; keeping fewer is allowed
  const next = pcid ? value & ~(1n << 63n) : value
  if (isLongMode(cpu) && next >> 40n) throw new GuestFault(VECTOR.GP, 0)
  cpu.setU64(AT.cr3, next)
  cpu.flushTlb()
}
function writeCr4(cpu: Cpu, value: bigint): void {
  const old = cpu.u64(AT.cr4)
  if (value & ~(CR4_DEFINED & cpu.allowedCr4)) throw new GuestFault(VECTOR.GP, 0)
  if (isLongMode(cpu) && !(value & PAE)) throw new GuestFault(VECTOR.GP, 0)
  if (value & PCIDE && !(old & PCIDE) && (!isLongMode(cpu) || cpu.u64(AT.cr3) & 0xfffn))
    throw new GuestFault(VECTOR.GP, 0)
  cpu.setU64(AT.cr4, value)
  updateBlocked(cpu)
  if ((old ^ value) & CR4_FLUSH) cpu.flushTlb()
}

const number = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 5)
const register = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getUint8(insn.record + 4) / 8
const width = (insn: HelperInsn): number => insn.variant.operands[0]!.size

function movToCr(cpu: Cpu, insn: HelperInsn): number {
  requireRing0(cpu)
  const value = cpu.gpr(register(cpu, insn), width(insn))
  switch (number(cpu, insn)) {
    case 0:
      writeCr0(cpu, value)
      break
    case 2:
      cpu.setU64(AT.cr2, value)
      return STATUS.next
    case 3:
      writeCr3(cpu, value)
      break
    case 4:
      writeCr4(cpu, value)
      break
    case 8:
      if (value > 15n) throw new GuestFault(VECTOR.GP, 0)
      cpu.host.apic.setTaskPriority(Number(value))
      break
    default:
      throw new GuestFault(VECTOR.UD)
  }
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}
function movFromCr(cpu: Cpu, insn: HelperInsn): number {
  requireRing0(cpu)
  const n = number(cpu, insn)
  const at = ({ 0: AT.cr0, 2: AT.cr2, 3: AT.cr3, 4: AT.cr4 } as Record<number, number>)[n]
  if (at === undefined && n !== 8) throw new GuestFault(VECTOR.UD)
  const value = at === undefined ? BigInt(cpu.host.apic.getTaskPriority()) : cpu.u64(at)
  cpu.setGpr(register(cpu, insn), value, width(insn))
  return STATUS.next
}

const DR6_FIXED = 0xffff0ff0n
const DR7_FIXED = 0x400n
const CR4_DE = 8n
/** DR4 and DR5 are DR6 and DR7 unless CR4.DE; general detect traps every access. */
function debugRegister(cpu: Cpu, insn: HelperInsn): number {
  requireRing0(cpu)
  let n = number(cpu, insn)
  if (n > 7) throw new GuestFault(VECTOR.UD)
  if (n === 4 || n === 5) {
    if (cpu.u64(AT.cr4) & CR4_DE) throw new GuestFault(VECTOR.UD)
    n += 2
  }
  const dr7 = cpu.u64(AT.dr + 56)
  if (dr7 & 0x2000n) {
    cpu.setU64(AT.dr + 48, cpu.u64(AT.dr + 48) | 0x2000n)
    cpu.setU64(AT.dr + 56, dr7 & ~0x2000n)
    throw new GuestFault(VECTOR.DB)
  }
  return n
}
function movToDr(cpu: Cpu, insn: HelperInsn): number {
  const n = debugRegister(cpu, insn)
  const value = cpu.gpr(register(cpu, insn), width(insn))
  if (n >= 6 && value >> 32n) throw new GuestFault(VECTOR.GP, 0)
  if (n === 6) cpu.setU64(AT.dr + 48, (value & 0xe00fn) | DR6_FIXED)
  else if (n === 7) cpu.setU64(AT.dr + 56, (value & 0xffff2bffn) | DR7_FIXED)
  else cpu.setU64(AT.dr + 8 * n, value)
  armWatch(cpu)
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.leave
}
function movFromDr(cpu: Cpu, insn: HelperInsn): number {
  const n = debugRegister(cpu, insn)
  cpu.setGpr(register(cpu, insn), cpu.u64(AT.dr + 8 * n), width(insn))
  return STATUS.next
}
/** Data breakpoints make every access of the guest take the slow path, where they are compared. */
function armWatch(cpu: Cpu): void {
  const dr7 = Number(cpu.u64(AT.dr + 56) & 0xffffffffn)
  let armed = 0
  for (let n = 0; n < 4; n++) if (dr7 & (3 << (2 * n)) && (dr7 >>> (16 + 4 * n)) & 1) armed = 1
  if (armed !== cpu.u32(AT.watch)) cpu.flushTlb()
  cpu.setU32(AT.watch, armed)
}

function lmsw(cpu: Cpu, insn: HelperInsn): number {
  requireRing0(cpu)
  const old = cpu.u64(AT.cr0)
  // PE can be set but not cleared this way
  writeCr0(cpu, (old & ~0xen) | (cpu.hostValue(insn.host, 2) & 0xfn) | (old & PE))
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}
function smsw(cpu: Cpu, insn: HelperInsn): number {
  requireNotUmip(cpu)
  storeOperand(cpu, insn, cpu.u64(AT.cr0))
  return STATUS.next
}
function clts(cpu: Cpu): number {
  requireRing0(cpu)
  cpu.setU64(AT.cr0, cpu.u64(AT.cr0) & ~8n)
  updateBlocked(cpu)
  return STATUS.next
}
function invlpg(cpu: Cpu): number {
  requireRing0(cpu)
  cpu.flushPage(cpu.u64(AT.ea))
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}
function invpcid(cpu: Cpu, insn: HelperInsn): number {
  requireRing0(cpu)
  const type = cpu.gpr(register(cpu, insn), cpu.u32(AT.codeSize) === 8 ? 8 : 4)
  const ea = cpu.u64(AT.ea)
  const pcid = cpu.readLinear(ea, 8)
  const address = cpu.readLinear(ea + 8n, 8)
  if (type > 3n || pcid >> 12n) throw new GuestFault(VECTOR.GP, 0)
  if (type === 0n && BigInt.asIntN(48, address) !== BigInt.asIntN(64, address)) throw new GuestFault(VECTOR.GP, 0)
  cpu.flushTlb()
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}
const ring0Nothing: Helper = (cpu) => {
  requireRing0(cpu)
  return STATUS.next
}
function xgetbv(cpu: Cpu): number {
  if ((cpu.u64(AT.cr4) & (1n << 18n)) === 0n) throw new GuestFault(VECTOR.UD)
  if (cpu.gpr(1, 4) !== 0n) throw new GuestFault(VECTOR.GP, 0)
  cpu.setGpr(0, cpu.u64(AT.xcr0), 4)
  cpu.setGpr(2, cpu.u64(AT.xcr0) >> 32n, 4)
  return STATUS.next
}
function xsetbv(cpu: Cpu): number {
  if ((cpu.u64(AT.cr4) & (1n << 18n)) === 0n) throw new GuestFault(VECTOR.UD)
  requireRing0(cpu)
  const value = (cpu.gpr(2, 4) << 32n) | cpu.gpr(0, 4)
  if (cpu.gpr(1, 4) !== 0n || !(value & 1n) || value & ~3n) throw new GuestFault(VECTOR.GP, 0)
  cpu.setU64(AT.xcr0, value)
  return STATUS.next
}

export const CONTROL_HELPERS: Readonly<Record<string, Helper>> = {
  mov_to_cr: movToCr,
  mov_from_cr: movFromCr,
  mov_to_dr: movToDr,
  mov_from_dr: movFromDr,
  lmsw,
  smsw,
  clts,
  invlpg,
  invpcid,
  wbinvd: ring0Nothing,
  invd: ring0Nothing,
  xgetbv,
  xsetbv,
}
