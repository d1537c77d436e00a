/**
 * From bytes to a predecoded record (or to operands for the translator and others). SDM vol. 2, chapter 2.
 * Record, 16 bytes: u16 handler, u8 length, u8 access, u8 register, u8 base-or-rm, u8 index, u8 segment/scale/address size,
 * i32 displacement, i32 immediate. MOV r64, imm64 and far pointers use the last eight bytes as one field.
 */
import { CS, DS, FS, GS, RSP, SS } from '../state/layout.ts'
import {
  KIND,
  ACCESS_WRITE,
  SIZE_SHIFT,
  SIZE_NONE,
  ACCESS_READ,
  NO_SEGMENT,
  type DecodeMode,
  type Decoded,
  DECODE,
  MOFFS64,
  isPrefix,
  nothingDecoded,
  packed,
  ZERO_REGISTER,
} from './record.ts'
import { MAP, type Row, type RowOperand } from './rows.ts'
import { Variants, type Variant } from './variants.ts'

const HIGH_BYTE = 1

export class Decoder {
  private readonly maps: Row[][][] = []
  readonly undefinedRow: Row
  private bytes: Uint8Array = new Uint8Array(0)
  private at = 0
  private end = 0
  readonly out: Decoded
  private readonly variants = new Variants()
  private readonly sizeBy = (letter: string): number => this.sizeOf(letter)

  /** `rows` without those whose cpuid feature is off. */
  constructor(rows: readonly Row[]) {
    for (let map = 0; map < 7; map++) this.maps.push(Array.from({ length: 256 }, () => []))
    for (const row of rows) this.maps[row.map]![row.opcode]!.push(row)
    const ud = rows.find((row) => row.name === 'ud')
    if (!ud) throw new Error('no row for undefined opcodes')
    this.undefinedRow = { ...ud, hasModRm: false, operands: [] }
    this.out = nothingDecoded(this.undefinedRow)
  }

  private byte(): number {
    if (this.at >= this.end) throw NEED_MORE
    return this.bytes[this.at++]!
  }
  private signed(size: number): number {
    let v = 0
    for (let i = 0; i < size; i++) v |= this.byte() << (8 * i)
    return size === 1 ? (v << 24) >> 24 : size === 2 ? (v << 16) >> 16 : v
  }

  /**
   * Decodes at bytes[at..end). Result in `out`. needMore: the instruction goes on beyond `end`; tooLong: more than 15 bytes (#GP).
   * An undefined opcode gives the row `ud` with the length read so far.
   */
  decode(bytes: Uint8Array, at: number, end: number, mode: DecodeMode): number {
    this.bytes = bytes
    this.at = at
    this.end = Math.min(end, at + 15)
    try {
      this.one(mode)
      this.out.length = this.at - at
      return DECODE.ok
    } catch (error) {
      if (error !== NEED_MORE) throw error
      return end - at >= 15 ? DECODE.tooLong : DECODE.needMore
    }
  }

