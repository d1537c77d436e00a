/** Loads and stores of state fields in generated code. */
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
