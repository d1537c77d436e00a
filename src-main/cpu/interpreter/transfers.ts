/**
 * The usual ways between user and kernel code of a 64-bit system, in wasm: delivery through 64-bit gates to level 0, IRETQ, SYSCALL, SYSRET.
 * Each looks first whether everything is as such systems have it (flat 64-bit code segments that have been accessed, frames within a page,
 * nothing being debugged) and changes nothing when it is not: interrupts/ and helpers/ then do the whole of it, in TypeScript.
 */
import { get32, get64, put32, put64 } from '../mmu/state-access.ts'
import type { Mmu } from '../mmu/mmu.ts'
import { STATUS } from '../semantics/context.ts'
import { AC, ARITHMETIC, DF, ID, IF, NT, RF, TF, VIF, VIP, VM, type FlagFunctions } from '../semantics/flags.ts'
import { AT, CS, DS, ES, FS, GS, RCX, RSP, SEG, segAt, SS, TR } from '../state/layout.ts'
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'

export interface Transfers {
  /** (): delivers the exception that is pending in the state: 1, or 0 with nothing changed. */
  readonly exception: Func
  /** (vector): delivers an external interrupt, likewise. */
  readonly interrupt: Func
  /** By the name of the row: () -> STATUS, or -1 with nothing changed. state.nextRip is set. */
  readonly instructions: Readonly<Record<string, Func>>
}

const EFER_SCE = 1
const EFER_LMA = 0x400
/** Of a descriptor, bits 40-54: present, level, code or data, accessed, L and D. */
const P = 1n << 47n
const DPL3 = 3n << 45n
const S = 1n << 44n
const CODE = 1n << 43n
const CONFORMING = 1n << 42n
const RW = 1n << 41n
const ACCESSED = 1n << 40n
const L = 1n << 53n
const D = 1n << 54n
const CODE_MASK = P | DPL3 | S | CODE | CONFORMING | ACCESSED | L | D
const CODE64 = P | S | CODE | ACCESSED | L
const DATA_MASK = P | DPL3 | S | CODE | CONFORMING | RW | ACCESSED
const DATA = P | S | RW | ACCESSED
/** Present 64-bit interrupt and trap gates (type 14, 15), any DPL, without bit 0 of the type. */
const GATE_MASK = 0x9e
const GATE = 0x8e
/** Attributes that SYSCALL and SYSRET load, as segments.ts keeps them, for level 0. */
const FLAT_CODE = 0xa09b
const FLAT_DATA = 0xc093
/** Key of 64-bit code (decode/record.ts). */
const MODE64 = 8
const FROM_R11 = ARITHMETIC | TF | IF | DF | 0x3000 | NT | AC | ID
const FROM_FRAME = ARITHMETIC | TF | DF | NT | RF | AC | ID | IF | 0x3000 | VIF | VIP
const R11 = 11

const canonical = (e: Expr): Expr => e.shl(16).shr_s(16).eq(e)

