/**
 * The interpreter: one wasm function that walks over predecoded records. A record's address stands for the instruction pointer (rip = bias +
 * record / 16), so nothing but the record is updated from instruction to instruction. What every operand needs (effective address, TLB, host
 * address) happens before the dispatch, once; handlers only compute. Handlers marked hot are inlined, the others are functions in table 0.
 */
import { ACCESS_READ, ACCESS_WRITE, KIND, SIZE_NONE, SIZE_SHIFT } from '../decode/record.ts'
import type { Variant } from '../decode/variants.ts'
import { FSW_ES } from '../helpers/blocked.ts'
import { bump, codeTlbEntry, get32, get64, put64, tlbInUse, toPtr, widen } from '../mmu/state-access.ts'
import { HANDLER, REGION_EXIT } from '../region.ts'
import { STATUS, type Operation } from '../semantics/context.ts'
import { AT, CROSS_RECORD, segAt, STATE, type MemoryMap } from '../state/layout.ts'
import { Expr, i32 } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, Label, Local, ModuleBuilder } from '../wasm/module.ts'
import { NO_PAGE } from './code-page.ts'
import type { Core } from './core.ts'
import { RecordContext, type InlineSite } from './record-context.ts'
import { beginCounting, countJump, enterRegion, isPlain, linearRip } from './region-entry.ts'

/** Why run() came back. */
export const EXIT = {
  /** The budget is used up; state.rip is the next instruction. */
  budget: 0,
  /** An exception is pending; state.rip is the faulting instruction. */
  exception: 1,
  /** HLT. */
  halt: 2,
  /** The run loop must look at interrupts, single-step or mode before it goes on. */
  look: 3,
  /** Before an instruction with a debugger's breakpoint, or one at the same offset of another page. */
  breakpoint: 4,
} as const

export interface HandlerDef {
  readonly variant: Variant
  readonly operation: Operation
}

export interface LoopImports {
  /** (linear low, linear high) -> slot address as f64, or 0 with an exception pending. Fills the code TLB. */
  readonly codeMiss: Func
  /** (record as f64) -> 0, or 1 with an exception pending. */
  readonly decode: Func
  /** () -> the same for the instruction at state.rip, wherever it lies. */
  readonly decodeAlone: Func
  /** (record as f64): code that is often jumped to begins here. */
  readonly hot: Func
  /** (record as f64) -> address of a record made for state.rip, which lies on two pages, as f64; 0 with an exception pending. */
  readonly decodeCross: Func
  /** (handler): the operand's fault is pending; what the instruction checks before it touches memory may replace it. */
  readonly operandFault: Func
}

/** A nested switch: each body must leave by a branch. */
export function emitSwitch(
  f: FunctionBuilder,
  selector: Expr,
  bodies: readonly (() => void)[],
  fallback: () => void,
): void {
  f.block((other) => {
    const labels: Label[] = []
    const nest = (i: number): void => {
      if (i < 0) {
        f.brTable(labels, other, selector)
        return
      }
      f.block((label) => {
        labels[i] = label
        nest(i - 1)
      })
      bodies[i]!()
    }
    nest(bodies.length - 1)
  })
  fallback()
}

/** Handlers in a leaf of the decision tree. */
const LEAF = 8

/** Binary decisions over handler numbers down to small switches: predictors learn branches better than one big indirect jump. */
function emitTree(f: FunctionBuilder, id: Expr, first: number, bodies: readonly (() => void)[]): void {
  if (bodies.length <= LEAF) {
    emitSwitch(f, id.sub(first), bodies, () => f.unreachable())
    return
  }
  const half = bodies.length >> 1
  f.if(
    id.lt_u(first + half),
    () => emitTree(f, id, first, bodies.slice(0, half)),
    () => emitTree(f, id, first + half, bodies.slice(half)),
  )
}

