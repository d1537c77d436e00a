/** All variants that rows can have, found by decoding made-up instructions: so decoder and generator cannot disagree. */
import { Decoder } from './decoder.ts'
import { DECODE, type DecodeMode } from './record.ts'
import { MAP, type Row } from './rows.ts'
import { takesRepeat, type Variant } from './variants.ts'

export const MODES: readonly DecodeMode[] = [
  { codeSize: 8, stackSize: 8 },
  { codeSize: 4, stackSize: 4 },
  { codeSize: 4, stackSize: 2 },
  { codeSize: 2, stackSize: 2 },
  { codeSize: 2, stackSize: 4 },
]

function vexBytes(row: Row, w: number, modrm: number): number[] {
  const map = row.map - MAP.vex0f + 1
  const pp = row.prefix === 0x66 ? 1 : row.prefix === 0xf3 ? 2 : row.prefix === 0xf2 ? 3 : 0
  return [0xc4, 0xe0 | map, (w << 7) | 0x78 | pp, row.opcode, modrm]
}

function escape(map: number): number[] {
  return map === MAP.one ? [] : map === MAP['0f'] ? [0x0f] : map === MAP['0f38'] ? [0x0f, 0x38] : [0x0f, 0x3a]
}

const FIXED = new Set(['b', 'w', 'd', 'q', 'x'])
/** Can the row have several operand sizes? */
const hasSizes = (row: Row): boolean => row.attributes.has('os') || row.operands.some((x) => !FIXED.has(x.size))

/** Values of REX.W or VEX.W that may give variants of their own. */
function widthsOf(row: Row, long: boolean): readonly number[] {
  if (!long) return [0]
  if (hasSizes(row)) return [0, 1]
  return row.attributes.has('w1') ? [1] : [0]
}

function* encodings(row: Row, long: boolean): Generator<number[]> {
  const digit = row.digit >= 0 ? row.digit : 0
  const rm = row.rm >= 0 ? row.rm : 0
  const forms: number[] = []
  if (row.form !== 'm') forms.push(0xc0)
  if (row.form !== 'r') forms.push(0)
  const modrms = row.hasModRm ? forms.map((mod) => mod | (digit << 3) | rm) : [0]
  for (const modrm of modrms)
    for (const w of widthsOf(row, long)) {
      if (row.map >= MAP.vex0f) {
        yield vexBytes(row, w, modrm)
        continue
      }
      const rex = row.attributes.has('norexb') || !w ? [] : [0x48]
      const mandatory = row.prefix > 0 ? [row.prefix] : []
      const repeats = takesRepeat(row) ? [[], [0xf2], [0xf3]] : [[]]
      const fixed = row.prefix === 0x66 || row.prefix === 0 || !hasSizes(row)
      for (const osize of fixed ? [[]] : [[], [0x66]])
        for (const repeat of repeats)
          yield [...osize, ...mandatory, ...repeat, ...rex, ...escape(row.map), row.opcode, modrm]
      // 90 with REX.B is XCHG, and the rows that a plain byte does not reach need REX.B
      if (row.opcode === 0x90 && long) yield [0x41, 0x90]
      if (row.opcode === 0x90 && long) yield [0x49, 0x90]
    }
}

const [LONG, LEGACY] = MODES as [DecodeMode, DecodeMode]
const CODE_SIZES = MODES.filter((mode) => mode.stackSize === mode.codeSize)

/** The modes that may give variants of their own: most rows care for neither the stack's size nor that of the code. */
function modesOf(row: Row): readonly DecodeMode[] {
  const { attributes } = row
  if (attributes.has('st')) return MODES
  if (attributes.has('cs') || hasSizes(row)) return CODE_SIZES
  return [attributes.has('i64') ? LEGACY : LONG]
}

/** Distinct variants of the rows, in order of the rows. */
export function enumerateVariants(rows: readonly Row[]): Variant[] {
  const decoder = new Decoder(rows)
  const seen = new Map<string, Variant>()
  const padded = new Uint8Array(32)
  for (const row of rows)
    for (const mode of modesOf(row))
      for (const bytes of encodings(row, mode.codeSize === 8)) {
        padded.fill(0)
        padded.set(bytes)
        if (decoder.decode(padded, 0, 32, mode) !== DECODE.ok) continue
        const variant = decoder.variant(mode)
        const known = seen.get(variant.key)
        if (!known) seen.set(variant.key, variant)
        else if (variant.hot && !known.hot) seen.set(variant.key, { ...known, hot: true })
      }
  return [...seen.values()]
}
