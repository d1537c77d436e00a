/** Transfers that change CS (SDM vol. 3, 5.8 and 6.12; vol. 2: CALL, JMP, RET, IRET, INT n). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { IF, NT, TF, VM } from '../semantics/flags.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, CS, DS, ES, FS, GS, RSP, segAt, SS } from '../state/layout.ts'
import { innerStack } from '../interrupts/deliver.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'
import {
  ATTR,
  dpl,
  isCode,
  isLongMode,
  isPresent,
  isReal,
  isRealLike,
  isVm86,
  readDescriptor,
  setCode,
  setNull,
  setRealSegment,
  setSegment,
  stackDescriptor,
  SYSTEM,
  updateMode,
  type Descriptor,
} from './segments.ts'

const errorOf = (selector: number): number => selector & 0xfffc
const canonical = (a: bigint): boolean => BigInt.asIntN(48, a) === BigInt.asIntN(64, a)

/** Values on the stack read in order, RSP written only at the end. */
class StackReader {
  private readonly cpu: Cpu
  private readonly size: number
  pointer: bigint
  constructor(cpu: Cpu, size: number) {
    this.cpu = cpu
    this.size = size
    this.pointer = cpu.gpr(RSP, cpu.u32(AT.stackSize))
  }
  pop(): bigint {
    const value = this.cpu.readLinear(this.cpu.linear(SS, this.pointer, this.size, false), this.size)
    this.skip(this.size)
    return value
  }
  skip(bytes: number): void {
    this.pointer = BigInt.asUintN(8 * this.cpu.u32(AT.stackSize), this.pointer + BigInt(bytes))
  }
}

/** Interrupts, single-step or the TLB set may have changed: go on at state.rip, by way of the run loop when it has to look. */
function resume(cpu: Cpu): number {
  const flags = cpu.u32(AT.eflags)
  return flags & TF || (flags & IF && cpu.u32(AT.attention)) ? STATUS.leave : STATUS.jump
}

