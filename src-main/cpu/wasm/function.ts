/** Emits function bodies. */
import { Code } from './code.ts'
import { Expr, i32, konst, leb, v128, type Operand, type ValType } from './expr.ts'
import type { ModuleBuilder } from './module.ts'

/** if without a result. */
const IF = [0x04, 0x40] as const

/** Codes of the value types. */
export const TYPE_BYTE: Record<ValType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

/** A local of a function; as an expression it reads the local at the moment the statement that holds it is emitted. */
export class Local extends Expr {
  readonly index: number
  constructor(type: ValType, index: number) {
    super(type, [], [])
    this.index = index
  }
  override emit(out: Code): void {
    out.getValue(this.index)
  }
}

/** A branch target: depth of the block in the builder's nesting. */
export interface Label {
  readonly depth: number
}

/** A function known to the module; `index` is its place in the function index space. */
export interface Func {
  readonly name: string
  readonly index: number
  readonly params: readonly ValType[]
  readonly results: readonly ValType[]
}

type LoadName = 'u8' | 's8' | 'u16' | 's16' | 'u32' | 's32'
const LOAD32: Record<LoadName, number> = { u8: 0x2d, s8: 0x2c, u16: 0x2f, s16: 0x2e, u32: 0x28, s32: 0x28 }
const LOAD64: Record<LoadName, number> = { u8: 0x31, s8: 0x30, u16: 0x33, s16: 0x32, u32: 0x35, s32: 0x34 }

/**
 * Emits one function body. Statements append bytes at once; expressions are trees until a statement takes them. Addresses have the
 * module's pointer type (i32, or i64 with memory64); `offset` is the static offset and is free.
 */
export class FunctionBuilder {
  readonly module: ModuleBuilder
  out = new Code()
  private readonly head = new Code()
  readonly params: Local[]
  private readonly locals: ValType[] = []
  private readonly free = new Map<ValType, number[]>()
  private scopes: number[][] = []
  private depth = 0

  constructor(module: ModuleBuilder, params: readonly ValType[]) {
    this.module = module
    this.params = params.map((type, index) => new Local(type, index))
  }

  local(type: ValType): Local {
    const pool = this.free.get(type)
    const reused = pool?.pop()
    const index = reused ?? this.params.length + this.locals.push(type) - 1
    this.scopes.at(-1)?.push(index)
    return new Local(type, index)
  }

  /** A local that outlives the scope it is made in. */
  keep(type: ValType): Local {
    return new Local(type, this.params.length + this.locals.push(type) - 1)
  }
  /** Number of blocks around the next statement. */
  get nesting(): number {
    return this.depth
  }

  /** Locals made inside are given back at the end. */
  scope(body: () => void): void {
    this.scopes.push([])
    body()
    for (const index of this.scopes.pop()!) {
      const type = this.locals[index - this.params.length]!
      const pool = this.free.get(type)
      if (pool) pool.push(index)
      else this.free.set(type, [index])
    }
  }

  set(local: Local, value: Operand): void {
    const expr = value instanceof Expr ? value : konst(local.type, value)
    if (expr.type !== local.type) throw new Error(`set ${local.type} local to ${expr.type}`)
    expr.emit(this.out)
    this.out.setValue(local.index)
  }

  /** The value in a fresh local (or itself, where it is a constant). */
  tmp(value: Expr): Expr {
    if (value.constant !== undefined) return value
    const local = this.local(value.type)
    this.set(local, value)
    return local
  }

  private address(addr: Operand): Expr {
    const expr = addr instanceof Expr ? addr : konst(this.module.ptr, addr)
    if (expr.type !== this.module.ptr) throw new Error(`address of type ${expr.type}, want ${this.module.ptr}`)
    return expr
  }

  /** The value on the stack, in a fresh local. */
  private taken(type: ValType): Local {
    const local = this.local(type)
    this.out.setValue(local.index)
    return local
  }
  private loaded(type: ValType, addr: Operand, code: readonly number[], offset: number): Expr {
    const { out } = this
    this.address(addr).emit(out)
    out.append(code)
    out.byte(0)
    out.leb(offset)
    return this.taken(type)
  }

