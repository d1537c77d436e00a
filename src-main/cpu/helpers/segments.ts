/** Segment descriptors and the hidden parts of segment registers (SDM vol. 3, 3.4, 3.5 and 5.2). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT, CS, LDTR, segAt, SS } from '../state/layout.ts'
import { GuestFault } from './helper.ts'
import { ATTR, canonical, longMode, protectedMode, refreshMode, vm86 } from './modes.ts'

/** A segment register with its hidden part; limit in bytes, inclusive. */
export interface Segment {
  readonly selector: number
  readonly base: bigint
  readonly limit: number
  readonly attr: number
}

/** A descriptor as it lies in its table. */
export interface Descriptor {
  readonly selector: number
  readonly low: number
  readonly high: number
  /** Linear address. */
  readonly at: bigint
}

export const attrOf = (d: Descriptor): number => (d.high >>> 8) & 0xf0ff
export const dplOf = (attr: number): number => (attr >> 5) & 3
export const isCode = (attr: number): boolean => (attr & (ATTR.notSystem | ATTR.code)) === (ATTR.notSystem | ATTR.code)
export const isConforming = (attr: number): boolean => isCode(attr) && (attr & ATTR.conforming) !== 0
export const isWritableData = (attr: number): boolean =>
  (attr & (ATTR.notSystem | ATTR.code | ATTR.rw)) === (ATTR.notSystem | ATTR.rw)
export const isNull = (selector: number): boolean => (selector & ~3) === 0

export const gp = (code: number): GuestFault => new GuestFault(VECTOR.GP, code)

/** The hidden part that a descriptor asks for (figure 3-8). */
export function segmentOf(d: Descriptor, selector = d.selector): Segment {
  const attr = attrOf(d)
  const units = (d.low & 0xffff) | (d.high & 0xf0000)
  const limit = attr & ATTR.granular ? ((units << 12) | 0xfff) >>> 0 : units
  const base = ((d.low >>> 16) | ((d.high & 0xff) << 16) | (d.high & 0xff00_0000)) >>> 0
  return { selector, base: BigInt(base), limit, attr }
}

export function readSegment(cpu: Cpu, n: number): Segment {
  return {
    selector: cpu.u32(segAt(n, 'selector')),
    base: cpu.u64(segAt(n, 'base')),
    limit: cpu.u32(segAt(n, 'limit')),
    attr: cpu.u32(segAt(n, 'attr')),
  }
}

export function writeSegment(cpu: Cpu, n: number, s: Segment): void {
  const wanted =
    n === CS ? ATTR.present | ATTR.notSystem | ATTR.code | ATTR.rw : ATTR.present | ATTR.notSystem | ATTR.rw
  const looked = n === CS ? wanted : wanted | ATTR.code | ATTR.conforming
  const flat = s.base === 0n && s.limit === 0xffff_ffff && (s.attr & looked) === wanted
  cpu.setU32(segAt(n, 'selector'), s.selector)
  cpu.setU64(segAt(n, 'base'), s.base)
  cpu.setU32(segAt(n, 'limit'), s.limit)
  cpu.setU32(segAt(n, 'attr'), s.attr)
  cpu.setU32(segAt(n, 'flat'), flat ? 1 : 0)
}

/** A linear address that the processor forms itself: 32 bits outside IA-32e mode. */
export const wrap = (cpu: Cpu, address: bigint): bigint => BigInt.asUintN(longMode(cpu) ? 64 : 32, address)

/** Descriptor of a selector; undefined beyond the table's limit. `bytes` is 16 for what has 16 bytes in IA-32e mode. */
export function readDescriptor(cpu: Cpu, selector: number, bytes = 8): Descriptor | undefined {
  const local = (selector & 4) !== 0
  if (local && !(cpu.u32(segAt(LDTR, 'attr')) & ATTR.present)) return undefined
  const limit = local ? cpu.u32(segAt(LDTR, 'limit')) : cpu.u32(AT.gdtrLimit)
  const offset = selector & 0xfff8
  if (offset + bytes - 1 > limit) return undefined
  const at = wrap(cpu, cpu.u64(local ? segAt(LDTR, 'base') : AT.gdtrBase) + BigInt(offset))
  return {
    selector,
    low: Number(cpu.readLinear(at, 4, true)),
    high: Number(cpu.readLinear(wrap(cpu, at + 4n), 4, true)),
    at,
  }
}

/** The same, with a fault of `vector` naming the selector (plus `ext`) when there is none. */
export function needDescriptor(cpu: Cpu, selector: number, vector: number = VECTOR.GP, ext = 0, bytes = 8): Descriptor {
  const d = readDescriptor(cpu, selector, bytes)
  if (!d) throw new GuestFault(vector, (selector & 0xfffc) | ext)
  return d
}

/** Upper half of the base of a 16-byte system descriptor or of the target of a 16-byte gate. */
export const upperHalf = (cpu: Cpu, d: Descriptor): bigint => cpu.readLinear(d.at + 8n, 4, true) << 32n

