/**
 * Entry of the translator's thread: makes regions of the code that the vCPU says is hot, while the vCPU goes on. It reads guest RAM by itself;
 * whether the code still stands there is the vCPU's to see.
 */
import process from 'node:process'
import { workerData, type MessagePort } from 'node:worker_threads'
import { ControlBlock, Event } from '../../base/control-block.ts'
import { regionMaker, type FromRegionThread, type Job, type ToRegionThread } from '../../machine/region-maker.ts'
import type { TranslatorStart } from './start.ts'

/** Regions of a module at most: a module costs the vCPU as much time as several regions do, but while it is made they are waited for. */
const MOST_TOGETHER = 16

const { start, port } = workerData as { start: TranslatorStart; port: MessagePort }
const control = new ControlBlock(start.control)
const maker = regionMaker(start.memory, start.map, start.cpu)
const waiting: Job[] = []

function work(): void {
  const jobs = waiting.splice(0, MOST_TOGETHER)
  const batch = maker.make(jobs)
  const { user, system } = process.threadCpuUsage()
  const answer: FromRegionThread = { ids: jobs.map(({ id }) => id), batch, milliseconds: (user + system) / 1000 }
  port.postMessage(answer)
  control.raise(Event.codeReady)
  if (waiting.length > 0) setImmediate(work)
}

port.on('message', ({ jobs, returned }: ToRegionThread) => {
  maker.give(returned)
  if (waiting.length === 0) setImmediate(work)
  waiting.push(...jobs)
})
