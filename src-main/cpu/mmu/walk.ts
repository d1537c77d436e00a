/** The page walk in wasm: 2-, 3- and 4-level paging with all rights (SDM vol. 3, chapter 4). */
import { AT, type MemoryMap } from '../state/layout.ts'
import { i32, i64, type Expr } from '../wasm/expr.ts'
import type { Func, FunctionBuilder, ModuleBuilder } from '../wasm/module.ts'
import { ACCESS, MAXPHYADDR, PF_ERROR, RIGHT, VECTOR } from './access.ts'
import { markLarge } from './second-tlb.ts'
import { get32, get64, put32, put64, toPtr } from './state-access.ts'

const CR0_WP = 1n << 16n
const CR0_PG = 1n << 31n
const CR4_PSE = 1n << 4n
const CR4_PAE = 1n << 5n
const CR4_SMEP = 1n << 20n
const CR4_SMAP = 1n << 21n
const EFER_LMA = 1n << 10n
const EFER_NXE = 1n << 11n

const P = 1n
const RW = 2n
const US = 4n
const A = 0x20n
const D = 0x40n
const PS = 0x80n
const NX = 1n << 63n
/** Bits 51..12 of an entry. */
const FRAME = 0xffffffffff000n
/** Address bits above MAXPHYADDR, reserved in every entry. */
const ABOVE = FRAME & ~((1n << BigInt(MAXPHYADDR)) - 1n)

