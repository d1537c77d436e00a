// Forms: one row in the manual's notation is expanded into forms, one for every operand size and for register and memory.
//
// Operands, as in the SDM's opcode map (vol. 2D, A.2.1), with what this generator needs added:
//   E general register or memory (ModRM.rm) · R the register only · M the memory only · G general register (ModRM.reg)
//   Z general register in the opcode's low three bits · B general register in VEX.vvvv
//   W xmm or memory · U xmm only · V xmm (ModRM.reg) · Q mmx or memory · N mmx only · P mmx (ModRM.reg)
//   I immediate · J branch displacement · O absolute address in the instruction · Si x87 register in the opcode's low bits
//   anything else (AL, CL, rAX, 1, ST0 ...) is implied by the opcode.
// Sizes: b 8, w 16, d 32, q 64, x 128 aligned, u 128 unaligned, v 16/32/64, y 32/64, z 16/32 (32 for 64),
//   a number: that many bytes of memory.
import type { Mode } from './layout.ts'
import type { GeneratedCase } from './generate.ts'

export interface Operand {
  readonly kind: string
  readonly size: string
}

export type Prepare = (c: GeneratedCase) => void
/** Makes everything undefined in an after-state equal. Runs for every outcome, exceptions included. */
export type Mask = (after: DataView, c: GeneratedCase) => void

/** How an element of a vector or x87 operand is filled. */
export type Data = 'int' | 'f32' | 'f64' | 'x87'

export interface RowOptions {
  /** Operand sizes where the operands do not tell (CBW and the like). */
  sizes?: readonly number[]
  /** 64-bit by default in 64-bit mode: PUSH, near branches; no REX.W. */
  d64?: boolean
  modes?: 'long64' | 'compat32' | 'both'
  /** Undefined status flags, as letters of "oszapc". */
  undef?: string
  mask?: Mask
  /** Adjusts the inputs after everything is chosen. */
  prepare?: Prepare
  /** Registers that `prepare` sets: never part of an address. */
  reserve?: readonly number[]
  /** The register operand is set by `prepare`, too. */
  reserveOperand?: boolean
  /** Chooses the n-th immediate (n from 0). */
  immediate?: (c: GeneratedCase, n: number) => number
  data?: Data
  /** Start from random x87/MMX or SSE state instead of a fixed one. */
  state?: 'sse' | 'mmx' | 'x87'
  /** Random MXCSR although the data are integers. */
  mxcsr?: boolean
  /** LOCK is allowed (memory forms). */
  lock?: boolean
  /** Told apart from another row with the same operands. */
  tag?: string
  /** One of the encoding's register-or-memory variants only. */
  only?: 'reg' | 'mem'
  /** The memory operand is addressed by RSP. */
  onStack?: boolean
  /** Memory operands without the alignment that u, q and so on do not have anyhow: 1 when any address does. */
  align?: number
}

export type Row = readonly [operation: string, encoding: string, options?: RowOptions]

export interface Family {
  readonly name: string
  /** CPU feature as /proc/cpuinfo calls it; undefined when every x86-64 CPU has it. */
  readonly feature?: string
  readonly rows: readonly Row[]
}

export interface Form {
  readonly id: string
  readonly family: Family
  readonly mnemonic: string
  readonly operands: readonly Operand[]
  /** 16, 32 or 64 for forms that come in these sizes, else 0. */
  readonly size: number
  readonly rm: 'reg' | 'mem' | 'none'
  /** Bytes of the memory operand. */
  readonly memBytes: number
  readonly align: number
  readonly prefixes: readonly number[]
  readonly vex: { readonly pp: number; readonly map: number } | undefined
  readonly opcode: readonly number[]
  /** ModRM.reg when the opcode fixes it. */
  readonly digit: number | undefined
  readonly options: RowOptions
  readonly modes: 'long64' | 'compat32' | 'both'
}

const OPERAND = /^([ERMGZBWUVQNPIJOS])([bwdqxuvyzi]|\d+)$/

function parseOperand(text: string): Operand | undefined {
  const match = OPERAND.exec(text)
  return match ? { kind: match[1], size: match[2] } : undefined
}