  private one(mode: DecodeMode): void {
    const o = this.out
    let segment = -1
    let osize66 = false
    let asize67 = false
    o.lock = false
    o.repeat = 0
    o.rex = 0
    o.imm64 = undefined
    o.access = o.register = o.rm = o.disp = o.imm = 0
    o.index = ZERO_REGISTER
    o.memory = false
    const long = mode.codeSize === 8
    let opcode: number
    for (;;) {
      opcode = this.byte()
      if (opcode === 0x66) osize66 = true
      else if (opcode === 0x67) asize67 = true
      else if (opcode === 0xf0) o.lock = true
      else if (opcode === 0xf2 || opcode === 0xf3) o.repeat = opcode
      else if (opcode === 0x2e) segment = CS
      else if (opcode === 0x36) segment = SS
      else if (opcode === 0x3e) segment = DS
      else if (opcode === 0x26) segment = 0
      else if (opcode === 0x64) segment = FS
      else if (opcode === 0x65) segment = GS
      else if (long && (opcode & 0xf0) === 0x40) {
        o.rex = opcode
        opcode = this.byte()
        // a REX that is not last is ignored
        if (isPrefix(opcode) || (opcode & 0xf0) === 0x40) {
          o.rex = 0
          this.at--
          continue
        }
        break
      } else break
    }
    if (long && segment >= 0 && segment !== FS && segment !== GS) segment = -1
    let map: number = MAP.one
    let vvvv = 0
    let vexPrefix = -1
    if (opcode === 0x0f) {
      opcode = this.byte()
      map = MAP['0f']
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? MAP['0f38'] : MAP['0f3a']
        opcode = this.byte()
      }
    } else if ((opcode === 0xc4 || opcode === 0xc5) && (long || this.peekIsVex())) {
      const first = this.byte()
      let second = first
      let m = 1
      if (opcode === 0xc4) {
        m = first & 31
        second = this.byte()
        // C4's bits are R X B from the top; REX has W R X B
        o.rex = ((second & 0x80) >> 4) | (((~first & 0xe0) >> 5) & 7)
      } else o.rex = (~first & 0x80) >> 5
      vvvv = (~second >> 3) & 15
      vexPrefix = [0, 0x66, 0xf3, 0xf2][second & 3]!
      if (m < 1 || m > 3 || second & 4 || osize66 || o.repeat || o.lock) return this.undefined()
      map = MAP.vex0f + m - 1
      opcode = this.byte()
    }
    const candidates = this.maps[map]![opcode]!
    if (candidates.length === 0) return this.undefined()
    const needsModRm = candidates[0]!.hasModRm
    const modrm = needsModRm ? this.byte() : 0
    const mandatory = vexPrefix >= 0 ? vexPrefix : o.repeat || (osize66 ? 0x66 : 0)
    const row = this.pick(candidates, mode, mandatory, modrm, o)
    if (!row) return this.undefined()
    o.row = row
    const attributes = row.attributes
    const w = (o.rex & 8) !== 0
    if (!long) o.operandSize = osize66 !== (mode.codeSize === 4) ? 4 : 2
    else if (attributes.has('f64')) o.operandSize = 8
    else if (w) o.operandSize = 8
    else if (osize66 && !(row.prefix === 0x66 && attributes.has('nosize'))) o.operandSize = 2
    else o.operandSize = attributes.has('d64') ? 8 : 4
    o.addressSize = long ? (asize67 ? 4 : 8) : asize67 !== (mode.codeSize === 4) ? 4 : 2
    if (o.lock && !attributes.has('lock')) return this.undefined()
    o.packed = packed(0, segment < 0 ? DS : segment, o.addressSize)
    // MOV to and from CRn and DRn take any mod as 11
    const isRegister = row.operands.some((x) => x.kind === 'Cr' || x.kind === 'Dr')
    if (needsModRm) this.modrm(row, isRegister ? modrm | 0xc0 : modrm, mode, segment)
    if (o.lock && !o.memory) return this.undefined()
    for (const operand of row.operands) this.operand(operand, opcode, modrm, vvvv, mode, segment)
  }

  private undefined(): void {
    const o = this.out
    o.row = this.undefinedRow
    o.access = 0
    o.operandSize = 4
    o.memory = false
  }

  /** In 16- and 32-bit mode C4/C5 are LES/LDS unless the next byte has mod 11. */
  private peekIsVex(): boolean {
    if (this.at >= this.end) throw NEED_MORE
    return this.bytes[this.at]! >= 0xc0
  }

  private pick(
    candidates: readonly Row[],
    mode: DecodeMode,
    mandatory: number,
    modrm: number,
    o: Decoded,
  ): Row | undefined {
    const isMemory = modrm < 0xc0
    const digit = (modrm >> 3) & 7
    let best: Row | undefined
    for (const row of candidates) {
      if (row.prefix >= 0 && row.prefix !== mandatory) {
        // 66 together with F2/F3 is an operand size; a row without mandatory prefix takes REPs it does not know as meaningless only when no row with that prefix matches
        continue
      }
      if (row.digit >= 0 && row.digit !== digit) continue
      if (row.form === 'r' && isMemory) continue
      if (row.form === 'm' && !isMemory) continue
      if (row.rm >= 0 && row.rm !== (modrm & 7)) continue
      const a = row.attributes
      if (a.size > 0) {
        if (a.has('i64') && mode.codeSize === 8) continue
        if (a.has('o64') && mode.codeSize !== 8) continue
        if (a.has('norexb') && o.rex & 1) continue
        if (a.has('w0') && o.rex & 8) continue
        if (a.has('w1') && !(o.rex & 8)) continue
      }
      if (!best || row.prefix > best.prefix || (row.prefix === best.prefix && row.rm > best.rm)) best = row
    }
    return best
  }

  /** ModRM's memory operand, or its register. */
  private modrm(row: Row, modrm: number, mode: DecodeMode, segment: number): void {
    const o = this.out
    const operand = row.operands.find((x) => RM_KINDS.has(x.kind))
    if (modrm >= 0xc0) {
      if (!operand) return
      const n = (modrm & 7) | ((o.rex & 1) << 3)
      if (operand.kind === 'R') o.register = this.gprOffset(n, this.sizeOf(operand.size))
      else if (operand.kind === 'W' || operand.kind === 'U') {
        o.access = KIND.xmm
        o.rm = n * 16
      } else if (operand.kind === 'Q' || operand.kind === 'N') {
        o.access = KIND.mmx
        o.rm = (n & 7) * 16
      } else if (operand.kind !== 'M' && operand.kind !== 'M-') o.rm = this.gprOffset(n, this.sizeOf(operand.size))
      return
    }
    o.memory = true
    let defaultSegment = DS
    let kind: number = KIND.base
    let scale = 0
    if (o.addressSize === 2) defaultSegment = this.address16(modrm)
    else {
      const mod = modrm >> 6
      let base = modrm & 7
      let dispSize = mod === 1 ? 1 : mod === 2 ? 4 : 0
      if (base === 4) {
        const sib = this.byte()
        scale = sib >> 6
        const index = ((sib >> 3) & 7) | ((o.rex & 2) << 2)
        base = sib & 7
        if (index !== 4) {
          o.index = index * 8
          kind = KIND.index
        } else scale = 0
        if (base === 5 && mod === 0) {
          o.rm = ZERO_REGISTER
          dispSize = 4
        } else {
          base |= (o.rex & 1) << 3
          o.rm = base * 8
          if (base === 4 || base === 5) defaultSegment = SS
        }
      } else if (base === 5 && mod === 0) {
        dispSize = 4
        o.rm = ZERO_REGISTER
        if (mode.codeSize === 8) kind = KIND.rip
      } else {
        base |= (o.rex & 1) << 3
        o.rm = base * 8
        if (base === 5) defaultSegment = SS
      }
      if (dispSize > 0) o.disp = this.signed(dispSize)
      // POP computes an address on RSP after it has moved RSP (SDM vol. 2, POP)
      if (row.name === 'pop_mem' && o.rm === RSP * 8) o.disp += this.sizeOf(row.operands[0]!.size)
    }
    const isAddressOnly = operand === undefined || operand.kind === 'M-'
    const seg = row.name === 'lea' ? NO_SEGMENT : segment >= 0 ? segment : defaultSegment
    const flat = mode.codeSize === 8 && o.addressSize === 8 && (segment < 0 || row.name === 'lea')
    if (!flat) kind = kind === KIND.rip ? KIND.ripGeneral : KIND.general
    o.packed = packed(scale, seg, o.addressSize)
    o.access = kind | this.accessBits(isAddressOnly ? undefined : operand)
  }

  private address16(modrm: number): number {
    const o = this.out
    const mod = modrm >> 6
    const rm = modrm & 7
    o.rm = BASE16[rm]
    o.index = INDEX16[rm]
    if (mod === 0 && rm === 6) {
      o.rm = ZERO_REGISTER
      o.disp = this.signed(2)
      return DS
    }
    if (mod === 1) o.disp = this.signed(1)
    else if (mod === 2) o.disp = this.signed(2)
    return o.rm === BASE16[6] ? SS : DS
  }

  private accessBits(operand: RowOperand | undefined): number {
    if (!operand) return SIZE_NONE << SIZE_SHIFT
    const size = this.sizeOf(operand.size)
    const log = Math.log2(size)
    return (
      (log << SIZE_SHIFT) | (operand.access === 'r' ? 0 : ACCESS_WRITE) | (operand.access === 'w' ? 0 : ACCESS_READ)
    )
  }

  private gprOffset(n: number, size: number): number {
    if (size === 1 && this.out.rex === 0 && n >= 4 && n < 8) return (n - 4) * 8 + HIGH_BYTE
    return n * 8
  }

  /** The variant of what was decoded last. */
  variant(mode: DecodeMode): Variant {
    return this.variants.of(this.out, this.sizeBy, mode)
  }

  private sizeOf(size: string): number {
    const o = this.out
    switch (size) {
      case 'b':
        return 1
      case 'w':
        return 2
      case 'd':
        return 4
      case 'q':
        return 8
      case 'x':
        return 16
      case 'z':
        return Math.min(o.operandSize, 4)
      case 'y':
        return o.rex & 8 || (o.operandSize === 8 && o.row.attributes.has('f64')) ? 8 : 4
      default:
        return o.operandSize
    }
  }

  private operand(
    operand: RowOperand,
    opcode: number,
    modrm: number,
    vvvv: number,
    mode: DecodeMode,
    segment: number,
  ): void {
    const o = this.out
    const size = this.sizeOf(operand.size)
    switch (operand.kind) {
      case 'G':
        o.register = this.gprOffset(((modrm >> 3) & 7) | ((o.rex & 4) << 1), size)
        return
      case 'V':
        o.register = (((modrm >> 3) & 7) | ((o.rex & 4) << 1)) * 16
        return
      case 'P':
        o.register = ((modrm >> 3) & 7) * 16
        return
      case 'Sr':
        o.register = (modrm >> 3) & 7
        return
      case 'Cr':
      case 'Dr': {
        // LOCK MOV CR0 as another way to CR8 is AMD's; it is #UD here
        o.rm = ((modrm >> 3) & 7) | ((o.rex & 4) << 1)
        return
      }
      case 'Z':
        o.register = this.gprOffset((opcode & 7) | ((o.rex & 1) << 3), size)
        return
      case 'B':
        o.imm = vvvv * 8
        return
      case 'I':
        if (operand.size === 'q') {
          if (o.operandSize === 8) {
            const low = this.signed(4)
            const high = this.signed(4)
            o.disp = low
            o.imm = high
          } else o.imm = this.truncate(this.signed(o.operandSize), o.operandSize)
          return
        }
        if (o.row.name === 'enter') {
          o.imm = (this.signed(2) & 0xffff) | ((this.byte() & 31) << 16)
          return
        }
        o.imm = this.truncate(this.signed(Math.min(size, 4)), size)
        return
      case 'Is':
        o.imm = this.truncate(this.signed(1), size)
        return
      case 'J':
        o.imm = this.signed(operand.size === 'b' ? 1 : mode.codeSize === 8 ? 4 : size)
        return
      case '1':
        o.imm = 1
        return
      case 'Ap':
        o.disp = o.operandSize === 2 ? this.signed(2) & 0xffff : this.signed(4)
        o.imm = this.signed(2) & 0xffff
        return
      case 'O': {
        o.memory = true
        const low = this.signed(o.addressSize === 2 ? 2 : 4)
        const flat = mode.codeSize === 8 && o.addressSize === 8 && segment < 0
        o.rm = ZERO_REGISTER
        o.disp = o.addressSize === 2 ? low & 0xffff : low
        if (o.addressSize === 8) {
          // the upper half stands in the immediate field, which MOV with moffs does not have
          o.imm = this.signed(4)
          o.access = KIND.general | this.accessBits(operand)
          o.packed = packed(MOFFS64, segment < 0 ? DS : segment, 8)
          return
        }
        o.access = (flat ? KIND.base : KIND.general) | this.accessBits(operand)
        o.packed = packed(0, segment < 0 ? DS : segment, o.addressSize)
        return
      }
      case 'S':
      case 'T':
      case 'L':
        this.stackSlot(operand, size, mode)
        return
      default:
    }
  }

  private stackSlot(operand: RowOperand, size: number, mode: DecodeMode): void {
    const o = this.out
    o.rm = (operand.kind === 'L' ? 5 : 4) * 8
    o.disp = operand.kind === 'S' ? -size : 0
    o.access = (mode.codeSize === 8 ? KIND.base : KIND.general) | this.accessBits(operand)
    o.packed = packed(0, SS, mode.stackSize)
  }

  /** Immediates stand in the record as get() hands them out: zero-extended below 4 bytes. */
  private truncate(v: number, size: number): number {
    return size === 1 ? v & 0xff : size === 2 ? v & 0xffff : v
  }
}

/** 16-bit addresses: BX+SI BX+DI BP+SI BP+DI SI DI BP BX (SDM vol. 2, table 2-1), as register offsets. */
const BASE16 = [0x18, 0x18, 0x28, 0x28, ZERO_REGISTER, ZERO_REGISTER, 0x28, 0x18]
const INDEX16 = [0x30, 0x38, 0x30, 0x38, 0x30, 0x38, ZERO_REGISTER, ZERO_REGISTER]
const RM_KINDS = new Set(['E', 'R', 'M', 'M-', 'W', 'U', 'Q', 'N'])
const NEED_MORE = new Error('instruction bytes end')
