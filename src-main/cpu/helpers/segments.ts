/** Segment registers and descriptor tables (SDM vol. 3, chapters 3 and 5). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, CS, LDTR, RSP, SEG, segAt, SS, STATE, TR } from '../state/layout.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'

export const ATTR = {
  accessed: 1,
  readWrite: 2,
  conforming: 4,
  expandDown: 4,
  code: 8,
  segment: 0x10,
  present: 0x80,
  long: 0x2000,
  big: 0x4000,
  granular: 0x8000,
} as const

/** System descriptor types (SDM vol. 3, table 3-2). */
export const SYSTEM = { ldt: 2, tssAvailable: 9, tssBusy: 11, callGate: 12 } as const

export interface Descriptor {
  readonly selector: number
  readonly base: bigint
  /** In bytes, inclusive. */
  readonly limit: number
  /** Bits 40-55 of the descriptor, without the limit's. */
  readonly attr: number
  /** Where it lies, to set the accessed or busy bit. */
  readonly at: bigint
}
export const dpl = (d: Descriptor): number => (d.attr >> 5) & 3
export const isCode = (d: Descriptor): boolean => (d.attr & 0x18) === 0x18
export const isData = (d: Descriptor): boolean => (d.attr & 0x18) === 0x10
export const isPresent = (d: Descriptor): boolean => (d.attr & ATTR.present) !== 0
export const isLongMode = (cpu: Cpu): boolean => (cpu.u64(AT.efer) & 0x400n) !== 0n
export const isReal = (cpu: Cpu): boolean => (cpu.u64(AT.cr0) & 1n) === 0n
export const isVm86 = (cpu: Cpu): boolean => (cpu.u32(AT.eflags) & 0x20000) !== 0
/** Segments work as in the 8086: base = selector * 16. */
export const isRealLike = (cpu: Cpu): boolean => isReal(cpu) || isVm86(cpu)

const errorOf = (selector: number): number => selector & 0xfffc

