/** The shared folders of one machine as they are now: a list that events keep true. */
import type { Longmode } from '../../src-main/contract/services/index.ts'
import type { Share, ShareActivity } from '../../src-main/contract/services/shares.ts'

/** Lines kept for the eye. */
export const MOST_ACTIVITIES = 300

export class ShareWatch {
  list = $state.raw<readonly Share[]>([])
  readonly #api: Longmode['shares']
  readonly #id: string
  readonly #quits: (() => void)[]

  constructor(api: Longmode['shares'], id: string) {
    this.#api = api
    this.#id = id
    this.#quits = [
      api.on('activity', (event) => {
        this.#change(event, (share) => ({ ...share, activities: keep([...share.activities, event.activity]) }))
      }),
      api.on('folder', (event) => this.#change(event, (share) => ({ ...share, folder: event.folder }))),
      // The command to type is another one now.
      api.on('mounted', (event) => void (event.id === id && this.ask().catch(() => undefined))),
      api.on('problem', (event) => this.#change(event, (share) => ({ ...share, problem: event.sentence }))),
    ]
  }

  /** Asks for what is known now: at the beginning, and after a change that no event tells. */
  async ask(): Promise<void> {
    this.list = await this.#api.watch(this.#id)
  }

  #change(of: { readonly id: string; readonly index: number }, change: (share: Share) => Share): void {
    if (of.id === this.#id) this.list = this.list.map((share) => (share.index === of.index ? change(share) : share))
  }

  stop(): void {
    for (const quit of this.#quits) quit()
    this.#api.unwatch(this.#id).catch(() => undefined)
  }
}

const keep = (list: readonly ShareActivity[]): readonly ShareActivity[] => list.slice(-MOST_ACTIVITIES)
