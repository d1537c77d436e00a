import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ControlBlock } from '../../base/control-block.ts'
import type { ShareConfig } from '../../machine/config.ts'
import { Ram } from '../../memory/ram.ts'
import { IoLink } from '../io-link.ts'
import { IoChannel } from './channel.ts'
import { IoClient } from './client.ts'
import { Notes } from './notes.ts'
import { Share } from './shares.ts'
import { startIo, type IoHandle } from './start.ts'

const layout = { base: 4096, lowSize: 1 << 20, highSize: 0 }
/** Tversion tag 65535 msize 8192 "9P2000.L". */
const VERSION = [0x15, 0, 0, 0, 100, 0xff, 0xff, 0, 0x20, 0, 0, 8, 0, ...Buffer.from('9P2000.L')]
/** Tattach tag 1 fid 1 afid ~0 uname "" aname "" uid 0. */
const ATTACH = [23, 0, 0, 0, 104, 1, 0, 1, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]
/** Tmkdir tag 1 fid 1 "sub" mode 0755 gid 0. */
const MKDIR = [24, 0, 0, 0, 72, 1, 0, 1, 0, 0, 0, 3, 0, ...Buffer.from('sub'), 0xed, 1, 0, 0, 0, 0, 0, 0]
/** Tauth, which we do not speak; its body does not matter. */
const AUTH = [7, 0, 0, 0, 102, 1, 0]

describe('shares in the io worker', () => {
  let base: string
  let handle: IoHandle | undefined
  let link: IoLink
  let client: IoClient
  let ram: Ram
  let notes: string[]
  let failures: string[]

  beforeEach(async () => {
    base = fs.mkdtempSync(join(tmpdir(), 'longmode-shares-'))
    fs.mkdirSync(join(base, 'one'))
    notes = []
    failures = []
    link = new IoLink({ note: (text) => notes.push(text), failed: (sentence) => failures.push(sentence) })
    const memory = new SharedArrayBuffer(layout.base + layout.lowSize)
    const channel = IoChannel.allocate()
    const share: ShareConfig = { path: join(base, 'one'), mountTag: 't', securityModel: 'none', readOnly: false }
    const control = { control: ControlBlock.allocate(), controlOffset: 0 }
    const start = { memory, ram: layout, channel: channel.buffer, disks: [], shares: [share], ...control }
    handle = await startIo({ ...start, events: link.takeWorkersPort() })
    ram = new Ram(memory, layout)
    client = new IoClient(channel, ram)
  })
  afterEach(async () => {
    await handle?.close()
    link.close()
    fs.rmSync(base, { recursive: true, force: true })
  })

  /** One message; the type of the reply. */
  async function send(message: readonly number[], target = 0): Promise<number> {
    let written: number | undefined
    ram.write(0x2000, Uint8Array.from(message))
    client.share(target, 't').submit({
      request: [{ gpa: 0x2000, length: message.length }],
      reply: [{ gpa: 0x4000, length: 4096 }],
      done: (length) => (written = length),
    })
    await vi.waitFor(() => {
      client.poll()
      expect(written).toBeDefined()
    }, 5000)
    return ram.read(0x4000, 5)?.[4] ?? 0
  }

  it('answer out of shared memory, and tell what they do not speak', async () => {
    expect(await send(VERSION)).toBe(101)
    expect(await send(AUTH)).toBe(7)
    await vi.waitFor(() => expect(notes.join()).toContain('Tauth is not supported'), 5000)
    expect(notes.join()).toContain(join(base, 'one'))
  })

  it('list what changes and by whom while somebody watches', async () => {
    await send(VERSION)
    await send(ATTACH)
    const lines: string[] = []
    const stop = link.watch({
      activities: (share, activities) => {
        for (const { by, kind, path } of activities) lines.push(`${share} ${by} ${kind} ${path}`)
      },
    })
    let file = 0
    await vi.waitFor(() => {
      // Until the folder has been read once nothing is listed.
      fs.writeFileSync(join(base, 'one', `f${file++}`), 'x')
      expect(lines.join()).toContain('0 host create f')
    }, 5000)
    expect(await send(MKDIR)).toBe(73)
    await vi.waitFor(() => expect(lines).toContain('0 guest create sub'), 5000)
    stop()
  })

  it('tell when the folder is gone, whoever watches', async () => {
    fs.renameSync(join(base, 'one'), join(base, 'two'))
    await vi.waitFor(() => expect(notes.join()).toContain('was moved or removed'), 5000)
    const states: string[] = []
    link.watch({ folder: (_share, state) => states.push(state) })()
    expect(states).toEqual(['gone'])
  })

  it('can be exchanged: the next mount gets the other folder, the present one keeps its own', async () => {
    fs.mkdirSync(join(base, 'two'))
    await send(VERSION)
    await send(ATTACH)
    expect(await link.exchange(0, { path: join(base, 'none'), readOnly: false })).toContain('cannot share the folder')
    expect(await link.exchange(7, { path: base, readOnly: false })).toContain('no shared folder number 7')
    expect(await link.exchange(0, { path: join(base, 'two'), readOnly: false })).toBeUndefined()
    expect(await send(MKDIR)).toBe(73)
    expect(fs.readdirSync(join(base, 'one'))).toEqual(['sub'])
    expect(await send(VERSION)).toBe(101)
    await send(ATTACH)
    expect(await send(MKDIR)).toBe(73)
    expect(fs.readdirSync(join(base, 'two'))).toEqual(['sub'])
    await vi.waitFor(() => expect(notes.join()).toContain(`${join(base, 'two')}: is what the guest has mounted now`))
    link.close()
    expect(await link.exchange(0, { path: base, readOnly: false })).toBe('the machine has ended')
  })

  it('refuse mapped-xattr where the file system keeps no extended attributes', () => {
    const config = (path: string): ShareConfig => ({
      path,
      mountTag: 't',
      securityModel: 'mapped-xattr',
      readOnly: true,
    })
    const ignore = (): void => undefined
    expect(() => new Share(config('/proc'), 0, ignore)).toThrow(
      'cannot share the folder /proc: mapped-xattr needs extended attributes',
    )
    new Share(config(base), 0, ignore).close()
  })

  it('end the machine when the worker fails', async () => {
    void send(VERSION, 9).catch(() => undefined)
    await vi.waitFor(() => expect(failures.join()).toContain('stopped by a fault of Longmode'), 5000)
    handle = undefined
  })

  it('end the machine when the worker is gone without a word', async () => {
    await handle?.worker.terminate()
    await vi.waitFor(() => expect(failures.join()).toContain('without saying why'), 20_000)
    handle = undefined
  })

  it('are closed without such a report', async () => {
    await handle?.close()
    handle = undefined
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(failures).toEqual([])
  })
})

describe('notes', () => {
  it('come once each, and not too many', () => {
    const sent: string[] = []
    const notes = new Notes((text) => sent.push(text))
    for (let i = 0; i < 100; i++) notes.warn('x', `text ${i >> 1}`)
    expect(sent.slice(0, 3)).toEqual(['text 0', 'text 1', 'text 2'])
    expect(sent).toHaveLength(21)
    expect(sent.at(-1)).toContain('not shown')
  })
})
