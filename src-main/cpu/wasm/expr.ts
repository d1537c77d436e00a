import type { Code } from './code.ts'

/**
 * Expressions of WebAssembly as pure trees. A tree has no side effect and no load in it that a later statement could
 * change: loads and calls are statements of the function builder and hand back a local. A tree may therefore be used twice.
 */
export type ValType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

export type Operand = Expr | number | bigint

/** Bytes of an unsigned LEB128. */
export function leb(value: number): number[] {
  const out: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? low | 128 : low)
  } while (rest > 0)
  return out
}

/** Opcode pairs [i32, i64] of WebAssembly's integer instructions (core specification 5.4.7). */
const INT2 = {
  add: [0x6a, 0x7c],
  sub: [0x6b, 0x7d],
  mul: [0x6c, 0x7e],
  div_s: [0x6d, 0x7f],
  div_u: [0x6e, 0x80],
  rem_s: [0x6f, 0x81],
  rem_u: [0x70, 0x82],
  and: [0x71, 0x83],
  or: [0x72, 0x84],
  xor: [0x73, 0x85],
  shl: [0x74, 0x86],
  shr_s: [0x75, 0x87],
  shr_u: [0x76, 0x88],
  rotl: [0x77, 0x89],
  rotr: [0x78, 0x8a],
} as const
const COMPARE = {
  eq: [0x46, 0x51],
  ne: [0x47, 0x52],
  lt_s: [0x48, 0x53],
  lt_u: [0x49, 0x54],
  gt_s: [0x4a, 0x55],
  gt_u: [0x4b, 0x56],
  le_s: [0x4c, 0x57],
  le_u: [0x4d, 0x58],
  ge_s: [0x4e, 0x59],
  ge_u: [0x4f, 0x5a],
} as const

type Int2Name = keyof typeof INT2
type CompareName = keyof typeof COMPARE

/** An integer constant: a number where it is exact, signed. */
type Constant = number | bigint

const isInt32 = (x: Constant): x is number => typeof x === 'number' && (x | 0) === x

function normal(type: 'i32' | 'i64', value: number | bigint): Constant {
  if (typeof value === 'number') {
    if (type === 'i32' && value >= -0x8000_0000 && value <= 0xffff_ffff) return value | 0
    if (type === 'i64' && Number.isSafeInteger(value)) return value
  }
  const big = BigInt.asIntN(type === 'i32' ? 32 : 64, BigInt(value))
  const number = Number(big)
  return Number.isSafeInteger(number) ? number : big
}

function fold32(name: Int2Name, a: number, b: number): number | undefined {
  switch (name) {
    case 'add':
      return (a + b) | 0
    case 'sub':
      return (a - b) | 0
    case 'mul':
      return Math.imul(a, b)
    case 'and':
      return a & b
    case 'or':
      return a | b
    case 'xor':
      return a ^ b
    case 'shl':
      return a << b
    case 'shr_u':
      return (a >>> b) | 0
    case 'shr_s':
      return a >> b
    default:
      return undefined
  }
}

function fold64(name: Int2Name, x: Constant, y: Constant): Constant | undefined {
  if (isInt32(x) && isInt32(y)) {
    // sums and bits of two small numbers are exact as they are
    if (name === 'add') return x + y
    if (name === 'sub') return x - y
    if (name === 'and' || name === 'or' || name === 'xor') return fold32(name, x, y)
  }
  const a = BigInt(x)
  const b = BigInt(y)
  const n = b & 63n
  switch (name) {
    case 'add':
      return a + b
    case 'sub':
      return a - b
    case 'mul':
      return a * b
    case 'and':
      return a & b
    case 'or':
      return a | b
    case 'xor':
      return a ^ b
    case 'shl':
      return a << n
    case 'shr_u':
      return BigInt.asUintN(64, a) >> n
    case 'shr_s':
      return a >> n
    default:
      return undefined
  }
}

export class Expr {
  readonly type: ValType
  /** The value, where this is an integer constant: a number where it is exact, signed. */
  readonly constant: Constant | undefined
  private readonly kids: readonly Expr[]
  /** Instruction bytes that follow the operands. */
  private readonly tail: readonly number[]

  constructor(type: ValType, kids: readonly Expr[], tail: readonly number[], constant?: Constant) {
    this.type = type
    this.kids = kids
    this.tail = tail
    this.constant = constant
  }

  emit(out: Code): void {
    for (const kid of this.kids) kid.emit(out)
    out.append(this.tail)
  }

