/** Breakpoints and single-stepping as the run loop asks for them (SDM vol. 3, 18.2 and 18.3). */
import type { Cpu } from '../cpu.ts'
import { DR6, DR7, DR7_ENABLES, enabled, typeOf } from '../helpers/debug-registers.ts'
import { wrap } from '../helpers/segments.ts'
import { VECTOR } from '../mmu/access.ts'
import { RF, TF } from '../semantics/flags.ts'
import { AT, CS, segAt } from '../state/layout.ts'

const BS = 0x4000n

/** True while TF or a breakpoint is set: the run loop then runs one instruction at a time between debugBefore and debugAfter. */
export const debugging = (cpu: Cpu): boolean => (cpu.u32(AT.eflags) & TF) !== 0 || (cpu.u32(DR7) & DR7_ENABLES) !== 0

/** MOV SS or POP SS came just before. */
const shadowed = (cpu: Cpu): boolean => cpu.u32(AT.shadow) === 2 && cpu.u64(AT.shadowRip) === cpu.u64(AT.rip)

/** Before an instruction. True: an execution breakpoint has struck, and #DB is pending (deliverException). */
export function debugBefore(cpu: Cpu): boolean {
  cpu.stepping = (cpu.u32(AT.eflags) & TF) !== 0
  cpu.levelBefore = cpu.u32(AT.cpl)
  // hits of an instruction that faulted do not count; those under the shadow of MOV SS wait
  if (!shadowed(cpu)) cpu.setU32(AT.watchHit, 0)
  const dr7 = cpu.u32(DR7)
  // every instruction ends with RF clear but those that load it: so it is cleared before them, too
  const resumed = (cpu.u32(AT.eflags) & RF) !== 0
  cpu.setU32(AT.eflags, cpu.u32(AT.eflags) & ~RF)
  if (!(dr7 & DR7_ENABLES) || resumed || shadowed(cpu)) return false
  const here = wrap(cpu, cpu.u64(segAt(CS, 'base')) + cpu.u64(AT.rip))
  let hit = 0
  for (let n = 0; n < 4; n++)
    if (enabled(dr7, n) && typeOf(dr7, n) === 0 && cpu.u64(AT.dr + 8 * n) === here) hit |= 1 << n
  if (hit === 0) return false
  raiseDebug(cpu, BigInt(hit))
  return true
}

/**
 * After an instruction that ended without an exception. True: a trap is due and #DB is pending. After MOV SS and POP SS single-stepping
 * is left out and data breakpoints wait for the next instruction (6.8.3).
 */
export function debugAfter(cpu: Cpu): boolean {
  if (shadowed(cpu)) return false
  let bits = BigInt(cpu.u32(AT.watchHit))
  cpu.setU32(AT.watchHit, 0)
  // a system call that cleared TF on its way in does not trap
  const entered = cpu.u32(AT.cpl) < cpu.levelBefore && !(cpu.u32(AT.eflags) & TF)
  if (cpu.stepping && !entered) bits |= BS
  if (bits === 0n) return false
  raiseDebug(cpu, bits)
  return true
}

function raiseDebug(cpu: Cpu, bits: bigint): void {
  cpu.setU64(DR6, cpu.u64(DR6) | bits)
  cpu.pend(VECTOR.DB)
}
