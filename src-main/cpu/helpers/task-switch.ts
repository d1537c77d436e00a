/** Hardware task switching (SDM vol. 3, chapter 7), 32- and 16-bit task state segments. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { NT, RF, VM } from '../semantics/flags.ts'
import { AT, CS, DS, ES, FS, GS, LDTR, segAt, SS, TR } from '../state/layout.ts'
import { updateBlocked } from './blocked.ts'
import { GuestFault } from './helper.ts'
import { ATTR, CR0, refreshMode } from './modes.ts'
import {
  attrOf,
  dplOf,
  isCode,
  isConforming,
  isNull,
  isWritableData,
  markAccessed,
  needDescriptor,
  nullSegment,
  realSegment,
  segmentOf,
  wrap,
  writeSegment,
  type Descriptor,
} from './segments.ts'
import { loadCr3 } from './control-registers.ts'

export interface TaskSwitch {
  readonly kind: 'jump' | 'call' | 'gate' | 'return'
  /** Where the old task goes on. */
  readonly rip: bigint
  readonly flags: number
  readonly ext: number
}

const BUSY = 0x200

/** Offsets in the two formats (figures 7-2 and 7-10). Segments in the order ES CS SS DS FS GS. */
interface TssFormat {
  readonly size: 2 | 4
  readonly cr3: number
  readonly ip: number
  readonly flags: number
  readonly gpr: number
  readonly segments: number
  readonly ldt: number
  readonly least: number
}
const TSS32: TssFormat = { size: 4, cr3: 28, ip: 32, flags: 36, gpr: 40, segments: 72, ldt: 96, least: 103 }
const TSS16: TssFormat = { size: 2, cr3: -1, ip: 14, flags: 16, gpr: 18, segments: 34, ldt: 42, least: 43 }
const formatOf = (attr: number): TssFormat => (attr & 8 ? TSS32 : TSS16)
const segmentCount = (format: TssFormat): number => (format === TSS32 ? 6 : 4)

class Tss {
  private readonly cpu: Cpu
  private readonly base: bigint
  constructor(cpu: Cpu, base: bigint) {
    this.cpu = cpu
    this.base = base
  }
  read(offset: number, size: number): number {
    return Number(this.cpu.readLinear(wrap(this.cpu, this.base + BigInt(offset)), size, true))
  }
  write(offset: number, size: number, value: bigint): void {
    this.cpu.writeLinear(wrap(this.cpu, this.base + BigInt(offset)), size, value, true)
  }
}

function setBusy(cpu: Cpu, d: Descriptor, busy: boolean): void {
  const high = busy ? d.high | BUSY : d.high & ~BUSY
  cpu.writeLinear(wrap(cpu, d.at + 4n), 4, BigInt(high >>> 0), true)
}

