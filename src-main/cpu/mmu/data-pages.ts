/**
 * A page that held code and holds data now: the kernel gives pages of programs that ended to others, as stacks and heaps. As long as it has
 * a slot of predecoded code every store to it takes the slow way, so the slot goes when the page is overwritten as a whole, or again and
 * again. It goes between slices only: the instruction that stores may be one of the page's own.
 */
import { SLOT_STORES, SLOT_TRANSLATED } from '../region.ts'
import { AT, RECORD } from '../state/layout.ts'
import { i32, type Expr } from '../wasm/expr.ts'
import type { FunctionBuilder } from '../wasm/module.ts'
import { get32, put32 } from './state-access.ts'

/** Stores until a page of code counts as one of data. Decoding a page again costs about as much as so many stores. */
const STORES = 256
/** The same for a page with regions, which cost more to make. */
const STORES_TRANSLATED = 0x8000
/** A single store of so many bytes (of a string instruction) is enough: nobody patches code like that. */
const BULK = 2048

/** Counts a store of `length` bytes to a RAM page that has the slot at `slot`. */
export function countStore(f: FunctionBuilder, slot: Expr, page: Expr, length: Expr): void {
  const at = 4096 * RECORD + SLOT_STORES
  const limit = f.tmp(f.load32('u8', slot, 4096 * RECORD + SLOT_TRANSLATED).select(i32(STORES_TRANSLATED), i32(STORES)))
  const stores = f.tmp(f.load32('u16', slot, at).add(1))
  f.if(
    stores.lt_u(limit).and(length.lt_u(BULK)),
    () => f.store(2, slot, stores, at),
    () => {
      // where another page waits, this one asks again with its next store
      f.store(2, slot, limit.sub(1), at)
      f.if(get32(f, AT.dataPage).eqz(), () => put32(f, AT.dataPage, page.i32().add(1)))
    },
  )
}
