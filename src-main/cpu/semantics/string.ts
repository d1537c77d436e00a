/**
 * String operations (SDM vol. 2, REP/REPE/REPNE). RSI, RDI and RCX are written after each step or run of bytes, so that a fault or
 * an interrupt finds them as the manual says and the instruction simply starts again.
 */
import { AT, ES, RAX, RCX, RDI, RSI } from '../state/layout.ts'
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import { STATUS, type OpContext, type Operation, type Size } from './context.ts'
import { DF } from './flags.ts'

interface Walk {
  readonly mask: Expr
  /** +size or -size. */
  readonly step: Expr
}

function walk(c: OpContext, size: Size): Walk {
  const f = c.f
  const address = c.addressSize
  const mask = f.tmp(address.eq(8).select(i64(-1), address.eq(4).select(i64(0xffffffffn), i64(0xffffn))))
  const step = f.tmp(c.state(AT.eflags, 4).and(DF).ne(0).select(i64(-size), i64(size)))
  return { mask, step }
}
/** Adds to a pointer or counter register within the address size: 16 bits keep the rest, 32 bits clear it. */
function advance(c: OpContext, register: number, delta: Expr, w: Walk): void {
  const old = c.gpr(register, 8)
  const kept = w.mask.eq(0xffffn).select(old.and(-65536n), i64(0))
  c.setGpr(register, 8, old.add(delta).and(w.mask).or(kept))
}
const pointer = (c: OpContext, register: number, w: Walk): Expr => c.f.tmp(c.gpr(register, 8).and(w.mask))
const source = (c: OpContext, w: Walk): Expr => c.linear(c.dataSegment(), pointer(c, RSI, w))
const target = (c: OpContext, w: Walk): Expr => c.linear(ES, pointer(c, RDI, w))

/** Steps between looks at interrupts. */
const BURST = 4096

/**
 * Runs `once` under the REP prefix. `once` may end the repetition by `stop` (REPE, REPNE). `many` may do a run of elements at once: it returns
 * how many it did, 0 for "one by one".
 */
function repeat(c: OpContext, w: Walk, once: () => void, stop?: () => Expr, many?: (count: Expr) => Expr): void {
  const f = c.f
  if (!c.repeat) {
    once()
    return
  }
  const left = f.local('i32')
  f.set(left, BURST)
  f.block((done) => {
    f.loop((again) => {
      const count = f.tmp(c.gpr(RCX, 8).and(w.mask))
      f.brIf(done, count.eqz())
      const did = f.local('i64')
      f.set(did, i64(0))
      if (many) f.set(did, many(count))
      f.if(did.eqz(), () => {
        once()
        f.set(did, i64(1))
      })
      advance(c, RCX, did.neg(), w)
      if (stop) f.brIf(done, stop())
      f.set(left, left.sub(many ? 16 : 1))
      f.brIf(again, left.gt_s(0))
      f.if(c.gpr(RCX, 8).and(w.mask).ne(0), () => c.leave(STATUS.leave))
    })
  })
}

/** How many elements fit before both pages end, going up, from host addresses in RAM. */
function runLength(c: OpContext, count: Expr, size: Size, linear: readonly Expr[]): Expr {
  const f = c.f
  const room = f.local('i64')
  f.set(room, count)
  for (const address of linear) {
    const here = f.tmp(i64(4096).sub(address.and(4095)).shr_u(Math.log2(size)))
    f.if(here.lt_u(room), () => f.set(room, here))
  }
  return room
}

