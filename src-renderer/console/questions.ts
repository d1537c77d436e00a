/**
 * Programs in a guest ask their terminal: where is your cursor, what can you do, which colours? Several views may look at one console, and a
 * view that opens later is shown old questions again; a second answer would be read as if the user had typed it. So a view that shall not
 * answer takes the questions away from xterm before it sees them.
 */
import type { IFunctionIdentifier, IParser, Terminal } from '@xterm/xterm'

/** ECMA-48 and xterm control sequences that xterm.js answers. */
const controls: readonly IFunctionIdentifier[] = [
  { final: 'c' }, // DA1
  { prefix: '>', final: 'c' }, // DA2
  { final: 'n' }, // DSR: status, cursor
  { prefix: '?', final: 'n' }, // DECXCPR
  { intermediates: '$', final: 'p' }, // DECRQM
  { prefix: '?', intermediates: '$', final: 'p' },
]
/** DECRQSS */
const statusString: IFunctionIdentifier = { intermediates: '$', final: 'q' }
/** Colours: of the palette, foreground, background, cursor. With a `?` they are questions. */
const colours = [4, 10, 11, 12]
/** Private mode 1004: tell me when you get or lose the focus. Switching it on is answered with the present state. */
const FOCUS_REPORTS = 1004

export class Questions {
  /** May this view answer what the guest asks now? */
  #allowed = false
  /** Old output that is still being drawn. */
  #replays = 0
  readonly #terminal: Pick<Terminal, 'write'>
  /** The guest wants focus reports, and this view has not switched them on. */
  #focusReports = false

  constructor(terminal: { readonly parser: IParser } & Pick<Terminal, 'write'>) {
    this.#terminal = terminal
    const { parser } = terminal
    const silent = () => !this.#answers
    for (const id of controls) parser.registerCsiHandler(id, silent)
    parser.registerDcsHandler(statusString, silent)
    for (const id of colours) parser.registerOscHandler(id, (data) => data.includes('?') && silent())
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => this.#switchOn(params))
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (params) => this.#switchOff(params))
  }

  get #answers(): boolean {
    return this.#allowed && this.#replays === 0
  }

  allow(allowed: boolean): void {
    this.#allowed = allowed
    this.#makeUp()
  }

  /** Draws old output without answering what it asks. */
  replay(bytes: Uint8Array, drawn: () => void): void {
    this.#replays++
    this.#terminal.write(bytes, () => {
      this.#replays--
      this.#makeUp()
      drawn()
    })
  }

  /** Focus reports are a mode, not a question: what was asked for meanwhile counts from now on. */
  #makeUp(): void {
    if (!this.#answers || !this.#focusReports) return
    this.#focusReports = false
    this.#terminal.write('\x1b[?1004h')
  }

  #switchOn(params: readonly (number | number[])[]): boolean {
    if (this.#answers || !params.includes(FOCUS_REPORTS)) return false
    this.#focusReports = true
    // Together with other modes it cannot be taken away alone; programs switch it on by itself.
    return params.length === 1
  }

  #switchOff(params: readonly (number | number[])[]): boolean {
    if (params.includes(FOCUS_REPORTS)) this.#focusReports = false
    return false
  }
}
