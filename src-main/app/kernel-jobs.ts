/** Builds and disks under way: they belong to the program, not to the window that began them. */
import {
  KernelTreeError,
  type BuildEvent,
  type BuildRequest,
  type DebianDiskRequest,
  type KernelTree,
} from '../contract/kernel-tree.ts'
import type { KernelWorkbench } from '../contract/kernel-tree.ts'
import { TroubleError, troubleOf } from '../contract/rpc/messages.ts'
import type { JobId } from '../contract/services/common.ts'
import type { Build } from '../contract/services/kernel.ts'
import type { ServiceHost } from '../contract/rpc/host.ts'
import type { AllServices } from '../contract/services/index.ts'

/** Lines of make that are kept of a build, and builds that are kept. */
const KEPT = { lines: 500, builds: 50 }
/** Events are sent together at most so often, in ms: make prints faster than anybody reads. */
const EVENT_PAUSE = 100

type Emit = ServiceHost<AllServices>['emit']
type Work = Pick<KernelWorkbench, 'build' | 'createDebianDisk'>

export const sentenceOf = (error: unknown): string =>
  error instanceof KernelTreeError ? error.message : troubleOf(error).sentence

class BuildJob {
  readonly cancel = new AbortController()
  state: Build
  #waiting: BuildEvent[] = []
  #timer: NodeJS.Timeout | undefined
  readonly #send: (events: readonly BuildEvent[]) => void

  constructor(job: JobId, folder: string, send: (events: readonly BuildEvent[]) => void) {
    this.state = { job, folder, begun: Date.now(), lines: [] }
    this.#send = send
  }

  take(event: BuildEvent): void {
    const { state } = this
    if (event.kind === 'phase') this.state = { ...state, phase: event }
    else if (event.kind === 'progress') this.state = { ...state, progress: event }
    else if (event.kind === 'line') this.state = { ...state, lines: [...state.lines, event.text].slice(-KEPT.lines) }
    else if (event.diagnostic.severity === 'error') this.state = { ...state, firstError: state.firstError ?? event }
    this.#waiting.push(event)
    this.#timer ??= setTimeout(() => this.flush(), EVENT_PAUSE)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length > 0) this.#send(this.#waiting)
    this.#waiting = []
  }
}

export class KernelJobs {
  readonly #work: Work
  readonly #emit: Emit
  readonly #ended: (build: Build) => void
  readonly #builds = new Map<JobId, BuildJob>()
  readonly #disks = new Map<JobId, AbortController>()
  readonly #running = new Set<Promise<void>>()
  #next = 1

  /** `ended` hears of each build that is over. */
  constructor(work: Work, emit: Emit, ended: (build: Build) => void) {
    this.#work = work
    this.#emit = emit
    this.#ended = ended
  }

  builds(): Build[] {
    return [...this.#builds.values()].map(({ state }) => state)
  }

  build(tree: KernelTree, request: BuildRequest): JobId {
    const busy = [...this.#builds.values()].some(({ state }) => state.folder === tree.output && !hasEnded(state))
    if (busy) throw TroubleError.user(`${tree.output} is being built already; wait for it, or cancel it`)
    const id = this.#next++
    const job = new BuildJob(id, tree.output, (events) => this.#emit('kernel', 'buildEvents', { job: id, events }))
    this.#builds.set(id, job)
    this.#forgetOld()
    this.#emit('kernel', 'buildChanged', job.state)
    this.#keep(
      this.#work
        .build(tree, request, (event) => job.take(event), job.cancel.signal)
        .then(
          (result) => (job.state = { ...job.state, result }),
          (error: unknown) => (job.state = { ...job.state, sentence: sentenceOf(error) }),
        )
        .then(() => {
          job.flush()
          this.#ended(job.state)
          this.#emit('kernel', 'buildChanged', job.state)
        }),
    )
    return id
  }

  createDisk(request: DebianDiskRequest): JobId {
    const job = this.#next++
    const cancel = new AbortController()
    this.#disks.set(job, cancel)
    const progress = (step: Parameters<Parameters<Work['createDebianDisk']>[1]>[0]) =>
      this.#emit('kernel', 'diskProgress', { job, progress: step })
    const { file } = request
    this.#keep(
      this.#work
        .createDebianDisk(request, progress, cancel.signal)
        .then(
          () => this.#emit('kernel', 'diskFinished', { job, file }),
          (error: unknown) => this.#emit('kernel', 'diskFinished', { job, file, sentence: sentenceOf(error) }),
        )
        .then(() => void this.#disks.delete(job)),
    )
    return job
  }

  /** Cancelling what has ended is no error. */
  cancel(id: JobId): void {
    this.#builds.get(id)?.cancel.abort()
    this.#disks.get(id)?.abort()
  }

  /** Cancels everything and waits until nothing runs any more. */
  async close(): Promise<void> {
    for (const { cancel } of this.#builds.values()) cancel.abort()
    for (const cancel of this.#disks.values()) cancel.abort()
    await Promise.all(this.#running)
  }

  #keep(work: Promise<void>): void {
    this.#running.add(work)
    void work.then(() => this.#running.delete(work))
  }

  #forgetOld(): void {
    for (const [id, { state }] of this.#builds) {
      if (this.#builds.size <= KEPT.builds) return
      if (hasEnded(state)) this.#builds.delete(id)
    }
  }
}

const hasEnded = (build: Build) => build.result !== undefined || build.sentence !== undefined