/** The descriptor of the task to go to, checked (7.3, step 2 to 5). */
function targetTask(cpu: Cpu, selector: number, how: TaskSwitch): Descriptor {
  const vector = how.kind === 'return' ? VECTOR.TS : VECTOR.GP
  const code = (selector & 0xfffc) | how.ext
  if (selector & 4 || isNull(selector)) throw new GuestFault(vector, code)
  const d = needDescriptor(cpu, selector, vector, how.ext)
  const attr = attrOf(d)
  const type = attr & 0x17
  if (type !== (how.kind === 'return' ? 3 : 1)) throw new GuestFault(vector, code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  if (segmentOf(d).limit < formatOf(attr).least) throw new GuestFault(VECTOR.TS, code)
  return d
}

function saveOld(cpu: Cpu, how: TaskSwitch): void {
  const format = formatOf(cpu.u32(segAt(TR, 'attr')))
  const tss = new Tss(cpu, cpu.u64(segAt(TR, 'base')))
  const { size } = format
  tss.write(format.ip, size, how.rip)
  tss.write(format.flags, size, BigInt(how.flags))
  for (let n = 0; n < 8; n++) tss.write(format.gpr + n * size, size, cpu.gpr(n, size))
  for (let n = 0; n < segmentCount(format); n++)
    tss.write(format.segments + n * size, 2, BigInt(cpu.u32(segAt(n, 'selector'))))
}

/** Switches to the task `selector` names; for 'return' the selector is the back link of the current task. */
export function taskSwitch(cpu: Cpu, selector: number, how: TaskSwitch): void {
  const oldBase = cpu.u64(segAt(TR, 'base'))
  const oldSelector = cpu.u32(segAt(TR, 'selector'))
  const chosen = how.kind === 'return' ? new Tss(cpu, oldBase).read(0, 2) : selector
  const d = targetTask(cpu, chosen, how)
  const segment = segmentOf(d)
  const format = formatOf(attrOf(d))
  const tss = new Tss(cpu, segment.base)
  const { size } = format
  // everything is read before the old task is saved: a page fault here leaves it untouched
  const values = Array.from({ length: 8 }, (_, n) => tss.read(format.gpr + n * size, size))
  const selectors = Array.from({ length: 6 }, (_, n) =>
    n < segmentCount(format) ? tss.read(format.segments + n * size, 2) : 0,
  )
  const ip = tss.read(format.ip, size)
  const cr3 = format.cr3 >= 0 ? tss.read(format.cr3, 4) : undefined
  const ldt = tss.read(format.ldt, 2)
  const trap = format === TSS32 ? tss.read(100, 2) & 1 : 0
  const nested = how.kind === 'call' || how.kind === 'gate'
  let flags = tss.read(format.flags, size)
  if (nested) flags |= NT
  if (how.kind === 'jump' || how.kind === 'return') {
    const old = needDescriptor(cpu, oldSelector, VECTOR.TS)
    setBusy(cpu, old, false)
  }
  saveOld(cpu, how)
  if (nested) tss.write(0, 2, BigInt(oldSelector))
  if (how.kind !== 'return') setBusy(cpu, d, true)
  // from here on the new task is the current one: faults are its own
  writeSegment(cpu, TR, { ...segment, selector: chosen, attr: segment.attr | 2 })
  cpu.setU64(AT.cr0, cpu.u64(AT.cr0) | BigInt(CR0.TS))
  updateBlocked(cpu)
  if (cr3 !== undefined && cpu.u32(AT.cr0) & CR0.PG) loadCr3(cpu, BigInt(cr3))
  cpu.setU64(AT.rip, BigInt(ip))
  cpu.setU64(AT.nextRip, BigInt(ip))
  values.forEach((value, n) => cpu.setGpr(n, BigInt(value), size === 2 ? 2 : 4))
  cpu.rflags = flags & ~RF
  cpu.setU64(AT.dr + 56, cpu.u64(AT.dr + 56) & ~0x155n)
  for (let n = 0; n < 6; n++) writeSegment(cpu, n, nullSegment(selectors[n]!))
  loadTaskSegments(cpu, ldt, selectors, how.ext)
  if (ip > cpu.u32(segAt(CS, 'limit'))) throw new GuestFault(VECTOR.GP, 0)
  if (trap) {
    cpu.setU64(AT.dr + 48, cpu.u64(AT.dr + 48) | 0x8000n)
    throw new GuestFault(VECTOR.DB)
  }
}

function loadTaskSegments(cpu: Cpu, ldt: number, selectors: readonly number[], ext: number): void {
  const fail = (selector: number, vector: number = VECTOR.TS): GuestFault =>
    new GuestFault(vector, (selector & 0xfffc) | ext)
  writeSegment(cpu, LDTR, nullSegment(ldt))
  if (!isNull(ldt)) {
    if (ldt & 4) throw fail(ldt)
    const d = needDescriptor(cpu, ldt, VECTOR.TS, ext)
    if ((attrOf(d) & 0x1f) !== 2 || !(attrOf(d) & ATTR.present)) throw fail(ldt)
    writeSegment(cpu, LDTR, segmentOf(d))
  }
  if (cpu.u32(AT.eflags) & VM) {
    cpu.setU32(AT.cpl, 3)
    for (const n of [ES, CS, SS, DS, FS, GS]) writeSegment(cpu, n, realSegment(cpu, n, selectors[n]!))
    refreshMode(cpu)
    return
  }
  const cs = selectors[CS]!
  const cpl = cs & 3
  cpu.setU32(AT.cpl, cpl)
  if (isNull(cs)) throw fail(cs)
  const code = needDescriptor(cpu, cs, VECTOR.TS, ext)
  const attr = attrOf(code)
  if (!isCode(attr) || (isConforming(attr) ? dplOf(attr) > cpl : dplOf(attr) !== cpl)) throw fail(cs)
  if (!(attr & ATTR.present)) throw fail(cs, VECTOR.NP)
  writeSegment(cpu, CS, segmentOf(markAccessed(cpu, code)))
  refreshMode(cpu)
  const ss = selectors[SS]!
  if (isNull(ss)) throw fail(ss)
  const stack = needDescriptor(cpu, ss, VECTOR.TS, ext)
  if ((ss & 3) !== cpl || dplOf(attrOf(stack)) !== cpl || !isWritableData(attrOf(stack))) throw fail(ss)
  if (!(attrOf(stack) & ATTR.present)) throw fail(ss, VECTOR.SS)
  writeSegment(cpu, SS, segmentOf(markAccessed(cpu, stack)))
  refreshMode(cpu)
  for (const n of [ES, DS, FS, GS]) loadTaskData(cpu, n, selectors[n]!, cpl, ext)
}

function loadTaskData(cpu: Cpu, n: number, selector: number, cpl: number, ext: number): void {
  if (isNull(selector)) return
  const d = needDescriptor(cpu, selector, VECTOR.TS, ext)
  const attr = attrOf(d)
  const code = (selector & 0xfffc) | ext
  const readable = attr & ATTR.notSystem && (!(attr & ATTR.code) || attr & ATTR.rw)
  if (!readable || (!isConforming(attr) && Math.max(selector & 3, cpl) > dplOf(attr)))
    throw new GuestFault(VECTOR.TS, code)
  if (!(attr & ATTR.present)) throw new GuestFault(VECTOR.NP, code)
  writeSegment(cpu, n, segmentOf(markAccessed(cpu, d)))
}
