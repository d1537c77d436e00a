import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { echoLibrary, eventually } from '../../../tests/fixtures/echo-library.ts'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import { defaultMachine } from '../../machine/config.ts'
import type { MachineLibrary } from './library.ts'

const scratch = scratchFolder('library')
const open: MachineLibrary[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((library) => library.close()))
})

async function fresh(...more: Parameters<typeof echoLibrary> extends [string, ...infer Rest] ? Rest : never) {
  const folder = path.join(scratch, Math.random().toString(36).slice(2))
  const made = echoLibrary(folder, ...more)
  open.push(made.library)
  await made.library.load()
  return { ...made, folder }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const said = (library: MachineLibrary, id: string) => new TextDecoder().decode(library.console(id).kept().bytes)

describe('the library', () => {
  it('keeps machines between programs, with names that differ', async () => {
    const { library, folder } = await fresh()
    const first = await library.add({ ...defaultMachine, name: 'Debian' })
    const copy = await library.duplicate(first.id)
    const third = await library.duplicate(copy.id)
    expect([first, copy, third].map(({ config }) => config.name)).toEqual(['Debian', 'Debian (2)', 'Debian (3)'])
    await library.change(copy.id, { ...copy.config, name: 'Fedora' })
    await library.remove(third.id)
    const again = echoLibrary(folder).library
    await again.load()
    expect(again.list().map(({ config }) => config.name)).toEqual(['Debian', 'Fedora'])
  })
  it('runs several machines at once, each with its own console', async () => {
    const { library, states } = await fresh()
    const [a, b] = [await library.add(defaultMachine), await library.add(defaultMachine)]
    await Promise.all([library.start(a.id), library.start(b.id)])
    await library.running(a.id).send(bytes('hello'))
    await library.running(b.id).send(bytes('world'))
    await eventually(() => said(library, a.id).includes('HELLO') && said(library, b.id).includes('WORLD'))
    expect(said(library, a.id)).not.toContain('WORLD')
    expect(library.get(a.id).status).toMatchObject({ state: 'running', accelerator: 'interp' })
    expect(states(a.id)).toEqual(['off', 'preparing', 'starting', 'running'])
    await expect(library.start(a.id)).rejects.toThrow('is running already')
    await expect(library.remove(a.id)).rejects.toThrow('end it first')
  })
  it('takes another folder for a share, when it is one', async () => {
    const { library, folder } = await fresh()
    const share = { path: folder, mountTag: 'tag', securityModel: 'none', readOnly: false } as const
    const { id } = await library.add({ ...defaultMachine, shares: [share] })
    await expect(library.changeFolder(id, 0, path.join(folder, 'none'))).rejects.toThrow('is no folder')
    await expect(library.changeFolder(id, 1, folder)).rejects.toThrow('no such share')
    expect(await library.changeFolder(id, 0, scratch)).toBe('next-start')
    expect(library.get(id).config.shares).toEqual([{ ...share, path: scratch }])
    expect(library.waitsForMount(id, 'tag')).toBe(false)
  })
  it('has virtio consoles beside the serial port, with sizes', async () => {
    const { library } = await fresh()
    const { id } = await library.add({ ...defaultMachine, consoles: 2 })
    expect(library.get(id).consoles).toEqual(['ttyS0', 'hvc0', 'hvc1'])
    await library.start(id)
    const run = library.running(id)
    await run.send(bytes('second'), 2)
    run.resizeConsole(1, { columns: 132, rows: 43 })
    const text = (console: number) => new TextDecoder().decode(library.console(id, console).kept().bytes)
    await eventually(() => text(2).includes('SECOND') && text(1).includes('132x43'))
    expect([text(0), text(1)].join()).not.toContain('SECOND')
    await library.change(id, { ...defaultMachine, consoles: 0 })
    expect(library.get(id).consoles).toEqual(['ttyS0', 'hvc0', 'hvc1'])
  })
  it('is asked to switch off or to restart, which is known until it does', async () => {
    const { library } = await fresh()
    const { id } = await library.add(defaultMachine)
    await library.start(id)
    const { since } = library.get(id).status
    library.running(id).restart()
    await eventually(() => said(library, id).includes('<restart>'))
    expect(library.get(id).status).toMatchObject({ state: 'running', since, asked: 'restart' })
    await library.running(id).send(bytes('!again\n'))
    await eventually(() => library.get(id).status.asked === undefined)
    library.running(id).pause()
    await eventually(() => library.get(id).status.state === 'paused')
    library.running(id).powerOff()
    await eventually(() => library.get(id).status.state === 'running')
    expect(library.get(id).status.asked).toBe('power-off')
    await library.running(id).send(bytes('!off\n'))
    await eventually(() => library.get(id).status.state === 'off')
    expect(library.get(id).status).not.toHaveProperty('asked')
  })
  it('pauses and goes on', async () => {
    const { library } = await fresh()
    const { id } = await library.add(defaultMachine)
    await library.start(id)
    library.running(id).pause()
    await eventually(() => library.get(id).status.state === 'paused')
    library.running(id).resume()
    await eventually(() => library.get(id).status.state === 'running')
  })
  it('tells how a machine ended, and starts it again', async () => {
    const { library, states } = await fresh()
    const { id } = await library.add(defaultMachine)
    for (const round of [1, 2]) {
      await library.start(id)
      await library.running(id).send(bytes('!off\n'))
      await eventually(() => library.get(id).status.state === 'off')
      expect(library.get(id).status.end).toEqual({ kind: 'exited', reason: 'power-off', code: 0 })
      expect(said(library, id).match(/ready/g)).toHaveLength(round)
    }
    expect(states(id).slice(-4)).toEqual(['preparing', 'starting', 'running', 'off'])
    await library.start(id)
    library.running(id).kill()
    await eventually(() => library.get(id).status.end?.kind === 'exited' && library.get(id).status.state === 'off')
    expect(() => library.running(id)).toThrow('not running; start it first')
  })
  it.each([
    ['!throw\n', 'thrown on purpose'],
    ['!die\n', 'without saying why'],
    ['!heap\n', 'ran out of host memory'],
    ['!bad\n', 'disk.img is locked'],
  ])('survives a machine that dies of %j, and says so', async (command, sentence) => {
    const { library } = await fresh()
    const [victim, other] = [await library.add(defaultMachine), await library.add(defaultMachine)]
    await Promise.all([library.start(victim.id), library.start(other.id)])
    await library.running(victim.id).send(bytes(command))
    const end = await eventually(() => library.get(victim.id).status.end)
    expect(end).toMatchObject({ kind: 'failed', sentence: expect.stringContaining(sentence) as string })
    expect(library.get(victim.id).status.state).toBe('failed')
    await library.running(other.id).send(bytes('alive'))
    await eventually(() => said(library, other.id).includes('ALIVE'))
    await library.start(victim.id)
    expect(library.get(victim.id).status.state).toBe('running')
  })
  it('fails a start that cannot be, with its sentence', async () => {
    const { library } = await fresh(() => Promise.reject(TroubleError.user('the kernel /x: does not exist')))
    const { id } = await library.add(defaultMachine)
    await expect(library.start(id)).rejects.toMatchObject({ trouble: { sentence: 'the kernel /x: does not exist' } })
    expect(library.get(id).status).toMatchObject({
      state: 'failed',
      end: { sentence: 'the kernel /x: does not exist' },
    })
  })
  it('can be told to stop while it prepares', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof defaultMachine>()
    const { library } = await fresh(() => promise)
    const { id } = await library.add(defaultMachine)
    const started = library.start(id)
    library.running(id).kill()
    resolve(defaultMachine)
    await expect(started).rejects.toThrow('ended before it ran')
    expect(library.get(id).status.state).toBe('off')
  })
  it('keeps the last lines of a console as a thumbnail', async () => {
    const { library, folder } = await fresh()
    const { id } = await library.add(defaultMachine)
    await library.start(id)
    await library.running(id).send(bytes('last words\n!off\n'))
    await eventually(() => library.get(id).status.state === 'off')
    await library.close()
    expect(library.get(id).thumbnail).toEqual(['ready', 'LAST WORDS', '!OFF'])
    const saved = JSON.parse(readFileSync(path.join(folder, 'machines', `${id}.json`), 'utf8')) as {
      thumbnail: string[]
    }
    expect(saved.thumbnail).toEqual(['ready', 'LAST WORDS', '!OFF'])
  })
  it('says when it cannot save, and goes on with what it had', async () => {
    const { library, folder, failed } = await fresh()
    const made = await library.add(defaultMachine)
    // A file where the folder was: nobody can write into it, root included.
    rmSync(path.join(folder, 'machines'), { recursive: true })
    writeFileSync(path.join(folder, 'machines'), '')
    await expect(library.add(defaultMachine)).rejects.toThrow('could not be saved')
    await expect(library.change(made.id, { ...made.config, name: 'Other' })).rejects.toThrow('could not be saved')
    expect(library.list().map(({ config }) => config.name)).toEqual([defaultMachine.name])
    await library.start(made.id)
    await eventually(() => failed.length > 0)
    expect(failed[0]).toContain('could not be saved')
    expect(library.get(made.id).status.state).toBe('running')
    rmSync(path.join(folder, 'machines'))
    mkdirSync(path.join(folder, 'machines'))
    chmodSync(path.join(folder, 'machines'), 0o700)
  })
})
