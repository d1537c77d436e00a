/** A Debian disk being made: started by a call, told by events, ended by one. Minutes, and hundreds of megabytes of packages. */
import { TroubleError } from '../../src-main/contract/rpc/messages.ts'
import type { DiskProgress } from '../../src-main/contract/kernel-tree.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'

type Request = Parameters<Longmode['kernel']['createDebianDisk']>[0]

export class DebianJob {
  progress = $state.raw<DiskProgress>()
  running = $state(false)
  readonly #api: Longmode['kernel']
  #id: number | undefined

  constructor(api: Longmode['kernel']) {
    this.#api = api
  }

  /** Resolves (true) when the disk is there; rejects with the reason when there is none. */
  async run(request: Request): Promise<true> {
    const { promise, resolve, reject } = Promise.withResolvers<true>()
    const quits = [
      this.#api.on('diskProgress', ({ job, progress }) => {
        if (this.#id === undefined || job === this.#id) this.progress = progress
      }),
      // One file is made once: its name tells the job also when the end comes before the call's answer.
      this.#api.on('diskFinished', ({ file, sentence }) => {
        if (file !== request.file) return
        if (sentence === undefined) resolve(true)
        else reject(TroubleError.user(sentence))
      }),
    ]
    this.running = true
    try {
      this.#id = await this.#api.createDebianDisk(request)
      return await promise
    } finally {
      this.running = false
      this.#id = undefined
      for (const quit of quits) quit()
    }
  }

  cancel(): void {
    if (this.#id !== undefined) void this.#api.cancel(this.#id)
  }
}
