/** Functions that handlers and helpers share: effective addresses with segmentation, TLB set selection, ranges. */
import { KIND, MOFFS64 } from '../decode/record.ts'
import { FSW_ES } from '../helpers/blocked.ts'
import { ACCESS, VECTOR } from '../mmu/access.ts'
import { defineMmu, REFUSED, type MmuImports } from '../mmu/mmu.ts'
import { get32, get64, put32, put64, tlbInUse, toPtr, widen } from '../mmu/state-access.ts'
import { defineFlagFunctions } from '../semantics/flags.ts'
import {
  AT,
  CODE_TLB_SUPERVISOR,
  CODE_TLB_USER,
  SEG,
  SEGMENT_STRIDE,
  STATE,
  TLB_NEVER,
  TLB_SUPERVISOR,
  TLB_SUPERVISOR_AC,
  TLB_USER,
  type MemoryMap,
} from '../state/layout.ts'
import { i32, i64 } from '../wasm/expr.ts'
import type { Func, ModuleBuilder } from '../wasm/module.ts'
import type { CoreFunctions } from './record-context.ts'
import { defineCodePage, defineLookAhead } from './code-page.ts'
import { defineCross } from './cross.ts'
import { defineTransfers } from './transfers.ts'

export interface CoreImports extends MmuImports {
  readonly helper: Func
}

/** Functions that only the interpreter's loop needs besides. */
export interface Core extends CoreFunctions {
  /** cross.ts, code-page.ts */
  readonly cross: Func
  readonly codePage: Func
  readonly lookAhead: Func
  /** (record, linear address of the instruction) -> linear address of its operand, or REFUSED. */
  readonly generalAddress: Func
  /**
   * (linear, access | size << 8, regionWhere) -> host address, for regions. 0: a fault is pending; 1: the interpreter has to run the instruction, because
   * the store may hit translated code, or because another check of the instruction may come before the fault.
   */
  readonly regionReach: Func
}

const CR0_AM = 1n << 18n

/** Descriptor attribute bits (bits 8.. of the descriptor's high word). */
const TYPE_CODE = 8
const TYPE_EXPAND_DOWN = 4
const TYPE_RW = 2

