/** From a linear address to predecoded records: code TLB misses, decoding, instructions on two pages. */
import type { CodeSlots } from './code-slots.ts'
import type { Cpu } from './cpu.ts'
import { Decoder } from './decode/decoder.ts'
import { DECODE, modeKey, writeRecord, type DecodeMode } from './decode/record.ts'
import type { Row } from './decode/rows.ts'
import { HANDLER } from './region.ts'
import { forgetCross, rememberCross } from './interpreter/cross.ts'
import { RIGHT, VECTOR } from './mmu/access.ts'
import {
  AT,
  CODE_PAGE_GLOBAL,
  CODE_PAGES,
  CODE_TLB_USER,
  CROSS_RECORD,
  segAt,
  CODE_TLB_ENTRIES,
} from './state/layout.ts'

/** Bytes of an instruction at most (SDM vol. 2, 2.3.11). */
const LONGEST = 15

export class CodeFetch {
  private readonly cpu: Cpu
  private readonly code: CodeSlots
  private readonly handlerIds: ReadonlyMap<string, number>
  private readonly decoder: Decoder
  private readonly fetched = new Uint8Array(32)

  constructor(cpu: Cpu, code: CodeSlots, handlerIds: ReadonlyMap<string, number>, rows: readonly Row[]) {
    this.cpu = cpu
    this.code = code
    this.handlerIds = handlerIds
    this.decoder = new Decoder(rows)
  }

  mode(): DecodeMode {
    const codeSize = this.cpu.u32(AT.codeSize) as 2 | 4 | 8
    return { codeSize, stackSize: this.cpu.u32(AT.stackSize) as 2 | 4 | 8 }
  }

  /** Slot address for the page of a linear address, or 0 with an exception pending. Fills the code TLB. */
  miss(low: number, high: number): number {
    const { cpu } = this
    const linear = (BigInt(high) << 32n) | BigInt(low >>> 0)
    cpu.setU64(AT.codeMisses, cpu.u64(AT.codeMisses) + 1n)
    const gpa = this.address(linear)
    if (gpa < 0) return 0
    const at = cpu.ramAddress(gpa)
    if (at < 0) {
      // no code outside RAM on this machine: what the bus returns for open addresses is FF, an undefined opcode
      cpu.host.warn(`execution outside RAM at ${gpa.toString(16)}`)
      cpu.pend(VECTOR.UD)
      return 0
    }
    const page = Math.floor((at - cpu.map.ramBase) / 4096)
    const global = (cpu.u32(AT.pageRights) & RIGHT.global) !== 0
    const base = this.code.baseFor(page, modeKey(this.mode()))
    const set = Number(cpu.u64(AT.codeTlb))
    const entry = set + Number((linear >> 12n) & BigInt(CODE_TLB_ENTRIES - 1)) * 16
    cpu.setU64(entry, linear & ~0xfffn)
    cpu.setU64(entry + 8, BigInt(base))
    cpu.setU32(CODE_PAGES + (entry - CODE_TLB_USER) / 4, page + (global ? CODE_PAGE_GLOBAL : 0))
    return base
  }
  /** Slot of the page after that of state.rip, where the code TLB has it; of 64-bit code. */
  following(): number | undefined {
    const { cpu } = this
    if (cpu.u32(AT.codeSize) !== 8) return undefined
    const linear = BigInt.asUintN(64, (cpu.u64(AT.rip) & ~0xfffn) + 4096n)
    const entry = Number(cpu.u64(AT.codeTlb)) + Number((linear >> 12n) & BigInt(CODE_TLB_ENTRIES - 1)) * 16
    return cpu.u64(entry) === linear ? Number(cpu.u64(entry + 8)) : undefined
  }
  /** Guest-physical address to fetch from, or -1 with an exception pending. */
  private address(linear: bigint): number {
    const { cpu } = this
    if (cpu.u32(AT.codeSize) === 8 && BigInt.asIntN(48, linear) !== BigInt.asIntN(64, linear)) {
      cpu.pend(VECTOR.GP, 0)
      return -1
    }
    return cpu.translateFetch(linear)
  }

