import type { Expr, Operand } from '../wasm/expr.ts'
import type { FunctionBuilder } from '../wasm/module.ts'

/** Operand size in bytes. */
export type Size = 1 | 2 | 4 | 8

/** Outcomes of a cold handler or helper. */
export const STATUS = {
  /** Go on with the next instruction. */
  next: 0,
  /** State.rip holds the place to go on; mode, TLB set and code may have changed. */
  jump: 1,
  /** An exception is pending in the state; state.rip is the faulting instruction. */
  fault: 2,
  /** HLT: state.rip is after it. */
  halt: 3,
  /** Leave the slice; state.rip says where to go on. */
  leave: 4,
  /** Go on with the next instruction, but the run loop must look first. */
  steer: 5,
} as const

/** Kinds of lazy flags; see flags.ts. */
export const CC = { eflags: 0, result: 1, add: 2, adc: 3, sub: 4, sbb: 5, inc: 6, dec: 7 } as const
export type CcKind = keyof typeof CC

/** Condition codes in encoding order (SDM vol. 2, appendix B). */
export const CONDITIONS = [
  'o',
  'no',
  'b',
  'nb',
  'z',
  'nz',
  'be',
  'nbe',
  's',
  'ns',
  'p',
  'np',
  'l',
  'nl',
  'le',
  'nle',
] as const

/**
 * What an operation sees of the machine. Two back ends implement it: the interpreter generator (operands come from a predecoded record) and
 * the translator (operands are known). An operation is written once against this interface.
 *
 * Integer values have their natural type: i32 for 1, 2 and 4 bytes (zero-extended when read; bits above the size are ignored when
 * written), i64 for 8 bytes. Every get() and load() hands back a local, so later writes do not change it.
 *
 * An access that faults leaves the operation at once with nothing written by it so far being undone: so read everything, then
 * compute, then write; write memory before registers.
 */
export interface OpContext {
  readonly f: FunctionBuilder
  /** Operand size of the instruction (the size of operand 0 unless the row says otherwise). */
  readonly size: Size
  /** Address size in bytes. */
  readonly addressSize: Expr
  /** Bytes of the stack pointer: 2, 4, 8. */
  readonly stackSize: 2 | 4 | 8
  /** Code size of the mode this is decoded for: 2, 4, 8. */
  readonly codeSize: 2 | 4 | 8

  /** Size in bytes of operand n. */
  sizeOf(n: number): Size
  /** Is operand n in memory (known while generating)? Only for operands that the instruction writes; else undefined. */
  isMemory(n: number): boolean | undefined
  /** Operand n, zero-extended in its natural type; immediates sign-extended from their encoding to the size. */
  get(n: number): Expr
  set(n: number, value: Expr): void
  /** Host address of operand n's bytes (E, M, W, Q), for SIMD and string-like accesses. After writing through it call commit(n). */
  host(n: number): Expr
  commit(n?: number): void
  /** Effective address of the memory operand (linear, i64), for alignment checks and LEA-like uses. */
  ea(): Expr
  /** The raw immediate (i32, sign-extended). */
  imm(): Expr

  /** Register by number, any size; for size 1 the low byte. 4-byte writes zero the upper half. */
  gpr(register: number, size: Size): Expr
  setGpr(register: number, size: Size, value: Expr): void
  /** Bytes of operand n, 16 included. */
  width(n: number): number
  /** Operand n is an MMX register, or memory in place of one. */
  isMmx(n: number): boolean
  /** Vector operand n: an XMM register whole (whatever the operand's size), memory and MMX registers zero-extended. */
  getV(n: number): Expr
  /** Writes a whole XMM register or 16 bytes of memory. */
  setV(n: number, value: Expr): void
  /** XMM register by number. */
  xmm(register: number): Expr
  setXmm(register: number, value: Expr): void

  /** Lazy flags: all six arithmetic flags from this result and second operand. kind 'result': ZF SF PF from res; CF OF AF from `b` as bits of EFLAGS. `a`: the first operand of 'sub', where at hand. */
  flags(kind: CcKind, res: Expr, b: Operand, a?: Expr): void
  /** All six from EFLAGS bits. */
  setArithmeticFlags(bits: Expr): void
  /** CF PF AF ZF SF OF as EFLAGS bits. */
  arithmeticFlags(): Expr
  carry(): Expr
  /** i32 0 or 1. */
  condition(cc: number): Expr

  /** State field access (control registers, flags word, ...). */
  state(at: number, size: 4 | 8): Expr
  setState(at: number, size: 4 | 8, value: Expr): void

  /** Address after this instruction (relative to CS base), i64. */
  nextRip(): Expr
  /** Near jump to an absolute rip (i64, already masked to the mode), not conditional. */
  jump(target: Expr): void
  /** Near jump by operand J. */
  jumpRelative(): void
  /** if (condition) jump by operand J. */
  branch(condition: Expr): void
  /** Raise a fault and leave. */
  raise(vector: Operand, error?: Operand): void
  /** Calls the helper of that name (helpers/table); it may read and write all state. Leaves the operation by the helper's status. */
  helper(name: string): void
  /** Linear address of seg:offset; faults are raised by the access that follows. offset i64. */
  linear(segment: number | Expr, offset: Expr): Expr
  /** Flags of a comparison of `size` bytes, where it is not the operand size of the row. */
  compareFlags(res: Expr, b: Expr, size: Size): void
  /** Host address of [address, address+length) within one page for a run of elements, or 0 when it is not plain RAM or would fault. No fault is raised. */
  hostRange(address: Expr, length: Expr, write: boolean): Expr
  /** The run loop must look (interrupts, single-step) after this instruction: always, or when something is pending. Last statement of a path. */
  steering(always: boolean): void
  /** Inhibits interrupts (1), or debug traps too (2), for the next instruction. Last statement of a path. */
  inhibit(what: 1 | 2): void
  /** AC or CPL has changed: chooses the data TLB set in use. */
  selectTlb(): void
  /** Leaves the operation with this status; for halt state.rip must be set, for leave it still is this instruction. */
  leave(status: number): void
  /** Segment number (i32) of the memory operand, or the override that a string operation has. */
  dataSegment(): Expr
  /** Prefix 0xf2 or 0xf3 of a string operation, else 0. */
  readonly repeat: number
  /** Loads or stores at a linear address with the current privilege; leave on fault. */
  load(address: Expr, size: Size): Expr
  store(address: Expr, size: Size, value: Expr): void
  /**
   * Loads what the instruction will store() again at the address of its memory operand: faults as the write, a non-canonical
   * address as that operand's segment asks.
   */
  loadToModify(address: Expr, size: Size): Expr
}

export type Operation = (c: OpContext) => void
