/** Stack, jumps, calls, flags that steer the processor, and the system calls that have to be fast. */
import { AT, RAX, RBP, RCX, RSP, segAt, SS, TLB_SUPERVISOR, TLB_SUPERVISOR_AC } from '../state/layout.ts'
import { i64, type Expr } from '../wasm/expr.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS, type OpContext, type Operation, type Size } from './context.ts'
import { AC, ARITHMETIC, DF, IF, TF } from './flags.ts'

/** Stack pointer plus delta, in the stack's address size. */
function stackPointer(c: OpContext, delta: Expr | number): Expr {
  return c.f.tmp(
    c.gpr(RSP, c.stackSize).add(typeof delta === 'number' ? delta : c.stackSize === 8 ? delta.u64() : delta.i32()),
  )
}
function moveStack(c: OpContext, delta: Expr | number): void {
  c.setGpr(RSP, c.stackSize, stackPointer(c, delta))
}
const stackAddress = (c: OpContext, pointer: Expr): Expr =>
  c.stackSize === 8 ? pointer : c.linear(SS, c.stackSize === 2 ? pointer.and(0xffff).u64() : pointer.u64())

/** Pushes with a second memory operand in the instruction: the slot has no place in the record. */
function pushValue(c: OpContext, value: Expr, size: Size): void {
  const pointer = stackPointer(c, -size)
  c.store(stackAddress(c, pointer), size, value)
  c.setGpr(RSP, c.stackSize, pointer)
}

function push(c: OpContext): void {
  c.set(0, c.get(1))
  moveStack(c, -c.sizeOf(0))
}
function pushMemory(c: OpContext): void {
  pushValue(c, c.get(0), c.sizeOf(0))
}
function pop(c: OpContext): void {
  const v = c.get(1)
  moveStack(c, c.sizeOf(0))
  c.set(0, v)
}
/** An effective address on RSP uses RSP after the pop: the decoder has moved the displacement. */
function popMemory(c: OpContext): void {
  const size = c.sizeOf(0)
  const v = c.load(stackAddress(c, c.gpr(RSP, c.stackSize)), size)
  c.set(0, v)
  moveStack(c, size)
}
function leave(c: OpContext): void {
  const size = c.sizeOf(0)
  const v = c.get(0)
  c.setGpr(RSP, c.stackSize, c.gpr(RBP, c.stackSize).add(size))
  c.setGpr(RBP, size, v)
}

/** A target of `size` bytes as a rip. */
const asRip = (target: Expr): Expr => target.u64()

/** A near target must be canonical (64-bit) or within the limit of CS: #GP before anything is changed. */
function checkTarget(c: OpContext, target: Expr): void {
  if (c.codeSize === 8)
    c.f.rarely(
      target
        .add(1n << 47n)
        .shr_u(48)
        .ne(0),
      () => c.raise(VECTOR.GP, 0),
    )
  else c.f.rarely(target.i32().gt_u(c.state(segAt(1, 'limit'), 4)), () => c.raise(VECTOR.GP, 0))
}
function jumpTo(c: OpContext, target: Expr): void {
  const rip = c.f.tmp(asRip(target))
  checkTarget(c, rip)
  c.jump(rip)
}
function call(c: OpContext): void {
  const size = c.sizeOf(0)
  const next = c.nextRip()
  c.set(0, size === 8 ? next : next.i32())
  moveStack(c, -size)
  c.jumpRelative()
}
function callRegister(c: OpContext): void {
  const size = c.sizeOf(0)
  const target = c.f.tmp(asRip(c.get(1)))
  checkTarget(c, target)
  const next = c.nextRip()
  c.set(0, size === 8 ? next : next.i32())
  moveStack(c, -size)
  c.jump(target)
}
function callMemory(c: OpContext): void {
  const size = c.sizeOf(0)
  const target = c.f.tmp(asRip(c.get(0)))
  checkTarget(c, target)
  const next = c.nextRip()
  pushValue(c, size === 8 ? next : next.i32(), size)
  c.jump(target)
}
const ret =
  (withImmediate: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const target = c.f.tmp(asRip(c.get(0)))
    checkTarget(c, target)
    moveStack(c, withImmediate ? c.f.tmp(c.imm().and(0xffff).add(size)) : size)
    c.jump(target)
  }
const jcc =
  (cc: number): Operation =>
  (c) =>
    c.branch(c.condition(cc))

/** LOOP family: the counter has the address size. */
const loop =
  (test: ((c: OpContext) => Expr) | undefined, count: boolean): Operation =>
  (c) => {
    const f = c.f
    const address = c.addressSize
    const mask = f.tmp(address.eq(8).select(i64(-1), address.eq(4).select(i64(0xffffffffn), i64(0xffffn))))
    const old = c.gpr(RCX, 8)
    if (!count) {
      c.branch(old.and(mask).eqz())
      return
    }
    const next = f.tmp(old.sub(1).and(mask))
    // a 16-bit counter keeps the upper bits, a 32-bit one clears them
    const kept = address.eq(2).select(old.and(-65536n), i64(0))
    c.setGpr(RCX, 8, next.or(kept))
    c.branch(test ? next.ne(0).and(test(c)) : next.ne(0))
  }

