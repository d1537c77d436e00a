import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer, ServiceHost } from '../../contract/rpc/host.ts'
import { TroubleError, troubleOf } from '../../contract/rpc/messages.ts'
import type { JobId } from '../../contract/services/common.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { convertImage } from '../../host/disk/convert.ts'
import type { CopyOptions } from '../../host/disk/copy.ts'
import { createImage } from '../../host/disk/create.ts'
import { DiskError } from '../../host/disk/image.ts'
import { imageInfo } from '../../host/disk/info.ts'
import { commitOverlay, discardOverlay, protectImage } from '../../host/disk/protect.ts'
import { checkQcow2 } from '../../host/disk/qcow2/check.ts'
import { probeFormat } from '../../host/disk/open.ts'
import { bootChoices, takeBootFiles } from '../files/boot-files.ts'

type Emit = ServiceHost<AllServices>['emit']

/** A copy tells its progress so often, in ms. */
const PROGRESS_PAUSE = 200

/** Copies of images under way: they belong to the program, not to the window that began them. */
export class ImageJobs {
  readonly #emit: Emit
  readonly #running = new Map<JobId, { readonly cancel: AbortController; readonly over: Promise<void> }>()
  #next = 1

  constructor(emit: Emit) {
    this.#emit = emit
  }

  start(text: string, work: (options: CopyOptions) => Promise<void>): JobId {
    const job = this.#next++
    const cancel = new AbortController()
    let told = 0
    const progress = (done: number, total: number) => {
      if (performance.now() - told < PROGRESS_PAUSE) return
      told = performance.now()
      this.#emit('images', 'progress', { job, progress: { text, part: total === 0 ? 1 : done / total } })
    }
    const over = work({ progress, signal: cancel.signal })
      .then(
        () => this.#emit('images', 'finished', { job }),
        (error: unknown) => this.#emit('images', 'finished', { job, sentence: sentenceOf(error) }),
      )
      .then(() => void this.#running.delete(job))
    this.#running.set(job, { cancel, over })
    return job
  }

  /** Cancelling what has ended is no error. */
  cancel(job: JobId): void {
    this.#running.get(job)?.cancel.abort()
  }

  /** Cancels everything and waits until nothing is written any more. */
  async close(): Promise<void> {
    const jobs = [...this.#running.values()]
    for (const { cancel } of jobs) cancel.abort()
    await Promise.all(jobs.map(({ over }) => over))
  }
}

const sentenceOf = (error: unknown) => (error instanceof DiskError ? error.message : troubleOf(error).sentence)

/** What a DiskError says is the user's to read. */
async function attempt<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DiskError) throw TroubleError.user(error.message)
    throw error
  }
}

/** `bootFolder`: where kernels go that are copied out of images. */
export function imageHandlers(
  jobs: ImageJobs,
  bootFolder: string,
): ServiceHandlers<AllServices['images'], Peer<AllServices>> {
  return {
    info: (_window, file) => attempt(() => imageInfo(file)),
    create: (_window, { path: file, format, size }) =>
      attempt(() => {
        createImage({ file, format, size })
        return imageInfo(file)
      }),
    convert: (_window, { from, to, format }) => jobs.start(to, (options) => convertImage(from, to, format, options)),
    cancel: (_window, job) => jobs.cancel(job),
    protect: (_window, file) => attempt(() => protectImage(file)),
    commit: (_window, file) => jobs.start(file, (options) => commitOverlay(file, options)),
    discard: (_window, file) => attempt(() => discardOverlay(file)),
    bootChoices: (_window, file) => attempt(() => bootChoices(file)),
    takeBootFiles: (_window, file, index) => attempt(() => takeBootFiles(file, index, bootFolder)),
    check: (_window, file) =>
      attempt(async () => {
        // A raw image has no structure that could be wrong.
        if (probeFormat(file) === 'raw') return []
        return (await checkQcow2(file)).errors
      }),
  }
}
