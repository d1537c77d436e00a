/** A miss of the code TLB in the usual case: 64-bit code in RAM whose page has records for this mode already. Everything else is CodeFetch's. */
import { ACCESS, RIGHT } from '../mmu/access.ts'
import type { Mmu } from '../mmu/mmu.ts'
import { bump, codeTlbEntry, get32, get64, put32, put64, widen } from '../mmu/state-access.ts'
import { SLOT_MODE, SLOT_STORES, SLOT_USED } from '../region.ts'
import {
  AT,
  CODE_PAGE_GLOBAL,
  CODE_PAGES,
  CODE_TLB_USER,
  PAGE_INFO,
  RECORD,
  SLOT_BYTES,
  type MemoryMap,
} from '../state/layout.ts'
import { i32, i64, type Expr } from '../wasm/expr.ts'
import type { Func, ModuleBuilder } from '../wasm/module.ts'

/** What codePage() gives when there is no page: CodeFetch has to look, or a fault is pending. */
export const NO_PAGE = { unusual: 0, fault: 1 } as const

/** (linear address) -> address of its page's slot, entered in the code TLB, or a NO_PAGE. */
export function defineCodePage(m: ModuleBuilder, map: MemoryMap, mmu: Mmu): Func {
  const { ptr } = m
  return m.func('codePage', ['i64'], [ptr], (f, linear) => {
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(NO_PAGE.unusual, ptr))
    unless(get32(f, AT.codeSize).ne(8))
    unless(linear.shl(16).shr_s(16).ne(linear))
    const user = f.tmp(get32(f, AT.cpl).eq(3))
    const gpa = f.call(mmu.translate, linear, user.select(i32(ACCESS.fetch | ACCESS.user), i32(ACCESS.fetch)))
    f.if(gpa.eq(i64(-1)), () => {
      bump(f, AT.codeMisses)
      f.ret(NO_PAGE.fault, ptr)
    })
    const host = f.call(mmu.ramAddress, gpa)
    unless(host.eqz())
    const page = f.tmp(host.sub(map.ramBase).shr_u(12))
    const info = f.load32('u32', page.shl(2), PAGE_INFO)
    unless(info.eqz())
    const slot = f.tmp(widen(f, info).sub(1).mul(SLOT_BYTES).add(map.slotBase))
    const mode = user.select(get32(f, AT.codeModeUser), get32(f, AT.codeModeSupervisor))
    unless(f.load32('u8', slot, 4096 * RECORD + SLOT_MODE).ne(mode))
    bump(f, AT.codeMisses)
    f.store(1, slot, i32(1), 4096 * RECORD + SLOT_USED)
    f.store(2, slot, i32(0), 4096 * RECORD + SLOT_STORES)
    const entry = codeTlbEntry(f, linear)
    f.store(8, entry, linear.and(-4096n))
    f.store(8, entry, ptr === 'i32' ? slot.u64() : slot, 8)
    const isGlobal = get32(f, AT.pageRights).and(RIGHT.global)
    const noted = page.i32().or(isGlobal.select(i32(CODE_PAGE_GLOBAL), i32(0)))
    f.store(4, entry.sub(CODE_TLB_USER).shr_u(2), noted, CODE_PAGES)
    f.ret(slot)
  })
}

/** The same without a fault: 0 where the page is not at hand. A processor may look ahead like this (SDM vol. 3, 4.8: accessed bits). */
export function defineLookAhead(m: ModuleBuilder, codePage: Func): Func {
  return m.func('lookAhead', ['i64'], [m.ptr], (f, linear) => {
    const saved = [AT.excVector, AT.excError, AT.excHasError, AT.excSoft].map((at) => [at, get32(f, at)] as const)
    const cr2 = get64(f, AT.cr2)
    const slot = f.call(codePage, linear)
    f.if(slot.ne(NO_PAGE.fault), () => f.ret(slot))
    for (const [at, value] of saved) put32(f, at, value)
    put64(f, AT.cr2, cr2)
    f.ret(0, m.ptr)
  })
}
