/** The kernel tree that is open, as the panel shows it: what it is, whether it is built, and its builds of this session. */
import type { BuildEvent, BuildState, KernelTree } from '../../src-main/contract/kernel-tree.ts'
import { troubleOf, type Trouble } from '../../src-main/contract/rpc/messages.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import type { Build, HistoryEntry } from '../../src-main/contract/services/kernel.ts'
import { isRunning } from './build-state.ts'

/** Lines of a running build that are kept for the eye. */
const MOST_LINES = 500

export class Workbench {
  tree = $state.raw<KernelTree>()
  built = $state.raw<BuildState>()
  /** Why the folder cannot be opened. */
  trouble = $state.raw<Trouble>()
  /** Newest first. */
  builds = $state.raw<readonly Build[]>([])
  /** Builds and boots, also of earlier sessions; the newest first. */
  history = $state.raw<readonly HistoryEntry[]>([])
  readonly folder: string
  readonly api: Longmode['kernel']
  readonly #quits: (() => void)[]

  readonly running = $derived(this.builds.find((build) => isRunning(build)))
  readonly last = $derived(this.builds[0])

  constructor(api: Longmode['kernel'], folder: string) {
    this.api = api
    this.folder = folder
    this.#quits = [
      api.on('historyChanged', () => void this.#loadHistory()),
      api.on('buildChanged', (build) => this.#take(build)),
      api.on('buildEvents', ({ job, events }) => {
        this.builds = this.builds.map((build) => (build.job === job ? events.reduce(advance, build) : build))
      }),
    ]
  }

  get name(): { readonly folder: string } {
    return { folder: this.folder }
  }

  #take(build: Build): void {
    if (build.folder !== this.folder) return
    const before = this.builds.find((other) => other.job === build.job)
    this.builds = [build, ...this.builds.filter((other) => other.job !== build.job)].sort((a, b) => b.job - a.job)
    if (!isRunning(build) && (before === undefined || isRunning(before))) void this.look()
  }

  async look(): Promise<void> {
    try {
      const tree = await this.api.open(this.name)
      this.tree = tree
      this.built = await this.api.state(this.name)
      this.trouble = undefined
    } catch (error) {
      this.trouble = troubleOf(error)
    }
  }

  async #loadHistory(): Promise<void> {
    try {
      this.history = await this.api.history(this.name)
    } catch {
      // The tree cannot be opened, which `trouble` says.
    }
  }

  async load(): Promise<void> {
    await Promise.all([this.look(), this.#loadHistory()])
    const builds = await this.api.builds()
    this.builds = builds.filter((build) => build.folder === this.folder).sort((a, b) => b.job - a.job)
  }

  close(): void {
    for (const quit of this.#quits) quit()
  }
}

/** A build after one more event. */
export function advance(build: Build, event: BuildEvent): Build {
  switch (event.kind) {
    case 'phase':
      return { ...build, phase: event }
    case 'progress':
      return { ...build, progress: event }
    case 'line':
      return { ...build, lines: [...build.lines, event.text].slice(-MOST_LINES) }
    case 'diagnostic':
      return event.diagnostic.severity === 'error' && build.firstError === undefined
        ? { ...build, firstError: event }
        : build
  }
}
