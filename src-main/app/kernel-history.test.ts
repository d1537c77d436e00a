import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from '../../tests/fixtures/scratch.ts'
import type { Build } from '../contract/services/kernel.ts'
import type { Machine, MachineStatus } from '../contract/services/machines.ts'
import { defaultMachine } from '../machine/config.ts'
import { KernelHistory } from './kernel-history.ts'

const scratch = scratchFolder('kernel-history')
const tree = '/home/ana/linux'
const build: Build = {
  job: 1,
  folder: tree,
  begun: 1000,
  lines: [],
  result: { outcome: 'built', seconds: 54, steps: 9, warnings: [], log: '' },
}

function machine(kernel: string | undefined, status: Omit<MachineStatus, 'since'>, since: number): Machine {
  const config = { ...defaultMachine, name: 'Tutorial', ...(kernel === undefined ? {} : { kernel }) }
  const rest = { consoles: [], embedded: false, created: 0, thumbnail: [] }
  return { id: 'tutorial', config, status: { ...status, since }, ...rest }
}

function open(name: string) {
  const file = path.join(scratch, name, 'kernel-history.json')
  const failed: string[] = []
  let changes = 0
  const history = new KernelHistory(file, { changed: () => changes++, failed: (sentence) => failed.push(sentence) })
  return { file, history, failed, changes: () => changes }
}

describe('the history of kernels', () => {
  it('has builds and boots of a tree, the newest first, also for the next session', async () => {
    const { file, history, failed, changes } = open('both')
    expect(await history.load()).toBeUndefined()
    history.built(build)
    const kernel = `${tree}/arch/x86/boot/bzImage`
    history.machineChanged(machine(kernel, { state: 'starting' }, 2000))
    history.machineChanged(machine(kernel, { state: 'running' }, 2500))
    const boot = { kind: 'boot', folder: tree, at: 2000, id: 'tutorial', machine: 'Tutorial' }
    expect(history.of(tree)[0]).toEqual(boot)
    // The description was edited meanwhile; the run has its kernel still.
    const end = { kind: 'failed', sentence: 'the machine stopped', details: 'at x' } as const
    history.machineChanged(machine(undefined, { state: 'failed', end }, 62_000))
    history.machineChanged(machine(undefined, { state: 'failed', end }, 62_000))
    history.built({ job: 2, folder: tree, begun: 70_000, lines: [], sentence: 'make is missing' })
    expect(changes()).toBe(4)
    await history.settled()
    const next = new KernelHistory(file, { changed: () => undefined, failed: () => undefined })
    expect(await next.load()).toBeUndefined()
    for (const seen of [history, next])
      expect(seen.of(tree)).toEqual([
        { kind: 'build', folder: tree, at: 70_000, outcome: 'failed', seconds: 0, why: 'make is missing' },
        { ...boot, seconds: 60, end: { kind: 'failed', sentence: 'the machine stopped' } },
        { kind: 'build', folder: tree, at: 1000, outcome: 'built', seconds: 54 },
      ])
    expect(failed).toEqual([])
  })
  it('knows the kernels of trees, and no others', () => {
    const { history } = open('others')
    const kernels = [undefined, '/boot/vmlinuz', '/o/vmlinux', '/p/arch/x86_64/boot/bzImage', '/q/bzImage']
    for (const [index, kernel] of kernels.entries()) {
      history.machineChanged(machine(kernel, { state: 'starting' }, index))
      history.machineChanged(machine(kernel, { state: 'off' }, index + 1))
    }
    expect(['/o', '/p', '/q', '/boot'].map((folder) => history.of(folder).length)).toEqual([1, 1, 0, 0])
  })
  it('keeps the newest, and loses no more than an entry that it cannot read', async () => {
    const { file, history } = open('many')
    for (let n = 0; n < 510; n++) history.built({ ...build, begun: n })
    await history.settled()
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { entries: unknown[] }
    expect(saved.entries).toHaveLength(500)
    writeFileSync(file, JSON.stringify({ ...saved, entries: [...saved.entries, { kind: 'new' }] }))
    expect(await history.load()).toBeUndefined()
    expect([history.of(tree).length, history.of(tree)[0].at]).toEqual([500, 509])
  })
  it('that cannot be read or saved is a sentence', async () => {
    const { file, history, failed } = open('damaged')
    mkdirSync(path.dirname(file))
    writeFileSync(file, '{')
    expect(await history.load()).toBe(
      `${file} is no history of kernels any more; a new one begins with the next build or boot`,
    )
    const under = new KernelHistory(path.join(file, 'below'), {
      changed: () => undefined,
      failed: (s) => failed.push(s),
    })
    under.built(build)
    await under.settled()
    expect(failed).toEqual([expect.stringMatching(/^the history of kernels could not be saved: /)])
  })
})
