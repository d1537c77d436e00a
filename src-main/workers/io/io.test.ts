import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ControlBlock, Event } from '../../base/control-block.ts'
import type { BlockRequest, BlockStatus } from '../../devices/backends.ts'
import type { DiskFile } from '../../host/disk/file.ts'
import { RawImage } from '../../host/disk/raw.ts'
import type { DiskConfig } from '../../machine/config.ts'
import { rawDisk } from '../../../tests/fixtures/raw-disk.ts'
import { Ram } from '../../memory/ram.ts'
import { IoChannel, MAX_IN_FLIGHT } from './channel.ts'
import { IoClient } from './client.ts'
import { IoServer, type NineHandler } from './server.ts'
import { IoLink } from '../io-link.ts'
import { startIo, type IoHandle } from './start.ts'

const MIB = 1 << 20
const layout = { base: 4096, lowSize: 2 * MIB, highSize: 0 }

/** A disk file in memory that writes down every host call when it ends, and ends it when the test says so. */
class TestFile implements DiskFile {
  readonly size = MIB
  readonly data = new Uint8Array(MIB)
  readonly trace: string[]
  failure: string | undefined
  gate: Promise<void> = Promise.resolve()

  constructor(trace: string[]) {
    this.trace = trace
  }

  read(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    return this.#call(`read ${position}`, () => {
      let at = position
      for (const buffer of buffers) buffer.set(this.data.subarray(at, (at += buffer.length)))
    })
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    return this.#call(`write ${position}`, () => {
      let at = position
      for (const buffer of buffers) {
        this.data.set(buffer, at)
        at += buffer.length
      }
    })
  }

  sync(): Promise<void> {
    return this.#call('fdatasync', () => undefined)
  }

  punch(): Promise<boolean> {
    return Promise.resolve(false)
  }

  async close(): Promise<void> {}

  async #call(name: string, action: () => void): Promise<void> {
    const code = this.failure
    await this.gate
    if (code !== undefined) {
      this.trace.push(`${name} ${code}`)
      throw Object.assign(new Error(code), { code })
    }
    action()
    this.trace.push(name)
  }
}

/** Both ends in one thread. */
function pair(shares: NineHandler[] = []) {
  const trace: string[] = []
  const buffer = new SharedArrayBuffer(layout.base + layout.lowSize)
  const channel = IoChannel.allocate()
  const written: [number, number][] = []
  const ram = new Ram(buffer, layout, (gpa, length) => {
    written.push([gpa, length])
    trace.push('code dropped')
  })
  const file = new TestFile(trace)
  let raised = 0
  const failed: BlockStatus[] = []
  const server = new IoServer(
    {
      channel: new IoChannel(channel.buffer),
      memory: new Ram(buffer, layout),
      disks: [new RawImage(file, false)],
      shares,
    },
    () => {
      raised++
      return false
    },
    (_disk, status) => failed.push(status),
  )
  server.start()
  const client = new IoClient(channel, ram)
  const disk = client.disk(0, { sectors: MIB / 512, readOnly: false, serial: 'T' })
  const send = (request: Omit<BlockRequest, 'done'>): Promise<BlockStatus> =>
    new Promise((resolve) => {
      const done = (status: BlockStatus) => {
        trace.push(`done ${status}`)
        resolve(status)
      }
      disk.submit({ ...request, done })
    })
  const settle = async () => {
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      client.poll()
    }
  }
  return { trace, ram, written, file, server, client, disk, send, settle, raised: () => raised, failed, channel }
}

