/** Protected mode without IA-32e (SDM vol. 3, 6.11 and 6.12, 20.3 for virtual-8086 mode): interrupt, trap and task gates. */
import type { Cpu } from '../cpu.ts'
import { GuestFault } from '../helpers/helper.ts'
import { ATTR, iopl, refreshMode, vm86 } from '../helpers/modes.ts'
import {
  attrOf,
  checkTarget,
  dplOf,
  gp,
  isCode,
  isConforming,
  isNull,
  loadCode,
  markAccessed,
  needDescriptor,
  nullSegment,
  segmentOf,
  wrap,
  writeSegment,
} from '../helpers/segments.ts'
import { innerStack } from '../helpers/inner-stack.ts'
import { currentStack, type Stack } from '../helpers/stack.ts'
import { taskSwitch } from '../helpers/task-switch.ts'
import { VECTOR } from '../mmu/access.ts'
import { IF, NT, RF, TF, VM } from '../semantics/flags.ts'
import { AT, CS, DS, ES, FS, GS, RSP, segAt, SS } from '../state/layout.ts'
import type { Event } from './deliver.ts'

const TASK_GATE = 5

interface Gate {
  readonly type: number
  readonly selector: number
  readonly offset: bigint
}

function readGate(cpu: Cpu, event: Event): Gate {
  const entry = event.vector * 8
  const code = entry + 2 + event.ext
  if (entry + 7 > cpu.u32(AT.idtrLimit)) throw gp(code)
  const gate = cpu.readLinear(wrap(cpu, cpu.u64(AT.idtrBase) + BigInt(entry)), 8, true)
  const attr = Number((gate >> 40n) & 0xffn)
  const type = attr & 0x1f
  if (type !== TASK_GATE && type !== 6 && type !== 7 && type !== 0xe && type !== 0xf) throw gp(code)
  if (event.software !== 'no' && dplOf(attr) < cpu.u32(AT.cpl)) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  const low = gate & 0xffffn
  const offset = type & 8 ? low | ((gate >> 32n) & 0xffff0000n) : low
  return { type, selector: Number((gate >> 16n) & 0xffffn), offset }
}

export function deliverProtected(cpu: Cpu, event: Event): void {
  if (event.software === 'n' && vm86(cpu) && iopl(cpu) < 3) throw gp(0)
  const gate = readGate(cpu, event)
  if (gate.type === TASK_GATE) {
    taskSwitch(cpu, gate.selector, { kind: 'gate', rip: event.rip, flags: event.flags, ext: event.ext })
    if (event.error !== undefined) pushTaskError(cpu, event.error)
    return
  }
  const { ext } = event
  if (isNull(gate.selector)) throw gp(ext)
  const code = needDescriptor(cpu, gate.selector, VECTOR.GP, ext)
  const attr = attrOf(code)
  const cpl = cpu.u32(AT.cpl)
  const named = (gate.selector & 0xfffc) | ext
  if (!isCode(attr) || dplOf(attr) > cpl) throw gp(named)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, named)
  const inner = !isConforming(attr) && dplOf(attr) < cpl
  const newCpl = inner ? dplOf(attr) : cpl
  const from86 = vm86(cpu)
  if (from86 && newCpl !== 0) throw gp(named)
  checkTarget(cpu, segmentOf(code), gate.offset)
  const stack = inner ? innerStack(cpu, newCpl, ext) : currentStack(cpu)
  pushFrame(cpu, event, stack, { size: gate.type & 8 ? 4 : 2, inner, from86 })
  const target = segmentOf(markAccessed(cpu, code), (gate.selector & ~3) | newCpl)
  const cleared = TF | NT | RF | VM | (gate.type & 1 ? 0 : IF)
  cpu.setU32(AT.eflags, cpu.u32(AT.eflags) & ~cleared)
  if (from86) for (const n of [ES, DS, FS, GS]) writeSegment(cpu, n, nullSegment(0))
  loadCode(cpu, target, newCpl)
  if (inner) writeSegment(cpu, SS, stack.segment)
  refreshMode(cpu)
  stack.load()
  cpu.setU64(AT.rip, gate.offset)
}

interface FrameShape {
  readonly size: 2 | 4
  readonly inner: boolean
  readonly from86: boolean
}

/** Figures 6-4 and 20-3: what goes on the handler's stack. */
function pushFrame(cpu: Cpu, event: Event, stack: Stack, { size, inner, from86 }: FrameShape): void {
  const push = (value: bigint) => stack.push(value, size)
  const selector = (n: number) => push(BigInt(cpu.u32(segAt(n, 'selector'))))
  if (from86) for (const n of [GS, FS, DS, ES]) selector(n)
  if (inner) {
    selector(SS)
    push(cpu.gpr(RSP, 4))
  }
  push(BigInt(event.flags))
  selector(CS)
  push(event.rip)
  if (event.error !== undefined) push(BigInt(event.error))
}

/** The error code goes on the stack of the new task, in the size of its TSS (7.3). */
function pushTaskError(cpu: Cpu, error: number): void {
  const stack = currentStack(cpu)
  stack.push(BigInt(error), cpu.u32(segAt(7, 'attr')) & 8 ? 4 : 2)
  stack.load()
}
