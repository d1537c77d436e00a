import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { FromIoWorker, ToIoWorker } from '../contract/io.ts'
import type { ShareActivity, ShareFolderState } from '../contract/services/shares.ts'

/** What happens in the shared folders; `share` is the position in the machine's list. */
export interface ShareEvents {
  /** Oldest first; `dropped` more were too many to list. */
  activities?(share: number, activities: readonly ShareActivity[], dropped: number): void
  folder?(share: number, folder: ShareFolderState): void
  /** The guest has mounted it again and sees the folder that it was exchanged for. */
  mounted?(share: number): void
  /** Why the host's changes cannot be listed. */
  problem?(share: number, sentence: string): void
}

/** How long the vCPU worker may take to say why it ended, in ms, before the end of its io worker is the reason. */
const GRACE = 5000
const ENDED = 'the machine has ended'

/** The owner's end of contract/io.ts. */
export class IoLink {
  readonly #port: MessagePort
  #workersPort: MessagePort | undefined
  readonly #watching = new Set<ShareEvents>()
  /** By share: its folder, when that is not as it should be. */
  readonly #folders = new Map<number, ShareFolderState>()
  readonly #problems = new Map<number, string>()
  /** By id: who waits for the answer to an exchange. */
  readonly #exchanges = new Map<number, (sentence: string | undefined) => void>()
  /** Shares whose exchanged folder the guest has not mounted yet. */
  readonly #unmounted = new Set<number>()
  #nextExchange = 1
  readonly #note: (text: string) => void
  #over = false
  #timer: NodeJS.Timeout | undefined

  /** `failed` is called when the io worker is gone though nobody closed it. */
  constructor(events: { note(text: string): void; failed(sentence: string, details?: string): void }) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#workersPort = port2
    this.#note = (text) => events.note(text)
    port1.on('message', (message: FromIoWorker) => {
      if (message.type === 'failed') events.failed(message.sentence, message.details)
      else this.#receive(message)
    })
    port1.on('close', () => {
      if (this.#over) return
      const sentence = "the machine's disks and shared folders stopped without saying why; this is a fault of Longmode"
      this.#timer = setTimeout(() => events.failed(sentence), GRACE)
    })
    // The machine keeps the program alive, not this.
    port1.unref()
  }

  /** The other end, to be moved to the io worker. Once. */
  takeWorkersPort(): MessagePort {
    const port = this.#workersPort
    if (port === undefined) throw new Error('the io port was taken already')
    this.#workersPort = undefined
    return port
  }

  watch(events: ShareEvents): () => void {
    this.#watching.add(events)
    if (this.#watching.size === 1) this.#send({ type: 'watch', on: true })
    for (const [share, folder] of this.#folders) events.folder?.(share, folder)
    for (const [share, sentence] of this.#problems) events.problem?.(share, sentence)
    return () => {
      if (this.#watching.delete(events) && this.#watching.size === 0) this.#send({ type: 'watch', on: false })
    }
  }

  /** See MachineHandle.exchangeFolder. */
  exchange(share: number, folder: { readonly path: string; readonly readOnly: boolean }): Promise<string | undefined> {
    if (this.#over) return Promise.resolve(ENDED)
    const id = this.#nextExchange++
    return new Promise((resolve) => {
      this.#exchanges.set(id, (sentence) => {
        if (sentence === undefined) this.#unmounted.add(share)
        resolve(sentence)
      })
      this.#send({ type: 'exchange', id, share, ...folder })
    })
  }

  waitsForMount(share: number): boolean {
    return this.#unmounted.has(share)
  }

  /** The machine has ended, or its end is known. */
  close(): void {
    this.#over = true
    for (const resolve of this.#exchanges.values()) resolve(ENDED)
    this.#exchanges.clear()
    clearTimeout(this.#timer)
    this.#port.close()
  }

  #send(message: ToIoWorker): void {
    this.#port.postMessage(message)
  }

  #receive(message: Exclude<FromIoWorker, { type: 'failed' }>): void {
    switch (message.type) {
      case 'closed':
        this.#over = true
        return
      case 'note':
        this.#note(message.text)
        return
      case 'exchanged':
        this.#exchanges.get(message.id)?.(message.sentence)
        this.#exchanges.delete(message.id)
        return
      case 'activities':
        for (const each of this.#watching) each.activities?.(message.share, message.activities, message.dropped)
        return
      case 'folder':
        if (message.folder === 'present') this.#folders.delete(message.share)
        else this.#folders.set(message.share, message.folder)
        for (const each of this.#watching) each.folder?.(message.share, message.folder)
        return
      case 'mounted':
        this.#unmounted.delete(message.share)
        this.#folders.delete(message.share)
        for (const each of this.#watching) each.mounted?.(message.share)
        return
      case 'problem':
        this.#problems.set(message.share, message.sentence)
        for (const each of this.#watching) each.problem?.(message.share, message.sentence)
    }
  }
}
