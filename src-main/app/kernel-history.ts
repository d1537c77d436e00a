/** What happened to kernel trees: builds that ended and boots of what they made, kept in one readable JSON file over sessions. */
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import type { MachineId } from '../contract/services/common.ts'
import { historyEntry, type BootRecord, type Build, type HistoryEntry } from '../contract/services/kernel.ts'
import type { Machine } from '../contract/services/machines.ts'
import { whyNotWritten } from './files/save-text.ts'
import { writeWhole } from './machines/store.ts'

/** Entries that are kept, of all trees together. */
const KEPT = 500
/** Of a file's layout. */
const VERSION = 1
const fileSchema = v.object({ version: v.literal(VERSION), entries: v.array(v.unknown()) })
/** Where a tree has its images; what stands before is the tree. */
const IMAGE = /[\\/](?:arch[\\/]x86(?:_64)?[\\/]boot[\\/]bzImage|vmlinux)$/

export interface HistoryEvents {
  changed(): void
  /** It could not be saved. */
  failed(sentence: string): void
}

export class KernelHistory {
  readonly #file: string
  readonly #events: HistoryEvents
  /** The newest last. */
  #entries: readonly HistoryEntry[] = []
  /** Boots whose machine runs. */
  readonly #running = new Map<MachineId, BootRecord>()
  #queue: Promise<void> = Promise.resolve()

  constructor(file: string, events: HistoryEvents) {
    this.#file = file
    this.#events = events
  }

  /** Reads the file. An entry that is not understood is left out; a file that is no history is a sentence. */
  async load(): Promise<string | undefined> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      return `the history of kernels could not be read: ${error instanceof Error ? error.message : String(error)}`
    }
    try {
      const { entries } = v.parse(fileSchema, JSON.parse(text))
      this.#entries = entries.flatMap((entry) => {
        const read = v.safeParse(historyEntry, entry)
        return read.success ? [read.output] : []
      })
      return undefined
    } catch {
      return `${this.#file} is no history of kernels any more; a new one begins with the next build or boot`
    }
  }

  /** Of the tree with this output folder, the newest first. */
  of(folder: string): HistoryEntry[] {
    return this.#entries.filter((entry) => entry.folder === folder).reverse()
  }

  /** A build that has ended. */
  built({ folder, begun, result, sentence }: Build): void {
    const why = sentence ?? result?.firstError?.message
    this.#add({
      kind: 'build',
      folder,
      at: begun,
      outcome: result?.outcome ?? 'failed',
      seconds: result?.seconds ?? 0,
      ...(why === undefined ? {} : { why }),
    })
  }

  /** Hears of every machine; those that boot a tree's kernel make an entry, which is completed at their end. */
  machineChanged({ id, config, status }: Machine): void {
    const begun = this.#running.get(id)
    const isOver = status.state === 'off' || status.state === 'failed'
    if (begun === undefined && status.state === 'starting') this.#begin(id, config.name, config.kernel, status.since)
    if (begun === undefined || !isOver) return
    this.#running.delete(id)
    const { end } = status
    const short = end?.kind === 'failed' ? ({ kind: 'failed', sentence: end.sentence } as const) : end
    const done = { ...begun, seconds: (status.since - begun.at) / 1000, ...(short === undefined ? {} : { end: short }) }
    this.#set(this.#entries.map((entry) => (entry === begun ? done : entry)))
  }

  #begin(id: MachineId, machine: string, kernel: string | undefined, at: number): void {
    if (kernel === undefined || !IMAGE.test(kernel)) return
    const boot: BootRecord = { kind: 'boot', folder: kernel.replace(IMAGE, ''), at, id, machine }
    this.#running.set(id, boot)
    this.#add(boot)
  }

  #add(entry: HistoryEntry): void {
    this.#set([...this.#entries, entry].slice(-KEPT))
  }

  #set(entries: readonly HistoryEntry[]): void {
    this.#entries = entries
    this.#events.changed()
    const text = `${JSON.stringify({ version: VERSION, entries }, undefined, 2)}\n`
    const write = async () => {
      await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 })
      await writeWhole(this.#file, text)
    }
    this.#queue = this.#queue
      .then(write)
      .catch((error: unknown) =>
        this.#events.failed(`the history of kernels could not be saved: ${whyNotWritten(error)}`),
      )
  }

  /** Everything is on the disk. */
  async settled(): Promise<void> {
    await this.#queue
  }
}
