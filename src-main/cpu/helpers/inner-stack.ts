/** The stack of a more privileged level, from the task state (SDM vol. 3, 5.8.5 and 6.12.1). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT, segAt, TR } from '../state/layout.ts'
import { GuestFault } from './helper.ts'
import { ATTR } from './modes.ts'
import { attrOf, dplOf, isNull, isWritableData, markAccessed, needDescriptor, segmentOf, wrap } from './segments.ts'
import { Stack } from './stack.ts'

/** SS:ESP of level `cpl` in the 16- or 32-bit TSS, checked; #TS and #SS name the selector plus `ext`. */
export function innerStack(cpu: Cpu, cpl: number, ext: number): Stack {
  const wide = (cpu.u32(segAt(TR, 'attr')) & 8) !== 0
  const size = wide ? 4 : 2
  const offset = size + cpl * size * 2
  if (offset + size + 1 > cpu.u32(segAt(TR, 'limit')))
    throw new GuestFault(VECTOR.TS, (cpu.u32(segAt(TR, 'selector')) & 0xfffc) | ext)
  const at = cpu.u64(segAt(TR, 'base')) + BigInt(offset)
  const pointer = cpu.readLinear(wrap(cpu, at), size, true)
  const selector = Number(cpu.readLinear(wrap(cpu, at + BigInt(size)), 2, true))
  if (isNull(selector)) throw new GuestFault(VECTOR.TS, ext)
  const d = needDescriptor(cpu, selector, VECTOR.TS, ext)
  const attr = attrOf(d)
  const code = (selector & 0xfffc) | ext
  if ((selector & 3) !== cpl || dplOf(attr) !== cpl || !isWritableData(attr)) throw new GuestFault(VECTOR.TS, code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.SS, code)
  const segment = segmentOf(markAccessed(cpu, d))
  return new Stack(cpu, {
    segment,
    pointer,
    size: segment.attr & ATTR.big ? 4 : 2,
    supervisor: cpu.u32(AT.cpl) === 3,
    code,
  })
}