/** PUSHF: VM and RF read as zero. */
function pushf(c: OpContext): void {
  const size = c.sizeOf(0)
  const vm86 = c.state(AT.eflags, 4).and(0x20000).ne(0)
  const iopl = c.state(AT.eflags, 4).shr_u(12).and(3)
  c.f.if(vm86.and(iopl.lt_u(3)), () => c.raise(VECTOR.GP, 0))
  const bits = c.f.tmp(c.arithmeticFlags().or(c.state(AT.eflags, 4).and(~0x30000)).or(2))
  c.set(0, size === 8 ? bits.u64() : bits)
  moveStack(c, -size)
}
/** POPF: the flags that the privilege level lets change (SDM vol. 2, POPF). */
function popf(c: OpContext): void {
  const f = c.f
  const size = c.sizeOf(0)
  const popped = c.get(0).i32()
  const old = c.state(AT.eflags, 4)
  const cpl = c.state(AT.cpl, 4)
  const iopl = f.tmp(old.shr_u(12).and(3))
  const vm86 = old.and(0x20000).ne(0)
  f.if(vm86.and(iopl.lt_u(3)), () => c.raise(VECTOR.GP, 0))
  // TF DF NT AC ID always; IF with CPL <= IOPL; IOPL with CPL 0; VIF and VIP kept but VIP and VIF cleared at CPL 0 stays the manual's text
  const mask = f.local('i32')
  f.set(mask, size === 2 ? 0x4500 : 0x244500)
  f.if(cpl.le_u(iopl).or(vm86), () => f.set(mask, mask.or(IF)))
  f.if(cpl.eqz().and(vm86.eqz()), () => f.set(mask, mask.or(0x3000)))
  const next = f.tmp(old.and(mask.not()).or(popped.and(mask)))
  moveStack(c, size)
  c.setArithmeticFlags(f.tmp(popped.and(ARITHMETIC)))
  c.setState(AT.eflags, 4, next)
  f.if(old.xor(next).and(AC), () => c.selectTlb())
  f.if(next.and(TF), () => c.steering(true))
  f.if(old.xor(next).and(next).and(IF), () => c.steering(false))
}
/** CLI, STI when IOPL lets them; else #GP (VME and PVI are not implemented, and CPUID says so). */
function interruptFlag(c: OpContext): void {
  const iopl = c.state(AT.eflags, 4).shr_u(12).and(3)
  c.f.if(c.state(AT.cpl, 4).gt_u(iopl), () => c.raise(VECTOR.GP, 0))
}
function cli(c: OpContext): void {
  interruptFlag(c)
  c.setState(AT.eflags, 4, c.state(AT.eflags, 4).and(~IF))
}
function sti(c: OpContext): void {
  interruptFlag(c)
  const old = c.state(AT.eflags, 4)
  c.setState(AT.eflags, 4, old.or(IF))
  // interrupts stay off for one more instruction, when they were off
  c.f.if(old.and(IF).eqz(), () => c.inhibit(1))
}
const setFlag =
  (change: (flags: Expr) => Expr): Operation =>
  (c) =>
    c.setState(AT.eflags, 4, change(c.state(AT.eflags, 4)))
const alignmentCheck =
  (on: boolean): Operation =>
  (c) => {
    c.f.if(c.state(AT.cpl, 4).ne(0), () => c.raise(VECTOR.UD))
    const old = c.state(AT.eflags, 4)
    c.setState(AT.eflags, 4, on ? old.or(AC) : old.and(~AC))
    c.setState(AT.tlb, 8, i64(on ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR))
  }

function swapgs(c: OpContext): void {
  c.f.if(c.state(AT.cpl, 4).ne(0), () => c.raise(VECTOR.GP, 0))
  const base = c.state(segAt(5, 'base'), 8)
  c.setState(segAt(5, 'base'), 8, c.state(AT.kernelGsBase, 8))
  c.setState(AT.kernelGsBase, 8, base)
}
function hlt(c: OpContext): void {
  c.f.if(c.state(AT.cpl, 4).ne(0), () => c.raise(VECTOR.GP, 0))
  c.setState(AT.rip, 8, c.nextRip())
  c.leave(STATUS.halt)
}
function nop(): void {
  // nothing to do
}
function xlat(c: OpContext): void {
  const f = c.f
  const address = c.addressSize
  const mask = address.eq(8).select(i64(-1), address.eq(4).select(i64(0xffffffffn), i64(0xffffn)))
  const offset = f.tmp(c.gpr(3, 8).add(c.gpr(RAX, 1).u64()).and(mask))
  c.setGpr(RAX, 1, c.load(c.linear(c.dataSegment(), offset), 1))
}
const raise =
  (vector: number): Operation =>
  (c) =>
    c.raise(vector)

export const CONTROL: Record<string, Operation> = {
  push,
  push_mem: pushMemory,
  pop,
  pop_mem: popMemory,
  leave,
  jmp: (c) => c.jumpRelative(),
  jmp_near: (c) => jumpTo(c, c.get(0)),
  call,
  call_reg: callRegister,
  call_mem: callMemory,
  ret: ret(false),
  ret_imm: ret(true),
  loop: loop(undefined, true),
  loope: loop((c) => c.condition(4), true),
  loopne: loop((c) => c.condition(5), true),
  jcxz: loop(undefined, false),
  pushf,
  popf,
  cli,
  sti,
  cld: setFlag((x) => x.and(~DF)),
  std: setFlag((x) => x.or(DF)),
  clac: alignmentCheck(false),
  stac: alignmentCheck(true),
  swapgs,
  hlt,
  nop,
  nop_e: nop,
  pause: nop,
  clflush: (c) => {
    // the address is checked like a load, nothing is cached
    c.load(c.ea(), 1)
  },
  xlat,
  ud: raise(VECTOR.UD),
}
for (let cc = 0; cc < 16; cc++) CONTROL[`j${cc}`] = jcc(cc)
