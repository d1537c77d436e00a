import { Worker, type MessagePort } from 'node:worker_threads'
import type { DiskConfig, ShareConfig } from '../../machine/config.ts'
import type { RamLayout } from '../../memory/ram.ts'
import type { DiskFacts } from './client.ts'
import { YOUNG_MIB } from '../young-generation.ts'

/** What the io worker is given; all buffers are shared. */
export interface IoStart {
  /** The buffer that guest RAM lies in, and where. */
  readonly memory: SharedArrayBuffer
  readonly ram: RamLayout
  /** IoChannel.allocate().buffer */
  readonly channel: SharedArrayBuffer
  /** The vCPU's ControlBlock: Event.ioDone is raised there. */
  readonly control: SharedArrayBuffer
  readonly controlOffset: number
  readonly disks: readonly DiskConfig[]
  readonly shares: readonly ShareConfig[]
  /** The worker's end of the owner's port (contract/io.ts); moved, so the caller loses it. */
  readonly events: MessagePort
}

export type FromIo =
  | { readonly type: 'ready'; readonly disks: readonly DiskFacts[] }
  /** Something of the user's cannot be used; `sentence` says what. */
  | { readonly type: 'failed'; readonly sentence: string }
  | { readonly type: 'closed' }

export type ToIo = { readonly type: 'close' }

/** A disk or folder cannot be used; the message is for the user. */
export class IoStartError extends Error {}

export interface IoHandle {
  /** In the order of IoStart.disks: IoClient.disk(i, disks[i]). Shares are IoClient.share(i, tag) in the order of IoStart.shares. */
  readonly disks: readonly DiskFacts[]
  readonly worker: Worker
  /** Flush and close everything and end the worker. The machine must have been drained. */
  close(): Promise<void>
}

/**
 * Start the io worker; resolves when everything is open, rejects with IoStartError otherwise. That the
 * worker died later is heard by the machine's owner, whose port then closes (workers/io-link.ts).
 */
export async function startIo(start: IoStart): Promise<IoHandle> {
  const worker = new Worker(new URL('./entry.ts', import.meta.url), {
    workerData: start,
    transferList: [start.events],
    name: 'io',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  })
  const disks = await new Promise<readonly DiskFacts[]>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', () => reject(new IoStartError('The disks and folders could not be opened.')))
    worker.once('message', (message: FromIo) => {
      if (message.type === 'ready') resolve(message.disks)
      else reject(new IoStartError(message.type === 'failed' ? message.sentence : 'The disks were closed at once.'))
    })
  })
  worker.on('error', () => undefined)
  return {
    disks,
    worker,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        worker.once('message', () => resolve())
        // a worker that is dead has nothing to say any more
        worker.once('exit', () => resolve())
        if (worker.threadId === -1) resolve()
      })
      worker.postMessage({ type: 'close' } satisfies ToIo)
      await closed
      await worker.terminate()
    },
  }
}
