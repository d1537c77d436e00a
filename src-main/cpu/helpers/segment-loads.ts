/** MOV, PUSH, POP and LxS of segment registers. */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, CS, DS, ES, FS, GS, RSP, segAt, SS } from '../state/layout.ts'
import { VECTOR } from '../mmu/access.ts'
import { GuestFault, type Helper } from './helper.ts'
import { goOn, readOperand, readRm, segmentOperand, setRegister } from './operands.ts'
import { checkedSegment, loadSegment } from './segments.ts'
import { currentStack } from './stack.ts'

/** A load of SS keeps interrupts and debug traps off for one more instruction (SDM vol. 3, 6.8.3). */
function afterLoad(cpu: Cpu, n: number): number {
  if (n !== SS) return STATUS.next
  cpu.setU32(AT.shadow, 2)
  cpu.setU64(AT.shadowRip, cpu.u64(AT.nextRip))
  cpu.setU64(AT.rip, cpu.u64(AT.nextRip))
  return STATUS.leave
}

const movTo: Helper = (cpu, insn) => {
  const n = segmentOperand(cpu, insn)
  if (n === CS || n > GS) throw new GuestFault(VECTOR.UD)
  loadSegment(cpu, n, checkedSegment(cpu, n, Number(readRm(cpu, insn, 2))))
  return afterLoad(cpu, n)
}
const push =
  (n: number): Helper =>
  (cpu, insn) => {
    const { size } = insn.variant.operands[0]!
    cpu.setHostValue(insn.host, size, BigInt(cpu.u32(segAt(n, 'selector'))))
    cpu.commit(insn.host)
    const stack = cpu.u32(AT.stackSize)
    cpu.setGpr(RSP, cpu.gpr(RSP, stack) - BigInt(size), stack)
    return STATUS.next
  }
const pop =
  (n: number): Helper =>
  (cpu, insn) => {
    const stack = currentStack(cpu)
    const selector = Number(stack.pop(insn.variant.operands[0]!.size) & 0xffffn)
    const segment = checkedSegment(cpu, n, selector)
    stack.load()
    loadSegment(cpu, n, segment)
    return afterLoad(cpu, n)
  }
/** A far pointer: the offset first, then the selector. */
const loadFar =
  (n: number): Helper =>
  (cpu, insn) => {
    const size = insn.variant.operandSize
    const offset = readOperand(cpu, insn, 0, size)
    const segment = checkedSegment(cpu, n, Number(readOperand(cpu, insn, size, 2)))
    loadSegment(cpu, n, segment)
    setRegister(cpu, insn, offset, size)
    return n === SS ? goOn(cpu) : STATUS.next
  }

export const SEGMENT_LOADS: Readonly<Record<string, Helper>> = {
  mov_to_sreg: movTo,
  push_sreg0: push(ES),
  push_sreg1: push(CS),
  push_sreg2: push(SS),
  push_sreg3: push(DS),
  push_sreg4: push(FS),
  push_sreg5: push(GS),
  pop_sreg0: pop(ES),
  pop_sreg2: pop(SS),
  pop_sreg3: pop(DS),
  pop_sreg4: pop(FS),
  pop_sreg5: pop(GS),
  les: loadFar(ES),
  lds: loadFar(DS),
  lss: loadFar(SS),
  lfs: loadFar(FS),
  lgs: loadFar(GS),
}
