import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { stepBack } from './thread-priority.ts'

it('makes threads of a name nice, and no others', async () => {
  const start = (name: string) => new Worker('setInterval(() => undefined, 1000)', { eval: true, name })
  const workers = ['steps-back', 'stays'].map(start)
  await Promise.all(workers.map((worker) => once(worker, 'online')))
  const niceness = (name: string) =>
    readdirSync('/proc/self/task')
      .filter((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trimEnd() === name)
      .map((thread) => os.getPriority(Number(thread)))
  const [before] = niceness('stays')
  const wanted = Math.min(before + 3, 19)
  expect(stepBack(['steps-back'], wanted)).toBe(1)
  expect(niceness('steps-back')).toEqual([wanted])
  expect(niceness('stays')).toEqual([before])
  await Promise.all(workers.map((worker) => worker.terminate()))
})