/** A code segment that JMP or CALL may go to directly (SDM vol. 3, 5.8.1). */
function directTarget(cpu: Cpu, d: Descriptor): Descriptor {
  const cpl = cpu.u32(AT.cpl)
  const allowed = d.attr & ATTR.conforming ? dpl(d) <= cpl : (d.selector & 3) <= cpl && dpl(d) === cpl
  if (!isCode(d) || !allowed) throw new GuestFault(VECTOR.GP, errorOf(d.selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(d.selector))
  return checkLong(cpu, d)
}
function checkLong(cpu: Cpu, d: Descriptor): Descriptor {
  if (isLongMode(cpu) && d.attr & ATTR.long && d.attr & ATTR.big) throw new GuestFault(VECTOR.GP, errorOf(d.selector))
  return d
}
function checkOffset(cpu: Cpu, d: Descriptor, offset: bigint): void {
  const long = isLongMode(cpu) && (d.attr & ATTR.long) !== 0
  if (long ? !canonical(offset) : offset > BigInt(d.limit)) throw new GuestFault(VECTOR.GP, 0)
}

interface FarPointer {
  readonly selector: number
  readonly offset: bigint
  readonly size: number
}
function immediatePointer(cpu: Cpu, insn: HelperInsn): FarPointer {
  const offset = BigInt(cpu.view.getUint32(insn.record + 8, true))
  return { selector: cpu.view.getUint16(insn.record + 12, true), offset, size: insn.variant.operandSize }
}
function memoryPointer(cpu: Cpu, insn: HelperInsn): FarPointer {
  const size = insn.variant.operandSize
  const ea = cpu.u64(AT.ea)
  const offset = cpu.readLinear(ea, size)
  return { offset, selector: Number(cpu.readLinear(ea + BigInt(size), 2)), size }
}

function jump(cpu: Cpu, { selector, offset }: FarPointer): number {
  if (isRealLike(cpu)) {
    setRealSegment(cpu, CS, selector)
    cpu.setU64(AT.rip, offset)
    return STATUS.jump
  }
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  if (d.attr & ATTR.segment) {
    const target = directTarget(cpu, d)
    checkOffset(cpu, target, offset)
    setCode(cpu, target, cpu.u32(AT.cpl))
    cpu.setU64(AT.rip, offset)
    return STATUS.jump
  }
  const gate = callGate(cpu, d)
  const target = gateTarget(cpu, gate.selector)
  if ((target.attr & ATTR.conforming) === 0 && dpl(target) !== cpu.u32(AT.cpl))
    throw new GuestFault(VECTOR.GP, errorOf(gate.selector))
  setCode(cpu, target, cpu.u32(AT.cpl))
  cpu.setU64(AT.rip, gate.offset)
  return STATUS.jump
}

interface CallGate {
  readonly selector: number
  readonly offset: bigint
  readonly size: 2 | 4 | 8
  readonly parameters: number
}
/** Types 4 and 12; anything else system (task gates, TSS) is refused by name. */
function callGate(cpu: Cpu, d: Descriptor): CallGate {
  const type = d.attr & 15
  const long = isLongMode(cpu)
  if (type !== SYSTEM.callGate && (long || type !== 4)) {
    if (!long && (type === 5 || (type & 5) === 1)) cpu.host.warn('task switch by far transfer is not implemented')
    throw new GuestFault(VECTOR.GP, errorOf(d.selector))
  }
  if (dpl(d) < cpu.u32(AT.cpl) || dpl(d) < (d.selector & 3)) throw new GuestFault(VECTOR.GP, errorOf(d.selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(d.selector))
  const raw = cpu.readLinear(d.at, 8, true)
  const low = (raw & 0xffffn) | (type === 4 ? 0n : (raw >> 32n) & 0xffff0000n)
  const high = long ? (cpu.readLinear(d.at + 8n, 8, true) & 0xffffffffn) << 32n : 0n
  return {
    selector: Number((raw >> 16n) & 0xffffn),
    offset: low | high,
    size: long ? 8 : type === 4 ? 2 : 4,
    parameters: long ? 0 : Number((raw >> 32n) & 31n),
  }
}
function gateTarget(cpu: Cpu, selector: number): Descriptor {
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  if (!isCode(d) || dpl(d) > cpu.u32(AT.cpl)) throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (isLongMode(cpu) && ((d.attr & ATTR.long) === 0 || d.attr & ATTR.big))
    throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(selector))
  return d
}

/** Pushes onto a stack that is not yet in SS. */
function pushAll(cpu: Cpu, base: bigint, mask: bigint, start: bigint, size: number, values: readonly bigint[]): bigint {
  let pointer = start
  for (const value of values) {
    pointer = (pointer & ~mask) | ((pointer - BigInt(size)) & mask)
    const at = mask === FULL ? pointer : (base + (pointer & mask)) & 0xffffffffn
    cpu.writeLinear(at, size, value)
  }
  return BigInt.asUintN(64, pointer)
}
const FULL = 0xffffffffffffffffn
function currentStack(cpu: Cpu): { base: bigint; mask: bigint } {
  const size = cpu.u32(AT.stackSize)
  return {
    base: size === 8 ? 0n : cpu.u64(segAt(SS, 'base')),
    mask: size === 8 ? FULL : size === 4 ? 0xffffffffn : 0xffffn,
  }
}

function call(cpu: Cpu, pointer: FarPointer): number {
  const { selector, offset, size } = pointer
  const back = [BigInt(cpu.u32(segAt(CS, 'selector'))), cpu.u64(AT.nextRip)]
  const { base, mask } = currentStack(cpu)
  const sp = cpu.gpr(RSP)
  if (isRealLike(cpu)) {
    const next = pushAll(cpu, base, mask, sp, size, back)
    cpu.setGpr(RSP, next, cpu.u32(AT.stackSize))
    return jump(cpu, pointer)
  }
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  if (d.attr & ATTR.segment) {
    const target = directTarget(cpu, d)
    checkOffset(cpu, target, offset)
    const next = pushAll(cpu, base, mask, sp, size, back)
    const stackSize = cpu.u32(AT.stackSize)
    setCode(cpu, target, cpu.u32(AT.cpl))
    cpu.setGpr(RSP, next, stackSize)
    cpu.setU64(AT.rip, offset)
    return STATUS.jump
  }
  return callThroughGate(cpu, callGate(cpu, d), back)
}
function callThroughGate(cpu: Cpu, gate: CallGate, back: readonly bigint[]): number {
  const target = gateTarget(cpu, gate.selector)
  const oldCpl = cpu.u32(AT.cpl)
  const sp = cpu.gpr(RSP)
  if (target.attr & ATTR.conforming || dpl(target) === oldCpl) {
    const { base, mask } = currentStack(cpu)
    const next = pushAll(cpu, base, mask, sp, gate.size, back)
    const stackSize = cpu.u32(AT.stackSize)
    setCode(cpu, target, oldCpl)
    cpu.setGpr(RSP, next, stackSize)
    cpu.setU64(AT.rip, gate.offset)
    return STATUS.jump
  }
  const cpl = dpl(target)
  const oldStack = [BigInt(cpu.u32(segAt(SS, 'selector'))), sp]
  if (gate.size === 8) {
    const tss = cpu.u64(segAt(7, 'base'))
    const inner = cpu.readLinear(tss + BigInt(4 + 8 * cpl), 8, true)
    let at = inner
    for (const value of [...oldStack, ...back]) {
      at = BigInt.asUintN(64, at - 8n)
      cpu.writeLinear(at, 8, value, true)
    }
    setCode(cpu, target, cpl)
    setNull(cpu, SS, cpl)
    cpu.setGpr(RSP, at)
  } else {
    const { base, mask } = currentStack(cpu)
    const parameters = Array.from({ length: gate.parameters }, (_, n) =>
      cpu.readLinear((base + ((sp + BigInt(n * gate.size)) & mask)) & 0xffffffffn, gate.size),
    ).reverse()
    const inner = innerStack(cpu, cpl)
    const innerMask = inner.stack.attr & ATTR.big ? 0xffffffffn : 0xffffn
    let at = inner.pointer
    for (const value of [...oldStack, ...parameters, ...back]) {
      at = (at - BigInt(gate.size)) & innerMask
      cpu.writeLinear((inner.stack.base + at) & 0xffffffffn, gate.size, value, true)
    }
    setCode(cpu, target, cpl)
    setSegment(cpu, SS, inner.stack)
    updateMode(cpu)
    cpu.setGpr(RSP, at, cpu.u32(AT.stackSize))
  }
  cpu.setU64(AT.rip, gate.offset)
  return STATUS.jump
}

/** The code segment that RET and IRET go back to. */
function returnTarget(cpu: Cpu, selector: number): Descriptor {
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  const rpl = selector & 3
  const allowed = d.attr & ATTR.conforming ? dpl(d) <= rpl : dpl(d) === rpl
  if (!isCode(d) || rpl < cpu.u32(AT.cpl) || !allowed) throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(selector))
  return checkLong(cpu, d)
}
/** SS for a return; null is allowed to 64-bit code below CPL 3. */
function returnStack(cpu: Cpu, selector: number, code: Descriptor, cpl: number): Descriptor | undefined {
  if ((selector & 0xfffc) === 0 && isLongMode(cpu) && code.attr & ATTR.long && cpl < 3 && (selector & 3) === cpl)
    return undefined
  return stackDescriptor(cpu, selector, cpl)
}
function setStack(cpu: Cpu, stack: Descriptor | undefined, selector: number): void {
  if (stack) setSegment(cpu, SS, stack)
  else setNull(cpu, SS, selector)
  updateMode(cpu)
}
/** Segments that the outer level may not use become null (SDM vol. 2, RET). */
function dropInnerSegments(cpu: Cpu): void {
  const cpl = cpu.u32(AT.cpl)
  for (const segment of [ES, DS, FS, GS]) {
    const attr = cpu.u32(segAt(segment, 'attr'))
    const conforming = (attr & 0x1c) === 0x1c
    if (attr & ATTR.present && !conforming && ((attr >> 5) & 3) < cpl) setNull(cpu, segment, 0)
  }
}

