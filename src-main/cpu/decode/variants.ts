/** A handler is made for each combination of operand sizes and modes that a row can have: its variants. */
import type { Size } from '../semantics/context.ts'
import type { Decoded, DecodeMode } from './record.ts'
import type { OperandKind, Row } from './rows.ts'

export interface Operand {
  readonly kind: OperandKind
  /** Bytes. */
  readonly size: number
  readonly access: 'r' | 'w' | 'rw'
  /** The letter of the table, for immediates of special width. */
  readonly letter: string
}

export interface Variant {
  readonly key: string
  readonly name: string
  readonly operands: readonly Operand[]
  readonly operandSize: 2 | 4 | 8
  readonly stackSize: 2 | 4 | 8
  readonly codeSize: 2 | 4 | 8
  /** The ModRM operand is in memory (or there is an implied memory operand). */
  readonly memory: boolean
  readonly hot: boolean
  /** Prefix that string operations and others look at: 0, 0xf2, 0xf3; 0 for rows that do not care. */
  readonly repeat: number
}

/** Places in table 0 of the handlers that are functions of their own, by the key of the variant; `variants` in order, holes allowed. */
export function handlerPlaces(variants: readonly Variant[]): Map<string, number> {
  const cold = variants.filter((variant) => !variant.hot)
  return new Map(cold.map((variant, place) => [variant.key, place]))
}

const isVarying = (size: string): boolean => size === 'v' || size === 'z' || size === 'y'
/** String operations take REP prefixes. */
const STRING = /^(ins|outs|movs|cmps|stos|lods|scas)(b|_)?$/

export const takesRepeat = (row: Row): boolean => row.map === 0 && row.prefix === -1 && STRING.test(row.name)

/** Builds the variant of a decoded instruction; equal ones have equal keys. */
function variantOf(o: Decoded, sizeOf: (letter: string) => number, mode: DecodeMode): Variant {
  const { row } = o
  const a = row.attributes
  const operands = row.operands.map((x) => ({ kind: x.kind, size: sizeOf(x.size), access: x.access, letter: x.size }))
  const usesOs = a.has('os') || row.operands.some((x) => isVarying(x.size))
  const operandSize = usesOs ? o.operandSize : 4
  const stackSize = a.has('st') ? mode.stackSize : 8
  const codeSize = a.has('cs') || a.has('st') ? mode.codeSize : 8
  const written = row.operands.some((x) => x.kind === 'E' || x.kind === 'W' || x.kind === 'Q')
  const memory = written ? o.memory : false
  const repeat = takesRepeat(row) ? o.repeat : 0
  const key = [
    row.name,
    operands.map((x) => `${x.access}${x.kind}${x.size}${x.letter === 'q' && x.kind === 'I' ? 'q' : ''}`),
    operandSize,
    stackSize,
    codeSize,
    memory ? 'm' : 'r',
    repeat,
  ].join('|')
  return { key, name: row.name, operands, operandSize, stackSize, codeSize, memory, hot: a.has('hot'), repeat }
}

/** Variants that were built before. */
export class Variants {
  private readonly byRow = new Map<Row, Variant[]>()

  of(o: Decoded, sizeOf: (letter: string) => number, mode: DecodeMode): Variant {
    let known = this.byRow.get(o.row)
    if (!known) this.byRow.set(o.row, (known = []))
    // all that a variant depends on besides its row
    const key =
      (o.operandSize >> 2) |
      (o.rex & 8 ? 4 : 0) |
      (o.memory ? 8 : 0) |
      ((o.repeat & 3) << 4) |
      ((mode.codeSize >> 2) << 6) |
      ((mode.stackSize >> 2) << 8)
    return (known[key] ??= variantOf(o, sizeOf, mode))
  }
}

export const asSize = (n: number): Size => {
  if (n === 1 || n === 2 || n === 4 || n === 8) return n
  throw new Error(`operand of ${n} bytes is not an integer`)
}
