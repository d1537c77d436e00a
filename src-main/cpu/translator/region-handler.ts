/** Instructions of a region that the interpreter's own handler runs: all registers go into the state, and come back from there. */
import { KIND } from '../decode/record.ts'
import { get32, put32, put64 } from '../mmu/state-access.ts'
import { AT, STATE } from '../state/layout.ts'
import { i32, konst, type Expr } from '../wasm/expr.ts'
import type { Insn } from './instructions.ts'
import type { RegionSite } from './region-site.ts'

/**
 * `undo`: instructions of the block not done before it, itself included. `address`: linear address of its memory operand; `host`: where that
 * lies, if the operand is accessed.
 */
export function callHandler(site: RegionSite, insn: Insn, undo: number, address: Expr, host: Expr | undefined): void {
  const { f, registers, flags } = site
  const { ptr } = f.module
  registers.spill(f, registers.tracker.leave() & registers.tracker.written)
  if (flags.tracker.leave() & flags.tracker.written) flags.spill(f)
  put64(f, AT.rip, site.ripAt(insn.at))
  put32(f, AT.regionDropped, i32(0))
  const record = konst(ptr, site.records.get(insn)!)
  const kind = insn.access & 7
  const file = kind === KIND.xmm ? AT.xmm : kind === KIND.mmx ? AT.st : STATE
  const place = host ?? konst(ptr, file + insn.rm)
  f.set(site.status, f.callIndirect([ptr, ptr, 'i64'], 'i32', i32(insn.handler!), record, place, address))
  f.set(site.rip, site.ripAt(insn.next))
  const isLast = insn.flow === 'away'
  f.rarely(isLast ? i32(1) : site.status.or(get32(f, AT.regionDropped)), () => {
    put32(f, AT.regionWhere, i32(insn.at | (undo << 16)))
    f.br(site.quit)
  })
  if (isLast) return
  registers.fill(f, registers.tracker.touched)
  registers.tracker.reloaded()
  if (flags.tracker.touched) flags.fill(f)
  flags.tracker.reloaded()
  flags.shape = undefined
  f.set(site.tlb, f.loadPtr(konst(ptr, 0), AT.tlb))
}
