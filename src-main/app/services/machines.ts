import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { MachineId } from '../../contract/services/common.ts'
import { exportCommand } from '../../machine/qemu-flags/export.ts'
import { importCommand } from '../machines/command-line.ts'
import type { ConsoleView } from '../machines/console.ts'
import type { MachineLibrary } from '../machines/library.ts'
import { plainText } from '../machines/plain-text.ts'
import { DEFAULT_MACHINE_ID, checkMachine, defaultMachineConfig } from '../machines/prepare.ts'

type Window = Peer<AllServices>

/** The consoles that one window has open. */
class OpenConsoles {
  readonly #views = new Map<MachineId, ConsoleView>()

  open(window: Window, library: MachineLibrary, id: MachineId) {
    const console = library.console(id)
    this.close(id)
    const start = console.kept()
    let answers = false
    let answered = false
    const view = console.open(
      (position, bytes) => window.emit('machines', 'consoleOutput', { id, position, bytes }),
      (turn) => {
        answers = turn
        // What is so from the beginning stands in the answer of this call.
        if (answered) window.emit('machines', 'consoleAnswers', { id, answers })
      },
    )
    answered = true
    this.#views.set(id, view)
    return { ...start, answers }
  }

  typed(id: MachineId): void {
    this.#views.get(id)?.typed()
  }

  confirm(id: MachineId, position: number): void {
    this.#views.get(id)?.confirm(position)
  }

  close(id: MachineId): void {
    this.#views.get(id)?.close()
    this.#views.delete(id)
  }

  closeAll(): void {
    for (const id of [...this.#views.keys()]) this.close(id)
  }
}

export function machineHandlers(library: MachineLibrary): ServiceHandlers<AllServices['machines'], Window> {
  const consoles = new WeakMap<Window, OpenConsoles>()
  const consolesOf = (window: Window): OpenConsoles => {
    const known = consoles.get(window)
    if (known !== undefined) return known
    const fresh = new OpenConsoles()
    consoles.set(window, fresh)
    window.onEnd(() => fresh.closeAll())
    return fresh
  }
  return {
    list: () => library.list(),
    create: (_window, config) => library.add(config),
    change: (_window, id, config) => library.change(id, config),
    duplicate: (_window, id) => library.duplicate(id),
    remove: (_window, id) => library.remove(id),
    embedded: () =>
      library.has(DEFAULT_MACHINE_ID)
        ? library.get(DEFAULT_MACHINE_ID)
        : library.add(defaultMachineConfig(), DEFAULT_MACHINE_ID),
    check: (_window, config) => checkMachine(config),
    start: (_window, id) => library.start(id),
    pause: (_window, id) => library.running(id).pause(),
    resume: (_window, id) => library.running(id).resume(),
    reset: (_window, id) => library.running(id).reset(),
    powerOff: (_window, id) => library.running(id).powerOff(),
    kill: (_window, id) => library.running(id).kill(),
    notes: (_window, id) => library.notes(id),
    openConsole: (window, id) => consolesOf(window).open(window, library, id),
    closeConsole: (window, id) => consolesOf(window).close(id),
    confirmConsole: (window, id, position) => consolesOf(window).confirm(id, position),
    type: (window, id, bytes) => {
      consolesOf(window).typed(id)
      return library.running(id).send(bytes)
    },
    sendBreak: (_window, id) => library.running(id).sendBreak(),
    consoleText: (_window, id, { plain }) => {
      const { bytes } = library.console(id).kept()
      return plain ? plainText(bytes) : new TextDecoder().decode(bytes)
    },
    importCommand: (_window, text) => importCommand(text),
    exportCommand: (_window, config) => exportCommand(config),
  }
}
