/** Flag operations and the decimal arithmetic of 16- and 32-bit modes (SDM vol. 2). */
import { i32, type Expr } from '../wasm/expr.ts'
import { RAX, type OpContext, type Operation } from './registers.ts'
import { AF, CF, OF } from './flags.ts'

const DIVIDE_ERROR = 0
/* Flags. */
const flagBit =
  (change: (flags: Expr) => Expr): Operation =>
  (c) =>
    c.setArithmeticFlags(change(c.arithmeticFlags()))
function lahf(c: OpContext): void {
  const ah = c.f.tmp(c.arithmeticFlags().and(0xd5).or(2))
  c.setGpr(RAX, 2, c.gpr(RAX, 1).or(ah.shl(8)))
}
function sahf(c: OpContext): void {
  const ah = c.gpr(RAX, 2).shr_u(8)
  c.setArithmeticFlags(c.arithmeticFlags().and(OF).or(ah.and(0xd5)))
}
/** SALC (undocumented, all processors): AL = CF ? 0xff : 0. */
function salc(c: OpContext): void {
  c.setGpr(RAX, 1, c.carry().neg())
}

/* Decimal arithmetic (16- and 32-bit modes). */
const daa =
  (plus: boolean): Operation =>
  (c) => {
    const f = c.f
    const al = c.gpr(RAX, 1)
    const flags = f.tmp(c.arithmeticFlags())
    const r = f.local('i32')
    const bits = f.local('i32')
    f.set(r, al)
    f.set(bits, 0)
    f.if(al.and(15).gt_u(9).or(flags.and(AF).ne(0)), () => {
      // the borrow of the low nibble reaches CF in DAS
      if (!plus) f.if(al.lt_u(6), () => f.set(bits, CF))
      f.set(r, plus ? r.add(6) : r.sub(6))
      f.set(bits, bits.or(AF))
    })
    f.if(al.gt_u(0x99).or(flags.and(CF)), () => {
      f.set(r, plus ? r.add(0x60) : r.sub(0x60))
      f.set(bits, bits.or(CF))
    })
    // without an operand size the flags are those of 32 bits
    f.set(r, r.shl(24).shr_s(24))
    c.setGpr(RAX, 1, r)
    c.flags('result', r, bits)
  }
const aaa =
  (plus: boolean): Operation =>
  (c) => {
    const f = c.f
    const ax = c.gpr(RAX, 2)
    const flags = f.tmp(c.arithmeticFlags())
    const adjust = f.tmp(ax.and(15).gt_u(9).or(flags.and(AF).ne(0)))
    const changed = f.tmp(plus ? ax.add(0x106) : ax.sub(0x106))
    const r = f.tmp(adjust.select(changed, ax).and(0xff0f))
    c.setGpr(RAX, 2, r)
    c.flags('result', f.tmp(r.and(0xff)), adjust.select(i32(AF | CF), i32(0)))
  }
function aam(c: OpContext): void {
  const base = c.f.tmp(c.imm().and(0xff))
  c.f.if(base.eqz(), () => c.raise(DIVIDE_ERROR))
  const al = c.gpr(RAX, 1)
  const r = c.f.tmp(al.rem_u(base))
  c.setGpr(RAX, 2, al.div_u(base).shl(8).or(r))
  c.flags('result', r, 0)
}
function aad(c: OpContext): void {
  const ax = c.gpr(RAX, 2)
  const r = c.f.tmp(ax.and(0xff).add(ax.shr_u(8).mul(c.imm())).and(0xff))
  c.setGpr(RAX, 2, r)
  c.flags('result', r, 0)
}

export const DECIMAL: Record<string, Operation> = {
  clc: flagBit((x) => x.and(~CF)),
  stc: flagBit((x) => x.or(CF)),
  cmc: flagBit((x) => x.xor(CF)),
  lahf,
  sahf,
  salc,
  daa: daa(true),
  das: daa(false),
  aaa: aaa(true),
  aas: aaa(false),
  aam,
  aad,
}
