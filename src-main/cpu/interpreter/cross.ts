/**
 * Instructions that lie on two pages. Their record belongs to neither page alone, so it is kept in a small cache and copied to CROSS_RECORD
 * for each run. It holds as long as the first page has its `cross` record, the next linear page is the same code page, and that page begins
 * with the same bytes: everything that can change the instruction changes one of these.
 */
import { codeTlbEntry, widen } from '../mmu/state-access.ts'
import {
  CODE_PAGE_GLOBAL,
  CODE_PAGES,
  CODE_TLB_USER,
  CROSS_CACHE,
  CROSS_ENTRIES,
  CROSS_ENTRY,
  CROSS_RECORD,
  type MemoryMap,
} from '../state/layout.ts'
import { konst, type Expr } from '../wasm/expr.ts'
import type { Func, ModuleBuilder } from '../wasm/module.ts'

/** Offsets in an entry: record of the first page (u32), slot of the second (u32), its first 16 bytes, the record. */
const FIRST = 0
const SECOND = 4
const BYTES = 16
const CACHED = 32
/** Fibonacci hashing: the product's highest bits. */
const GOLDEN = 0x9e3779b1
const SHIFT = 32 - Math.log2(CROSS_ENTRIES)

/** Address of the entry for a `cross` record. */
export const crossEntry = (record: number): number =>
  CROSS_CACHE + (Math.imul(record >>> 4, GOLDEN) >>> SHIFT) * CROSS_ENTRY

/** Keeps what CROSS_RECORD holds for `record`, whose instruction ends in the page at `host` with code slot `slot`. */
export function rememberCross(view: DataView, bytes: Uint8Array, record: number, slot: number, host: number): void {
  const entry = crossEntry(record)
  view.setUint32(entry + FIRST, record, true)
  view.setUint32(entry + SECOND, slot, true)
  bytes.copyWithin(entry + BYTES, host, host + 16)
  bytes.copyWithin(entry + CACHED, CROSS_RECORD, CROSS_RECORD + 16)
}
export function forgetCross(view: DataView, record: number): void {
  view.setUint32(crossEntry(record) + FIRST, 0, true)
}

/** (record, linear address of the next page) -> 1 with CROSS_RECORD made, or 0. */
export function defineCross(m: ModuleBuilder, map: MemoryMap): Func {
  const { ptr } = m
  return m.func('cross', [ptr, 'i64'], ['i32'], (f, record, linear) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(0))
    const code = codeTlbEntry(f, linear)
    unless(f.load64(code).ne(linear))
    const hash = record.shr_u(4).i32().mul(GOLDEN).shr_u(SHIFT).mul(CROSS_ENTRY)
    const entry = f.tmp(widen(f, hash.add(CROSS_CACHE)))
    unless(f.load32('u32', entry, FIRST).ne(record.i32()))
    unless(f.load32('u32', entry, SECOND).ne(f.load32('u32', code, 8)))
    const page = f.load32('u32', code.sub(CODE_TLB_USER).shr_u(2), CODE_PAGES).and(CODE_PAGE_GLOBAL - 1)
    const host = f.tmp(widen(f, page).shl(12).add(map.ramBase))
    unless(f.load64(host).ne(f.load64(entry, BYTES)))
    unless(f.load64(host, 8).ne(f.load64(entry, BYTES + 8)))
    f.store(16, konst(ptr, CROSS_RECORD), f.loadV(entry, CACHED))
    f.ret(1)
  })
}