  /** `value` as an expression of this one's type. */
  private lift(value: Operand): Expr {
    const other = value instanceof Expr ? value : konst(this.type, value)
    if (other.type !== this.type) throw new Error(`wasm operands differ: ${this.type} and ${other.type}`)
    return other
  }

  private get intType(): 'i32' | 'i64' {
    if (this.type !== 'i32' && this.type !== 'i64') throw new Error(`integer operation on ${this.type}`)
    return this.type
  }

  private int2(name: Int2Name, value: Operand): Expr {
    const type = this.intType
    const b = this.lift(value)
    const x = this.constant
    const y = b.constant
    if (x !== undefined && y !== undefined) {
      const folded = type === 'i32' ? fold32(name, x as number, y as number) : fold64(name, x, y)
      if (folded !== undefined) return konst(type, folded)
    }
    if (y === 0 && name !== 'and' && name !== 'mul' && !name.startsWith('div') && !name.startsWith('rem')) return this
    if (y === 0 && name === 'and') return b
    if (y === -1 && name === 'and') return this
    if (x === 0 && (name === 'add' || name === 'or' || name === 'xor')) return b
    return new Binary(type, this, b, INT2[name][type === 'i32' ? 0 : 1])
  }

  private compare(name: CompareName, value: Operand): Expr {
    return new Binary('i32', this, this.lift(value), COMPARE[name][this.intType === 'i32' ? 0 : 1])
  }

  add(b: Operand) {
    return this.int2('add', b)
  }
  sub(b: Operand) {
    return this.int2('sub', b)
  }
  mul(b: Operand) {
    return this.int2('mul', b)
  }
  div_s(b: Operand) {
    return this.int2('div_s', b)
  }
  div_u(b: Operand) {
    return this.int2('div_u', b)
  }
  rem_s(b: Operand) {
    return this.int2('rem_s', b)
  }
  rem_u(b: Operand) {
    return this.int2('rem_u', b)
  }
  and(b: Operand) {
    return this.int2('and', b)
  }
  or(b: Operand) {
    return this.int2('or', b)
  }
  xor(b: Operand) {
    return this.int2('xor', b)
  }
  shl(b: Operand) {
    return this.int2('shl', b)
  }
  shr_s(b: Operand) {
    return this.int2('shr_s', b)
  }
  shr_u(b: Operand) {
    return this.int2('shr_u', b)
  }
  rotl(b: Operand) {
    return this.int2('rotl', b)
  }
  rotr(b: Operand) {
    return this.int2('rotr', b)
  }
  eq(b: Operand) {
    return this.compare('eq', b)
  }
  ne(b: Operand) {
    return this.compare('ne', b)
  }
  lt_s(b: Operand) {
    return this.compare('lt_s', b)
  }
  lt_u(b: Operand) {
    return this.compare('lt_u', b)
  }
  gt_s(b: Operand) {
    return this.compare('gt_s', b)
  }
  gt_u(b: Operand) {
    return this.compare('gt_u', b)
  }
  le_s(b: Operand) {
    return this.compare('le_s', b)
  }
  le_u(b: Operand) {
    return this.compare('le_u', b)
  }
  ge_s(b: Operand) {
    return this.compare('ge_s', b)
  }
  ge_u(b: Operand) {
    return this.compare('ge_u', b)
  }

