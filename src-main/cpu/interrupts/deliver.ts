/** Delivery of exceptions and interrupts (SDM vol. 3, chapter 6). */
import type { Cpu } from '../cpu.ts'
import { GuestFault, PendingFault } from '../helpers/helper.ts'
import {
  ATTR,
  dpl,
  isCode,
  isLongMode,
  isPresent,
  isReal,
  isVm86,
  readDescriptor,
  setCode,
  setNull,
  setRealSegment,
  setSegment,
  stackDescriptor,
  type Descriptor,
} from '../helpers/segments.ts'
import { VECTOR } from '../mmu/access.ts'
import { IF, NT, RF, TF, VM } from '../semantics/flags.ts'
import { AT, CS, DS, ES, FS, GS, RSP, segAt, SS, TR } from '../state/layout.ts'

export type DeliverResult = 'ok' | 'triple-fault'

/** Exceptions that make a second one a double fault (SDM vol. 3, table 6-5). */
const CONTRIBUTORY: ReadonlySet<number> = new Set([VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP])
/** Faults push RF = 1, so that an instruction breakpoint is not taken again. */
const FAULTS: ReadonlySet<number> = new Set([0, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19])

interface Event {
  readonly vector: number
  readonly code: number | undefined
  /** INT n, INT3, INTO: the gate's DPL counts, and the error codes do not carry EXT. */
  readonly software: boolean
  readonly isException: boolean
}

/** The exception pending in the state. */
export function deliverException(cpu: Cpu): DeliverResult {
  const event: Event = {
    vector: cpu.u32(AT.excVector),
    code: cpu.u32(AT.excHasError) ? cpu.u32(AT.excError) : undefined,
    software: cpu.u32(AT.excSoft) !== 0,
    isException: true,
  }
  return deliver(cpu, event)
}
export const deliverInterrupt = (cpu: Cpu, vector: number): DeliverResult =>
  deliver(cpu, { vector, code: undefined, software: false, isException: false })
export const deliverNmi = (cpu: Cpu): DeliverResult => deliverInterrupt(cpu, VECTOR.NMI)

function deliver(cpu: Cpu, first: Event): DeliverResult {
  let event = first
  for (;;) {
    const failure = attempt(cpu, event)
    if (!failure) return 'ok'
    if (event.vector === VECTOR.DF && event.isException) return 'triple-fault'
    const severe = event.isException && !event.software
    const both =
      severe &&
      ((CONTRIBUTORY.has(event.vector) && CONTRIBUTORY.has(failure.vector)) ||
        (event.vector === VECTOR.PF && (failure.vector === VECTOR.PF || CONTRIBUTORY.has(failure.vector))))
    const external = event.software ? 0 : 1
    const code = failure.code === undefined || failure.vector === VECTOR.PF ? failure.code : failure.code | external
    event = both
      ? { vector: VECTOR.DF, code: 0, software: false, isException: true }
      : { vector: failure.vector, code, software: false, isException: true }
  }
}

/** Undefined when delivered; else the exception that delivery met, with the state as it was before. */
function attempt(cpu: Cpu, event: Event): { vector: number; code: number | undefined } | undefined {
  try {
    if (isReal(cpu)) deliverReal(cpu, event)
    else if (isLongMode(cpu)) deliverLong(cpu, event)
    else deliverProtected(cpu, event)
    return undefined
  } catch (error) {
    if (error instanceof GuestFault) return { vector: error.vector, code: error.code }
    if (!(error instanceof PendingFault)) throw error
    return { vector: cpu.u32(AT.excVector), code: cpu.u32(AT.excHasError) ? cpu.u32(AT.excError) : undefined }
  }
}

