/** The shared folders of one machine as they are now: a list that events keep true. */
import type { Longmode } from '../../src-main/contract/services/index.ts'
import type { Share, ShareActivity } from '../../src-main/contract/services/shares.ts'

/** Lines kept for the eye. */
export const MOST_ACTIVITIES = 300

class ShareWatch {
  list = $state.raw<readonly Share[]>([])
  readonly #api: Longmode['shares']
  readonly #id: string

  constructor(api: Longmode['shares'], id: string) {
    this.#api = api
    this.#id = id
    api.on('activity', (event) => {
      this.#change(event, (share) => ({ ...share, activities: keep([...share.activities, event.activity]) }))
    })
    api.on('folder', (event) => this.#change(event, (share) => ({ ...share, folder: event.folder })))
    // The command to type is another one now.
    api.on('mounted', (event) => void (event.id === id && this.ask().catch(() => undefined)))
    api.on('problem', (event) => this.#change(event, (share) => ({ ...share, problem: event.sentence })))
  }

  /** Asks for what is known now: at the beginning, and after a change that no event tells. */
  async ask(): Promise<void> {
    this.list = await this.#api.watch(this.#id)
  }

  #change(of: { readonly id: string; readonly index: number }, change: (share: Share) => Share): void {
    if (of.id === this.#id) this.list = this.list.map((share) => (share.index === of.index ? change(share) : share))
  }
}

const keep = (list: readonly ShareActivity[]): readonly ShareActivity[] => list.slice(-MOST_ACTIVITIES)

const watches = new WeakMap<Longmode['shares'], Map<string, ShareWatch>>()

/**
 * The watch of a machine's shares. It begins when they are looked at for the first time and goes on with the window: what a program does while
 * its console is looked at stands in the list when the panel comes back.
 */
export function watchOf(api: Longmode['shares'], id: string): ShareWatch {
  const known = watches.get(api) ?? new Map<string, ShareWatch>()
  watches.set(api, known)
  const watch = known.get(id) ?? new ShareWatch(api, id)
  known.set(id, watch)
  return watch
}
