/** All machines that the user has, and the runs of those that run. The single truth that every window and terminal looks at. */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { MachineId, Progress } from '../../contract/services/common.ts'
import type { Machine, MachineNote, MachineStatus } from '../../contract/services/machines.ts'
import type { FolderChange } from '../../contract/services/shares.ts'
import type { Stop } from '../../contract/debug.ts'
import { consoleNames, type MachineConfig } from '../../machine/config.ts'
import { whyNotWritten } from '../files/save-text.ts'
import { MachineConsole } from './console.ts'
import { lastLines } from './plain-text.ts'
import { MachineRun } from './running.ts'
import { MachineStore, type SavedMachine, type UnreadableFile } from './store.ts'

export interface LibraryEvents {
  changed(machine: Machine): void
  removed(id: MachineId): void
  note(id: MachineId, note: MachineNote): void
  stopped(id: MachineId, stop: Stop | undefined): void
  /** Something went wrong in the background. */
  failed(sentence: string): void
}

export interface LibraryOptions {
  readonly folder: string
  /**
   * Makes a description ready to start: fills in the embedded guest, looks at its files. Throws TroubleError with one sentence when something
   * stands in the way, and soon after the signal.
   */
  prepare(config: MachineConfig, progress: (progress: Progress) => void, signal: AbortSignal): Promise<MachineConfig>
  /** Stands in for the engine in tests. */
  readonly worker?: URL
}

/** Lines and columns of a thumbnail, and how much output is looked at for it, in bytes. */
const THUMBNAIL = { lines: 12, columns: 100, bytes: 8192 }
/** A console that talks all the time changes its machine's thumbnail so often, in ms. */
const THUMBNAIL_PAUSE = 1000
const NOTES_KEPT = 200
const off: MachineStatus = { state: 'off', since: Date.now() }

class Entry {
  saved: SavedMachine
  status: MachineStatus = off
  run: MachineRun | undefined
  /** What its run was started with. */
  running: MachineConfig | undefined
  readonly #consoles: MachineConsole[] = []
  readonly notes: MachineNote[] = []
  thumbnailTimer: NodeJS.Timeout | undefined

  constructor(saved: SavedMachine) {
    this.saved = saved
  }

  get isActive(): boolean {
    return this.status.state !== 'off' && this.status.state !== 'failed'
  }

  console(number: number): MachineConsole {
    return (this.#consoles[number] ??= new MachineConsole())
  }

  toMachine(): Machine {
    const { saved, status } = this
    const consoles = consoleNames(this.running ?? saved.config)
    return { ...saved, consoles, embedded: saved.config.kernel === undefined, status }
  }
}

export class MachineLibrary {
  readonly #store: MachineStore
  readonly #options: LibraryOptions
  readonly #events: LibraryEvents
  readonly #entries = new Map<MachineId, Entry>()

  constructor(options: LibraryOptions, events: LibraryEvents) {
    this.#options = options
    this.#events = events
    this.#store = new MachineStore(options.folder)
  }

  /** Reads what is saved; gives the files that could not be read. */
  async load(): Promise<readonly UnreadableFile[]> {
    const { machines, unreadable } = await this.#store.load()
    for (const saved of machines) this.#entries.set(saved.id, new Entry(saved))
    return unreadable
  }