  /** Integer load of 1, 2, 4 or 8 bytes into the natural type (i32, or i64 for 8), zero-extended. */
  load(size: number, addr: Operand, offset = 0): Expr {
    if (size === 8) return this.loaded('i64', addr, [0x29], offset)
    return this.load32(size === 1 ? 'u8' : size === 2 ? 'u16' : 'u32', addr, offset)
  }
  load32(kind: LoadName, addr: Operand, offset = 0): Expr {
    return this.loaded('i32', addr, [LOAD32[kind]], offset)
  }
  load64(addr: Operand, offset = 0, kind?: LoadName): Expr {
    return this.loaded('i64', addr, [kind ? LOAD64[kind] : 0x29], offset)
  }
  loadV(addr: Operand, offset = 0): Expr {
    return this.loaded('v128', addr, [0xfd, 0], offset)
  }
  /** 1, 2, 4, 8 or 16 bytes, zero-extended to a vector. */
  loadVZero(size: number, addr: Operand, offset = 0): Expr {
    if (size === 16) return this.loadV(addr, offset)
    if (size >= 4) return this.loaded('v128', addr, [0xfd, size === 4 ? 92 : 93], offset)
    const value = this.load(size, addr, offset)
    // i32x4.replace_lane 0 of a zero constant
    return this.tmp(new Expr('v128', [v128(new Array<number>(16).fill(0)), value], [0xfd, 28, 0]))
  }
  loadF32(addr: Operand, offset = 0): Expr {
    return this.loaded('f32', addr, [0x2a], offset)
  }
  loadF64(addr: Operand, offset = 0): Expr {
    return this.loaded('f64', addr, [0x2b], offset)
  }
  /** A pointer-sized value (see ModuleBuilder.ptr) from a 64-bit slot. */
  loadPtr(addr: Operand, offset = 0): Expr {
    return this.module.ptr === 'i32' ? this.load32('u32', addr, offset) : this.load64(addr, offset)
  }

  /** Integer store of the low `size` bytes of an i32 or i64; v128, f32 and f64 by their type. */
  store(size: number, addr: Operand, value: Expr, offset = 0): void {
    this.address(addr).emit(this.out)
    value.emit(this.out)
    const t = value.type
    let code: readonly number[]
    if (t === 'v128') code = [0xfd, 11]
    else if (t === 'f32') code = [0x38]
    else if (t === 'f64') code = [0x39]
    else if (t === 'i64') code = [size === 1 ? 0x3c : size === 2 ? 0x3d : size === 4 ? 0x3e : 0x37]
    else if (size === 8) throw new Error('8-byte store of an i32')
    else code = [size === 1 ? 0x3a : size === 2 ? 0x3b : 0x36]
    this.out.append(code)
    this.out.byte(0)
    this.out.leb(offset)
  }

  /** memory.copy(to, from, length). */
  copy(to: Operand, from: Operand, length: Operand): void {
    for (const x of [to, from, length]) this.address(x).emit(this.out)
    this.out.append([0xfc, 10, 0, 0])
  }
  /** memory.fill(to, byte, length). */
  fill(to: Operand, byte: Operand, length: Operand): void {
    this.address(to).emit(this.out)
    ;(byte instanceof Expr ? byte : i32(byte)).emit(this.out)
    this.address(length).emit(this.out)
    this.out.append([0xfc, 11, 0])
  }
  /** Sequentially consistent fence. */
  fence(): void {
    this.out.append([0xfe, 3, 0])
  }
  /** Any instruction with a result, as a statement: its value in a local. */
  atomic(type: ValType, code: number, size: number, addr: Operand, args: readonly Expr[]): Expr {
    const align = size === 8 ? 3 : size === 4 ? 2 : size === 2 ? 1 : 0
    return this.tmp(new Expr(type, [this.address(addr), ...args], [0xfe, code, align, 0]))
  }