export function defineLoop(
  m: ModuleBuilder,
  map: MemoryMap,
  core: Core,
  imports: LoopImports,
  handlers: readonly HandlerDef[],
  hotCount: number,
): Func {
  const { ptr } = m
  const fromF64 = (f: FunctionBuilder, e: Expr): Expr => f.tmp(new Expr(ptr, [e], [ptr === 'i32' ? 0xab : 0xb1]))
  const coldTable = defineColdHandlers(m, map, core, handlers, hotCount)
  m.table(coldTable)

  return m.func('run', ['i32'], ['i32'], (f, slice) => {
    const record = f.local(ptr)
    const host = f.local(ptr)
    const page = f.local(ptr)
    const linearAddress = f.local('i64')
    const bias = f.local('i64')
    const span = f.local('i32')
    const budget = f.local('i32')
    const id = f.local('i32')
    const untilCounted = f.local('i32')
    const access = f.local('i32')
    const asF64 = (e: Expr) => new Expr('f64', [e], [ptr === 'i32' ? 0xb8 : 0xba])
    const lip = (): Expr => bias.add(record.shr_u(4).u64())
    /** Linear address relative to CS (in 64-bit mode the base of CS is kept zero for this). */
    const saveRip = (): void => put64(f, AT.rip, lip().sub(get64(f, segAt(1, 'base'))))
    const finish = (code: number): void => {
      put64(f, AT.retired, get64(f, AT.retired).add(slice.sub(budget).u64()))
      f.ret(code)
    }
    f.set(budget, slice)
    beginCounting(f, untilCounted)
    f.loop((delivered) => {
      f.block((exceptional) => {
        f.block((fault) => {
          f.loop((lookup) => {
            const linear = linearRip(f)
            const entry = codeTlbEntry(f, linear)
            f.if(
              f.load64(entry).eq(linear.and(-4096n)),
              () => f.set(page, f.loadPtr(entry, 8)),
              () => {
                // a trap after the last instruction comes before what fetching the next one would raise (SDM vol. 3, 6.9)
                f.if(budget.le_s(0), () => finish(EXIT.budget))
                f.set(page, f.call(core.codePage, linear))
                f.if(page.eq(NO_PAGE.fault), () => f.br(exceptional))
                f.if(page.eqz(), () => {
                  f.set(page, fromF64(f, f.call(imports.codeMiss, linear.i32(), linear.shr_u(32).i32())))
                  f.if(page.eqz(), () => f.br(exceptional))
                })
              },
            )
            f.set(span, 4096)
            f.set(record, page.add(toPtr(f, linear.and(4095).shl(4))))
            f.set(bias, linear.sub(record.shr_u(4).u64()))
            f.loop((jumped) => {
              countJump(f, imports.hot, { record, until: untilCounted, saveRip })
              f.loop((next) => {
                f.rarely(budget.le_s(0), () => {
                  saveRip()
                  finish(EXIT.budget)
                })
                f.set(budget, budget.sub(1))
                // read first: an instruction that writes on itself empties its record
                f.set(id, f.load32('u16', record))
                f.set(access, f.load32('u8', record, 3))
                const rm = f.tmp(widen(f, f.load32('u8', record, 5)))
                f.set(host, rm.add(STATE))
                f.if(access, () =>
                  emitAccess(f, core, imports.operandFault, { record, host, linearAddress, access, rm, lip, fault }),
                )
                const inline: InlineSite = { jumped, lookup, fault, page, bias, span }
                const advance = (): void => {
                  const length = f.load32('u8', record, 2)
                  f.set(record, record.add(widen(f, length).shl(4)))
                }
                const hot = handlers.slice(0, hotCount).map((handler, n) => () => {
                  f.scope(() => {
                    const c = new RecordContext({
                      f,
                      variant: handler.variant,
                      handler: HANDLER.first + n,
                      core,
                      ramBase: map.ramBase,
                      record,
                      host,
                      linearAddress,
                      inline,
                    })
                    handler.operation(c)
                    advance()
                    f.br(next)
                  })
                })
                const special = [
                  () => {
                    f.set(budget, budget.add(1))
                    f.if(f.call(imports.decode, asF64(record)).eqz(), () => f.br(next))
                    f.br(fault)
                  },
                  () => {
                    f.set(budget, budget.add(1))
                    saveRip()
                    f.br(lookup)
                  },
                  () => {
                    f.set(budget, budget.add(1))
                    saveRip()
                    const linearHere = f.tmp(lip())
                    const made = f.local(ptr)
                    const nextPage = f.tmp(linearHere.and(-4096n).add(4096))
                    f.if(
                      f.call(core.cross, record, nextPage),
                      () => f.set(made, CROSS_RECORD),
                      () => f.set(made, fromF64(f, f.call(imports.decodeCross, asF64(record)))),
                    )
                    f.if(made.eqz(), () => f.br(fault))
                    f.set(record, made)
                    f.set(bias, linearHere.sub(made.shr_u(4).u64()))
                    f.set(span, 0)
                    f.br(next)
                  },
                  () => {
                    f.set(budget, budget.add(1))
                    saveRip()
                    finish(EXIT.breakpoint)
                  },
                  () => {
                    f.set(budget, budget.add(1))
                    f.if(slice.gt_u(1), () => {
                      const status = enterRegion(f, record, lip(), budget)
                      f.if(status.eqz(), () => f.br(lookup))
                      f.if(status.eq(REGION_EXIT.fault), () => f.br(exceptional))
                      f.if(status.eq(REGION_EXIT.halt), () => finish(EXIT.halt))
                      f.if(status.eq(REGION_EXIT.look), () => finish(EXIT.look))
                      bump(f, AT.regionRestarts)
                    })
                    f.if(slice.le_u(1), () => saveRip())
                    // one instruction of the region, without it
                    const linearHere = f.tmp(linearRip(f))
                    f.if(slice.gt_u(1), () => f.if(isPlain(f, linearHere), () => f.br(lookup)))
                    const made = fromF64(f, f.call(imports.decodeAlone))
                    f.if(made.eqz(), () => f.br(exceptional))
                    f.set(record, made)
                    f.set(bias, linearHere.sub(made.shr_u(4).u64()))
                    f.set(span, 0)
                    f.br(next)
                  },
                  () => {
                    f.set(budget, budget.add(1))
                    f.store(2, record, i32(HANDLER.region))
                    f.br(next)
                  },
                ]
                f.if(id.lt_u(HANDLER.first + hotCount), () => emitTree(f, id, 0, [...special, ...hot]))
                // a handler of its own
                saveRip()
                const status = f.callIndirect(
                  [ptr, ptr, 'i64'],
                  'i32',
                  id.sub(HANDLER.first + hotCount),
                  record,
                  host,
                  linearAddress,
                )
                f.if(status.eqz(), () => {
                  advance()
                  f.br(next)
                })
                f.if(status.eq(STATUS.jump), () => f.br(lookup))
                f.if(status.eq(STATUS.fault), () => {
                  f.set(budget, budget.add(1))
                  f.br(exceptional)
                })
                f.if(status.eq(STATUS.halt), () => finish(EXIT.halt))
                f.if(status.eq(STATUS.steer), () => {
                  advance()
                  saveRip()
                  finish(EXIT.look)
                })
                finish(EXIT.look)
              })
            })
          })
        })
        // a fault in the loop: the record is the instruction's
        saveRip()
        f.set(budget, budget.add(1))
      })
      // state.rip is the instruction's; who runs single instructions wants to see its exceptions
      f.if(slice.gt_u(1), () => {
        f.if(f.call(core.transfers.exception), () => {
          // a delivery counts as an instruction: one that ends in the next exception must not go on for ever
          f.set(budget, budget.sub(1))
          f.if(budget.le_s(0), () => finish(EXIT.budget))
          f.br(delivered)
        })
      })
    })
    finish(EXIT.exception)
  })
}

