/** Encodes modules. */
import { Code } from './code.ts'
import { leb, type ValType } from './expr.ts'
import { FunctionBuilder, TYPE_BYTE, type Func, type Local } from './function.ts'

export { FunctionBuilder, Local, type Func, type Label } from './function.ts'

export interface MemoryShape {
  /** 64 KiB pages. */
  readonly pages: number
  /** memory64: addresses are i64. */
  readonly is64: boolean
}

/** Branch hints (WebAssembly's branch hinting proposal), before the code that they are about. */
function encodeHints(out: Code, functions: ReadonlyMap<number, readonly number[]>): void {
  const some = [...functions].filter(([, hints]) => hints.length > 0)
  if (some.length === 0) return
  const section = new Code()
  const name = 'metadata.code.branch_hint'
  section.leb(name.length)
  for (let i = 0; i < name.length; i++) section.byte(name.charCodeAt(i))
  section.leb(some.length)
  for (const [index, hints] of some) {
    section.leb(index)
    section.leb(hints.length / 2)
    for (let i = 0; i < hints.length; i += 2) {
      section.leb(hints[i]!)
      section.byte(1)
      section.byte(hints[i + 1]!)
    }
  }
  out.byte(0)
  out.leb(section.length)
  out.code(section)
}

/** Encodes a module with one imported shared memory (`env.memory`). */
export class ModuleBuilder {
  readonly memory: MemoryShape
  /** Type of addresses. */
  readonly ptr: 'i32' | 'i64'
  private readonly types: string[] = []
  private readonly typeBytes: number[][] = []
  private readonly imports: Func[] = []
  private readonly funcs: Func[] = []
  private readonly bodies = new Map<number, Code>()
  private readonly exports: [string, number][] = []
  private tableEntries: Func[] = []
  private importedTable = false
  private kept: { readonly key: number; readonly bytes: Uint8Array } | undefined

  constructor(memory: MemoryShape) {
    this.memory = memory
    this.ptr = memory.is64 ? 'i64' : 'i32'
  }

  typeIndex(params: readonly ValType[], results: readonly ValType[]): number {
    const key = `${params.join()}>${results.join()}`
    let index = this.types.indexOf(key)
    if (index < 0) {
      index = this.types.push(key) - 1
      const list = (ts: readonly ValType[]) => [...leb(ts.length), ...ts.map((t) => TYPE_BYTE[t])]
      this.typeBytes.push([0x60, ...list(params), ...list(results)])
    }
    return index
  }

  /** All imports before the first declare(). */
  importFunc(name: string, params: readonly ValType[], results: readonly ValType[]): Func {
    if (this.funcs.length > 0) throw new Error('imports come first')
    const func = { name, index: this.imports.length, params, results }
    this.imports.push(func)
    return func
  }
  declare(name: string, params: readonly ValType[], results: readonly ValType[]): Func {
    const func = { name, index: this.imports.length + this.funcs.length, params, results }
    this.funcs.push(func)
    return func
  }
  define(func: Func, body: (f: FunctionBuilder, ...params: Local[]) => void): Func {
    const builder = new FunctionBuilder(this, func.params)
    body(builder, ...builder.params)
    this.bodies.set(func.index, builder.finish())
    return func
  }
  func(
    name: string,
    params: readonly ValType[],
    results: readonly ValType[],
    body: (f: FunctionBuilder, ...params: Local[]) => void,
  ): Func {
    return this.define(this.declare(name, params, results), body)
  }
  export(name: string, func: Func): void {
    this.exports.push([name, func.index])
  }
  /** Entries of table 0, exported as `table`. */
  table(entries: Func[]): void {
    this.tableEntries = entries
  }
  /** Table 0 comes from outside (`env.table`). */
  useTable(): void {
    this.importedTable = true
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Code()
    out.append(this.sections())
    const bodies = this.funcs.map((f) => {
      const body = this.bodies.get(f.index)
      if (!body) throw new Error(`wasm function ${f.name} has no body`)
      return body
    })
    encodeHints(out, new Map(this.funcs.map((f, i) => [f.index, bodies[i]!.hints])))
    const size = (n: number): number => leb(n).length + n
    out.byte(10)
    out.leb(leb(bodies.length).length + bodies.reduce((n, body) => n + size(body.length), 0))
    out.leb(bodies.length)
    for (const body of bodies) {
      out.leb(body.length)
      out.code(body)
    }
    return out.copy()
  }

  /** Everything but the functions' bodies. Kept while nothing new is declared: a module may be encoded again with another body. */
  private sections(): Uint8Array {
    const importTypes = this.imports.map((f) => this.typeIndex(f.params, f.results))
    const funcTypes = this.funcs.map((f) => this.typeIndex(f.params, f.results))
    const key = this.types.length * 65536 + this.funcs.length
    if (this.kept?.key === key) return this.kept.bytes
    const out = new Code()
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    const section = (id: number, body: readonly number[]): void => {
      out.byte(id)
      out.leb(body.length)
      out.append(body)
    }
    const str = (s: string) => [...leb(s.length), ...Array.from(s, (ch) => ch.charCodeAt(0))]
    const vec = (items: number[][]) => leb(items.length).concat(...items)
    const { pages, is64 } = this.memory
    const limits = [is64 ? 0x07 : 0x03, ...leb(pages), ...leb(pages)]
    const imports = [[...str('env'), ...str('memory'), 0x02, ...limits]]
    if (this.importedTable) imports.push([...str('env'), ...str('table'), 0x01, 0x70, 0x00, ...leb(0)])
    this.imports.forEach((f, i) => imports.push([...str('env'), ...str(f.name), 0x00, ...leb(importTypes[i]!)]))
    section(1, vec(this.typeBytes))
    section(2, vec(imports))
    section(3, vec(funcTypes.map(leb)))
    const entries = this.tableEntries
    if (entries.length > 0) section(4, [1, 0x70, 0x00, ...leb(entries.length)])
    const exports = this.exports.map(([name, index]) => [...str(name), 0x00, ...leb(index)])
    if (entries.length > 0) exports.push([...str('table'), 0x01, 0])
    section(7, vec(exports))
    if (entries.length > 0) section(9, [1, 0, 0x41, 0, 0x0b, ...vec(entries.map((f) => leb(f.index)))])
    const bytes = out.copy()
    this.kept = { key, bytes }
    return bytes
  }
}