describe('client and server', () => {
  it('read into guest memory, and code made from it is dropped before the device hears of it', async () => {
    const t = pair()
    t.file.data.fill(7, 512, 1536)
    const status = t.send({
      op: 'read',
      sector: 1,
      length: 1024,
      segments: [
        { gpa: 0x1000, length: 1000 },
        { gpa: 0x9000, length: 24 },
      ],
    })
    await t.settle()
    expect(await status).toBe('ok')
    expect(t.ram.read(0x1000, 1000)?.every((byte) => byte === 7)).toBe(true)
    expect(t.ram.read(0x9000, 25)).toEqual(Uint8Array.from({ length: 25 }, (_, i) => (i < 24 ? 7 : 0)))
    expect(t.written).toEqual([
      [0x1000, 1000],
      [0x9000, 24],
    ])
    expect(t.trace).toEqual(['read 512', 'code dropped', 'code dropped', 'done ok'])
    expect(t.raised()).toBe(1)
  })

  it('complete a flush only after fdatasync has succeeded', async () => {
    const t = pair()
    let open: () => void = () => undefined
    void t.send({ op: 'write', sector: 0, length: 512, buffer: new Uint8Array(512).fill(3) })
    await t.settle()
    t.file.gate = new Promise((resolve) => (open = resolve))
    void t.send({ op: 'flush', sector: 0, length: 0 })
    await t.settle()
    expect(t.trace).toEqual(['write 0', 'done ok'])
    open()
    await t.settle()
    expect(t.trace).toEqual(['write 0', 'done ok', 'fdatasync', 'done ok'])
    expect(t.file.data[511]).toBe(3)
  })

  it('report failures of the host', async () => {
    const t = pair()
    t.file.failure = 'EIO'
    void t.send({ op: 'flush', sector: 0, length: 0 })
    await t.settle()
    t.file.failure = 'ENOSPC'
    void t.send({ op: 'write', sector: 8, length: 512, buffer: new Uint8Array(512) })
    await t.settle()
    expect(t.trace).toEqual(['fdatasync EIO', 'done io-error', 'write 4096 ENOSPC', 'done no-space'])
    expect(t.failed).toEqual(['io-error', 'no-space'])
  })

  it('refuse sectors that do not exist and memory that is not there', async () => {
    const t = pair()
    const statuses = [
      t.send({ op: 'read', sector: MIB / 512, length: 512, buffer: new Uint8Array(512) }),
      t.send({ op: 'read', sector: 0, length: 512, segments: [{ gpa: 2 * MIB - 100, length: 512 }] }),
      t.send({ op: 'read', sector: 0, length: 512, segments: [{ gpa: 0, length: 511 }] }),
    ]
    await t.settle()
    expect(await Promise.all(statuses)).toEqual(['out-of-range', 'io-error', 'io-error'])
    // The guest's own faults, not the disk's.
    expect(t.failed).toEqual([])
  })

  it('hold up nobody behind a slow request, and lose none of many', async () => {
    const t = pair()
    const count = MAX_IN_FLIGHT * 3
    let finished = 0
    let open: () => void = () => undefined
    t.file.gate = new Promise((resolve) => (open = resolve))
    void t.send({ op: 'flush', sector: 0, length: 0 })
    await t.settle()
    t.file.gate = Promise.resolve()
    const buffers = Array.from({ length: count }, (_, i) => new Uint8Array(512).fill(i))
    buffers.forEach((buffer, i) => {
      void t.send({ op: 'write', sector: i, length: 512, buffer }).then(() => finished++)
    })
    expect(t.client.busy).toBe(count + 1)
    for (let i = 0; i < 50; i++) await t.settle()
    expect(finished).toBe(count)
    expect(t.client.busy).toBe(1)
    expect([0, 300, count - 1].map((i) => t.file.data[i * 512])).toEqual([0, 300 & 0xff, (count - 1) & 0xff])
    open()
    await t.settle()
    expect(t.client.busy).toBe(0)
  })

  it('see whether the worker has taken what was asked', () => {
    const channel = IoChannel.allocate()
    const worker = new IoChannel(channel.buffer)
    expect(channel.takenWithin(0)).toBe(true)
    channel.requests.push([1, 2])
    expect(channel.takenWithin(1)).toBe(false)
    worker.requests.pop()
    expect(channel.takenWithin(0)).toBe(true)
  })

  it('carry long scatter lists', async () => {
    const t = pair()
    const segments = Array.from({ length: 1024 }, (_, i) => ({ gpa: i * 1024, length: 512 }))
    t.file.data.forEach((_, i) => (t.file.data[i] = i >> 9))
    const statuses = Array.from({ length: 40 }, () => t.send({ op: 'read', sector: 0, length: 512 * 1024, segments }))
    for (let i = 0; i < 10; i++) await t.settle()
    expect(new Set(await Promise.all(statuses))).toEqual(new Set(['ok']))
    expect(t.ram.readU8(1000 * 1024)).toBe(1000 & 0xff)
  })
})

describe('9p', () => {
  it('gets the two halves of the chain and answers with a length', async () => {
    const t = pair([
      {
        handleSegments: (request, reply) => {
          reply[0].set(request[0].subarray(0, 2))
          return Promise.resolve(request.length * 100 + reply.length)
        },
        reset: () => undefined,
      },
    ])
    t.ram.write(0x100, Uint8Array.of(5, 6))
    let answer = -1
    t.client.share(0, 'tag').submit({
      request: [
        { gpa: 0x100, length: 7 },
        { gpa: 0x3000, length: 9 },
      ],
      reply: [{ gpa: 0x5000, length: 64 }],
      done: (written) => (answer = written),
    })
    await t.settle()
    expect(answer).toBe(201)
    expect(t.ram.read(0x5000, 2)).toEqual(Uint8Array.of(5, 6))
  })

  it('forgets what was asked before a reset, and nothing of the disk with the same number', async () => {
    const order: string[] = []
    let answer: (written: number) => void = () => undefined
    const t = pair([
      {
        handleSegments: () => new Promise((resolve) => (answer = resolve)),
        reset: () => order.push('server reset'),
      },
    ])
    const share = t.client.share(0, 'tag')
    const submit = (name: string) =>
      share.submit({ request: [{ gpa: 0, length: 7 }], reply: [], done: () => order.push(name) })
    submit('before')
    const flushed = t.send({ op: 'flush', sector: 0, length: 0 })
    // Both ends live in one thread here, so the wait for the worker's answer is taken out.
    t.channel.waitForResets = () => true
    share.reset()
    await t.settle()
    expect(await flushed).toBe('ok')
    answer(0)
    await t.settle()
    submit('after')
    await t.settle()
    answer(0)
    await t.settle()
    expect(order).toEqual(['server reset', 'after'])
    expect(t.client.busy).toBe(0)
  })
})

