/** RDMSR and WRMSR (SDM vol. 4; AMD APM vol. 2, appendix A). A register that is not in the table raises #GP, as on hardware. */
import type { Cpu } from '../cpu.ts'
import { MAXPHYADDR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, FS, GS, RAX, RCX, RDX, segAt } from '../state/layout.ts'
import type { Helper } from './helper.ts'
import { canonical, CR0, EFER, requireCpl0 } from './modes.ts'
import { gp } from './segments.ts'
import { readTsc, writeTsc, writeTscAdjust } from './tsc.ts'

interface Msr {
  readonly name: string
  read(cpu: Cpu): bigint
  /** False is #GP. */
  write(cpu: Cpu, value: bigint): boolean
  /** Is there such a register on this model? */
  readonly when?: (cpu: Cpu) => boolean
}

/** A register with a field in the state; `valid` says which values are accepted. */
const inState = (name: string, at: number, valid: (value: bigint) => boolean): Msr => ({
  name,
  read: (cpu) => cpu.u64(at),
  write: (cpu, value) => {
    if (!valid(value)) return false
    cpu.setU64(at, value)
    return true
  },
})
const any = (): boolean => true
const low32 = (value: bigint): boolean => value >> 32n === 0n

/** A register that only remembers: bits of `writable`, from `reset`. Other bits must be written as they are. */
const stored = (index: number, name: string, writable: bigint, reset = 0n): Msr => ({
  name,
  read: (cpu) => cpu.msrs.get(index) ?? reset,
  write: (cpu, value) => {
    if ((value ^ reset) & ~writable) return false
    cpu.msrs.set(index, value)
    return true
  },
})
const fixed = (name: string, value: bigint): Msr => ({ name, read: () => value, write: () => false })

const efer: Msr = {
  name: 'IA32_EFER',
  read: (cpu) => cpu.u64(AT.efer),
  write: (cpu, value) => {
    const { features } = cpu.model
    const old = cpu.u32(AT.efer)
    let valid: number = EFER.LMA
    if (features.has('syscall')) valid |= EFER.SCE
    if (features.has('lm')) valid |= EFER.LME
    if (features.has('nx')) valid |= EFER.NXE
    if (value & ~BigInt(valid)) return false
    const next = (Number(value) & ~EFER.LMA) | (old & EFER.LMA)
    if ((old ^ next) & EFER.LME && cpu.u32(AT.cr0) & CR0.PG) return false
    cpu.setU64(AT.efer, BigInt(next))
    if ((old ^ next) & EFER.NXE) cpu.flushTlb()
    return true
  },
}

/** Memory types that PAT entries and MTRRs may have (tables 12-3 and 12-10). */
const isMtrrType = (type: bigint): boolean => [0n, 1n, 4n, 5n, 6n].includes(type)
function validPat(value: bigint): boolean {
  for (let i = 0n; i < 64n; i += 8n) {
    const type = (value >> i) & 0xffn
    if (!isMtrrType(type) && type !== 7n) return false
  }
  return true
}
function validTypes(value: bigint): boolean {
  for (let i = 0n; i < 64n; i += 8n) if (!isMtrrType((value >> i) & 0xffn)) return false
  return true
}
const PHYSICAL = (1n << BigInt(MAXPHYADDR)) - 1n
const checked = (index: number, name: string, valid: (value: bigint) => boolean, reset = 0n): Msr => ({
  name,
  read: (cpu) => cpu.msrs.get(index) ?? reset,
  write: (cpu, value) => {
    if (!valid(value)) return false
    cpu.msrs.set(index, value)
    return true
  },
})

const segmentBase = (name: string, n: number): Msr => ({
  name,
  read: (cpu) => cpu.u64(segAt(n, 'base')),
  write: (cpu, value) => {
    if (!canonical(value)) return false
    cpu.setU64(segAt(n, 'base'), value)
    cpu.setU32(segAt(n, 'flat'), 0)
    return true
  },
})
const has =
  (feature: string) =>
  (cpu: Cpu): boolean =>
    cpu.model.features.has(feature)
