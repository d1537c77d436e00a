/** Real-address mode (SDM vol. 3, 20.1.4): a table of far pointers, FLAGS, CS and IP on the stack, no error codes. */
import type { Cpu } from '../cpu.ts'
import { refreshMode } from '../helpers/modes.ts'
import { gp, loadCode, realSegment, wrap } from '../helpers/segments.ts'
import { currentStack } from '../helpers/stack.ts'
import { AC, IF, RF, TF } from '../semantics/flags.ts'
import { AT, CS, segAt } from '../state/layout.ts'
import type { Event } from './deliver.ts'

export function deliverReal(cpu: Cpu, event: Event): void {
  const entry = event.vector * 4
  if (entry + 3 > cpu.u32(AT.idtrLimit)) throw gp(event.vector * 8 + 2 + event.ext)
  const pointer = Number(cpu.readLinear(wrap(cpu, cpu.u64(AT.idtrBase) + BigInt(entry)), 4, true))
  const stack = currentStack(cpu)
  stack.push(BigInt(event.flags & 0xffff), 2)
  stack.push(BigInt(cpu.u32(segAt(CS, 'selector'))), 2)
  stack.push(event.rip & 0xffffn, 2)
  stack.load()
  loadCode(cpu, realSegment(cpu, CS, pointer >>> 16), 0)
  cpu.setU64(AT.rip, BigInt(pointer & 0xffff))
  cpu.setU32(AT.eflags, cpu.u32(AT.eflags) & ~(IF | TF | AC | RF))
  refreshMode(cpu)
}
