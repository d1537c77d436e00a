/** Instructions of one page as the translator sees them: decoded bytes with the operation behind them. */
import { Decoder } from '../decode/decoder.ts'
import { DECODE, type DecodeMode } from '../decode/record.ts'
import type { Row } from '../decode/rows.ts'
import type { Variant } from '../decode/variants.ts'
import { INDIRECT } from '../region.ts'
import type { Operation } from '../semantics/context.ts'

/** Where control goes after an instruction. */
export type Flow =
  /** To the next one. */
  | 'next'
  /** To a target within the page, or to the next one. */
  | 'branch'
  /** Elsewhere: the operation itself says where. */
  | 'away'
  /** The interpreter runs this instruction. */
  | 'cold'

export interface Insn {
  /** Offset in the page, and of the instruction after it. */
  readonly at: number
  readonly next: number
  readonly flow: Flow
  /** Offset of the relative target from the beginning of the page (it may lie outside); undefined when there is none. */
  readonly target: number | undefined
  readonly name: string
  readonly variant: Variant
  readonly operation: Operation
  /** Place in table 0 of the interpreter's handler, when that runs the instruction. */
  readonly handler: number | undefined
  readonly length: number
  readonly access: number
  readonly register: number
  readonly rm: number
  readonly index: number
  readonly packed: number
  readonly disp: number
  readonly imm: number
}

const AWAY = new Set([
  ...['jmp', 'jmp_near', 'call', 'call_reg', 'call_mem', 'ret', 'ret_imm'],
  // by handlers
  ...['hlt', 'ud', 'syscall', 'sysret', 'sysenter', 'sysexit', 'iret', 'int', 'int1', 'int3'],
  ...['call_far', 'call_far_mem', 'jmp_far', 'jmp_far_mem', 'ret_far', 'ret_far_imm'],
])
/** Near returns. */
export const RETURNS: ReadonlySet<string> = new Set(['ret', 'ret_imm'])
/** What goes to a place that only running tells, and that may lie in the region. */
export const LANDING: ReadonlySet<string> = new Set([...RETURNS, ...INDIRECT])
/** Operations that are long, or that leave the run: the interpreter's handler runs them, as it does what only a helper can do. */
const BY_HANDLER = /^(hlt|ud|(movs|stos|lods|scas|cmps|ins|outs)(b|_)?)$/

export class InstructionReader {
  private readonly decoder: Decoder
  private readonly operations: Readonly<Record<string, Operation>>

  private readonly handlers: ReadonlyMap<string, number>

  /** `handlers`: places in table 0 by the key of the variant, of those variants that have a function of their own. */
  constructor(
    rows: readonly Row[],
    operations: Readonly<Record<string, Operation>>,
    handlers: ReadonlyMap<string, number>,
  ) {
    this.decoder = new Decoder(rows)
    this.operations = operations
    this.handlers = handlers
  }

  /** The instruction at an offset, or undefined where it goes on behind the code or is none. */
  read(code: Uint8Array, at: number, mode: DecodeMode): Insn | undefined {
    if (this.decoder.decode(code, at, code.length, mode) !== DECODE.ok) return undefined
    const o = this.decoder.out
    const variant = this.decoder.variant(mode)
    const { name } = o.row
    const operation = this.operations[name]
    const next = at + o.length
    const relative = o.row.operands.some((x) => x.kind === 'J')
    // a 16-bit target is cut to 16 bits: the operation does it
    const target =
      relative && (mode.codeSize === 8 || o.operandSize === mode.codeSize) && o.operandSize > 2
        ? next + o.imm
        : undefined
    let flow: Flow = 'next'
    const byHandler = operation === undefined || BY_HANDLER.test(name)
    const handler = byHandler ? this.handlers.get(variant.key) : undefined
    if (byHandler && handler === undefined) flow = 'cold'
    else if (AWAY.has(name)) flow = 'away'
    else if (relative) flow = target === undefined ? 'cold' : 'branch'
    return {
      at,
      next,
      flow,
      target,
      name,
      variant,
      operation: operation ?? ((c) => c.helper(name)),
      handler,
      length: o.length,
      access: o.access,
      register: o.register,
      rm: o.rm,
      index: o.index,
      packed: o.packed,
      disp: o.disp,
      imm: o.imm,
    }
  }
}