export function defineCore(m: ModuleBuilder, map: MemoryMap, imports: CoreImports): Core {
  const mmu = defineMmu(m, map, imports)
  const flags = defineFlagFunctions(m)
  const ptr = m.ptr

  const selectTlb = m.func('selectTlb', [], [], (f) => {
    const user = f.tmp(get32(f, AT.cpl).eq(3))
    const ac = f.tmp(get32(f, AT.eflags).shr_u(18).and(1))
    put64(f, AT.codeTlb, user.select(i64(CODE_TLB_USER), i64(CODE_TLB_SUPERVISOR)))
    const supervisor = ac.select(i64(TLB_SUPERVISOR_AC), i64(TLB_SUPERVISOR))
    const checked = f.tmp(user.and(ac).and(get64(f, AT.cr0).and(CR0_AM).ne(0)))
    put64(f, AT.tlb, checked.select(i64(TLB_NEVER), user.select(i64(TLB_USER), supervisor)))
  })

  /** SDM vol. 3, 5.3: limit and type. Returns the linear address or REFUSED. */
  const linear = m.func('linear', ['i32', 'i64', 'i32'], ['i64'], (f, segment, offset, how) => {
    const at = f.tmp(widen(f, segment.mul(SEGMENT_STRIDE)))
    const base = f.load64(at, AT.segments + SEG.base)
    f.if(get32(f, AT.codeSize).eq(8), () => {
      f.if(segment.ge_u(4).and(segment.le_u(5)), () => f.ret(offset.add(base)))
      f.ret(offset)
    })
    f.if(f.load32('u32', at, AT.segments + SEG.flat).eqz(), () => {
      const attr = f.load32('u32', at, AT.segments + SEG.attr)
      const limit = f.load64(at, AT.segments + SEG.limit, 'u32')
      const size = f.tmp(how.and(0xff).u64())
      const write = f.tmp(how.shr_u(8).and(1))
      const last = f.tmp(offset.add(size).sub(1))
      const bad = f.local('i32')
      // present and a segment that may be read or written this way
      f.set(bad, attr.and(0x80).eqz())
      const code = f.tmp(attr.and(TYPE_CODE).ne(0))
      f.set(bad, bad.or(write.and(code.or(attr.and(TYPE_RW).eqz()))))
      f.set(bad, bad.or(write.eqz().and(code).and(attr.and(TYPE_RW).eqz())))
      f.if(
        code.eqz().and(attr.and(TYPE_EXPAND_DOWN).ne(0)),
        () => {
          const upper = attr.and(0x4000).ne(0).select(i64(0xffffffffn), i64(0xffffn))
          f.set(bad, bad.or(offset.le_u(limit)).or(last.gt_u(upper)))
        },
        () => f.set(bad, bad.or(last.gt_u(limit))),
      )
      f.if(bad, () => {
        put32(f, AT.excVector, segment.eq(2).select(i32(VECTOR.SS), i32(VECTOR.GP)))
        put32(f, AT.excError, i32(0))
        put32(f, AT.excHasError, i32(1))
        put32(f, AT.excSoft, i32(0))
        f.ret(i64(REFUSED))
      })
    })
    f.ret(offset.add(base).and(0xffffffffn))
  })

  const generalAddress = m.func('generalAddress', [ptr, 'i64'], ['i64'], (f, record, lip) => {
    const access = f.load32('u8', record, 3)
    const packed = f.load32('u8', record, 7)
    const base = widen(f, f.load32('u8', record, 5))
    const index = widen(f, f.load32('u8', record, 6))
    const scale = packed.and(3).u64()
    const address = f.tmp(packed.shr_u(5).and(3))
    const offset = f.local('i64')
    f.set(
      offset,
      f
        .load64(base, STATE)
        .add(f.load64(index, STATE).shl(scale))
        .add(f.load64(record, 8, 's32')),
    )
    f.if(access.and(7).eq(KIND.ripGeneral), () => f.set(offset, offset.add(lip).add(f.load64(record, 2, 'u8'))))
    f.if(
      packed
        .and(3)
        .eq(MOFFS64)
        .and(address.eq(2))
        .and(f.load32('u8', record, 6).eq(AT.zero - STATE)),
      () => f.set(offset, f.load64(record, 8)),
    )
    f.if(address.eq(1), () => f.set(offset, offset.and(0xffffffffn)))
    f.if(address.eqz(), () => f.set(offset, offset.and(0xffffn)))
    const segment = f.tmp(packed.shr_u(2).and(7))
    f.if(segment.eq(7), () => f.ret(offset))
    const sizeCode = f.tmp(access.shr_u(4).and(7))
    f.if(sizeCode.eq(7), () => {
      // the address alone: base without checks
      f.if(get32(f, AT.codeSize).eq(8).and(segment.lt_u(4)), () => f.ret(offset))
      const sum = f.tmp(offset.add(f.load64(widen(f, segment.mul(SEGMENT_STRIDE)), AT.segments + SEG.base)))
      f.ret(get32(f, AT.codeSize).eq(8).select(sum, sum.and(0xffffffffn)))
    })
    f.ret(f.call(linear, segment, offset, i32(1).shl(sizeCode).or(access.and(8).shl(5))))
  })

  const hostRange = m.func('hostRange', ['i64', 'i64', 'i32'], [ptr], (f, address, length, write) => {
    f.if(address.and(4095).add(length).gt_u(4096), () => f.ret(0, ptr))
    const entry = tlbInUse(f, address)
    const tag = f.local('i64')
    f.if(
      write,
      () => f.set(tag, f.load64(entry, 8)),
      () => f.set(tag, f.load64(entry, 0)),
    )
    f.if(tag.ne(address.and(-4096n)), () => f.ret(0, ptr))
    f.ret(toPtr(f, address.add(f.load64(entry, 16))))
  })

  const regionReach = m.func('regionReach', ['i64', 'i32', 'i32'], [ptr], (f, address, how, where) => {
    const access = f.tmp(how.and(0xff))
    put32(f, AT.regionWhere, where)
    put32(f, AT.regionDropped, i32(0))
    f.if(access.and(ACCESS.write), () => put32(f, AT.commitKind, i32(0)))
    const user = get32(f, AT.cpl).eq(3).shl(1)
    const host = f.call(mmu.slow, address, access.or(user), how.shr_u(8))
    f.if(
      host.eqz(),
      () => f.if(get32(f, AT.simdBlocked).or(get32(f, AT.fsw).and(FSW_ES)), () => f.ret(1, ptr)),
      () => {
        // the store may change the very code that runs
        const splitWrite = access.and(ACCESS.write).and(get32(f, AT.commitKind).eq(2))
        f.if(get32(f, AT.regionDropped).or(splitWrite), () => f.ret(1, ptr))
      },
    )
    f.ret(host)
  })

  const cross = defineCross(m, map)
  const codePage = defineCodePage(m, map, mmu)
  const transfers = defineTransfers(m, mmu, flags, selectTlb)
  return {
    ...mmu,
    regionReach,
    flags,
    helper: imports.helper,
    linear,
    selectTlb,
    generalAddress,
    hostRange,
    transfers,
    cross,
    codePage,
    lookAhead: defineLookAhead(m, codePage),
  }
}
