/** The shares of the io worker: a 9p server over each folder, and what the owner is told about them. */
import type { FromIoWorker } from '../../contract/io.ts'
import type { ShareActivity } from '../../contract/services/shares.ts'
import { DiskError } from '../../host/disk/image.ts'
import { openFolder } from '../../host/folder.ts'
import { FolderCheck } from '../../host/folder-check.ts'
import { ShareWatcher, touchReporter } from '../../host/watcher.ts'
import type { ShareConfig } from '../../machine/config.ts'
import { T } from '../../ninep/messages.ts'
import { gather } from '../../ninep/segments.ts'
import { NineServer } from '../../ninep/server.ts'
import type { Touch } from '../../ninep/session.ts'
import { Notes } from './notes.ts'
import type { NineHandler } from './server.ts'

/** Changes are told in batches: at most so many, every so many ms. */
const BATCH = 200
const BATCH_TIME = 200

const FOLDER_NOTES = {
  present: 'is there again',
  gone: 'was moved or removed; the guest keeps what it has of it and gets errors for the rest',
  exchanged: 'is another folder now; the guest still sees the old one, a restart of the machine takes the new one',
  'read-only': 'has become read-only; the guest gets errors when it writes',
} as const

/** One folder of the host: its server, and what is told of it. */
class SharedFolder {
  readonly server: NineServer
  readonly #config: ShareConfig
  readonly #index: number
  readonly #send: (message: FromIoWorker) => void
  readonly #reporter: Touch
  readonly #batch: ShareActivity[] = []
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  #watcher: ShareWatcher | undefined
  #check: FolderCheck | undefined

  /** Throws DiskError, one sentence, when the folder cannot be shared. */
  constructor(config: ShareConfig, index: number, send: (message: FromIoWorker) => void) {
    const { path, securityModel, readOnly } = config
    this.#config = config
    this.#index = index
    this.#send = send
    const log = new Notes((text) => this.note(text))
    try {
      const folder = openFolder(path, log)
      if (securityModel === 'mapped-xattr' && !folder.hasXattrs)
        throw new Error('mapped-xattr needs extended attributes, which are not to be had here; use security_model=none')
      this.#reporter = touchReporter(folder, (kind, changed) => this.#watcher?.guestTouched(kind, changed))
      const touch: Touch = (kind, node, name) => {
        if (this.#watcher !== undefined) this.#reporter(kind, node, name)
      }
      this.server = new NineServer(folder, { securityModel, readOnly, log, touch })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new DiskError(`cannot share the folder ${path}: ${why}`, { cause })
    }
  }

  /** The guest has it from now on. */
  begin(): void {
    const { path, readOnly } = this.#config
    this.#check = new FolderCheck(path, readOnly, (state) => {
      this.note(FOLDER_NOTES[state])
      this.#send({ type: 'folder', share: this.#index, folder: state })
    })
  }

  /** Starts or ends the list of changes. A watched folder costs memory and time with each file, so it is watched only for somebody. */
  watch(on: boolean): void {
    if (on === (this.#watcher !== undefined)) return
    if (!on) {
      void this.#watcher?.close()
      this.#watcher = undefined
      this.#flush()
      return
    }
    this.#watcher = new ShareWatcher(this.#config.path, {
      activity: (activity) => this.#add(activity),
      problem: ({ sentence }) => this.#send({ type: 'problem', share: this.#index, sentence }),
    })
  }

  close(): void {
    this.watch(false)
    this.#check?.close()
    this.server.close()
  }

  note(text: string): void {
    this.#send({ type: 'note', text: `the shared folder ${this.#config.path}: ${text}` })
  }

  #add(activity: ShareActivity): void {
    if (this.#batch.length < BATCH) this.#batch.push(activity)
    else this.#dropped++
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_TIME)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#batch.length === 0) return
    const activities = this.#batch.splice(0)
    this.#send({ type: 'activities', share: this.#index, activities, dropped: this.#dropped })
    this.#dropped = 0
  }
}

/** Bytes of a message up to and with its type. */
const TYPE_END = 5

/**
 * What a mount tag stands for. Its folder can be exchanged while the machine runs: the guest's mount keeps the old one to its end, and the next mount
 * (a Tversion, which begins a session) gets the new one. So no file of one folder is ever taken for a file of the other.
 */
export class Share implements NineHandler {
  readonly #index: number
  readonly #send: (message: FromIoWorker) => void
  readonly #head = new Uint8Array(TYPE_END)
  #config: ShareConfig
  #now: SharedFolder
  #next: SharedFolder | undefined
  #watched = false

  /** Throws DiskError, one sentence, when the folder cannot be shared. */
  constructor(config: ShareConfig, index: number, send: (message: FromIoWorker) => void) {
    this.#config = config
    this.#index = index
    this.#send = send
    this.#now = new SharedFolder(config, index, send)
    this.#now.begin()
  }

  handleSegments(request: readonly Uint8Array[], reply: readonly Uint8Array[]): number | Promise<number> {
    if (this.#next !== undefined && this.#typeOf(request) === T.VERSION) this.#takeNext()
    return this.#now.server.handleSegments(request, reply)
  }

  reset(): void {
    this.#now.server.reset()
    this.#takeNext()
  }

  /** Another folder for the guest's next mount. Undefined, or one sentence that says why it cannot be. */
  exchange(path: string, readOnly: boolean): string | undefined {
    const config = { ...this.#config, path, readOnly }
    try {
      const next = new SharedFolder(config, this.#index, this.#send)
      this.#next?.close()
      this.#next = next
      this.#config = config
      return undefined
    } catch (error) {
      if (error instanceof DiskError) return error.message
      throw error
    }
  }

  watch(on: boolean): void {
    this.#watched = on
    this.#now.watch(on)
  }

  close(): void {
    this.#next?.close()
    this.#now.close()
  }

  #typeOf(request: readonly Uint8Array[]): number {
    return gather(request, this.#head, TYPE_END) === TYPE_END ? this.#head[TYPE_END - 1] : 0
  }

  #takeNext(): void {
    if (this.#next === undefined) return
    this.#now.close()
    this.#now = this.#next
    this.#next = undefined
    this.#now.begin()
    this.#now.watch(this.#watched)
    this.#send({ type: 'mounted', share: this.#index })
    this.#now.note('is what the guest has mounted now')
  }
}
