/**
 * This terminal (or pipe) as the console of a machine: keys to the guest or the monitor, output of both to the screen. It knows
 * the machine only through `ConsoleTarget`.
 */
import process from 'node:process'
import { EscapeKeys, escapeHelp, type EscapeAction } from './escape.ts'
import { LineEditor } from './line-editor.ts'
import { RawMode } from './raw-mode.ts'

/** What a console needs of a machine. */
export interface ConsoleTarget {
  /** Resolves when the machine has taken all of `bytes`. */
  send(bytes: Uint8Array): Promise<void>
  sendBreak(): void
  quit(): void
  /** One line for the monitor; resolves with what it answers. */
  monitor(line: string): Promise<string>
}

export interface ConsoleOptions {
  /** Does this terminal carry the serial port? */
  readonly serial: boolean
  /** `mux`: Ctrl-a keys, the monitor behind Ctrl-a c; `only`: the monitor has the terminal alone; `none`: Ctrl-C quits. */
  readonly monitor: 'mux' | 'only' | 'none'
}

const CTRL_C = 0x03

export class StdioConsole {
  readonly #target: ConsoleTarget
  readonly #options: ConsoleOptions
  readonly #keys = new EscapeKeys()
  readonly #editor: LineEditor
  readonly #raw: RawMode | undefined
  #inMonitor: boolean
  #closed = false
  /** Standard output cannot be written any more (reader gone, disk full). */
  #outputGone = false

  constructor(target: ConsoleTarget, options: ConsoleOptions) {
    this.#target = target
    this.#options = options
    this.#inMonitor = options.monitor === 'only'
    this.#editor = new LineEditor(
      '(longmode) ',
      (text) => void this.#show(text),
      (line) => void this.#command(line),
    )
    // A pipe has no mode to set; the signals are the program's own then.
    process.stdout.on('error', (error: Error) => {
      if (!this.#outputGone) this.note(`longmode: standard output: ${error.message}; the machine goes on without it`)
      this.#outputGone = true
    })
    this.#raw = process.stdin.isTTY ? new RawMode(process.stdin, () => target.quit()) : undefined
  }

  /** Takes the terminal and passes on what is typed until `close`. The end of a piped input does not end the machine. */
  open(): void {
    this.#raw?.enter()
    if (this.#inMonitor) this.#editor.show()
    void this.#pump()
  }

  /** The machine's serial output; resolves when the screen or pipe has taken it. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#options.serial) return
    await this.#show(bytes)
  }

  /** A line about the machine, for people, beside the guest's output. */
  note(text: string): void {
    process.stderr.write(`${text}${this.#raw === undefined ? '' : '\r'}\n`)
  }

  close(): void {
    this.#closed = true
    this.#raw?.restore()
    process.stdin.destroy()
  }

  async #pump(): Promise<void> {
    try {
      // One chunk at a time: a pipe that is faster than the guest's serial port waits.
      for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
        if (this.#closed) return
        await this.#typed(chunk)
      }
    } catch (error) {
      // A terminal that went away reads as an error; the machine goes on, as with the end of a pipe.
      if (!this.#closed)
        this.note(`longmode: standard input: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #typed(bytes: Uint8Array): Promise<void> {
    if (this.#options.monitor === 'only') this.#editor.feed(bytes)
    else if (this.#options.monitor === 'mux') for (const action of this.#keys.feed(bytes)) await this.#act(action)
    else if (this.#raw !== undefined && bytes.includes(CTRL_C)) this.#target.quit()
    else await this.#target.send(bytes)
  }

  async #act(action: EscapeAction): Promise<void> {
    switch (action.kind) {
      case 'data':
        if (this.#inMonitor) this.#editor.feed(action.bytes)
        else await this.#target.send(action.bytes)
        return
      case 'quit':
        this.#target.quit()
        return
      case 'break':
        this.#target.sendBreak()
        return
      case 'help':
        await this.#show(`\r\n${escapeHelp.join('\r\n')}\r\n`)
        if (this.#inMonitor) this.#editor.show()
        return
      case 'toggle-monitor':
        this.#inMonitor = !this.#inMonitor
        await this.#show('\r\n')
        if (this.#inMonitor) this.#editor.show()
    }
  }

  async #command(line: string): Promise<void> {
    const answer = line === '' ? '' : await this.#target.monitor(line)
    if (this.#closed) return
    if (answer !== '') await this.#show(`${answer.trimEnd().replace(/\r?\n/g, '\r\n')}\r\n`)
    if (this.#inMonitor) this.#editor.show()
  }

  /** A reader that went away is no reason to stop the machine; what it would have read is dropped. */
  #show(data: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#outputGone) resolve()
      else process.stdout.write(data, () => resolve())
    })
  }
}
