/** MOV to and from control registers, LMSW, SMSW, CLTS, XCR0 (SDM vol. 3, 2.5, 2.6 and 4.10.4). */
import type { Cpu } from '../cpu.ts'
import { MAXPHYADDR, VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, RAX, RCX, RDX, segAt, TR } from '../state/layout.ts'
import { updateBlocked } from './blocked.ts'
import { GuestFault, type Helper } from './helper.ts'
import { ATTR, CR0, CR4, EFER, longMode, refreshMode, requireCpl0 } from './modes.ts'
import { controlNumber, goOn, readRm, registerNumber, setRegister, writeRm } from './operands.ts'
import { gp } from './segments.ts'

const CR0_WRITABLE = CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG
const PHYSICAL = (1n << BigInt(MAXPHYADDR)) - 1n
const NO_FLUSH = 1n << 63n
/** Reserved bits of a page-directory-pointer-table entry (table 4-8). */
const PDPTE_RESERVED = 0x1e6n | ~PHYSICAL

/** With PAE paging the four PDPTEs are checked when CR3 is loaded (4.4.1). */
function checkPdptes(cpu: Cpu, cr3: bigint): void {
  for (let i = 0; i < 4; i++) {
    const at = cpu.ramAddress(Number(cr3 & 0xffffffe0n) + i * 8)
    if (at < 0) continue
    const entry = cpu.hostValue(at, 8)
    if (entry & 1n && BigInt.asUintN(64, PDPTE_RESERVED) & entry) throw gp(0)
  }
}
const paePaging = (cr0: number, cr4: number, long: boolean): boolean =>
  (cr0 & CR0.PG) !== 0 && (cr4 & CR4.PAE) !== 0 && !long

export function writeCr0(cpu: Cpu, value: bigint): void {
  if (value >> 32n) throw gp(0)
  const old = cpu.u32(AT.cr0)
  const next = ((Number(value) & CR0_WRITABLE) | CR0.ET) >>> 0
  const has = (bit: number) => (next & bit) !== 0
  if ((has(CR0.PG) && !has(CR0.PE)) || (has(CR0.NW) && !has(CR0.CD))) throw gp(0)
  const cr4 = cpu.u32(AT.cr4)
  let efer = cpu.u32(AT.efer)
  if (has(CR0.PG) && !(old & CR0.PG)) efer = enablePaging(cpu, efer, cr4)
  if (!has(CR0.PG) && old & CR0.PG) {
    if (cr4 & CR4.PCIDE || cpu.u32(AT.codeSize) === 8) throw gp(0)
    efer &= ~EFER.LMA
  }
  const relevant = CR0.PG | CR0.PE | CR0.WP
  const pae = paePaging(next, cr4, (efer & EFER.LMA) !== 0)
  if (pae && (old ^ next) & (CR0.PG | CR0.CD | CR0.NW)) checkPdptes(cpu, cpu.u64(AT.cr3))
  cpu.setU64(AT.cr0, BigInt(next))
  updateBlocked(cpu)
  cpu.setU64(AT.efer, BigInt(efer >>> 0))
  if ((old ^ next) & relevant) cpu.flushTlb()
  if ((old ^ next) & CR0.PE) cpu.setU32(AT.cpl, 0)
  refreshMode(cpu)
}
/** Setting PG with EFER.LME enters IA-32e mode (10.8.5); returns EFER. */
function enablePaging(cpu: Cpu, efer: number, cr4: number): number {
  if (!(efer & EFER.LME)) return efer
  const busy16 = (cpu.u32(segAt(TR, 'attr')) & 0x1d) === 1
  if (!(cr4 & CR4.PAE) || cpu.u32(segAt(1, 'attr')) & ATTR.long || busy16) throw gp(0)
  return efer | EFER.LMA
}

/** CR3 with everything that a load flushes; no check but of PDPTEs. */
export function loadCr3(cpu: Cpu, value: bigint): void {
  if (paePaging(cpu.u32(AT.cr0), cpu.u32(AT.cr4), longMode(cpu))) checkPdptes(cpu, value)
  cpu.setU64(AT.cr3, value)
  cpu.flushLocalTlb()
}
/** Bit 63 asks to keep translations (PCID); forgetting them all the same is allowed (4.10.4.1). */
function writeCr3(cpu: Cpu, value: bigint): void {
  const pcide = (cpu.u32(AT.cr4) & CR4.PCIDE) !== 0
  const plain = pcide ? value & ~NO_FLUSH : value
  if (plain & ~PHYSICAL) throw gp(0)
  loadCr3(cpu, plain)
}

