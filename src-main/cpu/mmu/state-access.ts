/** Loads and stores of state fields in generated code. */
import { AT, CODE_TLB_ENTRIES, TLB_ENTRIES, TLB_STRIDE } from '../state/layout.ts'
import { konst, type Expr } from '../wasm/expr.ts'
import type { FunctionBuilder } from '../wasm/module.ts'

export const get64 = (f: FunctionBuilder, at: number): Expr => f.load64(konst(f.module.ptr, 0), at)
export const get32 = (f: FunctionBuilder, at: number): Expr => f.load32('u32', konst(f.module.ptr, 0), at)
export const put32 = (f: FunctionBuilder, at: number, value: Expr): void =>
  f.store(4, konst(f.module.ptr, 0), value, at)
export const put64 = (f: FunctionBuilder, at: number, value: Expr): void =>
  f.store(8, konst(f.module.ptr, 0), value, at)
export const bump = (f: FunctionBuilder, at: number): void => put64(f, at, get64(f, at).add(1))

/** Low bits of an i64 as a pointer. */
export const toPtr = (f: FunctionBuilder, e: Expr): Expr => (f.module.ptr === 'i32' ? e.i32() : e)
/** An i32, unsigned, as a pointer. */
export const widen = (f: FunctionBuilder, e: Expr): Expr => (f.module.ptr === 'i32' ? e : e.u64())

/** Address of a set's entry for a linear address in the first level of the data TLB. */
export function tlbEntry(f: FunctionBuilder, set: Expr, linear: Expr): Expr {
  const index = linear
    .shr_u(12)
    .and(TLB_ENTRIES - 1)
    .mul(TLB_STRIDE)
  return f.tmp(set.add(toPtr(f, index)))
}
/** The same in the set in use. */
export const tlbInUse = (f: FunctionBuilder, linear: Expr): Expr =>
  tlbEntry(f, f.loadPtr(konst(f.module.ptr, 0), AT.tlb), linear)
/** Address of the code TLB's entry for a linear address, in the set in use. */
export function codeTlbEntry(f: FunctionBuilder, linear: Expr): Expr {
  const index = linear
    .shr_u(12)
    .and(CODE_TLB_ENTRIES - 1)
    .shl(4)
  return f.tmp(f.loadPtr(konst(f.module.ptr, 0), AT.codeTlb).add(toPtr(f, index)))
}
