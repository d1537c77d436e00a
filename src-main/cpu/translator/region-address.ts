/** Effective addresses of known operands (SDM vol. 1, 3.7.5), as linear addresses. */
import { ACCESS_WRITE, KIND, MOFFS64, NO_SEGMENT, SIZE_NONE, SIZE_SHIFT } from '../decode/record.ts'
import { get64 } from '../mmu/state-access.ts'
import { AT, FS, GS, segAt, STATE } from '../state/layout.ts'
import { i64, type Expr } from '../wasm/expr.ts'
import type { Insn } from './instructions.ts'
import type { RegionSite } from './region-site.ts'

const ZERO = AT.zero - STATE

/** base + (index << scale) + displacement, before address size and segment. */
function offsetOf(site: RegionSite, insn: Insn): Expr {
  const { registers } = site
  const kind = insn.access & 7
  const scale = insn.packed & 3
  const isIndexed = insn.index !== ZERO
  if (scale === MOFFS64 && !isIndexed) return i64((BigInt(insn.imm) << 32n) | BigInt(insn.disp >>> 0))
  if (kind === KIND.rip || kind === KIND.ripGeneral) return site.bias.add(insn.next + insn.disp)
  let sum = registers.address(insn.rm)
  if (isIndexed) sum = sum.add(registers.address(insn.index).shl(scale))
  return sum.add(insn.disp)
}

/** The linear address of the memory operand; REFUSED (see mmu.ts) where segmentation refuses it. */
export function linearAddress(site: RegionSite, insn: Insn): Expr {
  const { f } = site
  const kind = insn.access & 7
  let offset = offsetOf(site, insn)
  if (kind !== KIND.general && kind !== KIND.ripGeneral) return offset
  const addressSize = insn.packed >> 5
  if (addressSize === 1) offset = offset.and(0xffffffffn)
  if (addressSize === 0) offset = offset.and(0xffffn)
  const segment = (insn.packed >> 2) & 7
  if (segment === NO_SEGMENT) return offset
  if (site.codeSize === 8) {
    if (segment !== FS && segment !== GS) return offset
    return offset.add(get64(f, segAt(segment, 'base')))
  }
  const sizeCode = (insn.access >> SIZE_SHIFT) & 7
  if (sizeCode === SIZE_NONE) return offset.add(get64(f, segAt(segment, 'base'))).and(0xffffffffn)
  const how = (1 << sizeCode) | (insn.access & ACCESS_WRITE ? 0x100 : 0)
  return f.call(site.imports.linear, segment, f.tmp(offset), how)
}
