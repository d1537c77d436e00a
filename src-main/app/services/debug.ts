import { DebugRefused, type DebugAnswer, type DebugKind, type DebugTable } from '../../contract/debug.ts'
import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { MachineId } from '../../contract/services/common.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { DisassembledLine } from '../../contract/services/debug.ts'
import { disassemble, type DisassembledLine as Line } from '../../debug/disassembly.ts'
import type { MachineLibrary } from '../machines/library.ts'
import type { MachineSymbols } from '../machines/symbols.ts'

/** Longest instruction (Intel SDM Vol. 2, 2.3.11), in bytes. */
const MOST_INSTRUCTION = 15

export function debugHandlers(
  library: MachineLibrary,
  symbols: MachineSymbols,
): ServiceHandlers<AllServices['debug'], Peer<AllServices>> {
  const ask = async <K extends DebugKind>(
    id: MachineId,
    kind: K,
    question: DebugTable[K]['ask'],
  ): Promise<DebugAnswer<K>> => {
    try {
      return await library.running(id).debug.ask(kind, question)
    } catch (error) {
      if (error instanceof DebugRefused) throw TroubleError.user(error.message)
      throw error
    }
  }
  return {
    registers: (_window, id) => ask(id, 'registers', {}),
    setRegister: (_window, id, register) => ask(id, 'setRegister', register),
    readMemory: (_window, id, place) => ask(id, 'readMemory', place),
    writeMemory: (_window, id, place) => ask(id, 'writeMemory', place),
    walk: (_window, id, address) => ask(id, 'walk', { address }),
    map: (_window, id, from) => ask(id, 'map', { from }),
    search: (_window, id, what) => ask(id, 'search', what),
    stop: (_window, id) => ask(id, 'stop', {}),
    resume: (_window, id) => ask(id, 'resume', {}),
    step: (_window, id, count) => ask(id, 'step', { count }),
    addBreakpoint: (_window, id, breakpoint) => ask(id, 'addBreakpoint', breakpoint),
    removeBreakpoint: (_window, id, breakpoint) => ask(id, 'removeBreakpoint', breakpoint),
    breakpoints: (_window, id) => ask(id, 'breakpoints', {}),
    counters: (_window, id) => ask(id, 'counters', {}),
    symbols: (_window, id) => symbols.source(id),
    loadSymbols: (_window, id, path) => symbols.load(id, path),
    findSymbols: (_window, id, text) => {
      const table = symbols.table(id)
      const found = table?.search(text, 200) ?? []
      const begins = found.filter(({ name }) => name.startsWith(text))
      return [...begins, ...found.filter((hit) => !begins.includes(hit))].slice(0, 50).map(({ name, address }) => {
        const size = table?.get(name)?.size ?? 0
        return { name, address, ...(size > 0 ? { size } : {}) }
      })
    },
    symbolsAt: (_window, id, addresses) =>
      addresses.map((address) => {
        const place = symbols.table(id)?.at(address)
        return place === undefined ? undefined : { name: place.symbol, offset: place.offset }
      }),
    disassemble: async (_window, id, { address, count }) => {
      const [{ bytes, holes }, { codeBits }] = await Promise.all([
        ask(id, 'readMemory', { space: 'virtual', address, length: count * MOST_INSTRUCTION }),
        ask(id, 'registers', {}),
      ])
      const table = symbols.table(id)
      const readable = bytes.subarray(0, holes[0]?.offset ?? bytes.length)
      const request = { bytes: readable, address, bits: codeBits, most: count }
      return disassemble({ ...request, ...(table === undefined ? {} : { symbols: table }) }).map(withName)
    },
  }
}

/** A target that has a name shows it behind the instruction, as listings do. */
function withName({ address, bytes, text, target, targetName, label }: Line): DisassembledLine {
  return {
    address,
    bytes,
    text: targetName === undefined ? text : `${text} <${targetName}>`,
    ...(target === undefined ? {} : { target }),
    ...(label === undefined ? {} : { label }),
  }
}
