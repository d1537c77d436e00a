import { describe, expect, it } from 'vitest'
import { KernelTreeError, type BuildEvent, type BuildResult, type KernelTree } from '../contract/kernel-tree.ts'
import type { Build } from '../contract/services/kernel.ts'
import { eventually } from '../../tests/fixtures/echo-library.ts'
import { KernelJobs } from './kernel-jobs.ts'

const tree = { folder: '/src/linux', output: '/src/linux' } as KernelTree
const result: BuildResult = { outcome: 'built', seconds: 1, steps: 2, warnings: [], log: '' }

/** A workbench whose build is in the test's hands. */
function withBuild() {
  const sent: [string, unknown][] = []
  const ended: Build[] = []
  const control = Promise.withResolvers<BuildResult>()
  let tell: (event: BuildEvent) => void = () => undefined
  const jobs = new KernelJobs(
    {
      build: (_tree, _request, onEvent, signal) => {
        tell = onEvent
        signal?.addEventListener('abort', () => control.resolve({ ...result, outcome: 'cancelled' }))
        return control.promise
      },
      createDebianDisk: () => Promise.reject(new KernelTreeError('debootstrap is missing; install it')),
    },
    (_service, event, value) => void sent.push([event, value]),
    (build) => ended.push(build),
  )
  return { jobs, sent, ended, control, tell: (event: BuildEvent) => tell(event) }
}

describe('kernel jobs', () => {
  it('tell their events together, and keep what a window that comes later needs', async () => {
    const { jobs, sent, ended, control, tell } = withBuild()
    const job = jobs.build(tree, {})
    for (let n = 0; n < 600; n++) tell({ kind: 'line', text: `CC ${n}` })
    tell({ kind: 'progress', done: 3, total: 9, step: 'CC a.o' })
    tell({ kind: 'progress', done: 4, total: 9, step: 'CC b.o' })
    const [now] = jobs.builds()
    expect(now).toMatchObject({ job, progress: { done: 4 } })
    expect([now.lines.length, now.lines.at(-1)]).toEqual([500, 'CC 599'])
    control.resolve(result)
    await eventually(() => jobs.builds()[0].result)
    await jobs.close()
    const batches = sent.filter(([name]) => name === 'buildEvents') as [string, { events: BuildEvent[] }][]
    expect(batches.flatMap(([, { events }]) => events)).toHaveLength(602)
    expect(batches.length).toBeLessThan(5)
    expect(ended).toMatchObject([{ job, result: { outcome: 'built' } }])
    expect(sent.at(-1)).toMatchObject(['buildChanged', { job, result: { outcome: 'built' } }])
  })
  it('build a tree once at a time, and can be cancelled', async () => {
    const { jobs, control } = withBuild()
    const job = jobs.build(tree, {})
    expect(() => jobs.build(tree, {})).toThrow('is being built already')
    jobs.cancel(job)
    expect((await control.promise).outcome).toBe('cancelled')
    await eventually(() => jobs.builds()[0].result)
    jobs.cancel(job)
    jobs.cancel(99)
    expect(jobs.build(tree, {})).toBe(job + 1)
  })
  it('end with the sentence why they could not', async () => {
    const { jobs, sent } = withBuild()
    const job = jobs.createDisk({ file: '/x.img', bytes: 1 << 30 })
    await jobs.close()
    expect(sent).toEqual([['diskFinished', { job, file: '/x.img', sentence: 'debootstrap is missing; install it' }]])
  })
})
