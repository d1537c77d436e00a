/** The vCPU's thread. It can be started before its machine is known: it reads its modules while the command line is read, a third of what there is to wait for. */
import { Worker } from 'node:worker_threads'
import { unpacked } from '../base/unpacked.ts'
import { YOUNG_MIB } from './young-generation.ts'

/** JavaScript heap of a vCPU worker, in MiB: guest memory is not in it. A worker that wants more ends alone, not with the program. */
const HEAP_MIB = 1024

export const VCPU_MODULE = new URL(unpacked(new URL('./vcpu.ts', import.meta.url).href))

const start = (module: URL, name: string) =>
  new Worker(module, {
    name,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB },
  })

let early: Worker | undefined

/** For the next machine. It does not keep the program from ending. */
export function startVcpuEarly(): void {
  const worker = start(VCPU_MODULE, 'vcpu')
  worker.unref()
  // One that fails is forgotten, and told by the one that takes its place.
  worker.once('error', forget).once('exit', forget)
  early = worker
}
const forget = (): void => {
  early = undefined
}

/** A thread that runs nothing but `module`, and waits for its first message. */
export function vcpuThread(module: URL, machine: string): Worker {
  const worker = module === VCPU_MODULE ? early : undefined
  if (worker === undefined) return start(module, `vcpu ${machine}`)
  worker.off('error', forget).off('exit', forget)
  forget()
  worker.ref()
  return worker
}