  /** `likely`: whether the condition usually holds, where that is known. */
  if(condition: Expr, then: () => void, otherwise?: () => void, likely?: boolean): void {
    if (condition.constant !== undefined) {
      if (condition.constant !== 0) then()
      else otherwise?.()
      return
    }
    condition.emit(this.out)
    this.out.hint(likely)
    this.out.append(IF)
    this.depth++
    then()
    if (otherwise) {
      this.out.byte(0x05)
      otherwise()
    }
    this.depth--
    this.out.byte(0x0b)
  }
  /** What seldom happens. */
  rarely(condition: Expr, then: () => void): void {
    this.if(condition, then, undefined, false)
  }
  block(body: (end: Label) => void): void {
    this.nest(0x02, body)
  }
  loop(body: (again: Label) => void): void {
    this.nest(0x03, body)
  }
  private nest(code: number, body: (label: Label) => void): void {
    this.out.byte(code)
    this.out.byte(0x40)
    this.depth++
    body({ depth: this.depth })
    this.depth--
    this.out.byte(0x0b)
  }
  br(label: Label): void {
    this.branch(0x0c, label)
  }
  brIf(label: Label, condition: Expr, likely?: boolean): void {
    condition.emit(this.out)
    this.out.hint(likely)
    this.branch(0x0d, label)
  }
  private branch(code: number, label: Label): void {
    this.out.byte(code)
    this.out.leb(this.depth - label.depth)
  }
  brTable(labels: readonly Label[], fallback: Label, index: Expr): void {
    index.emit(this.out)
    const targets = [...labels, fallback].map((label) => this.depth - label.depth)
    this.out.append([0x0e, ...leb(labels.length), ...targets.flatMap(leb)])
  }
  ret(value?: Operand, type: ValType = 'i32'): void {
    if (value !== undefined) (value instanceof Expr ? value : konst(type, value)).emit(this.out)
    this.out.byte(0x0f)
  }
  unreachable(): void {
    this.out.byte(0x00)
  }

  private args(func: Func, args: readonly Operand[]): void {
    if (args.length !== func.params.length) throw new Error(`${func.name}: ${args.length} arguments`)
    args.forEach((arg, i) => {
      const expr = arg instanceof Expr ? arg : konst(func.params[i]!, arg)
      if (expr.type !== func.params[i]) throw new Error(`${func.name}: argument ${i} is ${expr.type}`)
      expr.emit(this.out)
    })
  }
  private calling(func: Func, args: readonly Operand[]): void {
    this.args(func, args)
    this.out.byte(0x10)
    this.out.leb(func.index)
  }
  /** Calls; the result (if any) in a local. */
  call(func: Func, ...args: Operand[]): Expr {
    this.calling(func, args)
    const type = func.results[0]
    return type === undefined ? i32(0) : this.taken(type)
  }
  /** Calls; the result in `local`. */
  callInto(local: Local, func: Func, ...args: Operand[]): void {
    this.calling(func, args)
    this.out.setValue(local.index)
  }
  /** return_call: the callee's result is this function's. */
  tailCall(func: Func, ...args: Operand[]): void {
    this.args(func, args)
    this.out.byte(0x12)
    this.out.leb(func.index)
  }
  /** call_indirect through table 0. */
  callIndirect(params: readonly ValType[], result: ValType, index: Expr, ...args: Expr[]): Expr {
    for (const arg of args) arg.emit(this.out)
    index.emit(this.out)
    this.out.byte(0x11)
    this.out.leb(this.module.typeIndex(params, [result]))
    this.out.byte(0)
    return this.taken(result)
  }

  /** return_call_indirect through table 0: the callee's result is this function's. */
  tailCallIndirect(params: readonly ValType[], result: ValType, index: Expr, ...args: Expr[]): void {
    for (const arg of args) arg.emit(this.out)
    index.emit(this.out)
    this.out.byte(0x13)
    this.out.leb(this.module.typeIndex(params, [result]))
    this.out.byte(0)
  }

  /** What `body` emits stands before everything else of the function, last word first where there are several. */
  before(body: () => void): void {
    const { out } = this
    this.out = this.head
    body()
    this.out = out
  }

  /** The function's bytes: local declarations, body, end. */
  finish(): Code {
    const runs: [number, ValType][] = []
    for (const type of this.locals) {
      const last = runs.at(-1)
      if (last && last[1] === type) last[0]++
      else runs.push([1, type])
    }
    const whole = new Code()
    whole.leb(runs.length)
    for (const [count, type] of runs) {
      whole.leb(count)
      whole.byte(TYPE_BYTE[type])
    }
    whole.code(this.head)
    whole.code(this.out)
    whole.byte(0x0b)
    return whole
  }
}
