/** The generated core of the engine: interpreter, memory accesses, and the table of handlers. It depends on the instruction set and the memory's layout alone. */
import { enumerateVariants } from './decode/enumerate.ts'
import type { Variant } from './decode/variants.ts'
import type { Helper } from './helpers/helper.ts'
import { missing } from './helpers/missing.ts'
import type { InstructionSet } from './instruction-set.ts'
import { defineCore } from './interpreter/core.ts'
import { defineLoop, type HandlerDef } from './interpreter/loop.ts'
import { HANDLER } from './region.ts'
import type { MemoryMap } from './state/layout.ts'
import { ModuleBuilder } from './wasm/module.ts'

/** One for any number of processors with the same memory layout. */
export interface Core {
  readonly set: InstructionSet
  readonly module: WebAssembly.Module
  /** By the handler's number. */
  readonly variants: readonly Variant[]
  readonly helpers: readonly (Helper | undefined)[]
  /** From a variant's key to its handler's number. */
  readonly handlerIds: ReadonlyMap<string, number>
}

export function generateCore(map: MemoryMap, set: InstructionSet): Core {
  const found = enumerateVariants(set.rows)
  // stable: hot ones first
  const ordered = [...found.filter((v) => v.hot), ...found.filter((v) => !v.hot)]
  const variants: Variant[] = []
  const helpers: (Helper | undefined)[] = []
  const handlerIds = new Map<string, number>()
  const handlers = ordered.map((variant, n): HandlerDef => {
    const id = HANDLER.first + n
    handlerIds.set(variant.key, id)
    variants[id] = variant
    const operation = set.operations[variant.name]
    const helper = set.helpers[variant.name]
    // an operation may have a helper of its name for its slow path
    helpers[id] = helper ?? (variant.name in set.operations ? undefined : missing(variant.name))
    return { variant, operation: operation ?? ((c) => c.helper(variant.name)) }
  })
  return { set, module: new WebAssembly.Module(encode(map, handlers)), variants, helpers, handlerIds }
}

function encode(map: MemoryMap, handlers: readonly HandlerDef[]): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder({ pages: map.pages64K, is64: map.is64 })
  const mmioRead = m.importFunc('mmioRead', ['i32', 'i32', 'i32'], [])
  const mmioWrite = m.importFunc('mmioWrite', ['i32', 'i32', 'i32'], [])
  const helper = m.importFunc('helper', ['i32', 'f64', 'f64'], ['i32'])
  const codeMiss = m.importFunc('codeMiss', ['i32', 'i32'], ['f64'])
  const decode = m.importFunc('decode', ['f64'], ['i32'])
  const decodeCross = m.importFunc('decodeCross', ['f64'], ['f64'])
  const decodeAlone = m.importFunc('decodeAlone', [], ['f64'])
  const hot = m.importFunc('hot', ['f64'], [])
  const dropRegions = m.importFunc('dropRegions', ['i32', 'i32', 'i32'], [])
  const operandFault = m.importFunc('operandFault', ['i32'], [])
  const watched = m.importFunc('watched', ['i32', 'i32', 'i32', 'i32'], ['i32'])
  const core = defineCore(m, map, { mmioRead, mmioWrite, watched, helper, dropRegions })
  const hotCount = handlers.filter((h) => h.variant.hot).length
  const loopImports = { codeMiss, decode, decodeCross, decodeAlone, hot, operandFault }
  const run = defineLoop(m, map, core, loopImports, handlers, hotCount)
  m.export('run', run)
  for (const name of [
    'translate',
    'slow',
    'hostRead',
    'hostWrite',
    'linear',
    'commit',
    'dropCode',
    'selectTlb',
    'forgetLocal',
    'dropWriteTags',
    'hostRange',
    'regionReach',
    'lookAhead',
  ] as const)
    m.export(name, core[name])
  m.export('flags', core.flags.all)
  m.export('interrupt', core.transfers.interrupt)
  m.export('flagsCarry', core.flags.carry)
  return m.encode()
}
