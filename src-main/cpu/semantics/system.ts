/** Reads of system state that kernels do at every switch: segment selectors, bases of FS and GS, control registers. */
import { CR4 } from '../helpers/modes.ts'
import { VECTOR } from '../mmu/access.ts'
import { widen } from '../mmu/state-access.ts'
import { AT, FS, GS, segAt, SEGMENT_STRIDE } from '../state/layout.ts'
import { i32 } from '../wasm/expr.ts'
import type { OpContext, Operation } from './context.ts'

/** SDM vol. 2, MOV: the upper half of a 32- or 64-bit register becomes zero. */
function movFromSegment(c: OpContext): void {
  const n = c.get(1)
  c.f.rarely(n.gt_u(GS), () => c.raise(VECTOR.UD))
  const selector = c.f.load32('u32', widen(c.f, n.mul(SEGMENT_STRIDE)), segAt(0, 'selector'))
  c.set(0, c.sizeOf(0) === 8 ? selector.u64() : selector)
}

function requireFsgsbase(c: OpContext): void {
  c.f.rarely(c.state(AT.cr4, 4).and(CR4.FSGSBASE).eqz(), () => c.raise(VECTOR.UD))
}
const readBase =
  (segment: number): Operation =>
  (c) => {
    requireFsgsbase(c)
    const base = c.state(segAt(segment, 'base'), 8)
    c.set(0, c.sizeOf(0) === 8 ? base : base.i32())
  }
const writeBase =
  (segment: number): Operation =>
  (c) => {
    requireFsgsbase(c)
    const base = c.f.tmp(c.get(0).u64())
    const isOutside = base
      .add(1n << 47n)
      .shr_u(48)
      .ne(0)
    c.f.rarely(isOutside, () => c.raise(VECTOR.GP, 0))
    c.setState(segAt(segment, 'base'), 8, base)
    c.setState(segAt(segment, 'flat'), 4, i32(0))
  }

/** CR8 is the local APIC's. */
function movFromControl(c: OpContext): void {
  const { f } = c
  const n = c.get(1)
  f.if(n.eq(8), () => c.helper('mov_from_cr'))
  f.rarely(n.eq(1).or(n.gt_u(4)), () => c.raise(VECTOR.UD))
  f.rarely(c.state(AT.cpl, 4).ne(0), () => c.raise(VECTOR.GP, 0))
  // CR1 does not exist: CR2 follows CR0
  const value = f.load64(widen(f, n.sub(n.ne(0)).shl(3)), AT.cr0)
  c.set(0, c.sizeOf(0) === 8 ? value : value.i32())
}

export const SYSTEM: Readonly<Record<string, Operation>> = {
  mov_from_sreg: movFromSegment,
  rdfsbase: readBase(FS),
  rdgsbase: readBase(GS),
  wrfsbase: writeBase(FS),
  wrgsbase: writeBase(GS),
  mov_from_cr: movFromControl,
}