function deliverReal(cpu: Cpu, event: Event): void {
  if (event.vector * 4 + 3 > cpu.u32(AT.idtrLimit)) throw new GuestFault(VECTOR.GP)
  const entry = Number(cpu.readLinear(cpu.u64(AT.idtrBase) + BigInt(event.vector * 4), 4, true))
  const values = [cpu.rflags & 0xffff, cpu.u32(segAt(CS, 'selector')), Number(cpu.u64(AT.rip) & 0xffffn)]
  let sp = cpu.gpr(RSP, 2)
  const base = cpu.u64(segAt(SS, 'base'))
  for (const value of values) {
    sp = (sp - 2n) & 0xffffn
    cpu.writeLinear(base + sp, 2, BigInt(value), true)
  }
  cpu.setGpr(RSP, sp, 2)
  setRealSegment(cpu, CS, entry >>> 16)
  cpu.setU64(AT.rip, BigInt(entry & 0xffff))
  cpu.rflags = cpu.rflags & ~(IF | TF | RF)
}

interface Gate {
  readonly selector: number
  readonly offset: bigint
  readonly type: number
  readonly ist: number
}

function readGate(cpu: Cpu, event: Event, size: 8 | 16): Gate {
  const code = event.vector * 8 + 2
  if (event.vector * size + size - 1 > cpu.u32(AT.idtrLimit)) throw new GuestFault(VECTOR.GP, code)
  const at = cpu.u64(AT.idtrBase) + BigInt(event.vector * size)
  const raw = cpu.readLinear(at, 8, true)
  const attr = Number((raw >> 40n) & 0xffn)
  const type = attr & 0x1f
  const wanted = size === 16 ? [0xe, 0xf] : [5, 6, 7, 0xe, 0xf]
  if (!wanted.includes(type)) throw new GuestFault(VECTOR.GP, code)
  if (event.software && ((attr >> 5) & 3) < cpu.u32(AT.cpl)) throw new GuestFault(VECTOR.GP, code)
  if ((attr & 0x80) === 0) throw new GuestFault(VECTOR.NP, code)
  let offset = (raw & 0xffffn) | ((raw >> 32n) & 0xffff0000n)
  if (size === 16) offset |= (cpu.readLinear(at + 8n, 8, true) & 0xffffffffn) << 32n
  if (type === 6 || type === 7) offset &= 0xffffn
  return { selector: Number((raw >> 16n) & 0xffffn), offset, type, ist: Number((raw >> 32n) & 7n) }
}
function gateTarget(cpu: Cpu, gate: Gate): Descriptor {
  const { selector } = gate
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  if (!isCode(d) || dpl(d) > cpu.u32(AT.cpl)) throw new GuestFault(VECTOR.GP, selector & 0xfffc)
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, selector & 0xfffc)
  return d
}
/** RFLAGS as pushed. */
function flagsImage(cpu: Cpu, event: Event): bigint {
  const rf = event.isException && !event.software && FAULTS.has(event.vector) ? RF : 0
  return BigInt(cpu.rflags | rf)
}
const afterGate = (flags: number, gate: Gate): number =>
  flags & ~(TF | NT | RF | VM) & ((gate.type & 1) === 0 ? ~IF : -1)

function deliverLong(cpu: Cpu, event: Event): void {
  const gate = readGate(cpu, event, 16)
  const target = gateTarget(cpu, gate)
  if ((target.attr & ATTR.long) === 0 || target.attr & ATTR.big) throw new GuestFault(VECTOR.GP, gate.selector & 0xfffc)
  const oldCpl = cpu.u32(AT.cpl)
  const cpl = target.attr & ATTR.conforming ? oldCpl : dpl(target)
  const oldSp = cpu.gpr(RSP)
  let sp = oldSp
  if (gate.ist !== 0) sp = taskStack(cpu, 0x24 + 8 * (gate.ist - 1))
  else if (cpl !== oldCpl) sp = taskStack(cpu, 4 + 8 * cpl)
  if (BigInt.asIntN(48, sp) !== BigInt.asIntN(64, sp)) throw new GuestFault(VECTOR.SS, 0)
  sp &= ~15n
  const frame = [
    BigInt(cpu.u32(segAt(SS, 'selector'))),
    oldSp,
    flagsImage(cpu, event),
    BigInt(cpu.u32(segAt(CS, 'selector'))),
    cpu.u64(AT.rip),
  ]
  if (event.code !== undefined) frame.push(BigInt(event.code))
  for (const value of frame) {
    sp = BigInt.asUintN(64, sp - 8n)
    cpu.writeLinear(sp, 8, value, true)
  }
  if (BigInt.asIntN(48, gate.offset) !== BigInt.asIntN(64, gate.offset)) throw new GuestFault(VECTOR.GP, 0)
  const flags = cpu.rflags
  setCode(cpu, target, cpl)
  if (cpl !== oldCpl) setNull(cpu, SS, cpl)
  cpu.setGpr(RSP, sp)
  cpu.setU64(AT.rip, gate.offset)
  cpu.rflags = afterGate(flags, gate)
}
/** A stack pointer of the 64-bit TSS (SDM vol. 3, 7.7). */
function taskStack(cpu: Cpu, offset: number): bigint {
  if (offset + 7 > cpu.u32(segAt(TR, 'limit'))) throw new GuestFault(VECTOR.TS, cpu.u32(segAt(TR, 'selector')) & 0xfffc)
  return cpu.readLinear(cpu.u64(segAt(TR, 'base')) + BigInt(offset), 8, true)
}

