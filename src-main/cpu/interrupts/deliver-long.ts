/** IA-32e mode (SDM vol. 3, 6.14): 16-byte gates, a frame that always has SS:RSP, interrupt stacks. */
import type { Cpu } from '../cpu.ts'
import { ATTR, canonical, refreshMode } from '../helpers/modes.ts'
import {
  attrOf,
  checkLongCode,
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
  writeSegment,
} from '../helpers/segments.ts'
import { Stack } from '../helpers/stack.ts'
import { GuestFault } from '../helpers/helper.ts'
import { VECTOR } from '../mmu/access.ts'
import { IF, NT, RF, TF, VM } from '../semantics/flags.ts'
import { AT, CS, RSP, segAt, SS, TR } from '../state/layout.ts'
import type { Event } from './deliver.ts'

const INTERRUPT_GATE = 0xe
const TRAP_GATE = 0xf

interface LongGate {
  readonly type: number
  readonly selector: number
  readonly ist: number
  readonly offset: bigint
}

function readGate(cpu: Cpu, event: Event): LongGate {
  const entry = event.vector * 16
  const code = event.vector * 8 + 2 + event.ext
  if (entry + 15 > cpu.u32(AT.idtrLimit)) throw gp(code)
  const at = cpu.u64(AT.idtrBase) + BigInt(entry)
  const low = cpu.readLinear(at, 8, true)
  const high = cpu.readLinear(at + 8n, 8, true)
  const attr = Number((low >> 40n) & 0xffn)
  const type = attr & 0x1f
  if (type !== INTERRUPT_GATE && type !== TRAP_GATE) throw gp(code)
  if (event.software !== 'no' && dplOf(attr) < cpu.u32(AT.cpl)) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  const offset = (low & 0xffffn) | ((low >> 32n) & 0xffff0000n) | ((high & 0xffffffffn) << 32n)
  return { type, selector: Number((low >> 16n) & 0xffffn), ist: Number((low >> 32n) & 7n), offset }
}

/** A stack pointer of the 64-bit TSS (figure 7-11): `offset` 4 + 8n for RSPn, 0x1c + 8n for ISTn. */
export function tssStack(cpu: Cpu, offset: number, ext: number): bigint {
  if (offset + 7 > cpu.u32(segAt(TR, 'limit')))
    throw new GuestFault(VECTOR.TS, (cpu.u32(segAt(TR, 'selector')) & 0xfffc) | ext)
  const pointer = cpu.readLinear(cpu.u64(segAt(TR, 'base')) + BigInt(offset), 8, true)
  if (!canonical(pointer)) throw new GuestFault(VECTOR.SS, ext)
  return pointer
}

export function deliverLong(cpu: Cpu, event: Event): void {
  const { ext } = event
  const gate = readGate(cpu, event)
  if (isNull(gate.selector)) throw gp(ext)
  const code = needDescriptor(cpu, gate.selector, VECTOR.GP, ext)
  const attr = attrOf(code)
  const cpl = cpu.u32(AT.cpl)
  const named = (gate.selector & 0xfffc) | ext
  if (!isCode(attr) || dplOf(attr) > cpl || !(attr & ATTR.long)) throw gp(named)
  checkLongCode(cpu, attr, gate.selector, ext)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, named)
  const inner = !isConforming(attr) && dplOf(attr) < cpl
  const newCpl = inner ? dplOf(attr) : cpl
  let pointer = cpu.gpr(RSP)
  if (gate.ist) pointer = tssStack(cpu, 0x1c + 8 * gate.ist, ext)
  else if (inner) pointer = tssStack(cpu, 4 + 8 * newCpl, ext)
  if (!canonical(gate.offset)) throw gp(ext)
  const stack = new Stack(cpu, {
    segment: nullStack(newCpl, newCpl),
    pointer: pointer & ~15n,
    size: 8,
    supervisor: inner && newCpl < 3,
    code: ext,
  })
  stack.push(BigInt(cpu.u32(segAt(SS, 'selector'))), 8)
  stack.push(cpu.gpr(RSP), 8)
  stack.push(BigInt(event.flags), 8)
  stack.push(BigInt(cpu.u32(segAt(CS, 'selector'))), 8)
  stack.push(event.rip, 8)
  if (event.error !== undefined) stack.push(BigInt(event.error), 8)
  const target = segmentOf(markAccessed(cpu, code), (gate.selector & ~3) | newCpl)
  stack.load()
  loadCode(cpu, target, newCpl)
  if (inner) writeSegment(cpu, SS, stack.segment)
  cpu.setU64(AT.rip, gate.offset)
  const cleared = TF | NT | RF | VM | (gate.type === INTERRUPT_GATE ? IF : 0)
  cpu.setU32(AT.eflags, cpu.u32(AT.eflags) & ~cleared)
  refreshMode(cpu)
}
