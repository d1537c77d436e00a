/**
 * The bytes between one view of a console and its machine. Output comes with its position in all that the console has said, so what arrives
 * twice is cut and what is missing is seen; what has been drawn is confirmed, and the machine waits for a view that lags. Input goes
 * out in order, one call at a time: a long paste waits for its guest and loses nothing.
 */
import type { Longmode } from '../../src-main/contract/services/index.ts'

/** Where output is drawn; `drawn` is called when these bytes are on the screen. */
export interface Screen {
  write(bytes: Uint8Array, drawn: () => void): void
  /** What was said before: drawn like `write`, but questions in it (where is the cursor?) have long been answered. */
  replay(bytes: Uint8Array, drawn: () => void): void
  /** Bytes that the machine no longer has came in between. */
  gap(bytes: number): void
  /** Whether this view is the one that answers what the guest asks its terminal. */
  answers(allowed: boolean): void
}

/** Confirmations are gathered: one for so many bytes, or after so many milliseconds. */
const CONFIRM_BYTES = 32 * 1024
const CONFIRM_MS = 60
/** One call's worth of typing, at most. */
const PIECE_BYTES = 16 * 1024

export class ConsoleLink {
  readonly #api: Longmode['machines']
  readonly #id: string
  /** 0: the serial port, then the virtio consoles. */
  readonly #console: number
  readonly #screen: Screen
  readonly #onTrouble: (error: unknown) => void
  /** Position after the last byte that was given to the screen; undefined before the console is open. */
  #position: number | undefined
  #drawn = 0
  #confirmed = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #early: { readonly position: number; readonly bytes: Uint8Array }[] = []
  #typing: Uint8Array[] = []
  #sending = false
  #closed = false
  readonly #unlisten: (() => void)[]

  constructor(
    api: Longmode['machines'],
    { id, console }: { readonly id: string; readonly console: number },
    screen: Screen,
    onTrouble: (error: unknown) => void,
  ) {
    this.#api = api
    this.#id = id
    this.#console = console
    this.#screen = screen
    this.#onTrouble = onTrouble
    this.#unlisten = [
      api.on('consoleOutput', (output) => {
        if (output.id === id && output.console === console) this.#receive(output.position, output.bytes)
      }),
      api.on('consoleAnswers', (turn) => {
        if (turn.id === id && turn.console === console) screen.answers(turn.answers)
      }),
    ]
  }

  async open(): Promise<void> {
    const start = await this.#api.openConsole(this.#id, this.#console)
    if (this.#closed) return
    this.#position = start.position
    this.#drawn = this.#confirmed = start.position
    this.#screen.answers(start.answers)
    this.#receive(start.position, start.bytes, true)
    for (const output of this.#early.splice(0)) this.#receive(output.position, output.bytes)
  }

  #receive(position: number, bytes: Uint8Array, past = false): void {
    if (this.#closed) return
    if (this.#position === undefined) {
      this.#early.push({ position, bytes })
      return
    }
    const end = position + bytes.length
    if (end <= this.#position) return
    if (position > this.#position) this.#screen.gap(position - this.#position)
    const fresh = bytes.subarray(Math.max(0, this.#position - position))
    this.#position = end
    const drawn = () => this.#draw(end)
    if (past) this.#screen.replay(fresh, drawn)
    else this.#screen.write(fresh, drawn)
  }

  #draw(position: number): void {
    this.#drawn = position
    if (this.#drawn - this.#confirmed >= CONFIRM_BYTES) this.#confirm()
    else this.#timer ??= setTimeout(() => this.#confirm(), CONFIRM_MS)
  }

  #confirm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#closed || this.#drawn === this.#confirmed) return
    this.#confirmed = this.#drawn
    this.#api.confirmConsole(this.#id, this.#console, this.#drawn).catch(this.#onTrouble)
  }

  type(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#typing.push(bytes.subarray(at, at + PIECE_BYTES))
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    try {
      while (this.#typing.length > 0 && !this.#closed) {
        await this.#api.type(this.#id, this.#console, this.#typing[0])
        this.#typing.shift()
      }
    } catch (error) {
      // What is left belonged to the same paste; half of it later would be worse than none.
      this.#typing = []
      this.#onTrouble(error)
    } finally {
      this.#sending = false
    }
  }

  close(): void {
    if (this.#closed) return
    this.#confirm()
    this.#closed = true
    clearTimeout(this.#timer)
    for (const unlisten of this.#unlisten) unlisten()
    this.#api.closeConsole(this.#id, this.#console).catch(() => undefined)
  }
}