function returnFar(cpu: Cpu, insn: HelperInsn): number {
  const size = insn.variant.operandSize
  const extra = insn.variant.name === 'ret_far_imm' ? cpu.view.getUint16(insn.record + 12, true) : 0
  const stack = new StackReader(cpu, size)
  const rip = stack.pop()
  const selector = Number(stack.pop() & 0xffffn)
  stack.skip(extra)
  if (isRealLike(cpu)) {
    cpu.setGpr(RSP, stack.pointer, cpu.u32(AT.stackSize))
    setRealSegment(cpu, CS, selector)
    cpu.setU64(AT.rip, rip)
    return STATUS.jump
  }
  const target = returnTarget(cpu, selector)
  checkOffset(cpu, target, rip)
  const cpl = selector & 3
  if (cpl === cpu.u32(AT.cpl)) {
    const stackSize = cpu.u32(AT.stackSize)
    setCode(cpu, target, cpl)
    cpu.setGpr(RSP, stack.pointer, stackSize)
  } else {
    const sp = stack.pop()
    const ssSelector = Number(stack.pop() & 0xffffn)
    const ss = returnStack(cpu, ssSelector, target, cpl)
    setCode(cpu, target, cpl)
    setStack(cpu, ss, ssSelector)
    cpu.setGpr(RSP, sp + BigInt(extra), cpu.u32(AT.stackSize))
    dropInnerSegments(cpu)
  }
  cpu.setU64(AT.rip, rip)
  return STATUS.jump
}

/** Flags that IRET takes from the stack. */
function returnFlags(cpu: Cpu, popped: number, size: number, oldCpl: number): void {
  const iopl = (cpu.u32(AT.eflags) >> 12) & 3
  let mask = 0x4dd5 | (size >= 4 ? 0x250000 : 0)
  if (oldCpl <= iopl) mask |= IF
  if (oldCpl === 0) mask |= 0x3000 | (size >= 4 ? 0x180000 : 0)
  cpu.rflags = (cpu.rflags & ~mask) | (popped & mask)
}

