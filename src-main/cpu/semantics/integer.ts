/** Integer arithmetic, logic and moves (SDM vol. 2). Each operation stands once; see context.ts for the rules. */
import { type Expr } from '../wasm/expr.ts'
import { RAX, RBX, RCX, RDX, type OpContext, type Operation, type Size } from './registers.ts'
import { signed, clean } from './operands.ts'

function add(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.add(b))
  c.set(0, r)
  c.flags('add', r, b)
}
function sub(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.sub(b))
  c.set(0, r)
  c.flags('sub', r, b, a)
}
function cmp(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  c.flags('sub', c.f.tmp(a.sub(b)), b, a)
}
/** ADC and SBB: the kind of the lazy flags follows from the carry in. */
const withCarry =
  (plus: boolean): Operation =>
  (c) => {
    const a = c.get(0)
    const b = c.get(1)
    const cin = c.f.tmp(c.carry())
    const wide = a.type === 'i64' ? cin.u64() : cin
    const r = c.f.tmp(plus ? a.add(b).add(wide) : a.sub(b).sub(wide))
    c.set(0, r)
    c.f.if(
      cin,
      () => c.flags(plus ? 'adc' : 'sbb', r, b),
      () => c.flags(plus ? 'add' : 'sub', r, b),
    )
  }
const logic =
  (compute: (a: Expr, b: Expr) => Expr, write: boolean): Operation =>
  (c) => {
    const a = c.get(0)
    const b = c.get(1)
    const r = c.f.tmp(compute(a, b))
    if (write) c.set(0, r)
    c.flags('result', r, 0)
  }
const step =
  (kind: 'inc' | 'dec'): Operation =>
  (c) => {
    const a = c.get(0)
    const old = c.f.tmp(c.carry())
    const r = c.f.tmp(kind === 'inc' ? a.add(1) : a.sub(1))
    c.set(0, r)
    c.flags(kind, r, r.type === 'i64' ? old.u64() : old)
  }
function neg(c: OpContext): void {
  const a = c.get(0)
  const r = c.f.tmp(a.neg())
  c.set(0, r)
  c.flags('sub', r, a)
}
function not(c: OpContext): void {
  c.set(0, c.get(0).not())
}
function mov(c: OpContext): void {
  c.set(0, c.get(1))
}
function xchg(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  c.set(0, b)
  c.set(1, a)
}
function xadd(c: OpContext): void {
  const a = c.get(0)
  const b = c.get(1)
  const r = c.f.tmp(a.add(b))
  if (c.isMemory(0)) {
    c.set(0, r)
    c.set(1, a)
  } else {
    c.set(1, a)
    c.set(0, r)
  }
  c.flags('add', r, b)
}
/** The destination is written in both cases, as on hardware; the accumulator only when different. */
function cmpxchg(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.gpr(RAX, size)
  const d = c.get(0)
  const s = c.get(1)
  const r = c.f.tmp(a.sub(d))
  const equal = c.f.tmp(clean(r, size).eqz())
  if (c.isMemory(0)) {
    c.set(0, equal.select(s, d))
    c.f.if(equal.eqz(), () => c.setGpr(RAX, size, d))
  } else {
    c.f.if(
      equal,
      () => c.set(0, s),
      () => c.setGpr(RAX, size, d),
    )
  }
  c.flags('sub', r, d, a)
}
function movzx(c: OpContext): void {
  const v = c.get(1)
  c.set(0, c.sizeOf(0) === 8 ? v.u64() : v)
}
function movsx(c: OpContext): void {
  const v = c.get(1).signExtend(c.sizeOf(1))
  c.set(0, c.sizeOf(0) === 8 ? v.s64() : v)
}
function lea(c: OpContext): void {
  const ea = c.ea()
  c.set(0, c.sizeOf(0) === 8 ? ea : ea.i32())
}

const cmov =
  (cc: number): Operation =>
  (c) => {
    const src = c.get(1)
    const old = c.get(0)
    c.set(0, c.condition(cc).select(src, old))
  }
const setcc =
  (cc: number): Operation =>
  (c) =>
    c.set(0, c.condition(cc))

/** CBW CWDE CDQE. */
function cbw(c: OpContext): void {
  const half = (c.size / 2) as Size
  const v = c.gpr(RAX, half).signExtend(half)
  c.setGpr(RAX, c.size, c.size === 8 ? v.s64() : v)
}
/** CWD CDQ CQO. */
function cwd(c: OpContext): void {
  const a = signed(c.gpr(RAX, c.size), c.size)
  c.setGpr(RDX, c.size, a.shr_s(c.size === 8 ? 63 : 31))
}

/** CMPXCHG8B / CMPXCHG16B: only ZF changes. The memory is written in both cases. */
function cmpxchg8b(c: OpContext): void {
  const f = c.f
  const m = c.get(0)
  const expected = f.tmp(c.gpr(RDX, 4).u64().shl(32).or(c.gpr(RAX, 4).u64()))
  const wanted = f.tmp(c.gpr(RCX, 4).u64().shl(32).or(c.gpr(RBX, 4).u64()))
  const equal = f.tmp(m.eq(expected))
  c.set(0, equal.select(wanted, m))
  f.if(equal.eqz(), () => {
    c.setGpr(RAX, 4, m.i32())
    c.setGpr(RDX, 4, m.shr_u(32).i32())
  })
  c.setArithmeticFlags(c.arithmeticFlags().and(~0x40).or(equal.shl(6)))
}
function cmpxchg16b(c: OpContext): void {
  const f = c.f
  f.if(c.ea().and(15).ne(0), () => c.raise(13, 0))
  const h = c.host(0)
  const low = f.load64(h, 0)
  const high = f.load64(h, 8)
  const equal = f.tmp(low.eq(c.gpr(RAX, 8)).and(high.eq(c.gpr(RDX, 8))))
  f.if(
    equal,
    () => {
      f.store(8, h, c.gpr(RBX, 8), 0)
      f.store(8, h, c.gpr(RCX, 8), 8)
    },
    () => {
      c.setGpr(RAX, 8, low)
      c.setGpr(RDX, 8, high)
    },
  )
  c.commit(0)
  c.setArithmeticFlags(c.arithmeticFlags().and(~0x40).or(equal.shl(6)))
}

export const INTEGER: Record<string, Operation> = {
  add,
  sub,
  cmp,
  adc: withCarry(true),
  sbb: withCarry(false),
  and: logic((a, b) => a.and(b), true),
  or: logic((a, b) => a.or(b), true),
  xor: logic((a, b) => a.xor(b), true),
  test: logic((a, b) => a.and(b), false),
  inc: step('inc'),
  dec: step('dec'),
  neg,
  not,
  mov,
  xchg,
  xadd,
  cmpxchg,
  cmpxchg8b,
  cmpxchg16b,
  movzx,
  movsx,
  lea,
  cbw,
  cwd,
}
for (let cc = 0; cc < 16; cc++) {
  INTEGER[`cmov${cc}`] = cmov(cc)
  INTEGER[`set${cc}`] = setcc(cc)
}
