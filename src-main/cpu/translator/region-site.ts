/** What the parts of a region's generator share. */
import { i64, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, Label, Local } from '../wasm/module.ts'
import type { Insn } from './instructions.ts'
import type { FlagImports, RegionFlags } from './region-flags.ts'
import type { Registers } from './registers.ts'

/** Functions of the core module that regions call. */
export interface RegionImports extends FlagImports {
  /** (linear, access | size << 8, place as state.regionWhere) -> host address; 0: a fault is pending; 1: the interpreter has to run the instruction. */
  readonly regionReach: Func
  readonly commit: Func
  readonly linear: Func
  readonly selectTlb: Func
  readonly hostRange: Func
  /** (linear address of a page) -> its code slot, or 0. */
  readonly lookAhead: Func
}

/** Locals and labels of the region that is being generated. */
export interface RegionSite {
  readonly f: FunctionBuilder
  readonly imports: RegionImports
  readonly ramBase: number
  /** Code size of the mode. */
  readonly codeSize: 2 | 4 | 8
  readonly registers: Registers
  readonly flags: RegionFlags
  /** Linear address of the page. */
  readonly bias: Local
  /** Data TLB set in use. */
  readonly tlb: Local
  /** Where to go on, after leave(). */
  readonly rip: Local
  /** A REGION_EXIT less 1, when leaving by `stop` (state.regionWhere says where); a STATUS, when leaving by `quit`. */
  readonly status: Local
  /** Leaves for `rip`. */
  readonly leave: () => void
  /** What `stop` has to store: bits of the registers' tracker, and UNSAVED_FLAGS. */
  readonly unsaved: Local
  readonly stop: Label
  /** Leaves as a handler of the interpreter's asked, with all registers in the state. */
  readonly quit: Label
  /** Addresses of the records for instructions that handlers run. */
  readonly records: ReadonlyMap<Insn, number>
  /** Instruction pointer of an offset in the page. */
  readonly ripAt: (offset: number) => Expr
}

/** Number of a bit in RegionSite.unsaved. */
export const UNSAVED_FLAGS = 32n

/** Before going to `stop`: that stores what may have been written on the way to here. */
export function markUnsaved({ f, registers, flags, unsaved }: RegionSite): void {
  const dirty = BigInt(registers.tracker.stop() >>> 0)
  f.set(unsaved, i64(dirty | (BigInt(flags.tracker.stop() & 1) << UNSAVED_FLAGS)))
}