/** Bytes of an operand of size letter `letter` at operand size `size`. */
export function operandBytes(letter: string, size: number): number {
  const fixed: Record<string, number> = { b: 1, w: 2, d: 4, q: 8, x: 16, u: 16 }
  if (letter in fixed) return fixed[letter]
  if (letter === 'v') return (size || 32) / 8
  if (letter === 'y') return size === 64 ? 8 : 4
  if (letter === 'z') return size === 16 ? 2 : 4
  return Number(letter)
}

function parseEncoding(encoding: string): Pick<Form, 'prefixes' | 'vex' | 'opcode' | 'digit'> {
  const prefixes: number[] = []
  const opcode: number[] = []
  let vex: Form['vex']
  let digit: number | undefined
  for (const word of encoding.split(' ')) {
    const vexMatch = /^vex\.(np|66|f3|f2)\.(0f|0f38|0f3a)$/.exec(word)
    if (vexMatch) {
      vex = {
        pp: ['np', '66', 'f3', 'f2'].indexOf(vexMatch[1]),
        map: ['', '0f', '0f38', '0f3a'].indexOf(vexMatch[2]),
      }
    } else if (word.startsWith('/')) {
      digit = Number(word.slice(1))
    } else {
      const byte = parseInt(word, 16)
      const isPrefix = opcode.length === 0 && !vex && [0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(byte)
      if (isPrefix) prefixes.push(byte)
      else opcode.push(byte)
    }
  }
  return { prefixes, vex, opcode, digit }
}

function sizesOf(operands: readonly Operand[], options: RowOptions): readonly number[] {
  if (options.sizes) return options.sizes
  const letters = operands.map((operand) => operand.size)
  if (letters.includes('v') || letters.includes('z')) return options.d64 ? [16, 64] : [16, 32, 64]
  if (letters.includes('y')) return [32, 64]
  return [0]
}

function rmVariants(operands: readonly Operand[], options: RowOptions): readonly Form['rm'][] {
  const kinds = operands.map((operand) => operand.kind).join('')
  if (options.only) return [options.only]
  if (/[EWQ]/.test(kinds)) return ['reg', 'mem']
  if (/[MO]/.test(kinds)) return ['mem']
  return /[RUN]/.test(kinds) ? ['reg'] : ['none']
}

function expandRow(family: Family, [operation, encoding, options = {}]: Row): Form[] {
  const space = operation.indexOf(' ')
  const mnemonic = space < 0 ? operation : operation.slice(0, space)
  const operandText = space < 0 ? '' : operation.slice(space + 1)
  const operands = operandText.split(',').flatMap((text) => parseOperand(text) ?? [])
  const memOperand = operands.find((operand) => 'EMWQO'.includes(operand.kind))
  const forms: Form[] = []
  for (const size of sizesOf(operands, options))
    for (const rm of rmVariants(operands, options)) {
      const memBytes = memOperand ? operandBytes(memOperand.size, size) : 0
      const words = [mnemonic, operandText, options.tag, size || undefined, rm === 'none' ? undefined : rm]
      forms.push({
        id: words.filter(Boolean).join(' '),
        family,
        mnemonic,
        operands,
        size,
        rm,
        memBytes,
        align: options.align ?? (memOperand?.size === 'x' ? 16 : 1),
        ...parseEncoding(encoding),
        options,
        modes: size === 64 && !options.d64 ? 'long64' : (options.modes ?? 'both'),
      })
    }
  return forms
}

/** Every form of a family; ids are unique. */
export function expandFamily(family: Family): Form[] {
  const forms = family.rows.flatMap((row) => expandRow(family, row))
  const seen = new Set<string>()
  for (const form of forms) {
    if (seen.has(form.id)) throw new Error(`two forms are called "${form.id}"`)
    seen.add(form.id)
  }
  return forms
}

/** The mode of case `index`: forms of both modes run in compatibility mode every fifth time. */
export function modeOf(form: Form, index: number): Mode {
  if (form.modes !== 'both') return form.modes
  return index % 5 === 4 ? 'compat32' : 'long64'
}