/** CR4 bits that CPUID offers, by feature name. */
const CR4_BITS: readonly (readonly [number, string | undefined])[] = [
  [CR4.TSD, 'tsc'],
  [CR4.DE, 'de'],
  [CR4.PSE, 'pse'],
  [CR4.PAE, 'pae'],
  [CR4.MCE, 'mce'],
  [CR4.PGE, 'pge'],
  [CR4.PCE, undefined],
  [CR4.OSFXSR, 'fxsr'],
  [CR4.OSXMMEXCPT, 'sse'],
  [CR4.UMIP, 'umip'],
  [CR4.FSGSBASE, 'fsgsbase'],
  [CR4.PCIDE, 'pcid'],
  [CR4.OSXSAVE, 'xsave'],
  [CR4.SMEP, 'smep'],
  [CR4.SMAP, 'smap'],
]
function writeCr4(cpu: Cpu, value: bigint): void {
  let offered = 0
  for (const [bit, feature] of CR4_BITS) if (feature === undefined || cpu.model.features.has(feature)) offered |= bit
  if (value & ~BigInt(offered)) throw gp(0)
  const next = Number(value)
  const old = cpu.u32(AT.cr4)
  const long = longMode(cpu)
  if (long && !(next & CR4.PAE)) throw gp(0)
  if (next & CR4.PCIDE && !(old & CR4.PCIDE) && (!long || cpu.u64(AT.cr3) & 0xfffn)) throw gp(0)
  const flushing = CR4.PSE | CR4.PAE | CR4.PGE | CR4.PCIDE | CR4.SMEP | CR4.SMAP
  if ((old ^ next) & (CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP) && paePaging(cpu.u32(AT.cr0), next, long))
    checkPdptes(cpu, cpu.u64(AT.cr3))
  cpu.setU64(AT.cr4, value)
  updateBlocked(cpu)
  if ((old ^ next) & flushing) cpu.flushTlb()
}

const movTo: Helper = (cpu, insn) => {
  const n = controlNumber(cpu, insn)
  if (![0, 2, 3, 4, 8].includes(n)) throw new GuestFault(VECTOR.UD)
  requireCpl0(cpu)
  const value = cpu.gpr(registerNumber(cpu, insn), insn.variant.operands[0]!.size)
  if (n === 0) writeCr0(cpu, value)
  else if (n === 2) cpu.setU64(AT.cr2, value)
  else if (n === 3) writeCr3(cpu, value)
  else if (n === 4) writeCr4(cpu, value)
  else {
    if (value > 15n) throw gp(0)
    cpu.host.apic.setTaskPriority(Number(value))
    cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
    return STATUS.leave
  }
  return goOn(cpu)
}
/** The others are read by semantics/system.ts. */
const movFromCr8: Helper = (cpu, insn) => {
  requireCpl0(cpu)
  setRegister(cpu, insn, BigInt(cpu.host.apic.getTaskPriority()), insn.variant.operands[0]!.size)
  return STATUS.next
}

/** LMSW sets PE but never clears it. */
const lmsw: Helper = (cpu, insn) => {
  requireCpl0(cpu)
  const old = cpu.u32(AT.cr0)
  const word = Number(readRm(cpu, insn, 2)) & 15
  writeCr0(cpu, BigInt(((old & ~14) | word) >>> 0))
  return goOn(cpu)
}
/** UMIP: SGDT, SIDT, SLDT, STR and SMSW only at CPL 0. */
export function requireUmip(cpu: Cpu): void {
  if (cpu.u32(AT.cr4) & CR4.UMIP) requireCpl0(cpu)
}
const smsw: Helper = (cpu, insn) => {
  requireUmip(cpu)
  writeRm(cpu, insn, cpu.u64(AT.cr0))
  return STATUS.next
}
const clts: Helper = (cpu) => {
  requireCpl0(cpu)
  cpu.setU64(AT.cr0, cpu.u64(AT.cr0) & ~BigInt(CR0.TS))
  updateBlocked(cpu)
  return STATUS.next
}

/** XCR0: x87 always, SSE; nothing else is offered. */
const XCR0_X87 = 1n
const XCR0_SSE = 2n
function requireOsxsave(cpu: Cpu): void {
  if (!(cpu.u32(AT.cr4) & CR4.OSXSAVE)) throw new GuestFault(VECTOR.UD)
}
const xgetbv: Helper = (cpu) => {
  requireOsxsave(cpu)
  const index = cpu.gpr(RCX, 4)
  // index 1: the components in use, all that are enabled
  if (index !== 0n && !(index === 1n && cpu.model.features.has('xgetbv1'))) throw gp(0)
  cpu.setGpr(RAX, cpu.u64(AT.xcr0), 4)
  cpu.setGpr(RDX, 0n, 4)
  return STATUS.next
}
const xsetbv: Helper = (cpu) => {
  requireOsxsave(cpu)
  requireCpl0(cpu)
  const value = (cpu.gpr(RDX, 4) << 32n) | cpu.gpr(RAX, 4)
  if (cpu.gpr(RCX, 4) !== 0n || !(value & XCR0_X87) || value & ~(XCR0_X87 | XCR0_SSE)) throw gp(0)
  cpu.setU64(AT.xcr0, value)
  return STATUS.next
}

export const CONTROL_REGISTERS: Readonly<Record<string, Helper>> = {
  mov_to_cr: movTo,
  mov_from_cr: movFromCr8,
  lmsw,
  smsw,
  clts,
  xgetbv,
  xsetbv,
}
