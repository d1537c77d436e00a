/** Call gates (SDM vol. 3, 5.8.3 to 5.8.5): to the same or a more privileged level, 16, 32 and 64 bits. */
import type { Cpu } from '../cpu.ts'
import { tssStack } from '../interrupts/deliver-long.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT, CS, RSP, segAt, SS } from '../state/layout.ts'
import { GuestFault } from './helper.ts'
import { innerStack } from './inner-stack.ts'
import { ATTR, longMode, refreshMode } from './modes.ts'
import {
  attrOf,
  checkLongCode,
  checkTarget,
  dplOf,
  gp,
  isCode,
  isConforming,
  isNull,
  loadCode,
  markAccessed,
  needDescriptor,
  nullStack,
  segmentOf,
  upperHalf,
  writeSegment,
  type Descriptor,
} from './segments.ts'
import { currentStack, Stack } from './stack.ts'

/** The code descriptor behind a gate, checked for a jump or call. */
function gateTarget(cpu: Cpu, selector: number, jump: boolean): Descriptor {
  if (isNull(selector)) throw gp(0)
  const d = needDescriptor(cpu, selector)
  const attr = attrOf(d)
  const code = selector & 0xfffc
  const cpl = cpu.u32(AT.cpl)
  if (!isCode(attr) || dplOf(attr) > cpl) throw gp(code)
  if (jump && !isConforming(attr) && dplOf(attr) !== cpl) throw gp(code)
  if (longMode(cpu)) {
    if (!(attr & ATTR.long)) throw gp(code)
    checkLongCode(cpu, attr, selector)
  }
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  return d
}

/** `gate` is a descriptor of type 4 or 12 that the caller has read; its own privilege is checked here. */
export function throughGate(cpu: Cpu, gate: Descriptor, jump: boolean): void {
  const attr = attrOf(gate)
  const code = gate.selector & 0xfffc
  if (Math.max(cpu.u32(AT.cpl), gate.selector & 3) > dplOf(attr)) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  const long = longMode(cpu)
  const size = long ? 8 : attr & 8 ? 4 : 2
  let offset = BigInt(gate.low & 0xffff)
  if (size >= 4) offset |= BigInt((gate.high & 0xffff_0000) >>> 0)
  if (long) {
    const full = needDescriptor(cpu, gate.selector, VECTOR.GP, 0, 16)
    if (cpu.readLinear(full.at + 12n, 4, true) & 0x1f00n) throw gp(code)
    offset |= upperHalf(cpu, full)
  }
  const target = gateTarget(cpu, gate.low >>> 16, jump)
  checkTarget(cpu, segmentOf(target), offset)
  const cpl = cpu.u32(AT.cpl)
  const inner = !isConforming(attrOf(target)) && dplOf(attrOf(target)) < cpl
  const newCpl = inner ? dplOf(attrOf(target)) : cpl
  let stack: Stack | undefined
  if (!jump) stack = inner ? pushInner(cpu, newCpl, size, gate.high & 31) : currentStack(cpu)
  if (stack) {
    stack.push(BigInt(cpu.u32(segAt(CS, 'selector'))), size)
    stack.push(cpu.u64(AT.nextRip), size)
  }
  const segment = segmentOf(markAccessed(cpu, target), (target.selector & ~3) | newCpl)
  if (inner && stack) writeSegment(cpu, SS, stack.segment)
  loadCode(cpu, segment, newCpl)
  refreshMode(cpu)
  stack?.load()
  cpu.setU64(AT.rip, offset)
}

/** The inner stack with the caller's SS:RSP and, without IA-32e mode, its parameters on it. */
function pushInner(cpu: Cpu, cpl: number, size: number, count: number): Stack {
  const stack = longMode(cpu)
    ? new Stack(cpu, {
        segment: nullStack(cpl, cpl),
        pointer: tssStack(cpu, 4 + 8 * cpl, 0),
        size: 8,
        supervisor: true,
        code: 0,
      })
    : innerStack(cpu, cpl, 0)
  stack.push(BigInt(cpu.u32(segAt(SS, 'selector'))), size)
  stack.push(cpu.gpr(RSP, size), size)
  if (size === 8) return stack
  const outer = currentStack(cpu)
  for (let i = count - 1; i >= 0; i--) stack.push(outer.peek(i * size, size), size)
  return stack
}
