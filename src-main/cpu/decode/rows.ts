/**
 * The language of the opcode tables, in the manual's own operand notation (SDM vol. 2, appendix A.2), with these deviations:
 *   = before an operand: written; ! : read and written.
 *   E rm, register or memory. R rm as a register that takes the place of G. G reg field. Z register in the opcode's low bits.
 *   B register in VEX.vvvv. I immediate, Is immediate sign-extended to the operand size. J relative target. A accumulator. C CL. 1 the constant.
 *   M memory; M- its address alone, not accessed. O moffs. V xmm (reg field), W xmm or memory, U xmm in rm, P mmx, Q mmx or memory, N mmx in rm.
 *   S stack slot to be pushed, T stack slot to be popped, L stack slot at rBP. Cr, Dr, Sr: number of a control, debug, segment register (reg field).
 *   Sizes: b 1, w 2, d 4, q 8, x 16, v operand size (2, 4, 8), z the same but at most 4, y 4 or 8.
 * A line is: [66|f3|f2] [0f|0f38|0f3a|vex.0f38...] opcode[+] [/digit] [r|m] [rm=n] name operands [attributes]
 * Attributes: lock (LOCK allowed), i64 (invalid in 64-bit mode), o64 (only there), d64 (64-bit operands by default there), f64 (always),
 * st (depends on the stack's address size), cs (on the code size), os (on the operand size though no operand shows it), nosize (66 is not an
 * operand size here), cpuid:NAME (needs that feature), w0/w1 (REX.W or VEX.W as given), hot (inlined in the interpreter's loop).
 */
export type OperandKind =
  | 'E'
  | 'R'
  | 'G'
  | 'Z'
  | 'B'
  | 'I'
  | 'Is'
  | 'J'
  | 'A'
  | 'C'
  | '1'
  | 'M'
  | 'M-'
  | 'O'
  | 'V'
  | 'W'
  | 'U'
  | 'P'
  | 'Q'
  | 'N'
  | 'S'
  | 'T'
  | 'L'
  | 'Cr'
  | 'Dr'
  | 'Sr'
  | 'Ap'

export interface RowOperand {
  readonly kind: OperandKind
  readonly size: string
  readonly access: 'r' | 'w' | 'rw'
}

/** Opcode maps. */
export const MAP = { one: 0, '0f': 1, '0f38': 2, '0f3a': 3, vex0f: 4, vex0f38: 5, vex0f3a: 6 } as const

export interface Row {
  readonly map: number
  readonly opcode: number
  /** Mandatory prefix: 0 none, 0x66, 0xf3, 0xf2; -1 any (the prefix has its usual meaning). */
  readonly prefix: number
  /** ModRM.reg, or -1. */
  readonly digit: number
  /** ModRM.mod: register, memory or either. */
  readonly form: 'r' | 'm' | ''
  /** ModRM.rm, or -1. */
  readonly rm: number
  readonly name: string
  readonly operands: readonly RowOperand[]
  readonly attributes: ReadonlySet<string>
  readonly hasModRm: boolean
  readonly line: string
}

const KINDS: readonly OperandKind[] = [
  'Is',
  'M-',
  'Cr',
  'Dr',
  'Sr',
  'Ap',
  'E',
  'R',
  'G',
  'Z',
  'B',
  'I',
  'J',
  'A',
  'C',
  '1',
  'M',
  'O',
  'V',
  'W',
  'U',
  'P',
  'Q',
  'N',
  'S',
  'T',
  'L',
]
const WITH_MODRM = new Set<OperandKind>(['E', 'R', 'G', 'M', 'M-', 'V', 'W', 'U', 'P', 'Q', 'N', 'Cr', 'Dr', 'Sr'])

function parseOperand(text: string): RowOperand {
  const access = text[0] === '=' ? 'w' : text[0] === '!' ? 'rw' : 'r'
  const body = access === 'r' ? text : text.slice(1)
  const kind = KINDS.find((k) => body.startsWith(k))
  if (!kind) throw new Error(`operand ${text}`)
  return { kind, size: body.slice(kind.length), access }
}

function parseLine(line: string): Row[] {
  const words = line.split(/\s+/)
  let prefix = -1
  let map: number = MAP.one
  if (words[0] === '66' || words[0] === 'f3' || words[0] === 'f2' || words[0] === 'np') {
    if (words[1] && /^(0f|vex)/.test(words[1])) prefix = words[0] === 'np' ? 0 : parseInt(words[0], 16)
    if (prefix >= 0) words.shift()
  }
  if (words[0]! in MAP && words[0] !== 'one') map = MAP[words.shift() as keyof typeof MAP]
  const code = words.shift()!
  const opcode = parseInt(code, 16)
  const count = code.endsWith('+') ? 8 : 1
  let digit = -1
  let form: Row['form'] = ''
  let rm = -1
  if (words[0]?.startsWith('/')) digit = Number(words.shift()!.slice(1))
  if (words[0] === 'r' || words[0] === 'm') form = words.shift() as 'r' | 'm'
  if (words[0]?.startsWith('rm=')) rm = Number(words.shift()!.slice(3))
  const name = words.shift()!
  const operands = words[0] && /^[=!]?[A-Z1]/.test(words[0]) ? words.shift()!.split(',').map(parseOperand) : []
  const attributes = new Set(words)
  const hasModRm = digit >= 0 || form !== '' || operands.some((o) => WITH_MODRM.has(o.kind)) || attributes.has('modrm')
  return Array.from({ length: count }, (_, i) => ({
    map,
    opcode: opcode + i,
    prefix,
    digit,
    form,
    rm,
    name,
    operands,
    attributes,
    hasModRm,
    line,
  }))
}

/** Rows of a table text; empty lines and lines that start with # are skipped. */
export function parseRows(text: string): Row[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      try {
        return parseLine(line)
      } catch (cause) {
        throw new Error(`opcode table: ${line}`, { cause })
      }
    })
}
