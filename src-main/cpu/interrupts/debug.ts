/** Single-step and breakpoints (SDM vol. 3, 17.2 and 17.3): the run loop goes one instruction at a time while they are on. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { RF, TF } from '../semantics/flags.ts'
import { AT, segAt } from '../state/layout.ts'

const DR6 = AT.dr + 48
const DR7 = AT.dr + 56
const BS = 0x4000n

export function debugging(cpu: Cpu): boolean {
  return (cpu.u32(AT.eflags) & TF) !== 0 || (cpu.u32(DR7) & 0xff) !== 0
}

/** TF when the instruction began: it is what counts after it. */
let steppedFrom = false

/** Before an instruction: true when an instruction breakpoint is due; #DB is then pending (a fault). */
export function debugBefore(cpu: Cpu): boolean {
  steppedFrom = (cpu.u32(AT.eflags) & TF) !== 0
  cpu.setU32(AT.watchHit, 0)
  const flags = cpu.u32(AT.eflags)
  if (flags & RF) {
    cpu.setU32(AT.eflags, flags & ~RF)
    return false
  }
  const shadow = cpu.u64(AT.shadowRip) === cpu.u64(AT.rip) && cpu.u32(AT.shadow) === 2
  if (shadow) return false
  const dr7 = cpu.u32(DR7)
  const linear = BigInt.asUintN(64, cpu.u64(AT.rip) + cpu.u64(segAt(1, 'base')))
  let hit = 0n
  for (let n = 0; n < 4; n++)
    if (dr7 & (3 << (2 * n)) && ((dr7 >>> (16 + 4 * n)) & 3) === 0 && cpu.u64(AT.dr + 8 * n) === linear)
      hit |= 1n << BigInt(n)
  if (hit === 0n) return false
  cpu.setU64(DR6, (cpu.u64(DR6) & ~15n) | hit)
  cpu.pend(VECTOR.DB)
  return true
}

/** After an instruction: true when a trap is due; #DB is then pending. */
export function debugAfter(cpu: Cpu): boolean {
  const hit = BigInt(cpu.u32(AT.watchHit))
  const shadow = cpu.u64(AT.shadowRip) === cpu.u64(AT.rip) && cpu.u32(AT.shadow) === 2
  if ((hit === 0n && !steppedFrom) || shadow) return false
  cpu.setU64(DR6, (cpu.u64(DR6) & ~15n) | hit | (steppedFrom ? BS : 0n))
  cpu.setU32(AT.watchHit, 0)
  cpu.pend(VECTOR.DB)
  return true
}
