/** What the debug room needs of a vCPU: its state (cpu/state/layout.ts) and its RAM, and the few things that are more than a field. */
import { ramAddress, type MemoryMap } from '../cpu/state/layout.ts'

export interface DebugCpu {
  readonly map: MemoryMap
  readonly bytes: Uint8Array
  readonly view: DataView
  /** RFLAGS is kept in pieces. */
  rflags: number
  /** Drops predecoded and translated code of [at, at+length) of the memory. */
  written(at: number, length: number): void
  /** Forgets all translations: CR3 was changed. */
  flushTlb(): void
}

export const u32 = (cpu: DebugCpu, at: number): number => cpu.view.getUint32(at, true)
export const u64 = (cpu: DebugCpu, at: number): bigint => cpu.view.getBigUint64(at, true)

/** Offset of guest-physical [gpa, gpa+length) in the memory, or -1 when not all of it is RAM. */
export function ramOffset(cpu: DebugCpu, gpa: number, length: number): number {
  const at = ramAddress(cpu.map, gpa)
  return at >= 0 && ramAddress(cpu.map, gpa + length - 1) === at + length - 1 ? at : -1
}
