/** Operands and MXCSR for helpers of vector instructions. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { FLAG, type FloatEnv } from '../softfloat/core.ts'
import { AT } from '../state/layout.ts'
import { GuestFault, type HelperInsn } from './helper.ts'

/** Address of the operand in ModRM.reg: an XMM or MMX register. */
export const registerAddress = (cpu: Cpu, insn: HelperInsn, base: number = AT.xmm): number =>
  base + cpu.view.getUint8(insn.record + 4)
export const immediateOf = (cpu: Cpu, insn: HelperInsn): number => cpu.view.getInt32(insn.record + 12, true)

/** Fields of MXCSR (SDM vol. 1, 10.2.3). */
const DAZ = 1 << 6
const MASKS_SHIFT = 7
const RC_SHIFT = 13
const FTZ = 1 << 15
const ALL_FLAGS = 0x3f
const CR4_OSXMMEXCPT = 1n << 10n

export interface SseEnv extends FloatEnv {
  /** Denormal operands are zero. */
  readonly denormalsAreZero: boolean
}
export function sseEnv(cpu: Cpu): SseEnv {
  const mxcsr = cpu.u32(AT.mxcsr)
  return {
    rounding: (mxcsr >> RC_SHIFT) & 3,
    masks: (mxcsr >> MASKS_SHIFT) & ALL_FLAGS,
    flushToZero: (mxcsr & FTZ) !== 0,
    denormalsAreZero: (mxcsr & DAZ) !== 0,
    wrap: false,
    // the first operand's NaN wins, whatever its kind (SDM vol. 1, table 4-7)
    chooseNaN: (a, b) => (a.kind === 'nan' ? a : b),
    flags: 0,
    roundedUp: false,
  }
}

/** Found before the computation: an unmasked one of any lane keeps all lanes from computing. */
const BEFORE = FLAG.invalid | FLAG.denormal | FLAG.zeroDivide

/** Records the exceptions of all lanes in MXCSR; throws #XM (#UD without CR4.OSXMMEXCPT) for unmasked ones (SDM vol. 1, 11.5.3). */
export function raiseFlags(cpu: Cpu, env: SseEnv): void {
  const mxcsr = cpu.u32(AT.mxcsr)
  const unmasked = env.flags & ~env.masks
  const recorded = unmasked & BEFORE ? env.flags & BEFORE : env.flags
  cpu.setU32(AT.mxcsr, mxcsr | recorded)
  if (unmasked) throw new GuestFault((cpu.u64(AT.cr4) & CR4_OSXMMEXCPT) !== 0n ? VECTOR.XM : VECTOR.UD)
}
