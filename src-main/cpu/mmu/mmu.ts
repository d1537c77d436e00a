/**
 * The MMU in wasm: page walk, TLB fill, slow accesses. A host address is an address in the shared memory; 0 means that a fault is pending
 * in the state. Values without a single place in RAM (MMIO, two pages) go through SCRATCH and are committed after the store.
 */
import { WATCHED } from '../breakpoints.ts'
import { SLOT_TRANSLATED } from '../region.ts'
import {
  AT,
  PAGE_INFO,
  RECORD,
  SCRATCH,
  SLOT_BYTES,
  TLB_ENTRIES,
  TLB_NEVER,
  TLB_SUPERVISOR,
  type MemoryMap,
} from '../state/layout.ts'
import { i32, i64, konst, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'
import { ACCESS, RIGHT, VECTOR } from './access.ts'
import { countStore } from './data-pages.ts'
import { defineForgetLocal, noteLocal } from './local-pages.ts'
import { defineSecondTlb } from './second-tlb.ts'
import { bump, get32, get64, put32, put64, tlbEntry, tlbInUse, toPtr, widen } from './state-access.ts'
import { defineWalk } from './walk.ts'
import { defineWriteTags } from './write-tags.ts'

const EFER_LMA = 1n << 10n
/** What an effective address becomes when segmentation refuses it; never canonical. */
export const REFUSED = -(1n << 63n) + 1n

export interface MmuImports {
  /** (linear low, linear high, access, size) -> WATCHED of breakpoints.ts; called while state.hostWatch is set. */
  readonly watched: Func
  /** (gpa low, gpa high, size): reads into SCRATCH. */
  readonly mmioRead: Func
  /** (gpa low, gpa high, size): writes from SCRATCH. */
  readonly mmioWrite: Func
  /** (RAM page, from, to): bytes of a page that holds translated code are about to change. */
  readonly dropRegions: Func
}

export interface Mmu {
  /** (gpa) -> host address of the byte, or 0 when it is not RAM. */
  readonly ramAddress: Func
  /** (linear, access) -> gpa, or -1 with a page fault pending. Sets accessed and dirty bits. */
  readonly translate: Func
  /** (linear, access, size) -> host address or 0. Fills the TLB. */
  readonly slow: Func
  /** (linear, size) -> host address or 0, for data with current privilege. */
  readonly hostRead: Func
  readonly hostWrite: Func
  /**
   * (linear, size, write) -> host address for an access by the processor itself (descriptors, stacks of level 0), or 0 with nothing changed
   * where it is not simply RAM within one page that may be accessed.
   */
  readonly kernelAddress: Func
  /** local-pages.ts */
  readonly forgetLocal: Func
  /** write-tags.ts */
  readonly dropWriteTags: Func
  /** (): completes a store that went to SCRATCH. */
  readonly commit: Func
  /** (host address, length): drops predecoded code in that range (within one page). */
  readonly dropCode: Func
}

export function defineMmu(m: ModuleBuilder, map: MemoryMap, imports: MmuImports): Mmu {
  const { ramAddress, translate } = defineWalk(m, map)
  const second = defineSecondTlb(m)
  const ptr = m.ptr
  const dropCode = m.func('dropCode', [ptr, ptr], [], (f, host, length) => {
    const page = f.tmp(host.sub(map.ramBase).shr_u(12))
    const info = f.load32('u32', page.shl(2), PAGE_INFO)
    f.if(info.eqz(), () => f.ret())
    const slot = f.tmp(widen(f, info).sub(1).mul(SLOT_BYTES).add(map.slotBase))
    const start = f.tmp(host.and(4095))
    // an instruction is at most 15 bytes, a fused pair 30
    const at = f.local(ptr)
    f.set(at, start.gt_u(30).select(start.sub(30), konst(ptr, 0)))
    const end = f.tmp(start.add(length))
    const dropped = f.local('i32')
    f.set(dropped, 0)
    f.loop((again) => {
      const record = f.tmp(slot.add(at.shl(4)))
      f.if(f.load32('u16', record).ne(0), () => {
        const size = f.load32('u8', record, 2)
        f.if(at.add(widen(f, size)).gt_u(start), () => {
          // an empty record must not touch memory; its length stays, for the instruction that writes may be this one
          f.store(2, record, i32(0))
          f.store(1, record, i32(0), 3)
          f.set(dropped, 1)
        })
      })
      f.set(at, at.add(1))
      f.brIf(again, at.lt_u(end))
    })
    f.if(dropped, () => bump(f, AT.codeDrops))
    f.if(f.load32('u8', slot, 4096 * RECORD + SLOT_TRANSLATED), () =>
      f.call(imports.dropRegions, page.i32(), start.i32(), end.i32()),
    )
    countStore(f, slot, page, length)
  })

  const generalProtection = (f: FunctionBuilder, access: Expr): void => {
    put32(f, AT.excVector, access.and(ACCESS.stack).ne(0).select(i32(VECTOR.SS), i32(VECTOR.GP)))
    put32(f, AT.excError, i32(0))
    put32(f, AT.excHasError, i32(1))
    put32(f, AT.excSoft, i32(0))
    f.ret(0, ptr)
  }

  /** Compares an access with the armed data breakpoints (SDM vol. 3, 17.2.4). */
  const checkWatch = m.func('checkWatch', ['i64', 'i32', 'i32'], [], (f, va, access, size) => {
    const dr7 = get64(f, AT.dr + 56).i32()
    for (let n = 0; n < 4; n++) {
      const type = f.tmp(dr7.shr_u(16 + 4 * n).and(3))
      const code = dr7.shr_u(18 + 4 * n).and(3)
      const enabled = dr7
        .shr_u(2 * n)
        .and(3)
        .ne(0)
      const armed = type.eq(3).or(type.eq(1).and(access.and(ACCESS.write)))
      const length = f.tmp(code.eq(2).select(i64(8), code.add(1).u64()))
      const first = f.tmp(get64(f, AT.dr + 8 * n).and(length.sub(1).not()))
      const overlap = va.lt_u(first.add(length)).and(first.lt_u(va.add(size.u64())))
      f.if(enabled.and(armed).and(overlap), () => {
        put32(f, AT.watchHit, get32(f, AT.watchHit).or(1 << n))
        put32(f, AT.attention, i32(1))
      })
    }
  })

  const fetchPiece = m.func('fetchPiece', [ptr, 'i64', ptr], [], (f, target, gpa, length) => {
    const host = f.call(ramAddress, gpa)
    f.if(
      host.ne(0),
      () => f.copy(target, host, length),
      () => {
        const n = f.local(ptr)
        f.set(n, 0)
        f.loop((again) => {
          const one = f.tmp(gpa.add(ptr === 'i32' ? n.u64() : n))
          const keep = f.load64(konst(ptr, SCRATCH))
          f.call(imports.mmioRead, one.i32(), one.shr_u(32).i32(), 1)
          const byte = f.load32('u8', konst(ptr, SCRATCH))
          f.store(8, konst(ptr, SCRATCH), keep)
          f.store(1, target.add(n), byte)
          f.set(n, n.add(1))
          f.brIf(again, n.lt_u(length))
        })
      },
    )
  })
  const storePiece = m.func('storePiece', [ptr, 'i64', ptr], [], (f, source, gpa, length) => {
    const host = f.call(ramAddress, gpa)
    f.if(
      host.ne(0),
      () => {
        f.call(dropCode, host, length)
        f.copy(host, source, length)
      },
      () => {
        const n = f.local(ptr)
        f.set(n, 0)
        f.loop((again) => {
          const one = f.tmp(gpa.add(ptr === 'i32' ? n.u64() : n))
          f.store(1, konst(ptr, SCRATCH), f.load32('u8', source.add(n)))
          f.call(imports.mmioWrite, one.i32(), one.shr_u(32).i32(), 1)
          f.set(n, n.add(1))
          f.brIf(again, n.lt_u(length))
        })
      },
    )
  })
  /** (set, linear, guest-physical page | rights, host): an entry of the first level. */
  const enter = m.func('enterTlb', [ptr, 'i64', 'i64', ptr], [], (f, set, va, page, host) => {
    const rights = f.tmp(page.i32().and(4095))
    const ramPage = f.tmp(host.sub(map.ramBase).shr_u(12))
    const info = f.load32('u32', ramPage.shl(2), PAGE_INFO)
    const entry = tlbEntry(f, set, va)
    const tag = f.tmp(va.and(-4096n))
    const index = va.shr_u(12).and(TLB_ENTRIES - 1)
    f.store(8, entry, tag, 0)
    // a tag that cannot match this index
    f.store(8, entry, index.xor(1).shl(12), 8)
    f.if(rights.and(RIGHT.write).and(info.eqz()), () => {
      f.store(8, entry, tag, 8)
      f.store(1, ramPage, i32(1), map.writeMarks)
    })
    f.store(8, entry, (ptr === 'i32' ? host.u64() : host).sub(va), 16)
    noteLocal(f, entry, rights)
    f.store(8, entry, page, 24)
  })
  /** (set, linear, gpa, host): enters what the page walk just found, in both levels. */
  const fill = m.func('fillTlb', [ptr, 'i64', 'i64', ptr], [], (f, set, va, gpa, host) => {
    const page = f.tmp(gpa.and(-4096n).or(get32(f, AT.pageRights).u64()))
    f.call(enter, set, va, page, host)
    f.call(second.remember, va, set, page)
  })

  const kernelAddress = m.func('kernelAddress', ['i64', 'i32', 'i32'], [ptr], (f, va, size, write) => {
    const set = konst(ptr, TLB_SUPERVISOR)
    const entry = tlbEntry(f, set, va)
    const tag = f.tmp(write.select(f.load64(entry, 8), f.load64(entry, 0)))
    f.if(va.xor(tag).le_u(i32(4096).sub(size).u64()), () => f.ret(toPtr(f, va.add(f.load64(entry, 16)))))
    f.if(va.and(4095).add(size.u64()).gt_u(4096), () => f.ret(0, ptr))
    f.if(va.shl(16).shr_s(16).ne(va), () => f.ret(0, ptr))
    // pages with a watched byte are not in the TLB, and their accesses are to be seen
    f.if(get32(f, AT.watch).or(get32(f, AT.hostWatch)), () => f.ret(0, ptr))
    // an exception that is pending must stay, whatever the walk says
    const saved = [AT.excVector, AT.excError, AT.excHasError, AT.excSoft].map((at) => [at, get32(f, at)] as const)
    const cr2 = get64(f, AT.cr2)
    bump(f, AT.tlbMisses)
    const gpa = f.call(translate, va, write.or(ACCESS.implicit))
    f.if(gpa.eq(-1n), () => {
      for (const [at, value] of saved) put32(f, at, value)
      put64(f, AT.cr2, cr2)
      f.ret(0, ptr)
    })
    const host = f.call(ramAddress, gpa)
    f.if(host.eqz(), () => f.ret(0, ptr))
    f.if(write.and(f.load32('u32', host.sub(map.ramBase).shr_u(12).shl(2), PAGE_INFO).ne(0)), () => f.ret(0, ptr))
    f.call(fill, set, va, gpa, host)
    f.ret(host)
  })

  const forgetLocal = defineForgetLocal(m)

  /** Bytes of an access on two pages are gathered here; SCRATCH itself is overwritten by MMIO. */
  const SPLIT = SCRATCH + 32

  /** slow() for a page of RAM that the second level knows; 0 when it does not. */
  const quick = m.func('quick', ['i64', 'i32', 'i32'], [ptr], (f, va, access, size) => {
    const set = f.loadPtr(konst(ptr, 0), AT.tlb)
    const unless = (condition: Expr): void => f.if(condition, () => f.ret(0, ptr))
    unless(set.eq(TLB_NEVER).or(access.and(ACCESS.implicit)))
    unless(va.and(4095).add(size.u64()).gt_u(4096))
    const page = f.call(second.recall, va, set)
    unless(page.eqz())
    const isWrite = f.tmp(access.and(ACCESS.write))
    unless(isWrite.gt_u(page.i32().and(RIGHT.write)))
    const gpa = f.tmp(page.and(-4096n).or(va.and(4095)))
    const host = f.call(ramAddress, gpa)
    const info = f.load32('u32', host.sub(map.ramBase).shr_u(12).shl(2), PAGE_INFO)
    f.if(isWrite.and(info.ne(0)), () => f.call(dropCode, host, widen(f, size)))
    f.call(enter, set, va, page, host)
    f.ret(host)
  })

  const slow = m.func('slow', ['i64', 'i32', 'i32'], [ptr], (f, va, access, size) => {
    // segmentation has already refused the address: its exception is pending
    f.if(va.eq(REFUSED), () => f.ret(0, ptr))
    bump(f, AT.tlbMisses)
    const again = f.call(quick, va, access, size)
    f.if(again.ne(0), () => f.ret(again))
    bump(f, AT.pageWalks)
    f.if(get64(f, AT.efer).and(EFER_LMA).ne(0), () => {
      const last = f.tmp(va.add(size.u64()).sub(1))
      const upper = (e: Expr) =>
        e
          .add(1n << 47n)
          .shr_u(48)
          .ne(0)
      f.if(upper(va).or(upper(last)), () => generalProtection(f, access))
    })
    f.if(get64(f, AT.tlb).eq(TLB_NEVER).and(access.and(ACCESS.implicit).eqz()), () => {
      f.if(va.and(size.sub(1).u64()).ne(0).and(size.le_u(8)), () => {
        put32(f, AT.excVector, i32(VECTOR.AC))
        put32(f, AT.excError, i32(0))
        put32(f, AT.excHasError, i32(1))
        put32(f, AT.excSoft, i32(0))
        f.ret(0, ptr)
      })
    })
    const gpa = f.call(translate, va, access)
    f.if(gpa.eq(-1n), () => f.ret(0, ptr))
    const isWrite = f.tmp(access.and(ACCESS.write))
    const watched = f.local('i32')
    f.set(watched, 0)
    f.if(get32(f, AT.hostWatch), () => {
      f.set(watched, f.call(imports.watched, va.i32(), va.shr_u(32).i32(), access, size))
      f.if(watched.eq(WATCHED.hit), () => f.ret(0, ptr))
    })
    const inPage = f.tmp(i32(4096).sub(va.i32().and(4095)))
    f.if(inPage.lt_u(size), () => {
      const secondVa = f.tmp(va.add(inPage.u64()))
      const second = f.call(translate, secondVa, access)
      f.if(second.eq(-1n), () => f.ret(0, ptr))
      f.if(get32(f, AT.watch), () => f.call(checkWatch, va, access, size))
      f.if(access.and(ACCESS.read).ne(0), () => {
        f.call(fetchPiece, konst(ptr, SPLIT), gpa, widen(f, inPage))
        f.call(fetchPiece, konst(ptr, SPLIT).add(widen(f, inPage)), second, widen(f, size.sub(inPage)))
      })
      f.if(isWrite, () => {
        put32(f, AT.commitKind, i32(2))
        put32(f, AT.commitSize, size)
        put64(f, AT.commitA, gpa)
        put64(f, AT.commitB, second)
      })
      f.ret(SPLIT, ptr)
    })
    f.if(get32(f, AT.watch), () => {
      f.call(checkWatch, va, access, size)
      f.set(watched, 1)
    })
    const host = f.call(ramAddress, gpa)
    f.if(host.eqz(), () => {
      f.if(access.and(ACCESS.read).ne(0), () => f.call(imports.mmioRead, gpa.i32(), gpa.shr_u(32).i32(), size))
      f.if(isWrite, () => {
        put32(f, AT.commitKind, i32(1))
        put32(f, AT.commitSize, size)
        put64(f, AT.commitA, gpa)
      })
      f.ret(SCRATCH, ptr)
    })
    const info = f.load32('u32', host.sub(map.ramBase).shr_u(12).shl(2), PAGE_INFO)
    f.if(isWrite.and(info.ne(0)), () => f.call(dropCode, host, widen(f, size)))
    f.if(access.and(ACCESS.implicit).ne(0).or(watched).or(get64(f, AT.tlb).eq(TLB_NEVER)), () => f.ret(host))
    f.call(fill, f.loadPtr(konst(ptr, 0), AT.tlb), va, gpa, host)
    f.ret(host)
  })

  const host = (name: string, write: boolean): Func =>
    m.func(name, ['i64', 'i32'], [ptr], (f, va, size) => {
      const entry = tlbInUse(f, va)
      f.if(va.xor(f.load64(entry, write ? 8 : 0)).le_u(i32(4096).sub(size).u64()), () =>
        f.ret(toPtr(f, va.add(f.load64(entry, 16)))),
      )
      const user = get32(f, AT.cpl).eq(3).shl(1)
      f.ret(f.call(slow, va, user.or(write ? ACCESS.write : ACCESS.read), size))
    })
  const hostRead = host('hostRead', false)
  const hostWrite = host('hostWrite', true)

  const commit = m.func('commit', [], [], (f) => {
    const kind = get32(f, AT.commitKind)
    const gpa = get64(f, AT.commitA)
    const size = get32(f, AT.commitSize)
    put32(f, AT.commitKind, i32(0))
    f.if(kind.eq(1), () => f.call(imports.mmioWrite, gpa.i32(), gpa.shr_u(32).i32(), size))
    f.if(kind.eq(2), () => {
      const inPage = f.tmp(i32(4096).sub(gpa.i32().and(4095)))
      f.call(storePiece, konst(ptr, SPLIT), gpa, widen(f, inPage))
      f.call(storePiece, konst(ptr, SPLIT).add(widen(f, inPage)), get64(f, AT.commitB), widen(f, size.sub(inPage)))
    })
  })

  const dropWriteTags = defineWriteTags(m, map)
  return {
    ramAddress,
    translate,
    slow,
    kernelAddress,
    forgetLocal,
    dropWriteTags,
    hostRead,
    hostWrite,
    commit,
    dropCode,
  }
}
