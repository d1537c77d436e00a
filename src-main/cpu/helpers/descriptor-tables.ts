/** LGDT and its kin, LLDT, LTR, and the instructions that ask about descriptors (LAR, LSL, VERR, VERW, ARPL). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { ZF } from '../semantics/flags.ts'
import { AT, LDTR, segAt, TR } from '../state/layout.ts'
import { requireUmip } from './control-registers.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'
import { ATTR, canonical, longMode, realSegments, requireCpl0 } from './modes.ts'
import { operandAddress, readOperand, readRm, registerNumber, setRegister, writeRm } from './operands.ts'
import {
  attrOf,
  dplOf,
  gp,
  isCode,
  isConforming,
  isNull,
  needDescriptor,
  nullSegment,
  readDescriptor,
  segmentOf,
  upperHalf,
  wrap,
  writeSegment,
  type Descriptor,
} from './segments.ts'

const store =
  (base: number, limit: number): Helper =>
  (cpu, insn) => {
    requireUmip(cpu)
    const size = cpu.u32(AT.codeSize) === 8 ? 8 : 4
    const at = operandAddress(cpu, insn, 0, 2 + size, true)
    cpu.probeWrite(at, 2 + size)
    cpu.writeLinear(at, 2, BigInt(cpu.u32(limit)))
    cpu.writeLinear(wrap(cpu, at + 2n), size, cpu.u64(base))
    return STATUS.next
  }
const load =
  (base: number, limit: number): Helper =>
  (cpu, insn) => {
    requireCpl0(cpu)
    const size = cpu.u32(AT.codeSize) === 8 ? 8 : 4
    const newLimit = Number(readOperand(cpu, insn, 0, 2))
    let newBase = readOperand(cpu, insn, 2, size)
    if (size === 8 && !canonical(newBase)) throw gp(0)
    // a 16-bit operand size loads 24 bits
    if (size === 4 && insn.variant.operandSize === 2) newBase &= 0xffffffn
    cpu.setU32(limit, newLimit)
    cpu.setU64(base, newBase)
    return STATUS.next
  }

function requireProtected(cpu: Cpu): void {
  if (realSegments(cpu)) throw new GuestFault(VECTOR.UD)
}
const storeSelector =
  (n: number): Helper =>
  (cpu, insn) => {
    requireProtected(cpu)
    requireUmip(cpu)
    writeRm(cpu, insn, BigInt(cpu.u32(segAt(n, 'selector'))))
    return STATUS.next
  }

/** The system segment behind a selector of LLDT or LTR: 16 bytes in IA-32e mode. */
function systemSegment(cpu: Cpu, selector: number, types: readonly number[]): Descriptor {
  const code = selector & 0xfffc
  if (selector & 4) throw gp(code)
  const d = needDescriptor(cpu, selector, VECTOR.GP, 0, longMode(cpu) ? 16 : 8)
  if (!types.includes(attrOf(d) & 0x1f)) throw gp(code)
  if (!(attrOf(d) & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  return d
}
function loadSystem(cpu: Cpu, n: number, d: Descriptor, busy: number): void {
  const segment = segmentOf(d)
  const base = longMode(cpu) ? segment.base | upperHalf(cpu, d) : segment.base
  if (longMode(cpu) && !canonical(base)) throw gp(d.selector & 0xfffc)
  if (busy) cpu.writeLinear(wrap(cpu, d.at + 4n), 4, BigInt((d.high | (busy << 8)) >>> 0), true)
  writeSegment(cpu, n, { ...segment, base, attr: segment.attr | busy })
}
const lldt: Helper = (cpu, insn) => {
  requireProtected(cpu)
  requireCpl0(cpu)
  const selector = Number(readRm(cpu, insn, 2))
  if (isNull(selector)) writeSegment(cpu, LDTR, nullSegment(selector))
  else loadSystem(cpu, LDTR, systemSegment(cpu, selector, [2]), 0)
  return STATUS.next
}
const ltr: Helper = (cpu, insn) => {
  requireProtected(cpu)
  requireCpl0(cpu)
  const selector = Number(readRm(cpu, insn, 2))
  if (isNull(selector)) throw gp(0)
  loadSystem(cpu, TR, systemSegment(cpu, selector, longMode(cpu) ? [9] : [1, 9]), 2)
  return STATUS.next
}

/** System descriptor types that LAR and LSL accept (SDM vol. 2, tables of LAR and LSL). */
const LAR_TYPES = { legacy: [1, 2, 3, 4, 5, 9, 11, 12], long: [2, 9, 11, 12] }
const LSL_TYPES = { legacy: [1, 2, 3, 9, 11], long: [2, 9, 11] }

/** The descriptor when the current privilege may see it. */
function visible(
  cpu: Cpu,
  insn: HelperInsn,
  types: { legacy: readonly number[]; long: readonly number[] } | undefined,
): Descriptor | undefined {
  const selector = Number(readRm(cpu, insn, 2))
  if (isNull(selector)) return undefined
  const d = readDescriptor(cpu, selector)
  if (!d) return undefined
  const attr = attrOf(d)
  if (!(attr & ATTR.notSystem)) {
    const allowed = longMode(cpu) ? types?.long : types?.legacy
    if (!allowed?.includes(attr & 15)) return undefined
  }
  if (isConforming(attr)) return d
  return Math.max(cpu.u32(AT.cpl), selector & 3) > dplOf(attr) ? undefined : d
}
function setZero(cpu: Cpu, on: boolean): void {
  cpu.rflags = (cpu.rflags & ~ZF) | (on ? ZF : 0)
}
const lar: Helper = (cpu, insn) => {
  requireProtected(cpu)
  const d = visible(cpu, insn, LAR_TYPES)
  if (d) setRegister(cpu, insn, BigInt((d.high & 0x00ff_ff00) >>> 0), insn.variant.operands[0]!.size)
  setZero(cpu, d !== undefined)
  return STATUS.next
}
const lsl: Helper = (cpu, insn) => {
  requireProtected(cpu)
  const d = visible(cpu, insn, LSL_TYPES)
  if (d) setRegister(cpu, insn, BigInt(segmentOf(d).limit), insn.variant.operands[0]!.size)
  setZero(cpu, d !== undefined)
  return STATUS.next
}
const verify =
  (write: boolean): Helper =>
  (cpu, insn) => {
    requireProtected(cpu)
    const d = visible(cpu, insn, undefined)
    const attr = d ? attrOf(d) : 0
    const ok = write ? !isCode(attr) && attr & ATTR.rw : !isCode(attr) || attr & ATTR.rw
    setZero(cpu, d !== undefined && ok !== 0 && ok !== false)
    return STATUS.next
  }
const arpl: Helper = (cpu, insn) => {
  requireProtected(cpu)
  const target = readRm(cpu, insn, 2)
  const rpl = cpu.gpr(registerNumber(cpu, insn), 2) & 3n
  const raise = (target & 3n) < rpl
  if (raise) writeRm(cpu, insn, (target & ~3n) | rpl)
  setZero(cpu, raise)
  return STATUS.next
}

export const DESCRIPTOR_TABLES: Readonly<Record<string, Helper>> = {
  sgdt: store(AT.gdtrBase, AT.gdtrLimit),
  sidt: store(AT.idtrBase, AT.idtrLimit),
  lgdt: load(AT.gdtrBase, AT.gdtrLimit),
  lidt: load(AT.idtrBase, AT.idtrLimit),
  sldt: storeSelector(LDTR),
  str: storeSelector(TR),
  lldt,
  ltr,
  lar,
  lsl,
  verr: verify(false),
  verw: verify(true),
  arpl,
}
