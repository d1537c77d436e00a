/** IRET in every mode (SDM vol. 2, IRET/IRETD/IRETQ) and INT n, INT3, INTO, INT1, BOUND. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AC, ARITHMETIC, DF, ID, IF, NT, OF, RF, TF, VIF, VIP, VM } from '../semantics/flags.ts'
import { AT, CS, DS, ES, FS, GS, SOFTWARE, SS } from '../state/layout.ts'
import { returnTarget } from './far.ts'
import { GuestFault, type Helper } from './helper.ts'
import { iopl, longMode, protectedMode, refreshMode, vm86 } from './modes.ts'
import { immediate, readOperand, registerNumber, transferred } from './operands.ts'
import { outerStack } from './outer-return.ts'
import {
  checkTarget,
  dropInnerSegments,
  gp,
  loadCode,
  markAccessed,
  realSegment,
  segmentOf,
  writeSegment,
} from './segments.ts'
import { currentStack, type Stack } from './stack.ts'
import { taskSwitch } from './task-switch.ts'

const IOPL = 0x3000

/** Flags that IRET may change, by operand size and the privilege level before it. RF counts only while a breakpoint is armed. */
function flagsMask(cpu: Cpu, size: number, cpl: number): number {
  let mask = ARITHMETIC | TF | DF | NT
  if (size >= 4) mask |= RF | AC | ID
  if (cpl <= iopl(cpu)) mask |= IF
  if (cpl === 0) mask |= size >= 4 ? IOPL | VIF | VIP : IOPL
  return mask
}
function loadFlags(cpu: Cpu, value: number, mask: number): void {
  const debugged = (cpu.u32(AT.dr + 56) & 0xff) !== 0
  cpu.rflags = (cpu.rflags & ~mask) | (value & mask & (debugged ? ~0 : ~RF))
}

function fromReal(cpu: Cpu, size: number): void {
  const in86 = protectedMode(cpu)
  if (in86 && iopl(cpu) < 3) throw gp(0)
  const stack = currentStack(cpu)
  const offset = stack.pop(size)
  const selector = Number(stack.pop(size) & 0xffffn)
  const flags = Number(stack.pop(size) & 0xffff_ffffn)
  const segment = realSegment(cpu, CS, selector)
  if (offset > BigInt(segment.limit)) throw gp(0)
  stack.load()
  loadCode(cpu, segment, cpu.u32(AT.cpl))
  // IOPL stays in virtual-8086 mode; real mode has privilege level 0. VIF, VIP and VM are not loaded.
  const mask = ARITHMETIC | TF | DF | NT | IF | (in86 ? 0 : IOPL) | (size >= 4 ? RF | AC | ID : 0)
  loadFlags(cpu, flags, mask)
  refreshMode(cpu)
  cpu.setU64(AT.rip, offset)
}

/** To virtual-8086 mode (20.2.3): nine doublewords. */
function toVm86(cpu: Cpu, stack: Stack, offset: bigint, selector: number, flags: number): void {
  const pointer = stack.pop(4)
  const popped = [SS, ES, DS, FS, GS].map((n) => [n, Number(stack.pop(4) & 0xffffn)] as const)
  if (offset > 0xffffn) throw gp(0)
  cpu.rflags = flags & ~RF
  cpu.setU32(AT.cpl, 3)
  for (const [n, value] of [[CS, selector] as const, ...popped]) writeSegment(cpu, n, realSegment(cpu, n, value))
  cpu.setGpr(4, pointer, 4)
  refreshMode(cpu)
  cpu.setU64(AT.rip, offset)
}

function fromProtected(cpu: Cpu, size: number): void {
  const stack = currentStack(cpu)
  const offset = stack.pop(size)
  const selector = Number(stack.pop(size) & 0xffffn)
  const flags = Number(stack.pop(size) & 0xffff_ffffn)
  const cpl = cpu.u32(AT.cpl)
  const long = longMode(cpu)
  if (flags & VM && cpl === 0 && size === 4 && !long) return toVm86(cpu, stack, offset, selector, flags)
  const d = returnTarget(cpu, selector)
  const newCpl = selector & 3
  const target = segmentOf(d)
  checkTarget(cpu, target, offset)
  // 64-bit mode always pops SS:RSP
  const popsStack = newCpl > cpl || cpu.u32(AT.codeSize) === 8
  const outer = popsStack ? outerStack(cpu, stack, size, target) : undefined
  const marked = segmentOf(markAccessed(cpu, d))
  const mask = flagsMask(cpu, size, cpl)
  if (outer) writeSegment(cpu, SS, outer.segment)
  loadCode(cpu, marked, newCpl)
  refreshMode(cpu)
  if (outer) outer.load()
  else stack.load()
  if (newCpl > cpl) dropInnerSegments(cpu, newCpl)
  loadFlags(cpu, flags, mask)
  cpu.setU64(AT.rip, offset)
}

const iret: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  if (!protectedMode(cpu) || vm86(cpu)) fromReal(cpu, size)
  else if (cpu.u32(AT.eflags) & NT) {
    if (longMode(cpu)) throw gp(0)
    taskSwitch(cpu, 0, { kind: 'return', rip: cpu.u64(AT.nextRip), flags: cpu.rflags & ~NT, ext: 0 })
  } else fromProtected(cpu, size)
  cpu.setU32(AT.nmiBlocked, 0)
  return transferred(cpu)
}

/** The run loop delivers it as a trap: see SOFTWARE. */
function software(cpu: Cpu, vector: number, which: number): number {
  cpu.pend(vector)
  cpu.setU32(AT.excSoft, which)
  return STATUS.fault
}

const bound: Helper = (cpu, insn) => {
  const size = insn.variant.operandSize
  const signed = (v: bigint) => BigInt.asIntN(size * 8, v)
  const index = signed(cpu.gpr(registerNumber(cpu, insn), size))
  const low = signed(readOperand(cpu, insn, 0, size))
  const high = signed(readOperand(cpu, insn, size, size))
  if (index < low || index > high) throw new GuestFault(VECTOR.BR)
  return STATUS.next
}

export const IRET: Readonly<Record<string, Helper>> = {
  iret,
  int: (cpu, insn) => software(cpu, immediate(cpu, insn) & 0xff, SOFTWARE.int),
  int3: (cpu) => software(cpu, VECTOR.BP, SOFTWARE.int3),
  into: (cpu) => (cpu.rflags & OF ? software(cpu, VECTOR.OF, SOFTWARE.into) : STATUS.next),
  int1: (cpu) => software(cpu, VECTOR.DB, SOFTWARE.int1),
  bound,
}