const movs =
  (size: Size): Operation =>
  (c) => {
    const f = c.f
    const w = walk(c, size)
    const once = (): void => {
      const value = c.load(source(c, w), size)
      c.store(target(c, w), size, value)
      advance(c, RSI, w.step, w)
      advance(c, RDI, w.step, w)
    }
    repeat(c, w, once, undefined, (count) => {
      const did = f.local('i64')
      f.set(did, i64(0))
      f.if(w.step.eq(size).and(count.gt_u(2)), () => {
        const from = f.tmp(source(c, w))
        const to = f.tmp(target(c, w))
        const n = f.tmp(runLength(c, count, size, [from, to]))
        const bytes = f.tmp(n.shl(Math.log2(size)))
        // an overlap that the copy itself feeds has to go one by one
        const feeds = to.sub(from).lt_u(bytes)
        f.if(n.gt_u(1).and(feeds.eqz()), () => {
          const a = c.hostRange(from, bytes, false)
          const b = c.hostRange(to, bytes, true)
          f.if(a.ne(0).and(b.ne(0)), () => {
            f.copy(b, a, f.module.ptr === 'i32' ? bytes.i32() : bytes)
            advance(c, RSI, bytes, w)
            advance(c, RDI, bytes, w)
            f.set(did, n)
          })
        })
      })
      return did
    })
  }
const stos =
  (size: Size): Operation =>
  (c) => {
    const f = c.f
    const w = walk(c, size)
    const value = c.gpr(RAX, size)
    const once = (): void => {
      c.store(target(c, w), size, value)
      advance(c, RDI, w.step, w)
    }
    repeat(c, w, once, undefined, (count) => {
      const did = f.local('i64')
      f.set(did, i64(0))
      f.if(w.step.eq(size).and(count.gt_u(2)), () => {
        const to = f.tmp(target(c, w))
        const n = f.tmp(runLength(c, count, size, [to]))
        const bytes = f.tmp(n.shl(Math.log2(size)))
        f.if(n.gt_u(1), () => {
          const host = c.hostRange(to, bytes, true)
          f.if(host.ne(0), () => {
            const length = f.tmp(f.module.ptr === 'i32' ? bytes.i32() : bytes)
            const same = size === 1 ? i32(1) : value.eq(0)
            f.if(
              same,
              () => f.fill(host, value.i32(), length),
              () => {
                const at = f.local(f.module.ptr)
                f.set(at, konst(f.module.ptr, 0))
                f.loop((again) => {
                  f.store(size, host.add(at), value)
                  f.set(at, at.add(size))
                  f.brIf(again, at.lt_u(length))
                })
              },
            )
            advance(c, RDI, bytes, w)
            f.set(did, n)
          })
        })
      })
      return did
    })
  }
const lods =
  (size: Size): Operation =>
  (c) => {
    const w = walk(c, size)
    repeat(c, w, () => {
      c.setGpr(RAX, size, c.load(source(c, w), size))
      advance(c, RSI, w.step, w)
    })
  }
/** REPE (F3) stops at a difference, REPNE (F2) at equality. */
const stopper = (c: OpContext): (() => Expr) | undefined =>
  c.repeat ? () => (c.repeat === 0xf3 ? c.condition(5) : c.condition(4)) : undefined
const scas =
  (size: Size): Operation =>
  (c) => {
    const w = walk(c, size)
    const a = c.gpr(RAX, size)
    repeat(
      c,
      w,
      () => {
        const b = c.load(target(c, w), size)
        c.compareFlags(c.f.tmp(a.sub(b)), b, size)
        advance(c, RDI, w.step, w)
      },
      stopper(c),
    )
  }
const cmps =
  (size: Size): Operation =>
  (c) => {
    const w = walk(c, size)
    repeat(
      c,
      w,
      () => {
        const a = c.load(source(c, w), size)
        const b = c.load(target(c, w), size)
        c.compareFlags(c.f.tmp(a.sub(b)), b, size)
        advance(c, RSI, w.step, w)
        advance(c, RDI, w.step, w)
      },
      stopper(c),
    )
  }

const bySize =
  (make: (size: Size) => Operation): Operation =>
  (c) =>
    make(c.size)(c)

export const STRING: Record<string, Operation> = {
  movsb: movs(1),
  movs_: bySize(movs),
  stosb: stos(1),
  stos: bySize(stos),
  lodsb: lods(1),
  lods: bySize(lods),
  scasb: scas(1),
  scas: bySize(scas),
  cmpsb: cmps(1),
  cmps: bySize(cmps),
}
