/** Where indirect jumps and calls were seen to go: the interpreter notes it, whoever makes regions reads it. */
import { toPtr } from './mmu/state-access.ts'
import { SEEN_SETS, SEEN_TARGETS, SEEN_WAYS } from './state/layout.ts'
import type { Expr } from './wasm/expr.ts'
import type { FunctionBuilder, Local } from './wasm/module.ts'

/** Fibonacci hashing: the product's highest bits choose the way. */
const GOLDEN = 0x9e3779b1
const SHIFT = 32 - Math.log2(SEEN_WAYS)

/**
 * The instruction at `record` goes to a place that lies `delta` (i64) bytes behind its own beginning. A store without a look: a hot target that
 * another one has overwritten is soon there again.
 */
export function noteTarget(f: FunctionBuilder, record: Local, delta: Expr): void {
  const low = f.tmp(delta.i32())
  const site = f.tmp(record.i32())
  const set = site.shr_u(4).and(SEEN_SETS - 1)
  const way = low.mul(GOLDEN | 0).shr_u(SHIFT)
  const at = toPtr(f, set.mul(SEEN_WAYS).add(way).shl(3).u64())
  f.store(8, at, low.u64().shl(32).or(site.u64()), SEEN_TARGETS)
}

/** Distances that were noted for a record. Its slot may have been another page's then: they are guesses. */
export function seenTargets(view: DataView, record: number): number[] {
  const set = SEEN_TARGETS + ((record >>> 4) & (SEEN_SETS - 1)) * SEEN_WAYS * 8
  const distances: number[] = []
  for (let at = set; at < set + SEEN_WAYS * 8; at += 8)
    if (view.getUint32(at, true) === record) distances.push(view.getInt32(at + 4, true))
  return distances
}