/** The descriptor of a selector; `vector` is raised when it lies beyond its table. */
export function readDescriptor(cpu: Cpu, selector: number, vector: number = VECTOR.GP): Descriptor {
  const inLdt = (selector & 4) !== 0
  const base = inLdt ? cpu.u64(segAt(LDTR, 'base')) : cpu.u64(AT.gdtrBase)
  const limit = inLdt ? cpu.u32(segAt(LDTR, 'limit')) : cpu.u32(AT.gdtrLimit)
  if (inLdt && (cpu.u32(segAt(LDTR, 'attr')) & ATTR.present) === 0) throw new GuestFault(vector, errorOf(selector))
  if ((selector | 7) > limit) throw new GuestFault(vector, errorOf(selector))
  const at = BigInt.asUintN(64, base + BigInt(selector & 0xfff8))
  return parseDescriptor(selector, at, cpu.readLinear(at, 8, true))
}
export function parseDescriptor(selector: number, at: bigint, raw: bigint): Descriptor {
  const low = Number(raw & 0xffffffffn)
  const high = Number(raw >> 32n)
  const attr = (high >>> 8) & 0xf0ff
  const units = (low & 0xffff) | (high & 0xf0000)
  const limit = attr & ATTR.granular ? (units * 4096 + 4095) >>> 0 : units
  const base = BigInt(((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0)
  return { selector, base, limit, attr, at }
}
/** 16-byte system descriptors of long mode: the upper half of the base. */
export function longBase(cpu: Cpu, d: Descriptor): bigint {
  return d.base | ((cpu.readLinear(d.at + 8n, 8, true) & 0xffffffffn) << 32n)
}

/** Writes the hidden part as it is. */
export function setSegment(
  cpu: Cpu,
  segment: number,
  d: { selector: number; base: bigint; limit: number; attr: number },
): void {
  const at = AT.segments + segment * 32
  cpu.setU64(at + SEG.base, d.base)
  cpu.setU32(at + SEG.limit, d.limit)
  cpu.setU32(at + SEG.attr, d.attr)
  cpu.setU32(at + SEG.selector, d.selector)
  const writable = (d.attr & 0x9e) === 0x92
  cpu.setU32(at + SEG.flat, d.base === 0n && d.limit === 0xffffffff && writable ? 1 : 0)
}
export function setRealSegment(cpu: Cpu, segment: number, selector: number): void {
  if (isVm86(cpu)) setSegment(cpu, segment, { selector, base: BigInt(selector) << 4n, limit: 0xffff, attr: 0xf3 })
  else {
    // real mode changes selector and base alone: limits and rights stay (unreal mode)
    const limit = cpu.u32(segAt(segment, 'limit')) || 0xffff
    setSegment(cpu, segment, { selector, base: BigInt(selector) << 4n, limit, attr: 0x93 })
  }
}
export function setNull(cpu: Cpu, segment: number, selector: number): void {
  setSegment(cpu, segment, { selector, base: 0n, limit: 0, attr: 0 })
}
function markAccessed(cpu: Cpu, d: Descriptor): Descriptor {
  if (d.attr & ATTR.accessed) return d
  cpu.writeLinear(d.at + 5n, 1, BigInt((d.attr | ATTR.accessed) & 0xff), true)
  return { ...d, attr: d.attr | ATTR.accessed }
}

/** Code and stack sizes from CS, SS and EFER.LMA; CS has base 0 in 64-bit mode. */
export function updateMode(cpu: Cpu): void {
  const cs = cpu.u32(segAt(CS, 'attr'))
  const long = isLongMode(cpu) && (cs & ATTR.long) !== 0
  const size = long ? 8 : cs & ATTR.big ? 4 : 2
  cpu.setU32(AT.codeSize, size)
  cpu.setU32(AT.stackSize, long ? 8 : cpu.u32(segAt(SS, 'attr')) & ATTR.big ? 4 : 2)
  if (long) cpu.setU64(segAt(CS, 'base'), 0n)
}
export function setCpl(cpu: Cpu, cpl: number): void {
  cpu.setU32(AT.cpl, cpl)
  cpu.selectTlb()
}
/** Loads CS from a checked descriptor with the new privilege level. */
export function setCode(cpu: Cpu, d: Descriptor, cpl: number): void {
  const marked = markAccessed(cpu, d)
  setSegment(cpu, CS, { ...marked, selector: (d.selector & ~3) | cpl })
  setCpl(cpu, cpl)
  updateMode(cpu)
}

/** SS for privilege level `cpl` (SDM vol. 2, MOV); `vector` for wrong rights: #GP, or #TS while switching stacks. */
export function stackDescriptor(cpu: Cpu, selector: number, cpl: number, vector: number = VECTOR.GP): Descriptor {
  if ((selector & 0xfffc) === 0) throw new GuestFault(vector, 0)
  const d = readDescriptor(cpu, selector, vector)
  if ((selector & 3) !== cpl || dpl(d) !== cpl || !isData(d) || (d.attr & ATTR.readWrite) === 0)
    throw new GuestFault(vector, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.SS, errorOf(selector))
  return markAccessed(cpu, d)
}

/** MOV, POP, LDS…: a segment register other than CS. */
export function loadSegment(cpu: Cpu, segment: number, selector: number): void {
  if (isRealLike(cpu)) {
    setRealSegment(cpu, segment, selector)
    if (segment === SS) updateMode(cpu)
    return
  }
  const cpl = cpu.u32(AT.cpl)
  if (segment === SS) {
    if ((selector & 0xfffc) === 0 && cpu.u32(AT.codeSize) === 8 && cpl < 3 && (selector & 3) === cpl)
      setNull(cpu, SS, selector)
    else setSegment(cpu, SS, stackDescriptor(cpu, selector, cpl))
    updateMode(cpu)
    return
  }
  if ((selector & 0xfffc) === 0) {
    setNull(cpu, segment, selector)
    return
  }
  const d = readDescriptor(cpu, selector)
  const readable = isData(d) || (isCode(d) && (d.attr & ATTR.readWrite) !== 0)
  const checked = isData(d) || (d.attr & ATTR.conforming) === 0
  if (!readable || (checked && (dpl(d) < (selector & 3) || dpl(d) < cpl)))
    throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(selector))
  setSegment(cpu, segment, markAccessed(cpu, d))
}

const recordByte = (cpu: Cpu, insn: HelperInsn, offset: number): number => cpu.bytes[insn.record + offset]!
const shadowed = (cpu: Cpu): number => {
  cpu.setU32(AT.shadow, 2)
  cpu.setU64(AT.shadowRip, cpu.u64(AT.nextRip))
  return STATUS.steer
}

function movToSreg(cpu: Cpu, insn: HelperInsn): number {
  const segment = recordByte(cpu, insn, 4)
  if (segment === CS || segment > 5) throw new GuestFault(VECTOR.UD)
  loadSegment(cpu, segment, Number(cpu.hostValue(insn.host, 2)))
  return segment === SS ? shadowed(cpu) : STATUS.next
}
function movFromSreg(cpu: Cpu, insn: HelperInsn): number {
  const segment = recordByte(cpu, insn, 4)
  if (segment > 5) throw new GuestFault(VECTOR.UD)
  storeOperand(cpu, insn, BigInt(cpu.u32(segAt(segment, 'selector'))))
  return STATUS.next
}
/** Writes operand 0: a register form of 4 bytes clears the upper half. */
export function storeOperand(cpu: Cpu, insn: HelperInsn, value: bigint): void {
  const size = insn.variant.operands[0]!.size
  const isRegister = insn.host >= STATE && insn.host < STATE + 0x80
  cpu.setHostValue(insn.host, isRegister && size === 4 ? 8 : size, BigInt.asUintN(size * 8, value))
  cpu.commit(insn.host)
}

/** Stack pointer moved by delta within the stack's address size. */
export function moveStack(cpu: Cpu, delta: number): void {
  const size = cpu.u32(AT.stackSize)
  cpu.setGpr(RSP, cpu.gpr(RSP, size) + BigInt(delta), size)
}
const pushSreg =
  (segment: number): Helper =>
  (cpu, insn) => {
    const size = insn.variant.operands[0]!.size
    cpu.setHostValue(insn.host, size, BigInt(cpu.u32(segAt(segment, 'selector'))))
    cpu.commit(insn.host)
    moveStack(cpu, -size)
    return STATUS.next
  }
const popSreg =
  (segment: number): Helper =>
  (cpu, insn) => {
    loadSegment(cpu, segment, Number(cpu.hostValue(insn.host, 2)))
    moveStack(cpu, insn.variant.operands[0]!.size)
    return segment === SS ? shadowed(cpu) : STATUS.next
  }

function loadTable(baseAt: number, limitAt: number): Helper {
  return (cpu) => {
    requireRing0(cpu)
    const ea = cpu.u64(AT.ea)
    const long = cpu.u32(AT.codeSize) === 8
    const limit = cpu.readLinear(ea, 2)
    const base = cpu.readLinear(ea + 2n, long ? 8 : 4)
    cpu.setU32(limitAt, Number(limit))
    cpu.setU64(baseAt, base)
    return STATUS.next
  }
}
function storeTable(baseAt: number, limitAt: number): Helper {
  return (cpu) => {
    requireNotUmip(cpu)
    const ea = cpu.u64(AT.ea)
    cpu.writeLinear(ea, 2, BigInt(cpu.u32(limitAt)))
    cpu.writeLinear(ea + 2n, cpu.u32(AT.codeSize) === 8 ? 8 : 4, cpu.u64(baseAt))
    return STATUS.next
  }
}
export function requireRing0(cpu: Cpu): void {
  if (cpu.u32(AT.cpl) !== 0) throw new GuestFault(VECTOR.GP, 0)
}
/** CR4.UMIP: SGDT SIDT SLDT SMSW STR are for CPL 0 alone. */
export function requireNotUmip(cpu: Cpu): void {
  if (cpu.u32(AT.cpl) !== 0 && (cpu.u64(AT.cr4) & 0x800n) !== 0n) throw new GuestFault(VECTOR.GP, 0)
}

function ltr(cpu: Cpu, insn: HelperInsn): number {
  if (isRealLike(cpu)) throw new GuestFault(VECTOR.UD)
  requireRing0(cpu)
  const selector = Number(cpu.hostValue(insn.host, 2))
  if ((selector & 0xfffc) === 0) throw new GuestFault(VECTOR.GP, 0)
  const d = readDescriptor(cpu, selector)
  const type = d.attr & 0x1f
  if (selector & 4 || (type !== SYSTEM.tssAvailable && !(type === 1 && !isLongMode(cpu))))
    throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(selector))
  const base = isLongMode(cpu) ? longBase(cpu, d) : d.base
  cpu.writeLinear(d.at + 5n, 1, BigInt((d.attr | 2) & 0xff), true)
  setSegment(cpu, TR, { ...d, base, attr: d.attr | 2 })
  return STATUS.next
}
function lldt(cpu: Cpu, insn: HelperInsn): number {
  if (isRealLike(cpu)) throw new GuestFault(VECTOR.UD)
  requireRing0(cpu)
  const selector = Number(cpu.hostValue(insn.host, 2))
  if ((selector & 0xfffc) === 0) {
    setNull(cpu, LDTR, selector)
    return STATUS.next
  }
  const d = readDescriptor(cpu, selector)
  if (selector & 4 || (d.attr & 0x1f) !== SYSTEM.ldt) throw new GuestFault(VECTOR.GP, errorOf(selector))
  if (!isPresent(d)) throw new GuestFault(VECTOR.NP, errorOf(selector))
  setSegment(cpu, LDTR, { ...d, base: isLongMode(cpu) ? longBase(cpu, d) : d.base })
  return STATUS.next
}
const storeSelector =
  (segment: number): Helper =>
  (cpu, insn) => {
    if (isRealLike(cpu)) throw new GuestFault(VECTOR.UD)
    requireNotUmip(cpu)
    storeOperand(cpu, insn, BigInt(cpu.u32(segAt(segment, 'selector'))))
    return STATUS.next
  }

