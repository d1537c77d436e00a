/** `serve` with the default machine's console in this terminal: one machine, two views. */
import process from 'node:process'
import { runMonitorCommand } from '../../cli/monitor.ts'
import { StdioConsole } from '../../host/terminal/stdio-console.ts'
import type { Progress } from '../../contract/services/common.ts'
import { Application, type ApplicationOptions } from '../application.ts'
import { dataFolder } from '../data-folder.ts'
import { DEFAULT_MACHINE_ID, defaultMachineConfig, prepareMachine } from '../machines/prepare.ts'
import { rendererFolder } from '../static-files.ts'
import { browserShell } from './browser-shell.ts'
import { serve } from './server.ts'

const CTRL_C = 0x03

/** Serves until the user ends it; gives the exit code. `reason`: why there is no window, for the first line. */
export async function serveInTerminal(
  reason: string,
  say: (sentence: string) => void,
  options: Omit<ApplicationOptions, 'shell'> = { folder: dataFolder() },
): Promise<number> {
  const view = new TerminalView(options)
  const { application } = view
  await application.load()
  const served = await serve({
    folder: rendererFolder,
    port: Number(process.env.LONGMODE_PORT ?? 0),
    connect: (send) => application.host.connect(send),
  })
  say(`${reason}, so the window is a page of your browser: ${served.url}`)
  const code = await view.run()
  await served.close()
  await application.close()
  return code
}

/** The default machine in the terminal. */
class TerminalView {
  readonly application: Application
  readonly #over = Promise.withResolvers<number>()
  #stdio: StdioConsole | undefined
  #heard = ''

  constructor(options: Omit<ApplicationOptions, 'shell'>) {
    const { prepare = prepareMachine } = options
    this.application = new Application({
      shell: browserShell,
      ...options,
      prepare: (config, progress, signal) => {
        const tell = (now: Progress) => {
          this.#hear(now.text)
          progress(now)
        }
        return prepare(config, tell, signal)
      },
    })
  }

  async run(): Promise<number> {
    const { library } = this.application
    if (!library.has(DEFAULT_MACHINE_ID)) await library.add(defaultMachineConfig(), DEFAULT_MACHINE_ID)
    const end = () => this.#over.resolve(0)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
    const stdio = (this.#stdio = this.#openConsole())
    const share = library.get(DEFAULT_MACHINE_ID).config.shares[0]
    if (share !== undefined) stdio.note(`longmode: the guest's /root/host_folder is ${share.path}`)
    void this.#live(stdio)
    const code = await this.#over.promise
    stdio.close()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end)
    return code
  }

  /** What is being made for a machine that starts: each step once. */
  #hear(text: string): void {
    if (text === this.#heard) return
    this.#heard = text
    this.#stdio?.note(`longmode: ${text}`)
  }

  /** The machine's first run; later ones are started from the window. */
  async #live(stdio: StdioConsole): Promise<void> {
    const { library, host } = this.application
    try {
      await library.start(DEFAULT_MACHINE_ID)
      const end = await library.running(DEFAULT_MACHINE_ID).ended
      if (end.kind === 'failed') stdio.note(`longmode: ${end.sentence}\n${end.details ?? ''}`)
      else if (!host.isWatched) return this.#over.resolve(end.code)
      else stdio.note('longmode: the machine is off')
    } catch (error) {
      stdio.note(`longmode: ${error instanceof Error ? error.message : String(error)}`)
    }
    stdio.note('longmode: the window can start it again; Ctrl-C here ends Longmode')
  }

  #openConsole(): StdioConsole {
    const { library } = this.application
    const run = () => library.activeRun(DEFAULT_MACHINE_ID)
    const target = {
      pause: () => run()?.pause(),
      resume: () => run()?.resume(),
      reset: () => run()?.reset(),
      quit: () => this.#over.resolve(0),
      ask: (line: string) => run()?.monitor(line) ?? Promise.resolve('the machine is off'),
    }
    const stdio = new StdioConsole(
      {
        send: async (bytes) => {
          const running = run()
          if (running !== undefined) await running.send(bytes)
          else if (bytes.includes(CTRL_C)) target.quit()
        },
        sendBreak: () => run()?.sendBreak(),
        quit: target.quit,
        monitor: (line) => runMonitorCommand(target, line),
      },
      { serial: true, monitor: 'mux' },
    )
    const view = library.console(DEFAULT_MACHINE_ID).open(
      (position, bytes) => {
        void stdio.write(bytes).then(() => view.confirm(position + bytes.length))
      },
      process.stdin.isTTY && process.stdout.isTTY ? 'always' : 'never',
    )
    stdio.open()
    return stdio
  }
}
