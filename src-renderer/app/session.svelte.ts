/** What the whole window knows: the machines, the settings, what is shown, and what went wrong. One object, handed down by context. */
import { getContext, setContext } from 'svelte'
import { SvelteMap } from 'svelte/reactivity'
import type { BuildRequest } from '../../src-main/contract/kernel-tree.ts'
import { TroubleError, troubleOf, type Trouble } from '../../src-main/contract/rpc/messages.ts'
import {
  defaultSettings,
  type HostInfo,
  type Settings,
  type WindowCommand,
} from '../../src-main/contract/services/application.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import type { Machine, MachineNote } from '../../src-main/contract/services/machines.ts'
import { said, setLanguage, t, type Key } from '../i18n/i18n.svelte.ts'

export const tabIds = ['console', 'memory', 'kernel', 'share', 'disks', 'settings'] as const
export type TabId = (typeof tabIds)[number]

/** What may lie over the window; one at a time. */
export type Overlay =
  | { readonly kind: 'palette' }
  | { readonly kind: 'preferences' }
  | { readonly kind: 'about' }
  | { readonly kind: 'new-machine' }
  | { readonly kind: 'import' }
  | { readonly kind: 'notes'; readonly machine: string }
  | { readonly kind: 'drop'; readonly paths: readonly string[] }
  | {
      readonly kind: 'confirm'
      readonly title: string
      readonly text: string
      readonly action: string
      readonly run: () => void
    }

/** Our own file picker; it may lie over another overlay, which keeps what was typed into it. */
export interface Browsing {
  readonly purpose: Parameters<Longmode['files']['choose']>[0]
  readonly done: (paths: readonly string[] | undefined) => void
}

export interface Toast {
  readonly id: number
  readonly kind: 'note' | 'trouble'
  /** In the window's language; a trouble as the process side said it, for it stays while the language changes. */
  readonly text: string
  readonly details?: string | undefined
}

/** As many as anybody looks through. */
const MOST_RECENT = 12

/** Notes kept for one machine, and how long a new one stays in the corner, in ms: it came without being asked for. */
const MOST_NOTES = 200
const NOTE_MS = 12_000

type PanelCommands = Partial<Record<WindowCommand, () => void>>

export class Session {
  readonly api: Longmode
  host = $state.raw<HostInfo>()
  settings = $state.raw<Settings>(defaultSettings)
  readonly machines = new SvelteMap<string, Machine>()
  /** What each machine had to say since the program began. */
  readonly notes = new SvelteMap<string, readonly MachineNote[]>()
  selected = $state<string>()
  tab = $state<TabId>('console')
  overlay = $state.raw<Overlay>()
  browsing = $state.raw<Browsing>()
  toasts = $state.raw<readonly Toast[]>([])
  /** How each tree was built last, by its folder: with another compiler or wrapper make would compile everything again. */
  readonly buildRequests = new Map<string, BuildRequest>()
  /** The connection is gone: nothing can be done but load the window again. */
  lost = $state(false)
  loaded = $state(false)
  #answers: PanelCommands[] = []
  #nextToast = 1

  readonly machine = $derived(this.selected === undefined ? undefined : this.machines.get(this.selected))

  constructor(api: Longmode) {
    this.api = api
  }

  async load(): Promise<void> {
    const { api } = this
    api.machines.on('changed', (machine) => this.machines.set(machine.id, machine))
    api.machines.on('removed', (id) => {
      this.machines.delete(id)
      if (this.selected === id) this.selected = this.machines.keys().next().value
    })
    api.machines.on('note', ({ id, note }) => {
      this.notes.set(id, [...(this.notes.get(id) ?? []), note].slice(-MOST_NOTES))
      this.say(`${this.machines.get(id)?.config.name ?? id}: ${said(note.text)}`, NOTE_MS)
    })
    api.application.on('settingsChanged', (settings) => this.#use(settings))
    api.application.on('trouble', (trouble) => this.report(trouble))
    const [host, settings, machines] = await Promise.all([
      api.application.host(),
      api.application.settings(),
      api.machines.list(),
    ])
    this.host = host
    this.#use(settings)
    for (const machine of machines) this.machines.set(machine.id, machine)
    void this.attempt(() => this.#loadNotes(machines))
    this.selected = this.machines.has(settings.selectedMachine)
      ? settings.selectedMachine
      : this.machines.keys().next().value
    this.loaded = true
  }

  /** What was said before this window opened. */
  async #loadNotes(machines: readonly Machine[]): Promise<void> {
    await Promise.all(
      machines.map(async ({ id }) => {
        const said = await this.api.machines.notes(id)
        if (said.length > 0) this.notes.set(id, said)
      }),
    )
  }

  #use(settings: Settings): void {
    this.settings = settings
    setLanguage(settings.language)
    const root = document.documentElement
    if (settings.theme === 'system') delete root.dataset['theme']
    else root.dataset['theme'] = settings.theme
  }