function deliverProtected(cpu: Cpu, event: Event): void {
  const gate = readGate(cpu, event, 8)
  if (gate.type === 5) throw new GuestFault(VECTOR.GP, event.vector * 8 + 2)
  const target = gateTarget(cpu, gate)
  const oldCpl = cpu.u32(AT.cpl)
  const vm86 = isVm86(cpu)
  const cpl = target.attr & ATTR.conforming ? oldCpl : dpl(target)
  const size = gate.type & 8 ? 4 : 2
  const flags = cpu.rflags
  const selector = (segment: number): bigint => BigInt(cpu.u32(segAt(segment, 'selector')))
  const frame = [flagsImage(cpu, event), selector(CS), cpu.u64(AT.rip)]
  if (event.code !== undefined) frame.push(BigInt(event.code))
  let stack: Descriptor | undefined
  let sp = cpu.gpr(RSP, 4)
  if (cpl !== oldCpl) {
    if (vm86 && cpl !== 0) throw new GuestFault(VECTOR.GP, gate.selector & 0xfffc)
    const inner = innerStack(cpu, cpl)
    stack = inner.stack
    frame.unshift(selector(SS), sp)
    if (vm86) frame.unshift(selector(GS), selector(FS), selector(DS), selector(ES))
    sp = inner.pointer
  }
  const big = ((stack ? stack.attr : cpu.u32(segAt(SS, 'attr'))) & ATTR.big) !== 0
  const base = stack ? stack.base : cpu.u64(segAt(SS, 'base'))
  const mask = big ? 0xffffffffn : 0xffffn
  let pointer = sp
  for (const value of frame) {
    pointer = (pointer & ~mask) | ((pointer - BigInt(size)) & mask)
    cpu.writeLinear((base + (pointer & mask)) & 0xffffffffn, size, value, true)
  }
  setCode(cpu, target, cpl)
  if (vm86 && cpl !== oldCpl) for (const segment of [DS, ES, FS, GS]) setNull(cpu, segment, 0)
  cpu.rflags = afterGate(flags, gate)
  if (stack) setSegment(cpu, SS, stack)
  cpu.setU32(AT.stackSize, big ? 4 : 2)
  cpu.setGpr(RSP, pointer, big ? 4 : 2)
  cpu.setU64(AT.rip, gate.offset)
}
/** SS:ESP of the TSS for an inner level (16- and 32-bit TSS). */
export function innerStack(cpu: Cpu, cpl: number): { stack: Descriptor; pointer: bigint } {
  const wide = (cpu.u32(segAt(TR, 'attr')) & 8) !== 0
  const at = wide ? 4 + 8 * cpl : 2 + 4 * cpl
  const bytes = wide ? 4 : 2
  if (at + bytes + 1 > cpu.u32(segAt(TR, 'limit')))
    throw new GuestFault(VECTOR.TS, cpu.u32(segAt(TR, 'selector')) & 0xfffc)
  const base = cpu.u64(segAt(TR, 'base'))
  const pointer = cpu.readLinear(base + BigInt(at), bytes, true)
  const selector = Number(cpu.readLinear(base + BigInt(at + bytes), 2, true))
  return { stack: stackDescriptor(cpu, selector, cpl, VECTOR.TS), pointer }
}
