/** Model-specific registers (SDM vol. 4; AMD APM vol. 2, appendix A). What is not in the tables raises #GP, as on hardware. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, FS, GS, RAX, RCX, RDX, segAt } from '../state/layout.ts'
import { GuestFault, type Helper } from './helper.ts'
import { requireRing0 } from './segments.ts'

/** MSRs that are a field of the state; `canonical`: values must be canonical addresses. */
const FIELDS: ReadonlyMap<number, { at: number; canonical?: boolean; mask?: bigint }> = new Map([
  [0x174, { at: AT.sysenterCs }],
  [0x175, { at: AT.sysenterEsp, canonical: true }],
  [0x176, { at: AT.sysenterEip, canonical: true }],
  [0xc0000081, { at: AT.star }],
  [0xc0000082, { at: AT.lstar, canonical: true }],
  [0xc0000083, { at: AT.cstar, canonical: true }],
  [0xc0000084, { at: AT.fmask, mask: 0xffffffffn }],
  [0xc0000100, { at: segAt(FS, 'base'), canonical: true }],
  [0xc0000101, { at: segAt(GS, 'base'), canonical: true }],
  [0xc0000102, { at: AT.kernelGsBase, canonical: true }],
  [0xc0000103, { at: AT.tscAux, mask: 0xffffffffn }],
])
/** Kept as written, with their reset values; undefined writes are masked off. */
const STORED: ReadonlyMap<number, { reset: bigint; writable: bigint; vendor?: 'intel' | 'amd' }> = new Map([
  [0x3b, { reset: 0n, writable: ~0n }],
  [0x8b, { reset: 0x100000000n, writable: ~0n }],
  [0x1a0, { reset: 1n, writable: ~0n }],
  [0x17, { reset: 0n, writable: 0n }],
  [0xfe, { reset: 0x508n, writable: 0n }],
  [0x179, { reset: 0n, writable: 0n }],
  [0x17a, { reset: 0n, writable: ~0n }],
  [0x2ff, { reset: 0x806n, writable: 0xcffn }],
  [0x1d9, { reset: 0n, writable: 0n }],
  [0x34, { reset: 0n, writable: 0n, vendor: 'intel' }],
  [0xce, { reset: 0n, writable: 0n, vendor: 'intel' }],
  [0xc0010010, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc0010015, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc001001f, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc0010055, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc0010114, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc0010117, { reset: 0n, writable: ~0n, vendor: 'amd' }],
  [0xc0011029, { reset: 2n, writable: ~0n, vendor: 'amd' }],
])
const MTRR_FIXED: ReadonlySet<number> = new Set([
  0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
])
const isMtrr = (index: number): boolean => (index >= 0x200 && index < 0x210) || MTRR_FIXED.has(index)
const TSC = 0x10
const PAT = 0x277
const EFER = 0xc0000080
/** SCE LME LMA NXE. */
const EFER_DEFINED = 0xd01n

const canonical = (a: bigint): boolean => BigInt.asIntN(48, a) === BigInt.asIntN(64, a)
const isApic = (index: number): boolean => index === 0x1b || index === 0x6e0 || (index >= 0x800 && index < 0x900)

export function readMsr(cpu: Cpu, index: number): bigint | undefined {
  const field = FIELDS.get(index)
  if (field) return cpu.u64(field.at)
  if (index === EFER) return cpu.u64(AT.efer)
  if (index === TSC) return cpu.tsc()
  if (index === PAT) return cpu.u64(AT.pat)
  if (isApic(index)) return cpu.host.apic.readMsr(index)
  if (isMtrr(index)) return cpu.msrs.get(index) ?? 0n
  const stored = STORED.get(index)
  if (!stored || (stored.vendor && (stored.vendor === 'intel') !== cpu.intel)) return undefined
  return cpu.msrs.get(index) ?? stored.reset
}
/** False: #GP. */
export function writeMsr(cpu: Cpu, index: number, value: bigint): boolean {
  const field = FIELDS.get(index)
  if (field) {
    if (field.canonical && !canonical(value)) return false
    cpu.setU64(field.at, field.mask ? value & field.mask : value)
    return true
  }
  if (index === EFER) return writeEfer(cpu, value)
  if (index === PAT) return writePat(cpu, value)
  if (index === TSC) {
    cpu.setTsc(value)
    return true
  }
  if (isApic(index)) return cpu.host.apic.writeMsr(index, value)
  const stored = STORED.get(index)
  if (!isMtrr(index) && (!stored || (stored.vendor && (stored.vendor === 'intel') !== cpu.intel))) return false
  if (index === 0x3b) cpu.setTsc(cpu.tsc() + value - (cpu.msrs.get(0x3b) ?? 0n))
  const writable = stored?.writable ?? ~0n
  cpu.msrs.set(index, BigInt.asUintN(64, value & writable))
  return true
}
function writeEfer(cpu: Cpu, value: bigint): boolean {
  const old = cpu.u64(AT.efer)
  if (value & ~EFER_DEFINED) return false
  if ((value ^ old) & 0x100n && cpu.u64(AT.cr0) & (1n << 31n)) return false
  cpu.setU64(AT.efer, (value & ~0x400n) | (old & 0x400n))
  if ((value ^ old) & 0x800n) cpu.flushTlb()
  return true
}
function writePat(cpu: Cpu, value: bigint): boolean {
  for (let n = 0n; n < 64n; n += 8n) {
    const type = (value >> n) & 0xffn
    if (type > 7n || type === 2n || type === 3n) return false
  }
  cpu.setU64(AT.pat, value)
  return true
}

const indexOf = (cpu: Cpu): number => Number(cpu.gpr(RCX, 4))
const unknown = (cpu: Cpu, how: string, index: number): never => {
  cpu.host.warn(`the guest ${how} unknown MSR ${index.toString(16)}`)
  throw new GuestFault(VECTOR.GP, 0)
}
const rdmsr: Helper = (cpu) => {
  requireRing0(cpu)
  const value = readMsr(cpu, indexOf(cpu))
  if (value === undefined) return unknown(cpu, 'read', indexOf(cpu))
  cpu.setGpr(RAX, value, 4)
  cpu.setGpr(RDX, value >> 32n, 4)
  return STATUS.next
}
const wrmsr: Helper = (cpu) => {
  requireRing0(cpu)
  const value = (cpu.gpr(RDX, 4) << 32n) | cpu.gpr(RAX, 4)
  if (!writeMsr(cpu, indexOf(cpu), value)) return unknown(cpu, 'wrote', indexOf(cpu))
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.jump
}
export const MSR_HELPERS: Readonly<Record<string, Helper>> = { rdmsr, wrmsr }
