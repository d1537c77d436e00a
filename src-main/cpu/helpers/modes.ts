/** Which mode the processor is in, and what follows from CS, SS, EFER.LMA and the privilege level. */
import type { Cpu } from '../cpu.ts'
import { VM } from '../semantics/flags.ts'
import { AT, CS, segAt, SS } from '../state/layout.ts'
import { VECTOR } from '../mmu/access.ts'
import { GuestFault } from './helper.ts'

export const CR0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x10000,
  AM: 0x40000,
  NW: 0x2000_0000,
  CD: 0x4000_0000,
  PG: 0x8000_0000,
} as const
export const CR4 = {
  VME: 1,
  PVI: 2,
  TSD: 4,
  DE: 8,
  PSE: 0x10,
  PAE: 0x20,
  MCE: 0x40,
  PGE: 0x80,
  PCE: 0x100,
  OSFXSR: 0x200,
  OSXMMEXCPT: 0x400,
  UMIP: 0x800,
  FSGSBASE: 0x1_0000,
  PCIDE: 0x2_0000,
  OSXSAVE: 0x4_0000,
  SMEP: 0x10_0000,
  SMAP: 0x20_0000,
} as const
export const EFER = { SCE: 1, LME: 0x100, LMA: 0x400, NXE: 0x800 } as const

/** Attributes of a segment as the state keeps them: bits 8-23 of the descriptor's high word, shifted down by 8. */
export const ATTR = {
  accessed: 1,
  /** Writable (data) or readable (code). */
  rw: 2,
  /** Expand-down (data) or conforming (code). */
  conforming: 4,
  code: 8,
  notSystem: 0x10,
  present: 0x80,
  long: 0x2000,
  big: 0x4000,
  granular: 0x8000,
} as const

export const protectedMode = (cpu: Cpu): boolean => (cpu.u32(AT.cr0) & CR0.PE) !== 0
export const longMode = (cpu: Cpu): boolean => (cpu.u32(AT.efer) & EFER.LMA) !== 0
export const vm86 = (cpu: Cpu): boolean => (cpu.u32(AT.eflags) & VM) !== 0
/** Segment registers hold paragraphs: real mode and virtual-8086 mode. */
export const realSegments = (cpu: Cpu): boolean => !protectedMode(cpu) || vm86(cpu)
export const iopl = (cpu: Cpu): number => (cpu.u32(AT.eflags) >> 12) & 3

/** 48 address bits: bit 47 and all above are the same. */
export const canonical = (address: bigint): boolean => BigInt.asIntN(48, address) === BigInt.asIntN(64, address)

export function requireCpl0(cpu: Cpu): void {
  if (cpu.u32(AT.cpl) !== 0) throw new GuestFault(VECTOR.GP, 0)
}

/** Code and stack sizes after CS, SS, EFER.LMA or the privilege level changed. */
export function refreshMode(cpu: Cpu): void {
  const cs = cpu.u32(segAt(CS, 'attr'))
  const long = longMode(cpu) && (cs & ATTR.long) !== 0
  const codeSize = long ? 8 : cs & ATTR.big ? 4 : 2
  const stackSize = long ? 8 : cpu.u32(segAt(SS, 'attr')) & ATTR.big ? 4 : 2
  cpu.setMode(codeSize, stackSize)
}