/** The descriptor LAR, LSL, VERR and VERW may look at, or undefined (ZF = 0). */
function visible(cpu: Cpu, selector: number, types: readonly number[]): Descriptor | undefined {
  if (isRealLike(cpu)) throw new GuestFault(VECTOR.UD)
  if ((selector & 0xfffc) === 0) return undefined
  let d: Descriptor
  try {
    d = readDescriptor(cpu, selector)
  } catch (error) {
    if (error instanceof GuestFault) return undefined
    throw error
  }
  if ((d.attr & ATTR.segment) === 0 && !types.includes(d.attr & 15)) return undefined
  const conforming = isCode(d) && (d.attr & ATTR.conforming) !== 0
  if (!conforming && (dpl(d) < cpu.u32(AT.cpl) || dpl(d) < (selector & 3))) return undefined
  return d
}
function setZero(cpu: Cpu, zero: boolean): number {
  cpu.rflags = (cpu.rflags & ~0x40) | (zero ? 0x40 : 0)
  return STATUS.next
}
const destination = (cpu: Cpu, insn: HelperInsn, value: bigint): void => {
  const register = recordByte(cpu, insn, 4) / 8
  cpu.setGpr(register, value, insn.variant.operands[0]!.size)
}
function lar(cpu: Cpu, insn: HelperInsn): number {
  const types = isLongMode(cpu) ? [2, 9, 11, 12] : [1, 2, 3, 4, 5, 9, 11, 12]
  const d = visible(cpu, Number(cpu.hostValue(insn.host, 2)), types)
  if (d) destination(cpu, insn, (cpu.readLinear(d.at, 8, true) >> 32n) & 0xffff00n)
  return setZero(cpu, d !== undefined)
}
function lsl(cpu: Cpu, insn: HelperInsn): number {
  const types = isLongMode(cpu) ? [2, 9, 11] : [1, 2, 3, 9, 11]
  const d = visible(cpu, Number(cpu.hostValue(insn.host, 2)), types)
  if (d) destination(cpu, insn, BigInt(d.limit))
  return setZero(cpu, d !== undefined)
}
const verify =
  (write: boolean): Helper =>
  (cpu, insn) => {
    const d = visible(cpu, Number(cpu.hostValue(insn.host, 2)), [])
    const ok =
      d && (write ? isData(d) && (d.attr & ATTR.readWrite) !== 0 : isData(d) || (d.attr & ATTR.readWrite) !== 0)
    return setZero(cpu, ok === true)
  }