const isAmd = (cpu: Cpu): boolean => cpu.model.vendor === 'AuthenticAMD'
const isIntel = (cpu: Cpu): boolean => !isAmd(cpu)
const only = (msr: Msr, when: (cpu: Cpu) => boolean): Msr => ({ ...msr, when })
/** Writes of zero are accepted and change nothing. */
const zero = (name: string): Msr => ({ name, read: () => 0n, write: (_cpu, value) => value === 0n })

const MTRR_VARIABLE = 8
/** Variable ranges, fixed ranges, write combining. */
const MTRR_CAP = BigInt(MTRR_VARIABLE) | 0x500n
const FIXED_MTRRS = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f]
/** Fast strings; BTS and PEBS not available; the CPUID limit may be set. */
const MISC_ENABLE_RESET = 0x1801n
const MISC_ENABLE_WRITABLE = 0x400001n

const TABLE = new Map<number, Msr>([
  [0x10, { name: 'IA32_TIME_STAMP_COUNTER', read: readTsc, write: (cpu, value) => writeTsc(cpu, value) }],
  [0x17, only(fixed('IA32_PLATFORM_ID', 0n), isIntel)],
  [
    0x3b,
    only(
      { name: 'IA32_TSC_ADJUST', read: (cpu) => cpu.msrs.get(0x3b) ?? 0n, write: (cpu, v) => writeTscAdjust(cpu, v) },
      has('tsc_adjust'),
    ),
  ],
  [0x79, { name: 'IA32_BIOS_UPDT_TRIG', read: () => 0n, write: any }],
  [
    0x8b,
    {
      // the revisions that QEMU reports; Intel lets software write 0 before CPUID
      name: 'IA32_BIOS_SIGN_ID',
      read: (cpu) => (isAmd(cpu) ? 0x0100_0065n : 0x1_0000_0000n),
      write: (cpu, value) => isIntel(cpu) && value === 0n,
    },
  ],
  [0xfe, fixed('IA32_MTRRCAP', MTRR_CAP)],
  [0x174, inState('IA32_SYSENTER_CS', AT.sysenterCs, any)],
  [0x175, inState('IA32_SYSENTER_ESP', AT.sysenterEsp, canonical)],
  [0x176, inState('IA32_SYSENTER_EIP', AT.sysenterEip, canonical)],
  [0x179, fixed('IA32_MCG_CAP', 0n)],
  [0x17a, zero('IA32_MCG_STATUS')],
  [0x1a0, only(stored(0x1a0, 'IA32_MISC_ENABLE', MISC_ENABLE_WRITABLE, MISC_ENABLE_RESET), isIntel)],
  [0x1d9, zero('IA32_DEBUGCTL')],
  [0x277, inState('IA32_PAT', AT.pat, validPat)],
  [0x2ff, checked(0x2ff, 'IA32_MTRR_DEF_TYPE', (v) => !(v & ~0xcffn) && isMtrrType(v & 0xffn))],
  [0xc000_0080, efer],
  [0xc000_0081, inState('IA32_STAR', AT.star, any)],
  [0xc000_0082, inState('IA32_LSTAR', AT.lstar, canonical)],
  [0xc000_0083, inState('IA32_CSTAR', AT.cstar, canonical)],
  [0xc000_0084, inState('IA32_FMASK', AT.fmask, low32)],
  [0xc000_0100, segmentBase('IA32_FS_BASE', FS)],
  [0xc000_0101, segmentBase('IA32_GS_BASE', GS)],
  [0xc000_0102, inState('IA32_KERNEL_GS_BASE', AT.kernelGsBase, canonical)],
  [0xc000_0103, only(inState('IA32_TSC_AUX', AT.tscAux, low32), (cpu) => has('rdtscp')(cpu) || has('rdpid')(cpu))],
  [0xc001_0010, only(stored(0xc001_0010, 'SYSCFG', 0x7c_0000n), isAmd)],
  [0xc001_0015, only(stored(0xc001_0015, 'HWCR', 0x0100_0058n, 0x0100_0000n), isAmd)],
  [0xc001_0055, only(zero('INT_PENDING_MSG'), isAmd)],
  [0xc001_1029, only(stored(0xc001_1029, 'DE_CFG', 2n), isAmd)],
  ...FIXED_MTRRS.map((i): [number, Msr] => [i, checked(i, 'IA32_MTRR_FIX', validTypes)]),
  ...Array.from({ length: MTRR_VARIABLE }, (_, n): [number, Msr][] => [
    [
      0x200 + 2 * n,
      checked(
        0x200 + 2 * n,
        'IA32_MTRR_PHYSBASE',
        (v) => isMtrrType(v & 0xffn) && !(v & ~PHYSICAL & ~0xfffn) && !(v & 0xf00n),
      ),
    ],
    [0x201 + 2 * n, checked(0x201 + 2 * n, 'IA32_MTRR_PHYSMASK', (v) => !(v & ~PHYSICAL) && !(v & 0x7ffn))],
  ]).flat(),
])

