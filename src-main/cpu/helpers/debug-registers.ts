/** MOV to and from debug registers, and breakpoints on ports (SDM vol. 3, 18.2). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT } from '../state/layout.ts'
import { GuestFault, type Helper } from './helper.ts'
import { CR4, requireCpl0 } from './modes.ts'
import { controlNumber, registerNumber, setRegister, goOn } from './operands.ts'
import { gp } from './segments.ts'

export const DR6 = AT.dr + 48
export const DR7 = AT.dr + 56
export const DR6_FIXED = 0xffff_0ff0n
const DR6_WRITABLE = 0xe00fn
export const DR7_FIXED = 0x400n
const DR7_WRITABLE = 0xffff_23ffn
export const DR7_ENABLES = 0xff
const DR7_GD = 0x2000n
const BD = 0x2000n

/** Type of breakpoint n: 0 execution, 1 write, 2 port, 3 read or write. */
export const typeOf = (dr7: number, n: number): number => (dr7 >>> (16 + 4 * n)) & 3
export const enabled = (dr7: number, n: number): boolean => (dr7 & (3 << (2 * n))) !== 0

function writeDr7(cpu: Cpu, value: bigint): void {
  const dr7 = (value & DR7_WRITABLE) | DR7_FIXED
  cpu.setU64(DR7, dr7)
  updateWatch(cpu)
}
/** Data breakpoints make every access take the slow path, where it is compared. */
export function updateWatch(cpu: Cpu): void {
  const dr7 = cpu.u32(DR7)
  let watch = 0
  for (let n = 0; n < 4; n++) if (enabled(dr7, n) && typeOf(dr7, n) & 1) watch = 1
  if (watch === cpu.u32(AT.watch)) return
  cpu.setU32(AT.watch, watch)
  cpu.flushTlb()
}

/** Number of the register that an instruction means: DR4 and DR5 are DR6 and DR7 unless CR4.DE forbids them. */
function numberOf(cpu: Cpu, n: number): number {
  if (n > 7) throw new GuestFault(VECTOR.UD)
  if (n !== 4 && n !== 5) return n
  if (cpu.u32(AT.cr4) & CR4.DE) throw new GuestFault(VECTOR.UD)
  return n + 2
}
/** DR7.GD: any access is a debug exception, before it happens. */
function generalDetect(cpu: Cpu): void {
  if (!(cpu.u64(DR7) & DR7_GD)) return
  cpu.setU64(DR7, cpu.u64(DR7) & ~DR7_GD)
  cpu.setU64(DR6, cpu.u64(DR6) | BD)
  throw new GuestFault(VECTOR.DB)
}
const movTo: Helper = (cpu, insn) => {
  const n = numberOf(cpu, controlNumber(cpu, insn))
  requireCpl0(cpu)
  generalDetect(cpu)
  const value = cpu.gpr(registerNumber(cpu, insn), insn.variant.operands[0]!.size)
  if (n >= 6 && value >> 32n) throw gp(0)
  if (n === 6) cpu.setU64(DR6, (value & DR6_WRITABLE) | DR6_FIXED)
  else if (n === 7) writeDr7(cpu, value)
  else {
    cpu.setU64(AT.dr + 8 * n, value)
    return STATUS.next
  }
  // the run loop has to see what is armed now
  goOn(cpu)
  return STATUS.leave
}
const movFrom: Helper = (cpu, insn) => {
  const n = numberOf(cpu, controlNumber(cpu, insn))
  requireCpl0(cpu)
  generalDetect(cpu)
  setRegister(cpu, insn, cpu.u64(AT.dr + 8 * n), insn.variant.operands[0]!.size)
  return STATUS.next
}
export const DEBUG_REGISTERS: Readonly<Record<string, Helper>> = { mov_to_dr: movTo, mov_from_dr: movFrom }

/** Breakpoints on ports (CR4.DE): hits count as those of data. */
export function checkPortBreakpoint(cpu: Cpu, port: number, width: number): void {
  const dr7 = cpu.u32(DR7)
  if (!(dr7 & DR7_ENABLES) || !(cpu.u32(AT.cr4) & CR4.DE)) return
  for (let n = 0; n < 4; n++) {
    if (!enabled(dr7, n) || typeOf(dr7, n) !== 2) continue
    const length = ((dr7 >>> (18 + 4 * n)) & 3) + 1
    const first = Number(cpu.u64(AT.dr + 8 * n) & 0xffffn) & ~(length - 1)
    if (port < first + length && first < port + width) cpu.setU32(AT.watchHit, cpu.u32(AT.watchHit) | (1 << n))
  }
}
