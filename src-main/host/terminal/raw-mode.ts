import process from 'node:process'
import type { ReadStream } from 'node:tty'

/** Signals that end the program; the terminal must be itself again before they do. */
const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const

/**
 * The terminal in raw mode until `restore`, which also happens at any exit of the process: exit, exception, signal. A stop
 * (SIGTSTP from outside) gives the terminal back and takes it again on SIGCONT. `onSignal` is asked to end the program.
 */
export class RawMode {
  readonly #input: ReadStream
  #raw = false

  constructor(input: ReadStream, onSignal: (signal: NodeJS.Signals) => void) {
    this.#input = input
    process.on('exit', () => this.restore())
    for (const signal of endings) {
      process.on(signal, () => {
        this.restore()
        onSignal(signal)
      })
    }
    process.on('SIGTSTP', () => {
      this.#set(false)
      process.kill(process.pid, 'SIGSTOP')
    })
    process.on('SIGCONT', () => this.#set(this.#raw))
    process.on('uncaughtExceptionMonitor', () => this.restore())
  }

  enter(): void {
    this.#raw = true
    this.#set(true)
  }

  restore(): void {
    this.#raw = false
    this.#set(false)
  }

  #set(raw: boolean): void {
    // After a hang-up there is no terminal left to set.
    if (!this.#input.destroyed && this.#input.isTTY) this.#input.setRawMode(raw)
  }
}