  change(settings: Partial<Settings>): void {
    this.#use({ ...this.settings, ...settings })
    void this.attempt(() => this.api.application.changeSettings(settings))
  }

  select(id: string): void {
    this.selected = id
    this.change({ selectedMachine: id })
  }

  /** The machine that the program brings, selected; undefined when it cannot be had. */
  async embedded(): Promise<Machine | undefined> {
    const machine = await this.attempt(() => this.api.machines.embedded())
    if (machine === undefined) return undefined
    this.machines.set(machine.id, machine)
    this.select(machine.id)
    return machine
  }

  /** Runs what may fail; a failure is told to the user. undefined then. */
  async attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof TroubleError && error.trouble.cause === 'lost') this.lost = true
      else this.report(troubleOf(error))
      return undefined
    }
  }

  report(trouble: Trouble): void {
    this.#toast({ kind: 'trouble', text: trouble.sentence, details: trouble.details })
  }

  note(key: Key, values?: Readonly<Record<string, string | number>>): void {
    this.say(t(key, values))
  }

  say(text: string, ms = 5000): void {
    const id = this.#toast({ kind: 'note', text })
    setTimeout(() => this.dismiss(id), ms)
  }

  #toast(toast: Omit<Toast, 'id'>): number {
    const id = this.#nextToast++
    // The same again replaces what is there: a panel that keeps asking would fill the corner.
    const others = this.toasts.filter((other) => other.text !== toast.text)
    this.toasts = [...others, { id, ...toast }].slice(-4)
    return id
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }

  close(): void {
    this.overlay = undefined
  }

  confirm(title: string, text: string, action: string, run: () => void): void {
    this.overlay = { kind: 'confirm', title, text, action, run }
  }

  /** The system's dialog, or our own picker where there is none. What was opened is remembered. */
  async choose(purpose: Parameters<Longmode['files']['choose']>[0]): Promise<readonly string[] | undefined> {
    const paths = await this.#pick(purpose)
    if (paths !== undefined && !purpose.purpose.startsWith('save')) this.remember(paths)
    return paths
  }

  /** The tree that the kernel panel works on; it remembers the others. */
  openTree(folder: string): void {
    const others = this.settings.kernelTrees.filter((other) => other !== folder)
    this.change({ kernelTree: folder, kernelTrees: [folder, ...others].slice(0, MOST_RECENT) })
  }

  /** Files that were used last, the newest first. */
  remember(paths: readonly string[]): void {
    const recent = [...new Set([...paths, ...this.settings.recentFiles])].slice(0, MOST_RECENT)
    if (recent.join('\n') !== this.settings.recentFiles.join('\n')) this.change({ recentFiles: recent })
  }

  async #pick(purpose: Parameters<Longmode['files']['choose']>[0]): Promise<readonly string[] | undefined> {
    if (this.host?.carrier === 'electron') return await this.attempt(() => this.api.files.choose(purpose))
    return await new Promise((resolve) => {
      const done = (paths: readonly string[] | undefined) => {
        this.browsing = undefined
        resolve(paths)
      }
      this.browsing = { purpose, done }
    })
  }

  /** The panel on the screen answers to some commands; what it returns ends that. The newest answer counts. */
  answer(commands: PanelCommands): () => void {
    this.#answers.push(commands)
    return () => {
      this.#answers = this.#answers.filter((other) => other !== commands)
    }
  }

  panelCommand(name: WindowCommand): (() => void) | undefined {
    return this.#answers.findLast((commands) => name in commands)?.[name]
  }
}

/**
 * A sentence of the process side in the window's language. They begin small, as the command line prints them after its name. What is no word stays:
 * obj-y, -kernel, sys_ni.c.
 */
export function capital(sentence: string): string {
  const text = said(sentence)
  if (!/^\p{Ll}+['’]?\p{Ll}*(?:[\s,:;.]|$)/u.test(text)) return text
  return text.charAt(0).toLocaleUpperCase() + text.slice(1)
}

const key = Symbol('session')
export const provideSession = (session: Session): Session => setContext(key, session)
export const useSession = (): Session => getContext<Session>(key)
