/**
 * The second-level TLB: the slow way of an access asks it before it walks the page tables. It remembers what the first level has lost to
 * another page of the same index. An entry is a tag (linear page, set, generation) and the guest-physical page with its rights. Forgetting
 * is beginning a new generation, one for global pages and one for all others.
 */
import {
  LARGE_PAGES,
  LARGE_PAGES_BYTES,
  SECOND_ENTRIES,
  SECOND_KEYS,
  SECOND_TLB,
  TLB_SET,
  TLB_USER,
} from '../state/layout.ts'
import { i32, konst, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'
import { RIGHT } from './access.ts'
import { toPtr } from './state-access.ts'

/** In the low 12 bits of a tag: set (0-2), generation, and whether the page is a global one. */
const SETS = 3
const GENERATION_SHIFT = 2
const GENERATIONS = 512
const GLOBAL = 0x800
const ENTRY = 16
const INDEX_BITS = Math.log2(SECOND_ENTRIES)
/** Moves the sets away from each other. */
const SET_SHIFT = INDEX_BITS - 2

export interface SecondTlb {
  /** (linear, first-level set in use) -> guest-physical page | rights, or 0. */
  readonly recall: Func
  /** (linear, set, guest-physical page | rights): remembers it. */
  readonly remember: Func
}

export function defineSecondTlb(m: ModuleBuilder): SecondTlb {
  const { ptr } = m
  const number = (f: FunctionBuilder, set: Expr): Expr => {
    const n = f.tmp(set.sub(TLB_USER).shr_u(Math.log2(TLB_SET)))
    return f.tmp(ptr === 'i32' ? n.u64() : n)
  }
  const entryOf = (f: FunctionBuilder, va: Expr, n: Expr): Expr => {
    const page = f.tmp(va.shr_u(12))
    const index = page.xor(page.shr_u(INDEX_BITS)).xor(n.shl(SET_SHIFT))
    return f.tmp(toPtr(f, index.and(SECOND_ENTRIES - 1).shl(4)))
  }
  const key = (f: FunctionBuilder, which: number): Expr => f.load64(konst(ptr, SECOND_KEYS + 8 * which))

  const recall = m.func('recall', ['i64', ptr], ['i64'], (f, va, set) => {
    const n = number(f, set)
    const entry = entryOf(f, va, n)
    const differs = f.tmp(f.load64(entry, SECOND_TLB).xor(va.and(-4096n).or(n)))
    f.if(differs.eq(key(f, 0)).or(differs.eq(key(f, 1))), () => f.ret(f.load64(entry, SECOND_TLB + 8)))
    f.ret(0, 'i64')
  })
  const remember = m.func('remember', ['i64', ptr, 'i64'], [], (f, va, set, page) => {
    const n = number(f, set)
    const entry = entryOf(f, va, n)
    const generation = page.i32().and(RIGHT.global).select(key(f, 1), key(f, 0))
    f.store(8, entry, va.and(-4096n).or(n).or(generation), SECOND_TLB)
    f.store(8, entry, page, SECOND_TLB + 8)
  })
  return { recall, remember }
}

/* ---- from outside ---- */

/** Forgets all pages but the global ones, or those too. */
export function forgetSecond(view: DataView, bytes: Uint8Array, globalToo: boolean): void {
  for (const which of globalToo ? [0, 1] : [0]) {
    const at = SECOND_KEYS + 8 * which
    const generation = ((view.getUint32(at, true) & (GLOBAL - 1)) >> GENERATION_SHIFT) + 1
    // numbers come again: nothing may be left of their first time
    if (generation === GENERATIONS) clear(bytes)
    const mark = which === 1 ? GLOBAL : 0
    view.setUint32(at, mark | ((generation % GENERATIONS) << GENERATION_SHIFT), true)
  }
  if (globalToo) bytes.fill(0, LARGE_PAGES, LARGE_PAGES + LARGE_PAGES_BYTES)
}
/** A tag of ones belongs to no set. */
function clear(bytes: Uint8Array): void {
  bytes.fill(0xff, SECOND_TLB, SECOND_TLB + SECOND_ENTRIES * ENTRY)
}
/** Forgets what is known of one page. */
export function forgetSecondPage(bytes: Uint8Array, linear: bigint): void {
  const page = BigInt.asUintN(64, linear) >> 12n
  const index = Number((page ^ (page >> BigInt(INDEX_BITS))) & BigInt(SECOND_ENTRIES - 1))
  for (let n = 0; n < SETS; n++) {
    const at = SECOND_TLB + (index ^ (n << SET_SHIFT)) * ENTRY
    bytes.fill(0xff, at, at + ENTRY)
  }
}

/* ---- large pages ---- */

/**
 * A byte for each 4 MiB, then for each 1 GiB, of linear addresses (by a hash, the upper half apart): a larger page has been there. INVLPG
 * forgets the whole of a page, whose pieces are spread over the TLBs (SDM vol. 3, 4.10.4.1): then everything is forgotten.
 */
const LARGE = [
  { shift: 22n, bits: 10n, at: 0 },
  { shift: 30n, bits: 8n, at: 2048 },
] as const

/** Marks the place of a page that the page walk found; `mask`: its size - 1. */
export function markLarge(f: FunctionBuilder, va: Expr, mask: Expr): void {
  const mark = ({ shift, bits, at }: (typeof LARGE)[number]): void => {
    const index = va
      .shr_u(shift)
      .and((1n << bits) - 1n)
      .or(va.shr_u(63).shl(bits))
    f.store(1, f.tmp(toPtr(f, index)), i32(1), LARGE_PAGES + at)
  }
  f.if(mask.gt_u(4095n), () => {
    f.if(
      mask.gt_u(0x3fffffn),
      () => mark(LARGE[1]),
      () => mark(LARGE[0]),
    )
  })
}
export function mayBeLarge(bytes: Uint8Array, linear: bigint): boolean {
  const va = BigInt.asUintN(64, linear)
  return LARGE.some(({ shift, bits, at }) => {
    const index = ((va >> shift) & ((1n << bits) - 1n)) | ((va >> 63n) << bits)
    return bytes[LARGE_PAGES + at + Number(index)] !== 0
  })
}