describe('io worker', () => {
  let folder: string | undefined
  let handle: IoHandle | undefined
  afterEach(async () => {
    await handle?.close()
    handle = undefined
    if (folder !== undefined) fs.rmSync(folder, { recursive: true })
  })

  async function startWorker(options: Partial<DiskConfig> = {}) {
    folder = fs.mkdtempSync(join(tmpdir(), 'longmode-io-'))
    const file = join(folder, 'disk.img')
    fs.writeFileSync(
      file,
      Uint8Array.from({ length: MIB }, (_, i) => i >> 9),
    )
    const memory = new SharedArrayBuffer(layout.base + layout.lowSize)
    const channel = IoChannel.allocate()
    const control = ControlBlock.allocate()
    const disk = { ...rawDisk(file), ...options }
    const owner = new IoLink({ note: () => undefined, failed: () => undefined })
    const begin = { memory, ram: layout, channel: channel.buffer, control, controlOffset: 0, disks: [disk], shares: [] }
    const start = { ...begin, events: owner.takeWorkersPort() }
    handle = await startIo(start)
    const ram = new Ram(memory, layout)
    const client = new IoClient(channel, ram)
    return { file, start, ram, client, control: new ControlBlock(control), disk: client.disk(0, handle.disks[0]) }
  }

  it('serves a vCPU thread that never sees its event loop', async () => {
    const t = await startWorker()
    expect(handle?.disks).toEqual([{ sectors: 2048, readOnly: false, serial: 'LM00001' }])
    const wait = (request: Omit<BlockRequest, 'done'>): BlockStatus | undefined => {
      let status: BlockStatus | undefined
      t.disk.submit({ ...request, done: (result) => (status = result) })
      for (const end = performance.now() + 5000; status === undefined && performance.now() < end;) {
        t.control.sleep(100)
        if (t.control.take() & Event.ioDone) t.client.poll()
      }
      return status
    }
    expect(wait({ op: 'read', sector: 9, length: 512, segments: [{ gpa: 0x2000, length: 512 }] })).toBe('ok')
    expect(t.ram.readU32(0x2000)).toBe(0x09090909)
    expect(wait({ op: 'write', sector: 3, length: 512, segments: [{ gpa: 0x2000, length: 512 }] })).toBe('ok')
    expect(wait({ op: 'flush', sector: 0, length: 0 })).toBe('ok')
    expect(fs.readFileSync(t.file)[3 * 512]).toBe(9)
    const times: number[] = []
    for (let i = 0; i < 300; i++) {
      const before = performance.now()
      wait({ op: 'read', sector: i, length: 4096, segments: [{ gpa: 0x2000, length: 4096 }] })
      times.push(performance.now() - before)
    }
    times.sort((a, b) => a - b)
    expect(times[150]).toBeLessThan(5)
    if (process.env.LONGMODE_MEASURE) console.log(`4 KiB read: median ${(times[150] * 1000).toFixed(0)} microseconds`)
  })

  it('drains without the event loop', async () => {
    const t = await startWorker()
    let done = 0
    for (let i = 0; i < 500; i++) {
      t.disk.submit({ op: 'read', sector: i, length: 512, buffer: new Uint8Array(512), done: () => done++ })
    }
    expect(t.client.drain()).toBe(true)
    expect(done).toBe(500)
  })

  it('can be closed after it died', async () => {
    const t = await startWorker()
    const events = new MessageChannel().port2
    const lone = await startIo({ ...t.start, disks: [], channel: IoChannel.allocate().buffer, events })
    await lone.worker.terminate()
    await lone.close()
    expect(lone.worker.threadId).toBe(-1)
  })

  it('says what cannot be used', async () => {
    const t = await startWorker()
    const again = () => ({ ...t.start, events: new MessageChannel().port2 })
    await expect(startIo(again())).rejects.toThrow(/disk\.img is in use by another/)
    const missing = { ...again(), disks: [{ ...t.start.disks[0], file: '/none.img' }] }
    await expect(startIo(missing)).rejects.toThrow('Disk image /none.img does not exist.')
  })
})