const APIC_BASE = 0x1b
const TSC_DEADLINE = 0x6e0
/** Registers of the local APIC, which the machine keeps. */
function isApic(cpu: Cpu, index: number): boolean {
  if (index === APIC_BASE) return has('apic')(cpu)
  if (index === TSC_DEADLINE) return has('tsc_deadline')(cpu)
  return index >= 0x800 && index <= 0x8ff && has('x2apic')(cpu)
}
const offset = (cpu: Cpu): bigint => cpu.msrs.get(0x3b) ?? 0n

/** Value of a register, or undefined when there is none (#GP). */
export function readMsr(cpu: Cpu, index: number): bigint | undefined {
  if (isApic(cpu, index)) {
    const value = cpu.host.apic.readMsr(index)
    if (index !== TSC_DEADLINE || !value) return value
    return BigInt.asUintN(64, value + offset(cpu))
  }
  const msr = TABLE.get(index)
  return msr && (!msr.when || msr.when(cpu)) ? BigInt.asUintN(64, msr.read(cpu)) : undefined
}
/** False: there is no such register, or it does not take this value (#GP). */
export function writeMsr(cpu: Cpu, index: number, value: bigint): boolean {
  if (isApic(cpu, index)) {
    // the deadline is in guest ticks, the machine counts its own
    const machine = index === TSC_DEADLINE && value !== 0n ? BigInt.asUintN(64, value - offset(cpu)) || 1n : value
    return cpu.host.apic.writeMsr(index, machine)
  }
  const msr = TABLE.get(index)
  return msr !== undefined && (!msr.when || msr.when(cpu)) && msr.write(cpu, value)
}

/**
 * Counted, for the monitor and the crash report. It is nothing to tell the user about: kernels ask for registers that a processor may not
 * have (performance counters, say) and expect the #GP; one that does not says so itself.
 */
function refuse(cpu: Cpu, index: number, what: string): never {
  const name = `${what} ${index.toString(16)}`
  cpu.refusedMsrs.set(name, (cpu.refusedMsrs.get(name) ?? 0) + 1)
  throw gp(0)
}
const rdmsr: Helper = (cpu) => {
  requireCpl0(cpu)
  const index = Number(cpu.gpr(RCX, 4))
  const value = readMsr(cpu, index)
  if (value === undefined) refuse(cpu, index, 'rdmsr')
  cpu.setGpr(RAX, value, 4)
  cpu.setGpr(RDX, value >> 32n, 4)
  return STATUS.next
}
const wrmsr: Helper = (cpu) => {
  requireCpl0(cpu)
  const index = Number(cpu.gpr(RCX, 4))
  if (!writeMsr(cpu, index, (cpu.gpr(RDX, 4) << 32n) | cpu.gpr(RAX, 4))) refuse(cpu, index, 'wrmsr')
  if (index !== TSC_DEADLINE && (index < 0x800 || index > 0x8ff)) return STATUS.next
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return cpu.u32(AT.attention) ? STATUS.leave : STATUS.jump
}

/** Names of the registers, for the monitor. */
export const msrName = (index: number): string | undefined => TABLE.get(index)?.name

export const MSR: Readonly<Record<string, Helper>> = { rdmsr, wrmsr }
