/** Looking into a machine that runs or is paused (contract/debug.ts), with symbols and disassembly, which need files of the host. */
import * as v from 'valibot'
import {
  MOST_READ,
  type Breakpoint,
  type EngineCounter,
  type MapPiece,
  type MemoryRead,
  type PageWalk,
  type RegisterFile,
  type SearchResult,
  type Stop,
} from '../debug.ts'
import { event, method } from '../rpc/definition.ts'
import { bytes, hostPath, machineId, word64, type MachineId } from './common.ts'

const space = v.picklist(['physical', 'virtual'])
const breakpoint = v.object({
  kind: v.picklist(['execute', 'write', 'read', 'access']),
  address: word64,
  length: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
}) satisfies v.GenericSchema<unknown, Breakpoint>

/** Where a machine's symbols come from. */
export interface SymbolSource {
  /** A vmlinux or System.map. */
  readonly path: string
  readonly count: number
  /** Added to the file's addresses because the kernel placed itself elsewhere (KASLR); undefined while it is not known. */
  readonly slide?: bigint
}

export interface SymbolHit {
  readonly name: string
  readonly address: bigint
  /** Bytes, where the file says it. */
  readonly size?: number
}

/** The symbol at or before an address. */
export interface NearSymbol {
  readonly name: string
  readonly offset: number
}

export interface DisassembledLine {
  readonly address: bigint
  readonly bytes: Uint8Array
  /** Intel syntax. Addresses that have a symbol show it. */
  readonly text: string
  /** Where a direct branch or call goes, or what an operand relative to RIP points to. */
  readonly target?: bigint
  /** The symbol that begins here. */
  readonly label?: string
}

export const debug = {
  methods: {
    registers: method(machineId).returns<RegisterFile>(),
    /** Only while paused. */
    setRegister: method(
      machineId,
      v.object({ name: v.pipe(v.string(), v.maxLength(20)), value: v.bigint() }),
    ).returns<void>(),
    readMemory: method(
      machineId,
      v.object({
        space,
        address: word64,
        length: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_READ)),
      }),
    ).returns<MemoryRead>(),
    /** All or nothing. */
    writeMemory: method(machineId, v.object({ space, address: word64, bytes })).returns<void>(),
    walk: method(machineId, word64).returns<PageWalk>(),
    /** Mapped ranges from an address on; goes on at `next`. */
    map: method(machineId, word64).returns<MapPiece>(),
    /** Goes on at `next`. `to` may be 2^64. */
    search: method(
      machineId,
      v.object({
        space,
        from: word64,
        to: v.pipe(v.bigint(), v.minValue(0n), v.maxValue(1n << 64n)),
        pattern: bytes,
      }),
    ).returns<SearchResult>(),
    stop: method(machineId).returns<Stop>(),
    resume: method(machineId).returns<void>(),
    step: method(machineId, v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e6))).returns<Stop>(),
    addBreakpoint: method(machineId, breakpoint).returns<void>(),
    removeBreakpoint: method(machineId, breakpoint).returns<void>(),
    breakpoints: method(machineId).returns<readonly Breakpoint[]>(),
    counters: method(machineId).returns<readonly EngineCounter[]>(),

    /** What is loaded; undefined: nothing. A vmlinux or System.map beside the machine's kernel is found by itself. */
    symbols: method(machineId).returns<SymbolSource | undefined>(),
    loadSymbols: method(machineId, hostPath).returns<SymbolSource>(),
    /** Symbols whose name contains the text, those that begin with it first; 50 at most. */
    findSymbols: method(machineId, v.pipe(v.string(), v.maxLength(200))).returns<readonly SymbolHit[]>(),
    symbolsAt: method(machineId, v.pipe(v.array(word64), v.maxLength(4096))).returns<
      readonly (NearSymbol | undefined)[]
    >(),
    /** Instructions from a linear address on. Stops before what cannot be read. */
    disassemble: method(
      machineId,
      v.object({ address: word64, count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)) }),
    ).returns<readonly DisassembledLine[]>(),
  },
  events: {
    /** The machine stands (whoever wanted it), or runs again (`stop` undefined). */
    stopped: event<{ readonly id: MachineId; readonly stop: Stop | undefined }>(),
  },
}
