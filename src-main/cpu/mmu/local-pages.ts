/**
 * A CR3 load forgets all pages but the global ones. Which entries of the first level hold others is kept in a list while they are few, for
 * a process touches a hundred pages between two loads and the TLB has thousands. The rights of an entry that is in the list, or was when
 * it was last filled, have no RIGHT.global.
 */
import {
  CODE_PAGE_GLOBAL,
  CODE_PAGES,
  CODE_TLB_ENTRIES,
  CODE_TLB_USER,
  LOCAL_PAGES,
  LOCAL_PAGES_MOST,
  TLB_ENTRIES,
  TLB_STRIDE,
  TLB_USER,
} from '../state/layout.ts'
import { i64, konst, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'
import { RIGHT } from './access.ts'
import { widen } from './state-access.ts'

/** Offset of an entry's guest-physical page and rights. */
const PAGE = 24
/** The number of listed entries, more than LOCAL_PAGES_MOST when the list is too short; then their addresses. */
const COUNT = LOCAL_PAGES
const LIST = LOCAL_PAGES + 8

/** Before the page and rights of `entry` are written: it comes to hold a page with these rights. */
export function noteLocal(f: FunctionBuilder, entry: Expr, rights: Expr): void {
  const { ptr } = f.module
  const isNew = f.load32('u32', entry, PAGE).and(RIGHT.global).ne(0)
  f.if(isNew.and(rights.and(RIGHT.global).eqz()), () => {
    const count = f.load32('u32', konst(ptr, COUNT))
    f.if(count.le_u(LOCAL_PAGES_MOST), () => {
      const at = f.tmp(widen(f, count).shl(2))
      f.store(4, at, entry.i32(), LIST)
      f.store(4, konst(ptr, COUNT), count.add(1))
    })
  })
}

/** A loop over n = 0 to count - 1. */
function each(f: FunctionBuilder, count: Expr, body: (n: Expr) => void): void {
  const n = f.local('i32')
  f.set(n, 0)
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, n.ge_u(count))
      body(n)
      f.set(n, n.add(1))
      f.br(again)
    })
  })
}

/** (): forgets all translations of data and code but those of global pages (SDM vol. 3, 4.10.2.4). */
export function defineForgetLocal(m: ModuleBuilder): Func {
  const { ptr } = m
  /** A tag that cannot match its place. */
  const never = (n: Expr, entries: number): Expr =>
    n
      .and(entries - 1)
      .xor(1)
      .shl(12)
      .u64()
  return m.func('forgetLocal', [], [], (f) => {
    const forget = (at: Expr): void =>
      f.if(f.load32('u32', at, PAGE).and(RIGHT.global).eqz(), () => {
        const tag = f.tmp(never(at.sub(TLB_USER).i32().shr_u(Math.log2(TLB_STRIDE)), TLB_ENTRIES))
        f.store(8, at, tag)
        f.store(8, at, tag, 8)
        f.store(8, at, i64(RIGHT.global), PAGE)
      })
    const count = f.load32('u32', konst(ptr, COUNT))
    f.if(
      count.le_u(LOCAL_PAGES_MOST),
      () => each(f, count, (n) => forget(f.tmp(widen(f, f.load32('u32', f.tmp(widen(f, n.shl(2))), LIST))))),
      () =>
        each(f, f.tmp(konst('i32', 3 * TLB_ENTRIES)), (n) => forget(f.tmp(widen(f, n.mul(TLB_STRIDE).add(TLB_USER))))),
    )
    f.store(4, konst(ptr, COUNT), konst('i32', 0))
    each(f, konst('i32', 2 * CODE_TLB_ENTRIES), (n) => {
      const isGlobal = f.load32('u32', f.tmp(widen(f, n.shl(2))), CODE_PAGES).and(CODE_PAGE_GLOBAL)
      f.if(isGlobal.eqz(), () => f.store(8, f.tmp(widen(f, n.shl(4))), never(n, CODE_TLB_ENTRIES), CODE_TLB_USER))
    })
  })
}

/** All entries have been made invalid, as emptyEntry() says. */
export function clearLocalList(view: DataView): void {
  view.setUint32(COUNT, 0, true)
}
/** The data TLB's entry `n` of a set, matching nothing. */
export function emptyEntry(view: DataView, entry: number, n: number): void {
  const never = BigInt(n ^ 1) << 12n
  view.setBigUint64(entry, never, true)
  view.setBigUint64(entry + 8, never, true)
  view.setBigUint64(entry + PAGE, BigInt(RIGHT.global), true)
}