export function defineWalk(m: ModuleBuilder, map: MemoryMap): { ramAddress: Func; translate: Func } {
  const ptr = m.ptr
  const low = BigInt(map.lowSize)
  const ramAddress = m.func('ramAddress', ['i64'], [ptr], (f, gpa) => {
    f.if(gpa.lt_u(low), () => f.ret(toPtr(f, gpa.add(map.ramBase))))
    if (map.highSize > 0) {
      const high = f.tmp(gpa.sub(1n << 32n))
      f.if(high.lt_u(BigInt(map.highSize)), () => f.ret(toPtr(f, high.add(map.ramBase + map.lowSize))))
    }
    f.ret(0, ptr)
  })

  /** Leaves translate() with #PF pending. */
  const pageFault = (f: FunctionBuilder, va: Expr, access: Expr, bits: Operand32): void => {
    const nxe = get64(f, AT.efer).and(EFER_NXE).ne(0)
    const smep = get64(f, AT.cr4).and(CR4_SMEP).ne(0)
    const fetch = access.and(ACCESS.fetch).ne(0).and(nxe.or(smep)).shl(4)
    const error = access
      .and(ACCESS.write)
      .shl(1)
      .or(access.and(ACCESS.user).shl(1))
      .or(fetch)
      .or(typeof bits === 'number' ? i32(bits) : bits)
    put64(f, AT.cr2, va)
    put32(f, AT.excVector, i32(VECTOR.PF))
    put32(f, AT.excError, error)
    put32(f, AT.excHasError, i32(1))
    put32(f, AT.excSoft, i32(0))
    f.ret(-1n, 'i64')
  }
  type Operand32 = number | Expr

  /**
   * The permission check and the leaf, shared by all paging modes. `rights` holds RW and US of all levels ANDed, NX ORed.
   * Keeps in AT.ea nothing; hands back whether the page may be written later without a walk through `pageFlags`.
   */
  const translate = m.func('translate', ['i64', 'i32'], ['i64'], (f, va, access) => {
    const cr0 = get64(f, AT.cr0)
    f.if(cr0.and(CR0_PG).eqz(), () => {
      put32(f, AT.pageRights, i32(RIGHT.write | RIGHT.global))
      f.ret(va.and(0xffffffffn))
    })
    const cr4 = get64(f, AT.cr4)
    const efer = get64(f, AT.efer)
    const rights = f.local('i64')
    const table = f.local('i64')
    const entry = f.local('i64')
    const shift = f.local('i64')
    const at = f.local(ptr)
    const wide = f.local('i32')
    // addresses of the entries walked through, for their accessed bits
    const seen = [f.local(ptr), f.local(ptr), f.local(ptr)]
    const leafMask = f.local('i64')
    f.set(rights, RW | US)
    f.set(wide, 1)
    for (const s of seen) f.set(s, 0)
    f.set(table, get64(f, AT.cr3).and(FRAME))
    f.if(
      efer.and(EFER_LMA).ne(0),
      () => f.set(shift, 39),
      () => {
        f.if(
          cr4.and(CR4_PAE).ne(0),
          () => {
            // PDPTE (SDM vol. 3, 4.4.1): four entries of 8 bytes, no rights of their own
            const pdpt = f.tmp(get64(f, AT.cr3).and(0xffffffe0n).add(va.shr_u(30).and(3).shl(3)))
            f.set(at, f.call(ramAddress, pdpt))
            f.if(at.eqz(), () => pageFault(f, va, access, 0))
            f.set(entry, f.load64(at))
            f.if(entry.and(P).eqz(), () => pageFault(f, va, access, 0))
            f.if(entry.and(0x1e6n | NX | ABOVE).ne(0), () =>
              pageFault(f, va, access, PF_ERROR.present | PF_ERROR.reserved),
            )
            f.set(table, entry.and(FRAME))
            f.set(shift, 21)
          },
          () => {
            f.set(wide, 0)
            f.set(table, table.and(0xfffff000n))
            f.set(shift, 22)
          },
        )
      },
    )
    f.block((leaf) => {
      f.loop((again) => {
        const index = f.tmp(va.shr_u(shift))
        f.if(
          wide,
          () => f.set(at, f.call(ramAddress, table.add(index.and(511).shl(3)))),
          () => f.set(at, f.call(ramAddress, table.add(index.and(1023).shl(2)))),
        )
        f.if(at.eqz(), () => pageFault(f, va, access, 0))
        f.if(
          wide,
          () => f.set(entry, f.load64(at)),
          () => f.set(entry, f.load64(at, 0, 'u32')),
        )
        f.if(entry.and(P).eqz(), () => pageFault(f, va, access, 0))
        f.if(wide, () => {
          const reserved = efer
            .and(EFER_NXE)
            .ne(0)
            .select(i64(ABOVE), i64(ABOVE | NX))
          f.if(entry.and(reserved).ne(0), () => pageFault(f, va, access, PF_ERROR.present | PF_ERROR.reserved))
        })
        f.set(rights, rights.and(entry).or(rights.or(entry).and(NX)))
        f.if(wide, () => {
          f.set(leafMask, i64(1).shl(shift).sub(1))
          f.brIf(leaf, shift.eq(12))
          f.if(entry.and(PS).ne(0), () => {
            // 1 GiB and 2 MiB pages; PS is reserved at level 4 and address bits below the page (but PAT, bit 12) must be zero
            f.if(shift.eq(39).or(entry.and(leafMask).and(FRAME).and(~0x1000n).ne(0)), () =>
              pageFault(f, va, access, PF_ERROR.present | PF_ERROR.reserved),
            )
            f.br(leaf)
          })
          f.set(seen[2]!, seen[1]!)
          f.set(seen[1]!, seen[0]!)
          f.set(seen[0]!, at)
          f.set(table, entry.and(FRAME))
          f.set(shift, shift.sub(9))
          f.br(again)
        })
        // 32-bit paging (SDM vol. 3, 4.3)
        f.set(leafMask, i64(1).shl(shift).sub(1))
        f.brIf(leaf, shift.eq(12))
        f.if(entry.and(PS).ne(0).and(cr4.and(CR4_PSE).ne(0)), () => {
          f.if(entry.and(1n << 21n).ne(0), () => pageFault(f, va, access, PF_ERROR.present | PF_ERROR.reserved))
          f.br(leaf)
        })
        f.set(seen[0]!, at)
        f.set(table, entry.and(0xfffff000n))
        f.set(shift, 12)
        f.br(again)
      })
    })
    const writable = f.tmp(rights.and(RW).ne(0))
    const userPage = f.tmp(rights.and(US).ne(0))
    const isWrite = f.tmp(access.and(ACCESS.write))
    const isUser = f.tmp(access.and(ACCESS.user).ne(0))
    const bad = f.local('i32')
    f.set(bad, 0)
    f.if(
      isUser,
      () => {
        f.set(bad, userPage.eqz().or(isWrite.and(writable.eqz())))
      },
      () => {
        f.set(bad, isWrite.and(writable.eqz()).and(cr0.and(CR0_WP).ne(0)))
        f.if(userPage, () => {
          f.if(
            access.and(ACCESS.fetch).ne(0),
            () => f.set(bad, bad.or(cr4.and(CR4_SMEP).ne(0))),
            () => {
              const ac = get32(f, AT.eflags).shr_u(18).and(1).and(access.and(ACCESS.implicit).eqz())
              f.set(bad, bad.or(cr4.and(CR4_SMAP).ne(0).and(ac.eqz())))
            },
          )
        })
      },
    )
    f.set(bad, bad.or(access.and(ACCESS.fetch).ne(0).and(rights.and(NX).ne(0))))
    f.if(bad, () => pageFault(f, va, access, PF_ERROR.present))
    for (const s of seen)
      f.if(s.ne(0), () => {
        const old = f.load32('u32', s)
        f.if(old.and(Number(A)).eqz(), () => f.store(4, s, old.or(Number(A))))
      })
    const want = f.tmp(isWrite.select(i64(A | D), i64(A)))
    f.if(entry.and(want).ne(want), () => {
      f.set(entry, entry.or(want))
      f.if(
        wide,
        () => f.store(8, at, entry),
        () => f.store(4, at, entry),
      )
    })
    // bit 0: may be written without a further walk; bit 1: global
    const wp = cr0.and(CR0_WP).ne(0)
    const mayWrite = writable.or(isUser.eqz().and(wp.eqz())).and(entry.and(D).ne(0))
    put32(f, AT.pageRights, mayWrite.or(entry.shr_u(7).i32().and(RIGHT.global)))
    markLarge(f, va, leafMask)
    const frame = f.local('i64')
    f.set(frame, entry.and(FRAME))
    f.if(wide.eqz(), () => {
      f.set(frame, entry.and(0xfffff000n))
      // PSE-36: bits 20..13 are address bits 39..32
      f.if(shift.eq(22), () => f.set(frame, entry.and(0xffc00000n).or(entry.shr_u(13).and(0xff).shl(32))))
    })
    f.ret(frame.and(leafMask.not()).or(va.and(leafMask)))
  })

  return { ramAddress, translate }
}