/** The processor sets the accessed bit when it loads a segment. */
export function markAccessed(cpu: Cpu, d: Descriptor): Descriptor {
  if (d.high & 0x100) return d
  const high = d.high | 0x100
  cpu.writeLinear(wrap(cpu, d.at + 5n), 1, BigInt((high >>> 8) & 0xff), true)
  return { ...d, high }
}

/** In real mode limit and size stay as they were ("unreal mode"); virtual-8086 mode has its own. */
export function realSegment(cpu: Cpu, n: number, selector: number): Segment {
  const base = BigInt(selector << 4)
  if (vm86(cpu)) return { selector, base, limit: 0xffff, attr: 0xf3 }
  const old = readSegment(cpu, n)
  const usable = (old.attr & ATTR.present) !== 0
  const kept = n === CS || !usable ? 0 : old.attr & (ATTR.big | ATTR.granular)
  return { selector, base, limit: usable ? old.limit : 0xffff, attr: 0x93 | kept }
}

/** Descriptor for SS with the checks of MOV SS (SDM vol. 2); throws #GP and #SS. */
function stackDescriptor(cpu: Cpu, selector: number): Segment {
  const cpl = cpu.u32(AT.cpl)
  if (isNull(selector)) {
    if (cpu.u32(AT.codeSize) !== 8 || cpl === 3 || (selector & 3) !== cpl) throw gp(0)
    return nullStack(selector, cpl)
  }
  const d = needDescriptor(cpu, selector)
  const attr = attrOf(d)
  const code = selector & 0xfffc
  if ((selector & 3) !== cpl || !isWritableData(attr) || dplOf(attr) !== cpl) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.SS, code)
  return segmentOf(markAccessed(cpu, d))
}
/** SS with a null selector, as 64-bit mode lets privileged code have it. */
export const nullStack = (selector: number, cpl: number): Segment => ({ selector, base: 0n, limit: 0, attr: cpl << 5 })
export const nullSegment = (selector: number): Segment => ({ selector, base: 0n, limit: 0, attr: 0 })

/** The hidden part for a load of segment register `n` by an instruction, after all checks; nothing is loaded yet. */
export function checkedSegment(cpu: Cpu, n: number, selector: number): Segment {
  if (!protectedMode(cpu) || vm86(cpu)) return realSegment(cpu, n, selector)
  if (n === SS) return stackDescriptor(cpu, selector)
  if (isNull(selector)) return nullSegment(selector)
  const d = needDescriptor(cpu, selector)
  const attr = attrOf(d)
  const code = selector & 0xfffc
  const readable = attr & ATTR.notSystem && (!(attr & ATTR.code) || attr & ATTR.rw)
  if (!readable) throw gp(code)
  if (!isConforming(attr) && Math.max(selector & 3, cpu.u32(AT.cpl)) > dplOf(attr)) throw gp(code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  return segmentOf(markAccessed(cpu, d))
}

/** Loads a data segment register and what follows from it. */
export function loadSegment(cpu: Cpu, n: number, segment: Segment): void {
  writeSegment(cpu, n, segment)
  if (n === SS) refreshMode(cpu)
}

/** Loads CS; the privilege level becomes `cpl`. In 64-bit mode its base counts as zero. */
export function loadCode(cpu: Cpu, segment: Segment, cpl: number): void {
  const long = longMode(cpu) && (segment.attr & ATTR.long) !== 0
  writeSegment(cpu, CS, long ? { ...segment, base: 0n } : segment)
  cpu.setU32(AT.cpl, cpl)
}

/** A jump target must be canonical in 64-bit code and within the limit of its segment elsewhere. */
export function checkTarget(cpu: Cpu, segment: Segment, offset: bigint): void {
  if (longMode(cpu) && segment.attr & ATTR.long) {
    if (!canonical(offset)) throw gp(0)
  } else if (offset > BigInt(segment.limit)) throw gp(0)
}

/** 64-bit code segments must not have D set as well. */
export function checkLongCode(cpu: Cpu, attr: number, selector: number, ext = 0): void {
  const both = ATTR.long | ATTR.big
  if (longMode(cpu) && (attr & both) === both) throw gp((selector & 0xfffc) | ext)
}

/** After a return to an outer level: data segments that it may not use become null, and null ones lose their RPL (SDM vol. 2, RET). */
export function dropInnerSegments(cpu: Cpu, cpl: number): void {
  for (const n of [0, 3, 4, 5]) {
    // FS and GS of 64-bit code have a base although their selectors are null: it stays
    if (isNull(cpu.u32(segAt(n, 'selector')))) cpu.setU32(segAt(n, 'selector'), 0)
    const attr = cpu.u32(segAt(n, 'attr'))
    if (attr & ATTR.present && !isConforming(attr) && dplOf(attr) < cpl) writeSegment(cpu, n, nullSegment(0))
  }
}