function arpl(cpu: Cpu, insn: HelperInsn): number {
  if (isRealLike(cpu)) throw new GuestFault(VECTOR.UD)
  const dest = Number(cpu.hostValue(insn.host, 2))
  const source = Number(cpu.gpr(recordByte(cpu, insn, 4) / 8, 2))
  const lower = (dest & 3) < (source & 3)
  if (lower) {
    cpu.setHostValue(insn.host, 2, BigInt((dest & ~3) | (source & 3)))
    cpu.commit(insn.host)
  } else if (insn.host < STATE + 0x100) cpu.commit(insn.host)
  return setZero(cpu, lower)
}
const loadFar =
  (segment: number): Helper =>
  (cpu, insn) => {
    const size = insn.variant.operands[0]!.size
    const ea = cpu.u64(AT.ea)
    const offset = cpu.readLinear(ea, size)
    loadSegment(cpu, segment, Number(cpu.readLinear(ea + BigInt(size), 2)))
    destination(cpu, insn, offset)
    return segment === SS ? shadowed(cpu) : STATUS.next
  }

export const SEGMENT_HELPERS: Readonly<Record<string, Helper>> = {
  mov_to_sreg: movToSreg,
  mov_from_sreg: movFromSreg,
  lgdt: loadTable(AT.gdtrBase, AT.gdtrLimit),
  lidt: loadTable(AT.idtrBase, AT.idtrLimit),
  sgdt: storeTable(AT.gdtrBase, AT.gdtrLimit),
  sidt: storeTable(AT.idtrBase, AT.idtrLimit),
  ltr,
  lldt,
  str: storeSelector(TR),
  sldt: storeSelector(LDTR),
  lar,
  lsl,
  verr: verify(false),
  verw: verify(true),
  arpl,
  lss: loadFar(2),
  lds: loadFar(3),
  les: loadFar(0),
  lfs: loadFar(4),
  lgs: loadFar(5),
  ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((n) => [`push_sreg${n}`, pushSreg(n)])),
  ...Object.fromEntries([0, 2, 3, 4, 5].map((n) => [`pop_sreg${n}`, popSreg(n)])),
}
