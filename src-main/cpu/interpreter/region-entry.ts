/** The interpreter's side of regions: counting jumps, entering, finding the plain record of an instruction. */
import { bump, codeTlbEntry, get32, get64, put64, toPtr } from '../mmu/state-access.ts'
import { HANDLER } from '../region.ts'
import { AT, HOT_COUNTER_BYTES, HOT_COUNTERS, segAt } from '../state/layout.ts'
import { Expr, i32 } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, Local } from '../wasm/module.ts'

/** Linear address of state.rip. */
export function linearRip(f: FunctionBuilder): Local {
  const at = f.tmp(get64(f, AT.rip).add(get64(f, segAt(1, 'base'))))
  const linear = f.local('i64')
  f.set(linear, at)
  f.if(get32(f, AT.codeSize).ne(8), () => f.set(linear, at.and(0xffffffffn)))
  return linear
}

/** Before the first countJump() of a run: `until` differs from run to run, for short ones must not count always the same jumps, or none. */
export function beginCounting(f: FunctionBuilder, until: Local): void {
  f.set(until, get64(f, AT.retired).i32().and(get32(f, AT.hotEvery).sub(1)))
}

/**
 * Counts a jump to `record`, when its turn has come (`until` jumps are let pass before: the counters of much code do not fit in the host's
 * caches); the translator hears of it once, with state.rip there.
 */
export function countJump(
  f: FunctionBuilder,
  hot: Func,
  { record, until, saveRip }: { readonly record: Local; readonly until: Local; readonly saveRip: () => void },
): void {
  const { ptr } = f.module
  f.set(until, until.sub(1))
  f.rarely(until.lt_s(0), () => {
    f.set(until, get32(f, AT.hotEvery).sub(1))
    const at = f.tmp(record.shr_u(3).and(HOT_COUNTER_BYTES - 2))
    const before = f.tmp(f.load32('u16', at, HOT_COUNTERS))
    const weight = get32(f, AT.cpl).eqz().select(get32(f, AT.hotKernel), i32(1))
    const count = f.tmp(before.add(weight))
    f.store(2, at, count, HOT_COUNTERS)
    const hotAt = f.tmp(get32(f, AT.hotAt))
    f.if(before.lt_u(hotAt).and(count.ge_u(hotAt)), () => {
      saveRip()
      f.call(hot, new Expr('f64', [record], [ptr === 'i32' ? 0xb8 : 0xba]))
    })
  })
}

/** Is the record of a linear address at hand, and no region's? */
export function isPlain(f: FunctionBuilder, linear: Expr): Expr {
  const plain = f.local('i32')
  f.set(plain, 0)
  const entry = codeTlbEntry(f, linear)
  f.if(f.load64(entry).eq(linear.and(-4096n)), () => {
    const record = f.loadPtr(entry, 8).add(toPtr(f, linear.and(4095).shl(4)))
    const handler = f.load32('u16', record)
    f.set(plain, handler.ne(HANDLER.region).and(handler.ne(HANDLER.asleep)))
  })
  return plain
}

/** Runs the region at `record`: its REGION_EXIT. */
export function enterRegion(f: FunctionBuilder, record: Local, linear: Expr, budget: Local): Expr {
  const before = f.tmp(budget.add(0))
  const page = f.tmp(linear.and(-4096n))
  const status = f.callIndirect(['i64', 'i32'], 'i32', f.load32('u32', record, 8), page, budget)
  f.set(budget, get32(f, AT.budget))
  bump(f, AT.regionEntries)
  put64(f, AT.regionInstructions, get64(f, AT.regionInstructions).add(before.sub(budget).u64()))
  return status
}