  /** 1 when zero, else 0 (i32). */
  eqz(): Expr {
    if (this.constant !== undefined) return konst('i32', this.constant === 0 ? 1 : 0)
    return new Unary('i32', this, this.intType === 'i32' ? 0x45 : 0x50)
  }
  clz() {
    return this.unary(0x67, 0x79)
  }
  ctz() {
    return this.unary(0x68, 0x7a)
  }
  popcnt() {
    return this.unary(0x69, 0x7b)
  }
  /** Sign-extends the low `bytes` bytes within the type. */
  signExtend(bytes: number): Expr {
    if (bytes === 1) return this.unary(0xc0, 0xc2)
    if (bytes === 2) return this.unary(0xc1, 0xc3)
    if (bytes === 4) return this.type === 'i32' ? this : new Unary('i64', this, 0xc4)
    return this
  }
  /** Keeps the low `bytes` bytes, zero above. */
  zeroExtend(bytes: number): Expr {
    if (bytes === 1) return this.and(0xff)
    if (bytes === 2) return this.and(0xffff)
    if (bytes === 4) return this.type === 'i32' ? this : this.and(0xffffffffn)
    return this
  }
  /** Low 32 bits. */
  i32(): Expr {
    if (this.type === 'i32') return this
    if (this.constant !== undefined) return konst('i32', this.constant)
    return new Unary('i32', this, WRAP)
  }
  /** Zero-extended to 64 bits. */
  u64(): Expr {
    if (this.type === 'i64') return this
    if (this.constant !== undefined) return konst('i64', (this.constant as number) >>> 0)
    return new Unary('i64', this, EXTEND_U)
  }
  /** Sign-extended to 64 bits. */
  s64(): Expr {
    if (this.type === 'i64') return this
    if (this.constant !== undefined) return konst('i64', this.constant)
    return new Unary('i64', this, EXTEND_S)
  }
  not(): Expr {
    return this.xor(-1n)
  }
  neg(): Expr {
    return konst(this.type, 0).sub(this)
  }
  /** this (as condition) ? a : b; both sides are evaluated. */
  select(a: Expr, b: Expr): Expr {
    if (a.type !== b.type) throw new Error('select of two types')
    if (this.constant !== undefined) return this.constant !== 0 ? a : b
    if (a.type === 'v128') return new Expr(a.type, [a, b, this], [0x1c, 1, 0x7b])
    return new Expr(a.type, [a, b, this], [0x1b])
  }

  private unary(op32: number, op64: number): Expr {
    return new Unary(this.type, this, this.intType === 'i32' ? op32 : op64)
  }
}

const WRAP = 0xa7
const EXTEND_S = 0xac
const EXTEND_U = 0xad
const NONE: readonly never[] = []

class Unary extends Expr {
  private readonly a: Expr
  private readonly code: number
  constructor(type: ValType, a: Expr, code: number) {
    super(type, NONE, NONE)
    this.a = a
    this.code = code
  }
  override emit(out: Code): void {
    this.a.emit(out)
    out.byte(this.code)
  }
  override i32(): Expr {
    return this.code === EXTEND_U || this.code === EXTEND_S ? this.a : super.i32()
  }
}

class Binary extends Expr {
  private readonly a: Expr
  private readonly b: Expr
  private readonly code: number
  constructor(type: ValType, a: Expr, b: Expr, code: number) {
    super(type, NONE, NONE)
    this.a = a
    this.b = b
    this.code = code
  }
  override emit(out: Code): void {
    this.a.emit(out)
    this.b.emit(out)
    out.byte(this.code)
  }
}

class Literal extends Expr {
  constructor(type: 'i32' | 'i64', value: Constant) {
    super(type, NONE, NONE, value)
  }
  override emit(out: Code): void {
    out.byte(this.type === 'i32' ? 0x41 : 0x42)
    out.signed(this.constant!)
  }
}

/** Small constants are made once. */
const SMALL = 512
const small = (type: 'i32' | 'i64'): readonly Expr[] =>
  Array.from({ length: 2 * SMALL }, (_, n) => new Literal(type, n - SMALL))
const SMALL32 = small('i32')
const SMALL64 = small('i64')

/** Integer constant of `type`. */
export function konst(type: ValType, value: number | bigint): Expr {
  if (type !== 'i32' && type !== 'i64') throw new Error(`no integer constant of type ${type}`)
  const v = normal(type, value)
  if (typeof v === 'number' && v >= -SMALL && v < SMALL) return (type === 'i32' ? SMALL32 : SMALL64)[v + SMALL]!
  return new Literal(type, v)
}
export const i32 = (value: number | bigint): Expr => konst('i32', value)
export const i64 = (value: number | bigint): Expr => konst('i64', value)

/** An instruction of one byte (floating point, conversions) or a prefixed one (0xfc, 0xfd) on operands. */
export function op(type: ValType, code: number | readonly number[], ...kids: Expr[]): Expr {
  return new Expr(type, kids, typeof code === 'number' ? [code] : code)
}

/** A SIMD instruction (0xfd prefix) with optional lane immediate. */
export function simd(type: ValType, code: number, kids: readonly Expr[], lanes: readonly number[] = []): Expr {
  return new Expr(type, kids, [0xfd, ...leb(code), ...lanes])
}

/** v128 constant from 16 bytes. */
export function v128(bytes: readonly number[]): Expr {
  if (bytes.length !== 16) throw new Error('v128 constant needs 16 bytes')
  return new Expr('v128', [], [0xfd, 12, ...bytes])
}
