/** A long piece of work on an image: started by a call, told by events, ended by one. */
import { TroubleError } from '../../src-main/contract/rpc/messages.ts'
import type { Progress } from '../../src-main/contract/services/common.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'

export class ImageJob {
  progress = $state.raw<Progress>()
  readonly #api: Longmode['images']
  #id: number | undefined

  constructor(api: Longmode['images']) {
    this.#api = api
  }

  /** Resolves (true) at the good end; rejects with the reason at the other. */
  async run(start: () => Promise<number>): Promise<true> {
    // The end of a short job may be told before the call is answered.
    const ends = new Map<number, string | undefined>()
    let settle: (() => void) | undefined
    const quits = [
      this.#api.on('progress', ({ job, progress }) => {
        if (this.#id === undefined || job === this.#id) this.progress = progress
      }),
      this.#api.on('finished', ({ job, sentence }) => {
        ends.set(job, sentence)
        settle?.()
      }),
    ]
    try {
      const id = await start()
      this.#id = id
      if (!ends.has(id)) {
        await new Promise<void>((resolve) => {
          settle = () => {
            if (ends.has(id)) resolve()
          }
        })
      }
      const sentence = ends.get(id)
      if (sentence !== undefined) throw TroubleError.user(sentence)
      return true
    } finally {
      for (const quit of quits) quit()
    }
  }

  async cancel(): Promise<void> {
    if (this.#id !== undefined) await this.#api.cancel(this.#id)
  }
}
