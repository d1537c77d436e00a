/** What the integer families share. */
import type { Expr } from '../wasm/expr.ts'
import type { OpContext, Size } from './registers.ts'

export const natural = (size: Size): 'i32' | 'i64' => (size === 8 ? 'i64' : 'i32')
export const bitsOf = (size: Size): number => 8 * size
/** The top bit of a value of `size` bytes as an i32 0 or 1. */
export const top = (e: Expr, size: Size): Expr =>
  e
    .shr_u(bitsOf(size) - 1)
    .i32()
    .and(1)
/** Sign-extends a value of `size` bytes within its natural type. */
export const signed = (e: Expr, size: Size): Expr => (size < 4 ? e.signExtend(size) : e)
export const clean = (e: Expr, size: Size): Expr => (size < 4 ? e.zeroExtend(size) : e)

/** `count` in the type of `e`. */
export const asCount = (count: Expr, e: Expr): Expr => (e.type === 'i64' ? count.u64() : count.i32())
export const resultBits = (c: OpContext, r: Expr, cf: Expr, of: Expr, af = 0): void => {
  const bits = cf.and(1).or(of.and(1).shl(11)).or(af)
  c.flags('result', r, r.type === 'i64' ? bits.u64() : bits)
}
