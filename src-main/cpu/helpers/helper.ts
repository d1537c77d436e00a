/**
 * Rare operations are written in TypeScript: a helper has the name of its row in the opcode table and runs with the whole state in
 * memory. It reports the outcome as a status (semantics/context.ts); a fault is thrown as GuestFault with nothing changed before.
 */
import type { Cpu } from '../cpu.ts'
import type { Variant } from '../decode/variants.ts'

/** The instruction that called a helper. state.rip is its address, state.nextRip the one after it. */
export interface HelperInsn {
  readonly variant: Variant
  /** Address of the predecoded record. */
  readonly record: number
  /** Host address of the ModRM operand (register or memory): read and write it with cpu.host* and, after a write, cpu.commit(). */
  readonly host: number
}

export type Helper = (cpu: Cpu, insn: HelperInsn) => number

/** An exception of the guest. Thrown by helpers and by the processor's own accesses. */
export class GuestFault extends Error {
  readonly vector: number
  readonly code: number | undefined
  constructor(vector: number, code?: number) {
    super(`exception ${vector}${code === undefined ? '' : ` (${code.toString(16)})`}`)
    this.vector = vector
    this.code = code
  }
}

/** The access itself has already left its exception in the state (page faults of linear accesses). */
export class PendingFault extends Error {}