  /** Fills an empty record: 0, or 1 with an exception pending. */
  decode(record: number): number {
    const { cpu } = this
    const { page, offset } = this.code.placeOf(record)
    if (cpu.breakpoints.wants(offset)) {
      this.special(record, HANDLER.breakpoint)
      return 0
    }
    const result = this.decoder.decode(cpu.bytes, page + offset, page + 4096, this.mode())
    cpu.setU64(AT.decoded, cpu.u64(AT.decoded) + 1n)
    if (result === DECODE.needMore) {
      this.special(record, HANDLER.cross)
      // a write to any of its bytes on this page drops the record
      cpu.view.setUint8(record + 2, 4096 - offset)
      forgetCross(cpu.view, record)
      return 0
    }
    if (result === DECODE.tooLong) {
      cpu.pend(VECTOR.GP, 0)
      return 1
    }
    this.write(record, cpu.bytes.subarray(page + offset, page + offset + 8))
    return 0
  }
  /** As decodeCross, for an instruction that may also lie on one page. */
  decodeAlone(): number {
    const { cpu } = this
    const linear = BigInt.asUintN(64, cpu.u64(AT.rip) + cpu.u64(segAt(1, 'base')))
    const mode = this.mode()
    const gpa = this.address(mode.codeSize === 8 ? linear : BigInt.asUintN(32, linear))
    if (gpa < 0) return 0
    const at = cpu.ramAddress(gpa)
    const end = Math.floor(at / 4096) * 4096 + 4096
    if (at < 0 || this.decoder.decode(cpu.bytes, at, end, mode) !== DECODE.ok) return this.decodeCross(0)
    this.write(CROSS_RECORD, cpu.bytes.subarray(at, at + 8))
    return CROSS_RECORD
  }
  /**
   * Address of a record made for state.rip, whose instruction lies on two pages; 0 with an exception pending. `record` is the one that
   * the first page has for it, or 0.
   */
  decodeCross(record: number): number {
    const { cpu, fetched } = this
    let second = -1
    const mode = this.mode()
    const linear = BigInt.asUintN(64, cpu.u64(AT.rip) + cpu.u64(segAt(1, 'base')))
    const first = 4096 - Number(linear & 0xfffn)
    const pieces: [bigint, number, number][] = [
      [linear, 0, first],
      [linear + BigInt(first), first, LONGEST - first],
    ]
    for (const [address, at, length] of pieces) {
      if (length <= 0) continue
      const wrapped = mode.codeSize === 8 ? address : BigInt.asUintN(32, address)
      const gpa = this.address(wrapped)
      if (gpa < 0) return 0
      const ram = cpu.ramAddress(gpa)
      if (at > 0) second = ram
      if (ram < 0) fetched.fill(0xff, at, at + length)
      else fetched.set(cpu.bytes.subarray(ram, ram + length), at)
    }
    if (this.decoder.decode(fetched, 0, LONGEST, mode) !== DECODE.ok) {
      cpu.pend(VECTOR.GP, 0)
      return 0
    }
    this.write(CROSS_RECORD, fetched.subarray(0, 8))
    if (record !== 0 && mode.codeSize === 8 && second >= 0) {
      const next = BigInt.asUintN(64, linear + BigInt(first))
      const { page } = this.code.placeOf(record)
      const slot = this.miss(Number(next & 0xffff_ffffn), Number(next >> 32n))
      // the record's own page may have had to make room
      if (this.code.placeOf(record).page === page) rememberCross(cpu.view, cpu.bytes, record, slot, second)
    }
    return CROSS_RECORD
  }

  /** A record that is no instruction: one byte long, without an operand. */
  private special(record: number, handler: number): void {
    const { view } = this.cpu
    view.setUint16(record, handler, true)
    view.setUint8(record + 2, 1)
    view.setUint8(record + 3, 0)
  }
  private write(record: number, code: Uint8Array): void {
    const o = this.decoder.out
    const variant = this.decoder.variant(this.mode())
    const id = this.handlerIds.get(variant.key)
    if (id === undefined) throw new Error(`no handler for ${variant.key}`)
    if (o.row === this.decoder.undefinedRow) this.countUndefined(code)
    const { view } = this.cpu
    writeRecord(view, record, o)
    view.setUint16(record, id, true)
  }
  private countUndefined(code: Uint8Array): void {
    const name = Array.from(code, (b) => b.toString(16).padStart(2, '0')).join(' ')
    const { undefinedOpcodes } = this.cpu
    undefinedOpcodes.set(name, (undefinedOpcodes.get(name) ?? 0) + 1)
  }
}
