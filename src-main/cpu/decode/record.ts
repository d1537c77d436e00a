/** The predecoded record's fields and constants; see decoder.ts. */
import type { Row } from './rows.ts'

/** How the host address of the memory-or-register operand comes about (bits 0-2 of the access byte). */
export const KIND = {
  gpr: 0,
  /** base + displacement, 64-bit, no segment base. */
  base: 1,
  /** base + index << scale + displacement, likewise. */
  index: 2,
  /** rip + displacement, likewise. */
  rip: 3,
  /** With segment, address size and all checks. */
  general: 4,
  /** rip + displacement with segment or 32-bit addresses. */
  ripGeneral: 5,
  mmx: 6,
  xmm: 7,
} as const
export const ACCESS_WRITE = 8
/** Bits 4-6: log2 of the size; 7: the address is wanted, not the memory. */
export const SIZE_SHIFT = 4
export const SIZE_NONE = 7
export const ACCESS_READ = 0x80
/** Segment number in a record that means "no segment at all" (LEA). */
export const NO_SEGMENT = 7

/** What the meaning of bytes depends on besides the bytes. */
export interface DecodeMode {
  /** 2, 4 or 8. */
  readonly codeSize: 2 | 4 | 8
  readonly stackSize: 2 | 4 | 8
}
export const modeKey = (mode: DecodeMode): number =>
  mode.codeSize === 8 ? 8 : mode.codeSize | (mode.stackSize === 4 ? 1 : 0)

/** Fields of a record, reused from call to call. */
export interface Decoded {
  row: Row
  length: number
  access: number
  register: number
  rm: number
  index: number
  /** scale | segment << 2 | log2(address size / 2) << 5 */
  packed: number
  disp: number
  imm: number
  /** High half where the last eight bytes are one field. */
  imm64: bigint | undefined
  operandSize: 2 | 4 | 8
  addressSize: 2 | 4 | 8
  /** Memory form of a ModRM operand. */
  memory: boolean
  lock: boolean
  /** 0, 0xf2 or 0xf3 */
  repeat: number
  rex: number
}

/** Place of the register that is always zero, as records have it. */
export const ZERO_REGISTER = 0x80

export const nothingDecoded = (row: Row): Decoded => ({
  row,
  length: 0,
  access: 0,
  register: 0,
  rm: 0,
  index: ZERO_REGISTER,
  packed: 0,
  disp: 0,
  imm: 0,
  imm64: undefined,
  operandSize: 4,
  addressSize: 4,
  memory: false,
  lock: false,
  repeat: 0,
  rex: 0,
})

export const DECODE = { ok: 0, needMore: 1, tooLong: 2 } as const

/** Address size code with scale 3 in an index-less MOFFS record: the immediate holds the upper half of the address. */
export const MOFFS64 = 3

/** Legacy prefixes (REX is not one). */
export const isPrefix = (b: number): boolean =>
  b === 0x66 ||
  b === 0x67 ||
  b === 0xf0 ||
  b === 0xf2 ||
  b === 0xf3 ||
  b === 0x2e ||
  b === 0x36 ||
  b === 0x3e ||
  b === 0x26 ||
  b === 0x64 ||
  b === 0x65

/** The record's byte of scale, segment and address size. */
export function packed(scale: number, segment: number, addressSize: number): number {
  return scale | (segment << 2) | ((addressSize === 2 ? 0 : addressSize === 4 ? 1 : 2) << 5)
}

/** What a record says of an instruction besides its handler's number. */
type RecordFields = Pick<Decoded, 'length' | 'access' | 'register' | 'rm' | 'index' | 'packed' | 'disp' | 'imm'>

/** Writes a record, but for its handler's number. */
export function writeRecord(view: DataView, at: number, fields: RecordFields): void {
  view.setUint8(at + 2, fields.length)
  view.setUint8(at + 3, fields.access)
  view.setUint8(at + 4, fields.register)
  view.setUint8(at + 5, fields.rm)
  view.setUint8(at + 6, fields.index)
  view.setUint8(at + 7, fields.packed)
  view.setInt32(at + 8, fields.disp, true)
  view.setInt32(at + 12, fields.imm, true)
}
