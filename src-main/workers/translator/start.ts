import os from 'node:os'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { unpacked } from '../../base/unpacked.ts'
import { stepBack, V8_THREADS } from '../../host/thread-priority.ts'
import type { MachineConfig } from '../../machine/config.ts'
import type { MachineMemory } from '../../machine/machine.ts'
import { YOUNG_MIB } from '../young-generation.ts'
import type { FromRegionThread, RegionThread, ToRegionThread } from '../../machine/region-maker.ts'

/** What the translator's thread is given. */
export interface TranslatorStart {
  /** The engine's memory, guest RAM included, and where things lie in it. */
  readonly memory: SharedArrayBuffer
  readonly map: MachineMemory['map']
  readonly cpu: MachineConfig['cpu']
  /** The vCPU's ControlBlock: Event.codeReady is raised there when an answer is on the port. */
  readonly control: SharedArrayBuffer
}

/** JavaScript heap of the thread, MiB. */
const HEAP_MIB = 512
/**
 * Niceness of the thread and V8's own, which compile: on two cores they take turns with the vCPU and the io worker, and a guest that waits for the latter waited for them all.
 * 256 MiB written to the share, the second time, while the last of that is translated: 0.55 s with 10, 0.47 with 19. Beside four busy programs nothing is lost by it: a boot takes 37 s
 * with either, gcc 39 s and 40. SCHED_IDLE would be a little faster still where nothing else runs, but there a boot takes 196 s.
 */
const NICENESS = 19
const NAME = 'translator'
const entry = new URL(unpacked(new URL('./entry.ts', import.meta.url).href))

/**
 * Starts the thread; the caller's event loop hears of its end, so this is for the machine's owner. `port` is the other end of the vCPU's.
 * `ended` is called with a reason when the thread ends though nobody called terminate().
 */
export function startTranslator(start: TranslatorStart, port: MessagePort, ended: (reason: string) => void): Worker {
  const worker = new Worker(entry, {
    name: NAME,
    workerData: { start, port },
    transferList: [port],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB },
  })
  worker.on('online', () => stepBack([NAME, V8_THREADS], Math.max(NICENESS, os.getPriority())))
  let reason = 'it stopped without saying why'
  worker.on('error', (error) => {
    reason = error instanceof Error ? error.message : String(error)
  })
  worker.on('exit', () => ended(reason))
  // the machine keeps the program alive, not this
  worker.unref()
  return worker
}

/** The vCPU's end. */
export class TranslatorPort implements RegionThread {
  /** To be moved to the thread. */
  readonly other: MessagePort
  private readonly port: MessagePort

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    this.other = port2
  }
  send(message: ToRegionThread): void {
    this.port.postMessage(message)
  }
  /** The thread's next answer, if there is one. */
  take(): FromRegionThread | undefined {
    return receiveMessageOnPort(this.port)?.message as FromRegionThread | undefined
  }
}
