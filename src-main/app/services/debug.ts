import { DebugRefused, type DebugAnswer, type DebugKind, type DebugTable } from '../../contract/debug.ts'
import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { MachineId } from '../../contract/services/common.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { MachineLibrary } from '../machines/library.ts'

const notBuilt = (what: string) => () => {
  throw TroubleError.user(`${what} is not built yet`)
}

export function debugHandlers(library: MachineLibrary): ServiceHandlers<AllServices['debug'], Peer<AllServices>> {
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
    symbols: () => undefined,
    loadSymbols: notBuilt('reading symbols'),
    findSymbols: () => [],
    symbolsAt: (_window, _id, addresses) => addresses.map(() => undefined),
    disassemble: notBuilt('disassembly'),
  }
}
