/**
 * A page that comes to hold code: the first-level TLB must not let stores to it pass any more. Pages that had a write tag since they were last
 * looked for are marked, because few pages of code have, and looking means looking at every entry.
 */
import { TLB_ENTRIES, TLB_STRIDE, TLB_USER, type MemoryMap } from '../state/layout.ts'
import { i32, konst } from '../wasm/expr.ts'
import type { Func, ModuleBuilder } from '../wasm/module.ts'
import { toPtr } from './state-access.ts'

/** (host address of a RAM page): takes its write tags away, in all sets. */
export function defineWriteTags(m: ModuleBuilder, map: MemoryMap): Func {
  const { ptr } = m
  return m.func('dropWriteTags', [ptr], [], (f, host) => {
    const page = f.tmp(host.sub(map.ramBase).shr_u(12))
    f.if(f.load32('u8', page, map.writeMarks).eqz(), () => f.ret())
    f.store(1, page, i32(0), map.writeMarks)
    const n = f.local(ptr)
    f.set(n, 0)
    f.loop((again) => {
      const entry = f.tmp(n.mul(TLB_STRIDE).add(TLB_USER))
      const tag = f.load64(entry, 8)
      f.if(toPtr(f, tag.add(f.load64(entry, 16))).eq(host), () => {
        const index = n.and(TLB_ENTRIES - 1).xor(1)
        // a tag that cannot match this index
        f.store(8, entry, (ptr === 'i32' ? index.u64() : index).shl(12), 8)
      })
      f.set(n, n.add(1))
      f.brIf(again, n.lt_u(konst(ptr, 3 * TLB_ENTRIES)))
    })
  })
}