interface AccessParts {
  readonly record: Local
  readonly host: Local
  readonly linearAddress: Local
  readonly access: Expr
  readonly rm: Expr
  readonly lip: () => Expr
  readonly fault: Label
}

/** From the access byte to the host address of the operand. */
function emitAccess(f: FunctionBuilder, core: Core, operandFault: Func, p: AccessParts): void {
  const { record, host, linearAddress, access, rm, lip } = p
  const kind = f.tmp(access.and(7))
  const disp = (): Expr => f.load64(record, 8, 's32')
  f.block((done) => {
    f.block((memory) => {
      f.if(kind.eq(KIND.base), () => {
        f.set(linearAddress, f.load64(rm, STATE).add(disp()))
        f.br(memory)
      })
      f.if(kind.eq(KIND.index), () => {
        const index = f.load32('u8', record, 6)
        const scale = f.load64(record, 7, 'u8').and(3)
        f.set(
          linearAddress,
          f
            .load64(rm, STATE)
            .add(f.load64(widen(f, index), STATE).shl(scale))
            .add(disp()),
        )
        f.br(memory)
      })
      f.if(kind.eq(KIND.rip), () => {
        f.set(
          linearAddress,
          lip()
            .add(f.load64(record, 2, 'u8'))
            .add(disp()),
        )
        f.br(memory)
      })
      f.if(kind.eq(KIND.xmm), () => {
        f.set(host, rm.add(AT.xmm))
        f.br(done)
      })
      f.if(kind.eq(KIND.mmx), () => {
        f.set(host, rm.add(AT.st))
        f.br(done)
      })
      f.if(kind.eqz(), () => f.br(done))
      f.set(linearAddress, f.call(core.generalAddress, record, lip()))
    })
    const sizeCode = f.tmp(access.shr_u(SIZE_SHIFT).and(7))
    f.brIf(done, sizeCode.eq(SIZE_NONE))
    const size = f.tmp(i32(1).shl(sizeCode))
    const entry = tlbInUse(f, linearAddress)
    const isWrite = f.tmp(access.and(ACCESS_WRITE))
    // the write tag stands 8 bytes after the read tag, and the write bit is 8
    const tag = f.load64(entry.add(widen(f, isWrite)))
    f.if(
      linearAddress.xor(tag).le_u(i32(4096).sub(size).u64()),
      () => f.set(host, toPtr(f, linearAddress.add(f.load64(entry, 16)))),
      () => {
        const user = get32(f, AT.cpl).eq(3).shl(1)
        const stack = f.load32('u8', record, 7).shr_u(2).and(7).eq(2).shl(5)
        const how = isWrite.shr_u(3).or(access.and(ACCESS_READ).shr_u(4)).or(user).or(stack)
        f.set(host, f.call(core.slow, linearAddress, how, size))
        f.if(host.eqz(), () => {
          f.if(get32(f, AT.simdBlocked).or(get32(f, AT.fsw).and(FSW_ES)), () =>
            f.call(operandFault, f.load32('u16', record)),
          )
          f.br(p.fault)
        })
      },
      true,
    )
  })
}

/** One function for each handler that is not inlined: (record, host, linear address) -> status. */
function defineColdHandlers(
  m: ModuleBuilder,
  map: MemoryMap,
  core: Core,
  handlers: readonly HandlerDef[],
  hotCount: number,
): Func[] {
  const { ptr } = m
  return handlers.slice(hotCount).map((handler, n) => {
    const id = HANDLER.first + hotCount + n
    return m.func(handler.variant.key, [ptr, ptr, 'i64'], ['i32'], (f, record, host, linearAddress) => {
      const c = new RecordContext({
        f,
        variant: handler.variant,
        handler: id,
        core,
        ramBase: map.ramBase,
        record,
        host,
        linearAddress,
        inline: undefined,
      })
      handler.operation(c)
      f.ret(STATUS.next)
    })
  })
}