  list(): Machine[] {
    return [...this.#entries.values()].map((entry) => entry.toMachine()).sort((a, b) => a.created - b.created)
  }

  has(id: MachineId): boolean {
    return this.#entries.has(id)
  }

  get(id: MachineId): Machine {
    return this.#entry(id).toMachine()
  }

  /** `id`: for the machine that the program itself brings. */
  async add(config: MachineConfig, id?: MachineId): Promise<Machine> {
    const named = { ...config, name: this.#freeName(config.name) }
    const saved: SavedMachine = {
      id: id ?? this.#newId(named.name),
      config: named,
      created: Date.now(),
      thumbnail: [],
    }
    await this.#save(saved)
    const entry = new Entry(saved)
    this.#entries.set(saved.id, entry)
    this.#events.changed(entry.toMachine())
    return entry.toMachine()
  }

  async change(id: MachineId, config: MachineConfig): Promise<Machine> {
    return await this.#update(this.#entry(id), { config })
  }

  /** Another folder for a share of the description, and of the run when there is one that has it. Throws TroubleError. */
  async changeFolder(id: MachineId, index: number, folder: string): Promise<FolderChange> {
    const entry = this.#entry(id)
    const { config } = entry.saved
    const share = config.shares.at(index)
    if (share === undefined) throw TroubleError.user('this machine has no such share any more')
    const stats = await stat(folder).catch(() => undefined)
    if (stats?.isDirectory() !== true) throw TroubleError.user(`${folder} is no folder; choose another one`)
    const running = this.#runningShare(entry, share.mountTag)
    const refused = await running?.run.exchangeFolder(running.index, { path: folder, readOnly: share.readOnly })
    if (refused !== undefined) throw TroubleError.user(refused)
    const shares = config.shares.map((other, at) => (at === index ? { ...other, path: folder } : other))
    await this.change(id, { ...config, shares })
    return running === undefined ? 'next-start' : 'next-mount'
  }

  /** The folder of this tag was exchanged, and the guest has not mounted it again. */
  waitsForMount(id: MachineId, mountTag: string): boolean {
    const running = this.#runningShare(this.#entry(id), mountTag)
    return running?.run.waitsForMount(running.index) ?? false
  }

  /** The description may have been edited since the start: the guest knows a share by its tag. */
  #runningShare(entry: Entry, mountTag: string): { run: MachineRun; index: number } | undefined {
    const index = entry.running?.shares.findIndex((share) => share.mountTag === mountTag) ?? -1
    const run = index < 0 ? undefined : this.activeRun(entry.saved.id)
    return run === undefined ? undefined : { run, index }
  }

  async duplicate(id: MachineId): Promise<Machine> {
    return await this.add(this.#entry(id).saved.config)
  }

  async remove(id: MachineId): Promise<void> {
    const entry = this.#entry(id)
    if (entry.isActive) throw TroubleError.user(`${entry.saved.config.name} is running; end it first, then delete it`)
    await this.#store.remove(id)
    this.#entries.delete(id)
    this.#events.removed(id)
  }

  /** Resolves when the guest runs. Throws TroubleError when it does not get there, or runs already. */
  async start(id: MachineId): Promise<void> {
    const entry = this.#entry(id)
    if (entry.isActive) throw TroubleError.user(`${entry.saved.config.name} is running already`)
    const { config } = entry.saved
    entry.running = config
    entry.run = new MachineRun(
      (progress, signal) => this.#options.prepare(config, progress, signal),
      {
        status: (status) => this.#enter(entry, status),
        output: (bytes, console) => this.#output(entry, bytes, console),
        note: (text) => this.#note(entry, text),
        stopped: (stop) => this.#events.stopped(id, stop),
      },
      this.#options.worker,
    )
    const { run } = entry
    void run.ended.then(() => this.#ended(entry))
    entry.saved = { ...entry.saved, lastStarted: Date.now() }
    this.#saveInBackground(entry)
    await run.started
  }

  /** The run of a machine. Throws TroubleError when it does not run. */
  running(id: MachineId): MachineRun {
    const entry = this.#entry(id)
    if (entry.run === undefined) throw TroubleError.user(`${entry.saved.config.name} is not running; start it first`)
    return entry.run
  }

  /** The run of a machine whose guest is there; undefined otherwise. */
  activeRun(id: MachineId): MachineRun | undefined {
    const entry = this.#entries.get(id)
    return entry?.status.state === 'running' || entry?.status.state === 'paused' ? entry.run : undefined
  }

  /** 0: the serial port, then the virtio consoles. */
  console(id: MachineId, number = 0): MachineConsole {
    return this.#entry(id).console(number)
  }

  notes(id: MachineId): readonly MachineNote[] {
    return this.#entry(id).notes
  }

  /** Ends all machines, flushes their disks, and writes what is to be written. */
  async close(): Promise<void> {
    const runs = [...this.#entries.values()].flatMap(({ run }) => run ?? [])
    for (const run of runs) run.kill()
    await Promise.all(runs.map((run) => run.ended))
    for (const { thumbnailTimer } of this.#entries.values()) clearTimeout(thumbnailTimer)
    await this.#store.settled()
  }

  #entry(id: MachineId): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw TroubleError.user('this machine is not in the library any more')
    return entry
  }

  /** Readable in the folder's listing, and its own. */
  #newId(name: string): MachineId {
    const word = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40)
    return `${word === '' ? 'machine' : word}-${randomUUID().slice(0, 8)}`
  }

  #freeName(name: string): string {
    const names = new Set([...this.#entries.values()].map(({ saved }) => saved.config.name))
    const base = name.replace(/ \(\d+\)$/, '')
    let free = name
    for (let n = 2; names.has(free); n++) free = `${base} (${n})`
    return free
  }

  async #save(saved: SavedMachine): Promise<void> {
    try {
      await this.#store.save(saved)
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error)
      throw TroubleError.user(
        `the machine could not be saved in ${this.#options.folder}: ${whyNotWritten(error)}`,
        details,
      )
    }
  }

  async #update(entry: Entry, change: Partial<SavedMachine>): Promise<Machine> {
    const before = entry.saved
    entry.saved = { ...before, ...change }
    try {
      await this.#save(entry.saved)
    } catch (error) {
      entry.saved = before
      throw error
    }
    this.#events.changed(entry.toMachine())
    return entry.toMachine()
  }

  #enter(entry: Entry, status: MachineStatus): void {
    entry.status = status
    this.#events.changed(entry.toMachine())
  }

  async #output(entry: Entry, bytes: Uint8Array, console: number): Promise<void> {
    entry.thumbnailTimer ??= setTimeout(() => {
      entry.thumbnailTimer = undefined
      this.#drawThumbnail(entry)
      this.#events.changed(entry.toMachine())
    }, THUMBNAIL_PAUSE)
    await entry.console(console).write(bytes)
  }

  #drawThumbnail(entry: Entry): void {
    const thumbnail = lastLines(entry.console(0).tail(THUMBNAIL.bytes), THUMBNAIL.lines, THUMBNAIL.columns)
    entry.saved = { ...entry.saved, thumbnail }
  }

  #note(entry: Entry, text: string): void {
    const note = { at: Date.now(), text }
    entry.notes.push(note)
    if (entry.notes.length > NOTES_KEPT) entry.notes.shift()
    this.#events.note(entry.saved.id, note)
  }

  #ended(entry: Entry): void {
    entry.run = undefined
    entry.running = undefined
    clearTimeout(entry.thumbnailTimer)
    entry.thumbnailTimer = undefined
    this.#drawThumbnail(entry)
    this.#events.changed(entry.toMachine())
    this.#saveInBackground(entry)
  }

  /** A run is not lost because it could not be written down; the user hears of it. */
  #saveInBackground(entry: Entry): void {
    if (this.#entries.get(entry.saved.id) !== entry) return
    this.#save(entry.saved).catch((error: unknown) =>
      this.#events.failed(error instanceof Error ? error.message : String(error)),
    )
  }
}
