/** What all SSE and MMX operations begin and end with: checks, aligned operands, the side effects of MMX on x87. */
import { BLOCKED, FSW_ES } from '../helpers/blocked.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT } from '../state/layout.ts'
import { i32, type Expr } from '../wasm/expr.ts'
import { i64x2 } from '../wasm/simd.ts'
import type { Operation, OpContext } from './context.ts'

/** #UD and #NM of SSE instructions. */
export function enterSse(c: OpContext): void {
  const blocked = c.state(AT.simdBlocked, 4)
  c.f.if(blocked, () => c.raise(blocked.and(BLOCKED.sse).select(i32(VECTOR.UD), i32(VECTOR.NM))))
}

/** #UD, #NM and #MF of MMX instructions. */
export function enterMmx(c: OpContext): void {
  const blocked = c.f.tmp(c.state(AT.simdBlocked, 4).and(BLOCKED.emulated | BLOCKED.switched))
  c.f.if(blocked, () => c.raise(blocked.and(BLOCKED.emulated).select(i32(VECTOR.UD), i32(VECTOR.NM))))
  c.f.if(c.state(AT.fsw, 4).and(FSW_ES), () => c.raise(VECTOR.MF))
}

/** The checks of an instruction that exists for both register files. */
export function enter(c: OpContext): void {
  if (c.isMmx(0)) enterMmx(c)
  else enterSse(c)
}

/** x87's state after any MMX instruction: TOP 0, all registers valid (SDM vol. 1, 9.5). */
export function touchMmx(c: OpContext): void {
  c.setState(AT.ftop, 4, i32(0))
  c.setState(AT.ftw, 4, i32(0))
}

/** Memory operands of 16 bytes must be aligned, but for the instructions that say otherwise (SDM vol. 1, 10.4.1.1). */
export function checkAligned(c: OpContext, n: number): void {
  if (c.isMemory(n) && c.width(n) === 16) c.f.if(c.ea().i32().and(15), () => c.raise(VECTOR.GP, 0))
}

export function source(c: OpContext, n: number): Expr {
  checkAligned(c, n)
  return c.getV(n)
}

/** Writes vector operand n: a whole XMM register, 16 bytes of memory, or the low half as an MMX register. */
export function put(c: OpContext, n: number, value: Expr): void {
  if (!c.isMmx(n)) {
    c.setV(n, value)
    return
  }
  putMmx(c, n, i64x2.lane(value, 0))
}
/** Writes an MMX register (or 8 bytes of memory in its place). */
export function putMmx(c: OpContext, n: number, value: Expr): void {
  c.set(n, value)
  if (c.isMemory(n) !== true) c.f.store(2, c.host(n), i32(0xffff), 8)
  touchMmx(c)
}

/** destination = compute(destination, source), lanes in the low half for MMX. */
export const binary =
  (compute: (a: Expr, b: Expr, c: OpContext) => Expr): Operation =>
  (c) => {
    enter(c)
    const b = source(c, 1)
    put(c, 0, compute(c.getV(0), b, c))
  }
/** destination = compute(source) */
export const unary =
  (compute: (a: Expr, c: OpContext) => Expr): Operation =>
  (c) => {
    enter(c)
    put(c, 0, compute(source(c, 1), c))
  }
