import { access, constants, stat } from 'node:fs/promises'

/** How a shared folder itself is; the words are for the app to translate. */
export type FolderState = 'present' | 'gone' | 'exchanged' | 'read-only'

/** How often the folder is looked at, in ms. */
const PERIOD = 2000

/** Looks from time to time whether a folder is still there, the same one, and writable, and tells when that changes. */
export class FolderCheck {
  readonly #path: string
  readonly #readOnly: boolean
  readonly #changed: (state: FolderState) => void
  readonly #timer: NodeJS.Timeout
  #identity: string | undefined
  #state: FolderState = 'present'
  /** Looks begun, and the latest of those that have ended: what an older one saw is no news. */
  #begun = 0
  #latest = 0
  #closed = false

  /** `readOnly`: nobody will write, so whether one could does not matter. */
  constructor(path: string, readOnly: boolean, changed: (state: FolderState) => void) {
    this.#path = path
    this.#readOnly = readOnly
    this.#changed = changed
    this.#timer = setInterval(() => void this.check(), PERIOD)
    this.#timer.unref()
    void this.check()
  }

  async check(): Promise<FolderState> {
    const look = ++this.#begun
    const state = await this.#look()
    if (look < this.#latest) return state
    this.#latest = look
    if (state !== this.#state && !this.#closed) {
      this.#state = state
      this.#changed(state)
    }
    return state
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  async #look(): Promise<FolderState> {
    try {
      const { dev, ino } = await stat(this.#path, { bigint: true })
      const identity = `${dev}:${ino}`
      this.#identity ??= identity
      if (identity !== this.#identity) return 'exchanged'
      if (!this.#readOnly) await access(this.#path, constants.W_OK)
      return 'present'
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === 'EROFS' || code === 'EACCES' ? 'read-only' : 'gone'
    }
  }
}