export function defineTransfers(m: ModuleBuilder, mmu: Mmu, flags: FlagFunctions, selectTlb: Func): Transfers {
  const { ptr } = m
  const toRegister = (f: FunctionBuilder, n: number, value: Expr): void => put64(f, AT.gpr + 8 * n, value)
  const allFlags = (f: FunctionBuilder): Expr =>
    f.tmp(f.call(flags.all, get32(f, AT.ccOp), get64(f, AT.ccRes), get64(f, AT.ccB)).or(get32(f, AT.eflags)).or(2))
  const setFlags = (f: FunctionBuilder, value: Expr): void => {
    put32(f, AT.eflags, value.and(~(ARITHMETIC | 2)))
    put64(f, AT.ccB, value.and(ARITHMETIC).u64())
    put32(f, AT.ccOp, i32(0))
  }
  /** What follows a transfer that may have enabled interrupts or single-stepping. */
  const leave = (f: FunctionBuilder): void => {
    f.call(selectTlb)
    f.ret(get32(f, AT.attention).or(get32(f, AT.eflags).and(TF)).select(i32(STATUS.leave), i32(STATUS.jump)))
  }
  const loadFlat = (f: FunctionBuilder, n: number, selector: Expr, attr: number): void => {
    put32(f, segAt(n, 'selector'), selector)
    put64(f, segAt(n, 'base'), i64(0))
    put32(f, segAt(n, 'limit'), i32(-1))
    put32(f, segAt(n, 'attr'), i32(attr))
    put32(f, segAt(n, 'flat'), i32(1))
  }

  /** (selector) -> descriptor from the GDT, or 0 where it is not at hand. */
  const descriptor = m.func('descriptor', ['i32'], ['i64'], (f, selector) => {
    f.if(selector.and(4).or(selector.and(0xfff8).eqz()), () => f.ret(i64(0)))
    const offset = f.tmp(selector.and(0xfff8))
    f.if(offset.add(7).gt_u(get32(f, AT.gdtrLimit)), () => f.ret(i64(0)))
    const at = f.call(mmu.kernelAddress, get64(f, AT.gdtrBase).add(offset.u64()), 8, 0)
    f.if(at.eqz(), () => f.ret(i64(0)))
    f.ret(f.load64(at))
  })
  /** (segment's place, selector, descriptor): loads it; `code`: base zero, as 64-bit code counts it. */
  const load = m.func('loadDescriptor', [ptr, 'i32', 'i64', 'i32'], [], (f, at, selector, d, code) => {
    const high = f.tmp(d.shr_u(32).i32())
    const units = f.tmp(d.i32().and(0xffff).or(high.and(0xf0000)))
    const limit = f.tmp(
      d
        .and(1n << 55n)
        .ne(0)
        .select(units.shl(12).or(0xfff), units),
    )
    const base = f.tmp(code.select(i64(0), d.shr_u(16).and(0xffffffn).or(high.and(0xff000000).u64())))
    f.store(8, at, base, SEG.base)
    f.store(4, at, limit, SEG.limit)
    f.store(4, at, high.shr_u(8).and(0xf0ff), SEG.attr)
    f.store(4, at, selector, SEG.selector)
    f.store(4, at, base.eqz().and(limit.eq(-1)).and(d.and(RW).ne(0)), SEG.flat)
  })
  const segment = (n: number): Expr => konst(ptr, segAt(n, 'base'))

  /** (vector, has an error code, error code, flags to be saved) */
  const deliver = m.func('deliver', ['i32', 'i32', 'i32', 'i32'], ['i32'], (f, vector, hasError, error, saved) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(0))
    const cpl = get32(f, AT.cpl)
    unless(get64(f, AT.efer).i32().and(EFER_LMA).eqz())
    unless(get32(f, AT.watch))
    unless(get32(f, AT.codeModeSupervisor).ne(MODE64))
    unless(cpl.ne(0).and(cpl.ne(3)))
    const entry = f.tmp(vector.shl(4))
    unless(entry.add(15).gt_u(get32(f, AT.idtrLimit)))
    const gate = f.call(mmu.kernelAddress, get64(f, AT.idtrBase).add(entry.u64()), 16, 0)
    unless(gate.eqz())
    const low = f.load64(gate)
    unless(low.shr_u(40).i32().and(GATE_MASK).ne(GATE))
    const offset = f.tmp(low.and(0xffff).or(low.shr_u(32).and(0xffff0000n)).or(f.load64(gate, 8).shl(32)))
    unless(canonical(offset).eqz())
    const selector = f.tmp(low.shr_u(16).i32().and(0xfffc))
    const code = f.call(descriptor, selector)
    unless(code.and(CODE_MASK).ne(CODE64))
    const stack = f.local('i64')
    f.set(stack, get64(f, AT.gpr + 8 * RSP))
    const ist = f.tmp(low.shr_u(32).i32().and(7))
    f.if(ist.or(cpl), () => {
      const place = f.tmp(ist.select(ist.shl(3).add(0x1c), i32(4)))
      unless(place.add(7).gt_u(get32(f, segAt(TR, 'limit'))))
      const at = f.call(mmu.kernelAddress, get64(f, segAt(TR, 'base')).add(place.u64()), 8, 0)
      unless(at.eqz())
      f.set(stack, f.load64(at))
    })
    f.set(stack, stack.and(-16n))
    unless(canonical(stack).eqz())
    f.set(stack, stack.sub(hasError.select(i64(48), i64(40))))
    unless(canonical(stack).eqz())
    const at = f.local(ptr)
    f.set(at, f.call(mmu.kernelAddress, stack, hasError.select(i32(48), i32(40)), 1))
    unless(at.eqz())
    f.if(hasError, () => {
      f.store(8, at, error.u64())
      f.set(at, at.add(8))
    })
    f.store(8, at, get64(f, AT.rip))
    f.store(8, at, get32(f, segAt(CS, 'selector')).u64(), 8)
    f.store(8, at, saved.u64(), 16)
    f.store(8, at, get64(f, AT.gpr + 8 * RSP), 24)
    f.store(8, at, get32(f, segAt(SS, 'selector')).u64(), 32)
    f.call(load, segment(CS), selector, code, 1)
    f.if(cpl, () => {
      for (const field of ['selector', 'limit', 'attr', 'flat'] as const) put32(f, segAt(SS, field), i32(0))
      put64(f, segAt(SS, 'base'), i64(0))
    })
    put32(f, AT.cpl, i32(0))
    put32(f, AT.codeSize, i32(8))
    put32(f, AT.stackSize, i32(8))
    toRegister(f, RSP, stack)
    put64(f, AT.rip, offset)
    const trap = low.shr_u(40).i32().and(1)
    put32(f, AT.eflags, get32(f, AT.eflags).and(trap.select(i32(~(TF | NT | RF | VM)), i32(~(TF | NT | RF | VM | IF)))))
    put32(f, AT.shadow, i32(0))
    f.call(selectTlb)
    f.ret(1)
  })

  const debugged = (f: FunctionBuilder): Expr =>
    get64(f, AT.dr + 56)
      .i32()
      .and(0xff)
      .or(get32(f, AT.eflags).and(TF))
  const exception = m.func('exception', [], ['i32'], (f) => {
    const vector = get32(f, AT.excVector)
    f.if(get32(f, AT.excSoft).or(debugged(f)), () => f.ret(0))
    // faults only: #DB, NMI, #BP, #OF and #DF save other flags or come another way
    const others = 0b1_0001_1110
    f.if(vector.ge_u(32).or(i32(others).shr_u(vector).and(1)), () => f.ret(0))
    f.ret(f.call(deliver, vector, get32(f, AT.excHasError), get32(f, AT.excError), allFlags(f).or(RF)))
  })
  const interrupt = m.func('interrupt', ['i32'], ['i32'], (f, vector) => {
    f.ret(f.call(deliver, vector, 0, 0, allFlags(f)))
  })

  const syscall = m.func('quickSyscall', [], ['i32'], (f) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(-1))
    unless(get32(f, AT.codeSize).ne(8))
    unless(get64(f, AT.efer).i32().and(EFER_SCE).eqz())
    unless(get32(f, AT.codeModeSupervisor).ne(MODE64))
    const selector = f.tmp(get64(f, AT.star).shr_u(32).i32().and(0xfffc))
    const before = f.tmp(allFlags(f).and(~RF))
    toRegister(f, RCX, get64(f, AT.nextRip))
    toRegister(f, R11, before.u64())
    setFlags(f, f.tmp(before.and(get64(f, AT.fmask).i32().xor(-1))))
    put64(f, AT.rip, get64(f, AT.lstar))
    loadFlat(f, CS, selector, FLAT_CODE)
    loadFlat(f, SS, selector.add(8), FLAT_DATA)
    put32(f, AT.cpl, i32(0))
    leave(f)
  })

  const sysret = m.func('quickSysret', [], ['i32'], (f) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(-1))
    unless(get32(f, AT.codeSize).ne(8).or(get32(f, AT.cpl)))
    unless(get64(f, AT.efer).i32().and(EFER_SCE).eqz())
    unless(get32(f, AT.codeModeUser).ne(MODE64))
    const target = get64(f, AT.gpr + 8 * RCX)
    unless(canonical(target).eqz())
    const base = f.tmp(get64(f, AT.star).shr_u(48).i32())
    setFlags(
      f,
      f.tmp(
        get64(f, AT.gpr + 8 * R11)
          .i32()
          .and(FROM_R11),
      ),
    )
    put64(f, AT.rip, target)
    loadFlat(f, CS, base.add(16).or(3).and(0xffff), FLAT_CODE | 0x60)
    loadFlat(f, SS, base.add(8).or(3).and(0xffff), FLAT_DATA | 0x60)
    put32(f, AT.cpl, i32(3))
    leave(f)
  })

  const iret = m.func('quickIret', [], ['i32'], (f) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(-1))
    unless(get32(f, AT.codeSize).ne(8).or(get32(f, AT.cpl)))
    unless(get32(f, AT.eflags).and(NT).or(debugged(f)))
    const stack = get64(f, AT.gpr + 8 * RSP)
    unless(canonical(stack).eqz())
    const frame = f.call(mmu.kernelAddress, stack, 40, 0)
    unless(frame.eqz())
    const rip = f.load64(frame)
    unless(canonical(rip).eqz())
    const selector = f.load32('u16', frame, 8)
    const value = f.load32('u32', frame, 16)
    const stackSelector = f.load32('u16', frame, 32)
    const cpl = f.tmp(selector.and(3))
    unless(cpl.ne(0).and(cpl.ne(3)))
    unless(cpl.ne(0).select(get32(f, AT.codeModeUser), get32(f, AT.codeModeSupervisor)).ne(MODE64))
    const level = f.tmp(cpl.u64().shl(45))
    const code = f.call(descriptor, selector)
    unless(code.and(CODE_MASK).ne(level.or(CODE64)))
    const data = f.local('i64')
    f.set(data, 0)
    // level 0 of a 64-bit system has a null SS after an interrupt from level 3
    f.if(stackSelector.or(cpl), () => {
      unless(stackSelector.and(3).ne(cpl))
      f.set(data, f.call(descriptor, stackSelector))
      unless(data.and(DATA_MASK).ne(level.or(DATA)))
    })
    f.if(cpl, () => {
      for (const n of [ES, DS, FS, GS]) {
        const attr = get32(f, segAt(n, 'attr'))
        const isNull = get32(f, segAt(n, 'selector')).and(0xfffc).eqz()
        unless(isNull.eqz().and(attr.and(0x60).ne(0x60)))
      }
      for (const n of [ES, DS, FS, GS])
        f.if(get32(f, segAt(n, 'selector')).and(0xfffc).eqz(), () => put32(f, segAt(n, 'selector'), i32(0)))
    })
    f.call(load, segment(CS), selector, code, 1)
    f.call(load, segment(SS), stackSelector, data, 0)
    f.if(data.eqz(), () => put32(f, segAt(SS, 'flat'), i32(0)))
    toRegister(f, RSP, f.load64(frame, 24))
    put64(f, AT.rip, rip)
    put32(f, AT.cpl, cpl)
    const kept = f.tmp(get32(f, AT.eflags).and(~FROM_FRAME))
    setFlags(f, f.tmp(value.and(FROM_FRAME & ~RF).or(kept)))
    put32(f, AT.nmiBlocked, i32(0))
    leave(f)
  })

  return { exception, interrupt, instructions: { syscall, sysret, iret } }
}
