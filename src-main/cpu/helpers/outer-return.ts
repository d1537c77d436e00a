/** The outer SS:RSP that a far return or IRET pops (SDM vol. 2, RET and IRET). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { GuestFault } from './helper.ts'
import { ATTR, longMode } from './modes.ts'
import {
  attrOf,
  dplOf,
  gp,
  isNull,
  isWritableData,
  markAccessed,
  needDescriptor,
  nullStack,
  segmentOf,
  type Segment,
} from './segments.ts'
import { Stack } from './stack.ts'

/** Pops RSP and SS from `from`, checked for a return to `code`; a null SS is allowed for 64-bit code of levels 0 to 2. */
export function outerStack(cpu: Cpu, from: Stack, size: number, code: Segment): Stack {
  const pointer = from.pop(size)
  const selector = Number(from.pop(size) & 0xffffn)
  const cpl = code.selector & 3
  const long = longMode(cpu) && (code.attr & ATTR.long) !== 0
  const segment = checkedStack(cpu, selector, cpl, long)
  return new Stack(cpu, {
    segment,
    pointer,
    size: long ? 8 : segment.attr & ATTR.big ? 4 : 2,
    supervisor: false,
    code: 0,
  })
}

function checkedStack(cpu: Cpu, selector: number, cpl: number, long: boolean): Segment {
  if (isNull(selector)) {
    if (!long || cpl === 3 || (selector & 3) !== cpl) throw gp(0)
    return nullStack(selector, cpl)
  }
  const d = needDescriptor(cpu, selector)
  const attr = attrOf(d)
  const named = selector & 0xfffc
  if ((selector & 3) !== cpl || !isWritableData(attr) || dplOf(attr) !== cpl) throw gp(named)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.SS, named)
  return segmentOf(markAccessed(cpu, d))
}
