/**
 * A machine's console for any number of views (windows, a terminal): what it said is kept, bounded, so that a view can come later; each
 * view gets everything from there on at its own pace, and the guest waits for the slowest that still draws.
 */
import { CONSOLE_KEPT_BYTES, CONSOLE_WINDOW_BYTES } from '../../contract/services/machines.ts'

/** Takes output; `position` is that of its first byte in all that the console ever said. */
export type ConsoleSink = (position: number, bytes: Uint8Array) => void

/** How a view deals with what the guest asks its terminal (where is the cursor?). */
export type Answering =
  /** A terminal of the user's: it answers by itself, so nobody else may. */
  | 'always'
  /** Told by the function whether it is its turn. */
  | ((answers: boolean) => void)
  /** Not a terminal. */
  | 'never'

/** A view that confirms nothing for this long, in ms, is not waited for any more until it does. */
const PATIENCE = 3000

export class ConsoleView {
  readonly #console: MachineConsole
  readonly sink: ConsoleSink
  readonly answering: Answering
  /** Positions. */
  sent: number
  confirmed: number
  /** When the guest began to wait for this view; undefined while it does not. */
  waitingSince: number | undefined

  constructor(console: MachineConsole, sink: ConsoleSink, answering: Answering, from: number) {
    this.#console = console
    this.sink = sink
    this.answering = answering
    this.sent = from
    this.confirmed = from
  }

  /** Everything up to `position` has been drawn. */
  confirm(position: number): void {
    if (position <= this.confirmed) return
    this.confirmed = Math.min(position, this.sent)
    this.waitingSince = undefined
    this.#console.advance(this)
  }

  /** Somebody types into this view. */
  typed(): void {
    this.#console.prefer(this)
  }

  close(): void {
    this.#console.remove(this)
  }
}

export class MachineConsole {
  readonly #keptBytes: number
  readonly #chunks: Uint8Array[] = []
  #start = 0
  #end = 0
  /** The one that was typed into last, or opened last, at the end. */
  readonly #views = new Set<ConsoleView>()
  #answers: ConsoleView | undefined
  #wake: (() => void) | undefined

  /** `keptBytes`: how much output is kept, at least; a chunk more at most. */
  constructor(keptBytes = CONSOLE_KEPT_BYTES) {
    this.#keptBytes = keptBytes
  }

  /** Where the next byte will be. */
  get end(): number {
    return this.#end
  }

  /** All that is kept. */
  kept(): { readonly position: number; readonly bytes: Uint8Array } {
    return { position: this.#start, bytes: this.#slice(this.#start, this.#end) }
  }

  /** The last bytes, `length` at most. */
  tail(length: number): Uint8Array {
    return this.#slice(Math.max(this.#start, this.#end - length), this.#end)
  }

  /** A view of what comes from now on; what came before is `kept`. */
  open(sink: ConsoleSink, answering: Answering = 'never'): ConsoleView {
    const view = new ConsoleView(this, sink, answering, this.#end)
    this.#views.add(view)
    this.#chooseAnswerer()
    return view
  }

  remove(view: ConsoleView): void {
    this.#views.delete(view)
    this.#chooseAnswerer()
    this.#wake?.()
  }

  prefer(view: ConsoleView): void {
    if (!this.#views.delete(view)) return
    this.#views.add(view)
    this.#chooseAnswerer()
  }

  /** Two answers to one question would be read as typing. */
  #chooseAnswerer(): void {
    const views = [...this.#views]
    const turn = (view: ConsoleView | undefined, answers: boolean) => {
      if (typeof view?.answering === 'function') view.answering(answers)
    }
    const next = views.some(({ answering }) => answering === 'always')
      ? undefined
      : views.findLast(({ answering }) => answering !== 'never')
    if (next === this.#answers) return
    turn(this.#answers, false)
    this.#answers = next
    turn(next, true)
  }

  /** Adds output; resolves when every view that draws is near enough to its end. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#keep(bytes)
    for (const view of this.#views) this.#pump(view)
    for (let wait = this.#longestWait(); wait > 0; wait = this.#longestWait()) await this.#pause(wait)
  }

  /** A view has room again. */
  advance(view: ConsoleView): void {
    this.#pump(view)
    this.#wake?.()
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#end += bytes.length
    while (this.#end - this.#start - this.#chunks[0].length >= this.#keptBytes) {
      this.#start += this.#chunks.shift()!.length
    }
  }

  #slice(from: number, to: number): Uint8Array {
    const out = new Uint8Array(Math.max(0, to - from))
    let at = this.#start
    for (const chunk of this.#chunks) {
      const first = Math.max(from, at)
      const last = Math.min(to, at + chunk.length)
      if (first < last) out.set(chunk.subarray(first - at, last - at), first - from)
      at += chunk.length
    }
    return out
  }

  #pump(view: ConsoleView): void {
    // What is no longer kept cannot be sent; the view sees it by the jump of the position.
    if (view.sent < this.#start) view.sent = view.confirmed = this.#start
    const until = Math.min(this.#end, view.confirmed + CONSOLE_WINDOW_BYTES)
    if (until <= view.sent) return
    const from = view.sent
    view.sent = until
    view.sink(from, this.#slice(from, until))
  }

  /** How long the guest still waits for a view, in ms; 0: not at all. */
  #longestWait(): number {
    const now = performance.now()
    let longest = 0
    for (const view of this.#views) {
      if (this.#end - view.confirmed <= CONSOLE_WINDOW_BYTES) continue
      view.waitingSince ??= now
      longest = Math.max(longest, view.waitingSince + PATIENCE - now)
    }
    return longest
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      function done(): void {
        clearTimeout(timer)
        resolve()
      }
      this.#wake = () => {
        this.#wake = undefined
        done()
      }
    })
  }
}
