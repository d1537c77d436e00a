import type { Log } from '../../base/log.ts'

/** Different notes within a minute; a guest can cause more (one for each odd tag, say) but shall not flood the user. */
const MOST = 20
const MINUTE = 60_000

/** A log whose warnings become notes to the user: each text once a minute, and not too many. */
export class Notes implements Log {
  readonly #send: (text: string) => void
  readonly #seen = new Set<string>()
  #since = -Infinity

  constructor(send: (text: string) => void) {
    this.#send = send
  }

  warn(_room: string, text: string): void {
    const now = performance.now()
    if (now - this.#since > MINUTE) {
      this.#seen.clear()
      this.#since = now
    }
    if (this.#seen.has(text) || this.#seen.size > MOST) return
    this.#seen.add(text)
    this.#send(this.#seen.size > MOST ? 'and more of the kind, not shown for a minute' : text)
  }

  info(): void {
    // Nobody reads these yet.
  }
}
