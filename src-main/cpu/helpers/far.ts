/** JMP, CALL and RET between segments (SDM vol. 2 and vol. 3, 5.8). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT, CS, segAt, SS } from '../state/layout.ts'
import { throughGate } from './call-gates.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'
import { ATTR, longMode, realSegments, refreshMode } from './modes.ts'
import { displacement, immediate, readOperand, transferred } from './operands.ts'
import { outerStack } from './outer-return.ts'
import {
  attrOf,
  checkLongCode,
  checkTarget,
  dplOf,
  dropInnerSegments,
  gp,
  isCode,
  isConforming,
  isNull,
  loadCode,
  markAccessed,
  needDescriptor,
  realSegment,
  segmentOf,
  writeSegment,
  type Descriptor,
} from './segments.ts'
import { currentStack } from './stack.ts'
import { taskSwitch } from './task-switch.ts'

interface FarPointer {
  readonly selector: number
  readonly offset: bigint
}

const direct = (cpu: Cpu, insn: HelperInsn): FarPointer => ({
  selector: immediate(cpu, insn) & 0xffff,
  offset: BigInt.asUintN(insn.variant.operandSize * 8, BigInt(displacement(cpu, insn))),
})
const indirect = (cpu: Cpu, insn: HelperInsn): FarPointer => {
  const size = insn.variant.operandSize
  const offset = readOperand(cpu, insn, 0, size)
  return { offset, selector: Number(readOperand(cpu, insn, size, 2)) }
}

/** Real and virtual-8086 mode: a paragraph. */
function realTransfer(cpu: Cpu, to: FarPointer, size: number, call: boolean): number {
  const segment = realSegment(cpu, CS, to.selector)
  if (to.offset > BigInt(segment.limit)) throw gp(0)
  if (call) {
    const stack = currentStack(cpu)
    stack.push(BigInt(cpu.u32(segAt(CS, 'selector'))), size)
    stack.push(cpu.u64(AT.nextRip), size)
    stack.load()
  }
  loadCode(cpu, segment, cpu.u32(AT.cpl))
  refreshMode(cpu)
  cpu.setU64(AT.rip, to.offset)
  return transferred(cpu)
}

/** A code segment that is the target itself. */
function toCode(cpu: Cpu, d: Descriptor, offset: bigint, size: number, call: boolean): void {
  const attr = attrOf(d)
  const code = d.selector & 0xfffc
  const cpl = cpu.u32(AT.cpl)
  if (isConforming(attr)) {
    if (dplOf(attr) > cpl) throw gp(code)
  } else if ((d.selector & 3) > cpl || dplOf(attr) !== cpl) throw gp(code)
  checkLongCode(cpu, attr, d.selector)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  const segment = segmentOf(d, (d.selector & ~3) | cpl)
  checkTarget(cpu, segment, offset)
  const stack = currentStack(cpu)
  if (call) {
    stack.push(BigInt(cpu.u32(segAt(CS, 'selector'))), size)
    stack.push(cpu.u64(AT.nextRip), size)
  }
  const marked = markAccessed(cpu, d)
  if (call) stack.load()
  loadCode(cpu, segmentOf(marked, segment.selector), cpl)
  refreshMode(cpu)
  cpu.setU64(AT.rip, offset)
}

/** Call gate, task gate or task state segment. */
function toSystem(cpu: Cpu, d: Descriptor, call: boolean): void {
  const attr = attrOf(d)
  const code = d.selector & 0xfffc
  const type = attr & 15
  const long = longMode(cpu)
  if (type === 12 || (type === 4 && !long)) return throughGate(cpu, d, !call)
  const isTask = type === 1 || type === 9 || type === 5
  if (long || !isTask || Math.max(cpu.u32(AT.cpl), d.selector & 3) > dplOf(attr)) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  const selector = type === 5 ? d.low >>> 16 : d.selector
  taskSwitch(cpu, selector, { kind: call ? 'call' : 'jump', rip: cpu.u64(AT.nextRip), flags: cpu.rflags, ext: 0 })
}

const transfer =
  (pointer: (cpu: Cpu, insn: HelperInsn) => FarPointer, call: boolean): Helper =>
  (cpu, insn) => {
    const size = insn.variant.operandSize
    const to = pointer(cpu, insn)
    if (realSegments(cpu)) return realTransfer(cpu, to, size, call)
    if (isNull(to.selector)) throw gp(0)
    const d = needDescriptor(cpu, to.selector)
    if (isCode(attrOf(d))) toCode(cpu, d, to.offset, size, call)
    else if (attrOf(d) & ATTR.notSystem) throw gp(to.selector & 0xfffc)
    else toSystem(cpu, d, call)
    return transferred(cpu)
  }

/** The code descriptor of a far return or IRET to protected mode; its privilege level is the selector's RPL. */
export function returnTarget(cpu: Cpu, selector: number): Descriptor {
  if (isNull(selector)) throw gp(0)
  const code = selector & 0xfffc
  const rpl = selector & 3
  const d = needDescriptor(cpu, selector)
  const attr = attrOf(d)
  if (!isCode(attr) || rpl < cpu.u32(AT.cpl)) throw gp(code)
  if (isConforming(attr) ? dplOf(attr) > rpl : dplOf(attr) !== rpl) throw gp(code)
  checkLongCode(cpu, attr, selector)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  return d
}

const returnFar =
  (withImmediate: boolean): Helper =>
  (cpu, insn) => {
    const size = insn.variant.operandSize
    const extra = withImmediate ? immediate(cpu, insn) & 0xffff : 0
    const stack = currentStack(cpu)
    const offset = stack.pop(size)
    const selector = Number(stack.pop(size) & 0xffffn)
    if (realSegments(cpu)) {
      const segment = realSegment(cpu, CS, selector)
      if (offset > BigInt(segment.limit)) throw gp(0)
      stack.skip(extra)
      stack.load()
      loadCode(cpu, segment, cpu.u32(AT.cpl))
      refreshMode(cpu)
      cpu.setU64(AT.rip, offset)
      return transferred(cpu)
    }
    const d = returnTarget(cpu, selector)
    const cpl = selector & 3
    const target = segmentOf(d)
    checkTarget(cpu, target, offset)
    stack.skip(extra)
    const outer = cpl > cpu.u32(AT.cpl) ? outerStack(cpu, stack, size, target) : undefined
    const marked = segmentOf(markAccessed(cpu, d))
    if (outer) writeSegment(cpu, SS, outer.segment)
    loadCode(cpu, marked, cpl)
    refreshMode(cpu)
    if (outer) {
      outer.skip(extra)
      outer.load()
      dropInnerSegments(cpu, cpl)
    } else stack.load()
    cpu.setU64(AT.rip, offset)
    return transferred(cpu)
  }

export const FAR: Readonly<Record<string, Helper>> = {
  jmp_far: transfer(direct, false),
  jmp_far_mem: transfer(indirect, false),
  call_far: transfer(direct, true),
  call_far_mem: transfer(indirect, true),
  ret_far: returnFar(false),
  ret_far_imm: returnFar(true),
}
