/** Whether vector and floating-point instructions may run, as one word of the state that generated code tests (SDM vol. 3, 2.5 and 13.1). */
import type { Cpu } from '../cpu.ts'
import type { Variant } from '../decode/variants.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT } from '../state/layout.ts'

export const BLOCKED = {
  /** CR0.EM, or CR4.OSFXSR clear: SSE raises #UD. */
  sse: 1,
  /** CR0.TS: SSE, MMX and x87 raise #NM. */
  switched: 2,
  /** CR0.EM: MMX raises #UD, x87 raises #NM. */
  emulated: 4,
} as const

/** FSW.ES: an unmasked x87 exception is pending. */
export const FSW_ES = 0x80

const CR0_EM = 1n << 2n
const CR0_TS = 1n << 3n
const CR4_OSFXSR = 1n << 9n

/** To be called whenever CR0 or CR4 has changed: by MOV to CR, LMSW, CLTS, reset, restoring a snapshot. */
export function updateBlocked(cpu: Cpu): void {
  const cr0 = cpu.u64(AT.cr0)
  const isEmulated = (cr0 & CR0_EM) !== 0n
  const isSseOff = isEmulated || (cpu.u64(AT.cr4) & CR4_OSFXSR) === 0n
  const switched = (cr0 & CR0_TS) !== 0n ? BLOCKED.switched : 0
  cpu.setU32(AT.simdBlocked, switched | (isSseOff ? BLOCKED.sse : 0) | (isEmulated ? BLOCKED.emulated : 0))
}

/** The exception of a vector instruction that comes before those of its memory operand, or undefined (SDM vol. 3, table 6-2). */
export function vectorFault(cpu: Cpu, { operands }: Variant): number | undefined {
  const has = (kinds: string): boolean => operands.some(({ kind }) => kinds.includes(kind))
  const blocked = cpu.u32(AT.simdBlocked)
  if (has('VWU')) return blocked ? (blocked & BLOCKED.sse ? VECTOR.UD : VECTOR.NM) : undefined
  if (!has('PQN')) return undefined
  if (blocked & BLOCKED.emulated) return VECTOR.UD
  if (blocked & BLOCKED.switched) return VECTOR.NM
  return cpu.u32(AT.fsw) & FSW_ES ? VECTOR.MF : undefined
}