function iretReal(cpu: Cpu, size: number): number {
  if (isVm86(cpu) && ((cpu.u32(AT.eflags) >> 12) & 3) < 3) throw new GuestFault(VECTOR.GP, 0)
  const stack = new StackReader(cpu, size)
  const rip = stack.pop()
  const selector = Number(stack.pop() & 0xffffn)
  const flags = Number(stack.pop() & 0xffffffffn)
  if (rip > BigInt(cpu.u32(segAt(CS, 'limit')))) throw new GuestFault(VECTOR.GP, 0)
  cpu.setGpr(RSP, stack.pointer, cpu.u32(AT.stackSize))
  setRealSegment(cpu, CS, selector)
  cpu.setU64(AT.rip, rip)
  const mask = size === 2 ? 0x7fd5 : 0x257fd5
  const kept = isVm86(cpu) ? mask & ~0x3000 : mask
  cpu.rflags = (cpu.rflags & ~kept) | (flags & kept)
  return resume(cpu)
}

function iretToVm86(cpu: Cpu, stack: StackReader, rip: bigint, selector: number, flags: number): number {
  const sp = stack.pop()
  const selectors = [SS, ES, DS, FS, GS].map((segment) => [segment, Number(stack.pop() & 0xffffn)] as const)
  cpu.rflags = flags & 0x3f7fd5
  cpu.setU32(AT.cpl, 3)
  setRealSegment(cpu, CS, selector)
  for (const [segment, value] of selectors) setRealSegment(cpu, segment, value)
  cpu.selectTlb()
  updateMode(cpu)
  cpu.setGpr(RSP, sp, 4)
  cpu.setU64(AT.rip, rip & 0xffffn)
  return resume(cpu)
}

function iret(cpu: Cpu, insn: HelperInsn): number {
  const size = insn.variant.operandSize
  if (isReal(cpu) || isVm86(cpu)) return iretReal(cpu, size)
  const oldCpl = cpu.u32(AT.cpl)
  const long = cpu.u32(AT.codeSize) === 8
  if (cpu.u32(AT.eflags) & NT) {
    if (!isLongMode(cpu)) cpu.host.warn('IRET to another task is not implemented')
    throw new GuestFault(VECTOR.GP, 0)
  }
  const stack = new StackReader(cpu, size)
  const rip = stack.pop()
  const selector = Number(stack.pop() & 0xffffn)
  const flags = Number(stack.pop() & 0xffffffffn)
  if (flags & VM && size === 4 && oldCpl === 0 && !isLongMode(cpu)) return iretToVm86(cpu, stack, rip, selector, flags)
  const target = returnTarget(cpu, selector)
  checkOffset(cpu, target, rip)
  const cpl = selector & 3
  if (long || cpl !== oldCpl) {
    const sp = stack.pop()
    const ssSelector = Number(stack.pop() & 0xffffn)
    const ss = returnStack(cpu, ssSelector, target, cpl)
    returnFlags(cpu, flags, size, oldCpl)
    setCode(cpu, target, cpl)
    setStack(cpu, ss, ssSelector)
    cpu.setGpr(RSP, sp, cpu.u32(AT.stackSize))
    if (cpl !== oldCpl) dropInnerSegments(cpu)
  } else {
    const stackSize = cpu.u32(AT.stackSize)
    returnFlags(cpu, flags, size, oldCpl)
    setCode(cpu, target, cpl)
    cpu.setGpr(RSP, stack.pointer, stackSize)
  }
  cpu.setU64(AT.rip, rip)
  cpu.selectTlb()
  return resume(cpu)
}

/** INT3, INT n, INTO: traps, so the return address is the next instruction. */
function software(cpu: Cpu, vector: number): number {
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  cpu.pend(vector, undefined, true)
  return STATUS.fault
}
function intN(cpu: Cpu, insn: HelperInsn): number {
  if (isVm86(cpu) && ((cpu.u32(AT.eflags) >> 12) & 3) < 3) throw new GuestFault(VECTOR.GP, 0)
  return software(cpu, cpu.view.getUint8(insn.record + 12))
}
/** INT1 is not subject to the gate's DPL. */
function int1(cpu: Cpu): number {
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  cpu.pend(VECTOR.DB)
  return STATUS.fault
}

export const FAR_HELPERS: Readonly<Record<string, Helper>> = {
  jmp_far: (cpu, insn) => jump(cpu, immediatePointer(cpu, insn)),
  jmp_far_mem: (cpu, insn) => jump(cpu, memoryPointer(cpu, insn)),
  call_far: (cpu, insn) => call(cpu, immediatePointer(cpu, insn)),
  call_far_mem: (cpu, insn) => call(cpu, memoryPointer(cpu, insn)),
  ret_far: returnFar,
  ret_far_imm: returnFar,
  iret,
  int3: (cpu) => software(cpu, VECTOR.BP),
  int: intN,
  into: (cpu) => (cpu.rflags & 0x800 ? software(cpu, VECTOR.OF) : STATUS.next),
  int1,
}
