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
  readonly #views = new Map<string, ConsoleView>()

  open(window: Window, library: MachineLibrary, id: MachineId, number: number) {
    const console = library.console(id, number)
    this.close(id, number)
    const start = console.kept()
    let answers = false
    let answered = false
    const view = console.open(
      (position, bytes) => window.emit('machines', 'consoleOutput', { id, console: number, position, bytes }),
      (turn) => {
        answers = turn
        // What is so from the beginning stands in the answer of this call.
        if (answered) window.emit('machines', 'consoleAnswers', { id, console: number, answers })
      },
    )
    answered = true
    this.#views.set(keyOf(id, number), view)
    return { ...start, answers }
  }

  view(id: MachineId, number: number): ConsoleView | undefined {
    return this.#views.get(keyOf(id, number))
  }

  close(id: MachineId, number: number): void {
    const key = keyOf(id, number)
    this.#views.get(key)?.close()
    this.#views.delete(key)
  }

  closeAll(): void {
    for (const view of this.#views.values()) view.close()
    this.#views.clear()
  }
}

const keyOf = (id: MachineId, number: number) => `${id} ${number}`

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
    restart: (_window, id) => library.running(id).restart(),
    reset: (_window, id) => library.running(id).reset(),
    powerOff: (_window, id) => library.running(id).powerOff(),
    kill: async (_window, id) => {
      const run = library.running(id)
      run.kill()
      await run.ended
    },
    notes: (_window, id) => library.notes(id),
    openConsole: (window, id, console) => consolesOf(window).open(window, library, id, console),
    closeConsole: (window, id, console) => consolesOf(window).close(id, console),
    confirmConsole: (window, id, console, position) => consolesOf(window).view(id, console)?.confirm(position),
    type: (window, id, console, bytes) => {
      consolesOf(window).view(id, console)?.typed()
      return library.running(id).send(bytes, console)
    },
    // A machine that is off has nobody to tell; the view says it again when it runs.
    resizeConsole: (_window, id, console, size) => library.activeRun(id)?.resizeConsole(console, size),
    sendBreak: (_window, id) => library.running(id).sendBreak(),
    consoleText: (_window, id, console, { plain }) => {
      const { bytes } = library.console(id, console).kept()
      return plain ? plainText(bytes) : new TextDecoder().decode(bytes)
    },
    importCommand: (_window, text) => importCommand(text),
    exportCommand: (_window, config) => exportCommand(config),
  }
}
