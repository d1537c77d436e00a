import { describe, expect, it } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { Ram } from '../../memory/ram.ts'
import type { NineBackend, NineRequest } from '../backends.ts'
import { describeDeviceContract } from '../contract.ts'
import { PciBus } from '../pci/bus.ts'
import { TestBus } from '../pci/test-bus.ts'
import { TestBlock } from '../test-block.ts'
import { VirtioBlock } from './block.ts'
import type { VirtioDevice } from './device.ts'
import { VirtioNinep } from './ninep/device.ts'
import { VirtioPci } from './pci.ts'
import { VirtioRng } from './rng.ts'
import { TestDriver } from './test-driver.ts'

const MIB = 1 << 20
const EVENT_INDEX = 29
const INDIRECT = 28
const FLUSH = 9

class TestNine implements NineBackend {
  readonly mountTag = 'shared_folder'
  readonly waiting: NineRequest[] = []
  resets = 0
  submit(request: NineRequest): void {
    this.waiting.push(request)
  }
  reset(): void {
    this.resets++
  }
}

function makeRam(): Ram {
  return new Ram(new SharedArrayBuffer(8 * MIB), { base: 0, lowSize: 8 * MIB, highSize: 0 })
}

function build(make: (ram: Ram) => VirtioDevice) {
  const ram = makeRam()
  const bus = new TestBus()
  const sent: number[] = []
  const warnings: string[] = []
  const intx = { level: false }
  const log = { warn: (_room: string, text: string) => void warnings.push(text), info: () => undefined }
  const pci = new PciBus({
    ports: bus.ports,
    mmio: bus.mmio,
    pirq: (_pirq, level) => void (intx.level = level),
    power: { reset: () => undefined },
  })
  const device = make(ram)
  const makeFunction = () =>
    new VirtioPci(device, { memory: ram, msi: { send: (_to, data) => void sent.push(data) }, log })
  const fn = makeFunction()
  pci.add(2, 0, fn)
  return { ram, bus, sent, warnings, intx, fn, driver: new TestDriver(bus, ram), makeFunction }
}

function buildBlock(readOnly = false) {
  let disk!: TestBlock
  const t = build((ram) => new VirtioBlock('virtio-blk', (disk = new TestBlock(ram, 4096, readOnly))))
  return { ...t, disk }
}

function buildNine() {
  const nine = new TestNine()
  return { ...build(() => new VirtioNinep('virtio-9p', nine)), nine }
}

function header(type: number, sector: number): Uint8Array {
  const data = new Uint8Array(16)
  new DataView(data.buffer).setUint32(0, type, true)
  new DataView(data.buffer).setUint32(8, sector, true)
  return data
}

describe('virtio over PCI', () => {
  it('shows transitional identities and all capabilities', () => {
    const t = buildNine()
    expect(t.bus.readConfig(16, 0)).toBe(0x10091af4)
    expect(t.bus.readConfig(16, 0x2c)).toBe(0x00091af4)
    for (const type of [1, 2, 3, 4, 5]) expect(t.driver.findCapability(9, type)).toBeGreaterThan(0x3f)
    expect(t.bus.readConfig(16, t.driver.findCapability(0x11)) >>> 16).toBe(1)
    expect(buildBlock().bus.readConfig(16, 0)).toBe(0x10011af4)
    expect(build(() => new VirtioRng({ fill: () => undefined })).bus.readConfig(16, 0)).toBe(0x10051af4)
  })

  it('refuses features that were not offered, and a driver without VERSION_1', () => {
    const t = buildNine()
    expect(t.driver.start([30])).toBe(false)
    expect(t.driver.start([0, EVENT_INDEX, INDIRECT])).toBe(true)
    t.driver.setCommon(0x14, 0, 1)
    expect(t.driver.status).toBe(0)
    t.driver.setCommon(0x08, 0, 4)
    t.driver.setCommon(0x0c, 1, 4)
    t.driver.setCommon(0x14, 11, 1)
    expect(t.driver.status & 8).toBe(0)
  })

  it('reaches the device also through configuration space', () => {
    const t = buildNine()
    const window = t.driver.findCapability(9, 5)
    t.bus.writeConfig(16, window + 4, 4, 1)
    t.bus.writeConfig(16, window + 8, 0x2000)
    t.bus.writeConfig(16, window + 12, 2)
    expect(t.bus.readConfig(16, window + 16, 2)).toBe(13)
    t.bus.writeConfig(16, window + 8, 0x14)
    t.bus.writeConfig(16, window + 12, 1)
    t.bus.writeConfig(16, window + 16, 1, 1)
    expect(t.driver.status).toBe(1)
    t.bus.writeConfig(16, window + 8, 0x4000)
    expect(t.bus.readConfig(16, window + 16, 1)).toBe(0)
  })

  it('interrupts by INTx until the ISR is read, or by MSI-X', () => {
    const t = buildNine()
    t.driver.start([0])
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    t.driver.notify()
    t.nine.waiting[0].done(9)
    expect(t.intx.level).toBe(true)
    expect(t.driver.readIsr()).toBe(1)
    expect(t.intx.level).toBe(false)
    t.driver.enableMsix()
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    t.driver.notify()
    t.nine.waiting[1].done(9)
    expect(t.sent).toEqual([0x41])
    expect(t.intx.level).toBe(false)
  })

  it('interrupts only when the driver wants it: by flag and by event index', () => {
    const t = buildNine()
    const round = () => {
      t.driver.add({ out: [new Uint8Array(7)], in: [64] })
      t.driver.notify()
      t.nine.waiting.shift()?.done(9)
      return t.driver.readIsr()
    }
    t.driver.start([0])
    t.ram.writeU16(t.driver.rings.available, 1)
    expect([round(), round()]).toEqual([0, 0])
    t.ram.writeU16(t.driver.rings.available, 0)
    expect(round()).toBe(1)
    t.driver.start([0, EVENT_INDEX])
    t.ram.writeU16(t.driver.rings.available + 4 + 2 * t.driver.size, 2)
    expect([round(), round(), round(), round()]).toEqual([0, 0, 1, 0])
    expect(t.ram.readU16(t.driver.rings.used + 4 + 8 * t.driver.size)).toBe(4)
  })

  it('serves a legacy driver through the I/O BAR', () => {
    const t = buildBlock()
    t.driver.startLegacy(1 << FLUSH)
    expect(t.bus.input(0xc014, 4)).toBe(4096)
    const { at } = t.driver.add({ out: [header(0, 3)], in: [512, 1] })
    t.driver.notify()
    t.disk.run()
    expect(t.ram.read(at[0], 512)).toEqual(t.disk.data.subarray(1536, 2048))
    expect(t.driver.takeUsed()).toEqual([{ head: 0, written: 513 }])
    expect(t.intx.level).toBe(true)
    expect(t.driver.readIsr()).toBe(1)
  })

  it('keeps its state in a snapshot', () => {
    const t = buildNine()
    t.driver.enableMsix()
    t.driver.start([0, EVENT_INDEX])
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    t.driver.notify()
    t.nine.waiting.shift()?.done(9)
    const saved = t.fn.save()
    const copy = t.makeFunction()
    copy.restore(saved)
    expect(copy.save()).toEqual(saved)
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    copy.bars[4]?.handler.writeBar(0x3000, 2, 0)
    t.nine.waiting.shift()?.done(9)
    expect(t.driver.takeUsed().length).toBe(2)
  })
})

describe('virtqueue', () => {
  it('takes indirect tables, and chains of 200 descriptors in them', () => {
    const t = buildNine()
    t.driver.start([0, INDIRECT])
    t.driver.indirect = true
    t.driver.add({
      out: Array.from({ length: 100 }, () => new Uint8Array(8)),
      in: Array.from({ length: 100 }, () => 8),
    })
    t.driver.notify()
    expect(t.nine.waiting[0].request.length).toBe(100)
    expect(t.nine.waiting[0].reply.length).toBe(100)
  })

  it('wraps around, finishing out of order', () => {
    const t = buildNine()
    t.driver.start([0], 4)
    for (let round = 0; round < 70_000; round += 2) {
      const heads = [0, 1].map(() => t.driver.add({ out: [[0x1000, 7]], in: [] }).head)
      t.driver.notify()
      t.nine.waiting.pop()?.done(0)
      t.nine.waiting.pop()?.done(0)
      expect(t.driver.takeUsed().map(({ head }) => head)).toEqual([heads[1], heads[0]])
    }
    expect(t.driver.status & 64).toBe(0)
  })

  type Act = (driver: TestDriver, ram: Ram) => void
  const one = (gpa: number, length: number, flags: number, next: number): Act => {
    return (driver) => {
      driver.setDescriptor(driver.rings.descriptors, gpa, length, flags, next)
      driver.setDescriptor(driver.rings.descriptors + 16, 0x2000, 16, 0, 0)
      driver.offer(0)
    }
  }
  const hostile: [string, Act, RegExp][] = [
    ['a loop', one(0x1000, 16, 1, 0), /more than 1024/],
    ['a head outside', (driver) => driver.offer(99), /descriptor 99 of 16/],
    ['a next outside', one(0x1000, 16, 1, 16), /descriptor 16/],
    ['a buffer outside', one(8 * MIB - 8, 16, 0, 0), /not in memory/],
    ['a huge address', one(2 ** 60, 16, 0, 0), /not in memory/],
    ['an empty buffer', one(0x1000, 0, 0, 0), /0 bytes/],
    ['indirect not negotiated', one(0x1000, 16, 4, 0), /not allowed/],
    ['too many chains', (driver, ram) => void ram.writeU16(driver.rings.available + 2, 17), /17 chains/],
    ['readable after writable', one(0x1000, 16, 3, 1), /readable buffer after/],
  ]
  it.each(hostile)('stops the device, and only it, for %s', (_name, act, message) => {
    const t = buildNine()
    t.driver.start([0])
    act(t.driver, t.ram)
    t.driver.notify()
    expect(t.driver.status & 64).toBe(64)
    expect(t.warnings[0]).toMatch(message)
    expect(t.driver.readIsr()).toBe(2)
    t.driver.notify()
    expect(t.nine.waiting).toEqual([])
    expect(t.driver.start([0])).toBe(true)
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    t.driver.notify()
    expect(t.nine.waiting.length).toBe(1)
  })

  it.each([
    ['an odd table', 17, 0],
    ['an empty table', 0, 0],
    ['a table with a next', 16, 1],
    ['a table in a table', 16, 0],
  ])('refuses %s', (name, length, flags) => {
    const t = buildNine()
    t.driver.start([0, INDIRECT])
    t.driver.setDescriptor(0x3000, 0x1000, 16, name === 'a table in a table' ? 4 : 0, 0)
    t.driver.setDescriptor(t.driver.rings.descriptors, 0x3000, length, 4 | flags, 0)
    t.driver.offer(0)
    t.driver.notify()
    expect(t.driver.status & 64).toBe(64)
  })

  it('takes no more chains than the queue holds, however often the driver offers them', () => {
    const t = buildNine()
    t.driver.start([0], 8)
    t.driver.setDescriptor(t.driver.rings.descriptors, 0x1000, 16, 0, 0)
    for (let i = 0; i < 8; i++) t.driver.offer(0)
    t.driver.notify()
    for (let i = 0; i < 8; i++) t.driver.offer(0)
    t.driver.notify()
    expect(t.nine.waiting.length).toBe(8)
    t.nine.waiting.shift()?.done(0)
    expect(t.nine.waiting.length).toBe(8)
  })

  it('survives rings full of noise', () => {
    let seed = 5
    const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0)
    for (let round = 0; round < 200; round++) {
      const t = buildNine()
      t.driver.start([0, INDIRECT, EVENT_INDEX])
      for (let i = 0; i < 16 * 16; i += 4)
        t.ram.writeU32(t.driver.rings.descriptors + i, random() & (random() | 0x1fff))
      for (let i = 0; i < 16; i++) t.driver.offer(random() % 20)
      t.driver.notify()
      for (const request of t.nine.waiting) request.done(random())
    }
  })
})

describe('virtio-9p', () => {
  it('shows the mount tag', () => {
    const t = buildNine()
    expect(t.driver.config(0, 2)).toBe(13)
    const tag = Array.from({ length: 13 }, (_, i) => String.fromCharCode(t.driver.config(2 + i, 1))).join('')
    expect(tag).toBe('shared_folder')
  })

  it('hands both halves of a chain to the server and the answer back', () => {
    const t = buildNine()
    t.driver.start([0])
    const { head, at } = t.driver.add({ out: [Uint8Array.of(1, 2), Uint8Array.of(3)], in: [16, 4096] })
    t.driver.notify()
    const [request] = t.nine.waiting
    expect(request.request.map(({ length }) => length)).toEqual([2, 1])
    // What lies one behind the other is one piece.
    expect(request.reply).toEqual([{ gpa: at[0], length: 16 + 4096 }])
    request.done(20)
    expect(t.driver.takeUsed()).toEqual([{ head, written: 20 }])
  })

  it('forgets what was asked before a reset', () => {
    const t = buildNine()
    t.driver.start([0])
    t.driver.add({ out: [new Uint8Array(7)], in: [64] })
    t.driver.notify()
    const before = t.nine.resets
    t.driver.setCommon(0x14, 0, 1)
    expect(t.nine.resets).toBe(before + 1)
    t.nine.waiting[0].done(9)
    expect(t.intx.level).toBe(false)
    expect(t.ram.readU16(t.driver.rings.used + 2)).toBe(0)
  })
})

describe('virtio-blk', () => {
  const started = (readOnly = false, features: number[] = [FLUSH]) => {
    const t = buildBlock(readOnly)
    t.driver.start(readOnly ? [...features, 5] : features)
    const send = (type: number, sector: number, out: Uint8Array[], room: number[]) => {
      const { at } = t.driver.add({ out: [header(type, sector), ...out], in: [...room, 1] })
      t.driver.notify()
      t.disk.run()
      return { status: t.ram.readU8(at[room.length]), at, written: t.driver.takeUsed()[0].written }
    }
    return { ...t, send }
  }

  it('reads and writes scattered buffers and flushes', () => {
    const t = started()
    const read = t.send(0, 10, [], [100, 924])
    expect(read.status).toBe(0)
    expect(read.written).toBe(1025)
    expect(t.ram.read(read.at[0], 100)).toEqual(t.disk.data.subarray(5120, 5220))
    expect(t.ram.read(read.at[1], 924)).toEqual(t.disk.data.subarray(5220, 6144))
    const data = Uint8Array.from({ length: 1024 }, (_, i) => i * 5)
    expect(t.send(1, 20, [data.subarray(0, 700), data.subarray(700)], []).status).toBe(0)
    expect(t.disk.data.subarray(10240, 11264)).toEqual(data)
    expect(t.send(4, 0, [], []).status).toBe(0)
    expect(t.disk.trace).toEqual(['read 10+2', 'write 20+2', 'flush 0+0'])
  })

  it('tells its size and its serial', () => {
    const t = started()
    expect([t.driver.config(0, 4), t.driver.config(4, 4), t.driver.config(20, 4)]).toEqual([4096, 0, 512])
    const id = t.send(8, 0, [], [20])
    expect(t.ram.read(id.at[0], 6)).toEqual(Uint8Array.from('LM0001', (c) => c.charCodeAt(0)))
  })

  it('discards and writes zeroes, one range at a time', () => {
    const t = started()
    const range = (sector: number, count: number, flags = 0) => {
      const view = new DataView(new ArrayBuffer(16))
      view.setUint32(0, sector, true)
      view.setUint32(8, count, true)
      view.setUint32(12, flags, true)
      return new Uint8Array(view.buffer)
    }
    expect(t.send(13, 0, [range(8, 4, 1)], []).status).toBe(0)
    expect(t.send(11, 0, [range(16, 4)], []).status).toBe(0)
    expect(t.disk.trace).toEqual(['write-zeroes 8+4', 'discard 16+4'])
    expect(t.send(11, 0, [range(16, 4, 1)], []).status).toBe(2)
    expect(t.send(13, 0, [range(4090, 8)], []).status).toBe(1)
    expect(t.send(13, 0, [range(0, 1), range(2, 1)], []).status).toBe(2)
    expect(t.send(13, 0, [range(0, 0)], []).status).toBe(0)
  })

  it('reports errors and refuses nonsense', () => {
    const t = started()
    t.disk.failNext('io-error')
    expect(t.send(0, 0, [], [512])).toMatchObject({ status: 1, written: 1 })
    expect(t.send(0, 4095, [], [1024]).status).toBe(1)
    expect(t.send(0, 0, [], [100]).status).toBe(1)
    expect(t.send(99, 0, [], [512]).status).toBe(2)
    t.driver.add({ out: [new Uint8Array(4)], in: [1] })
    t.driver.add({ out: [header(0, 0)], in: [] })
    t.driver.notify()
    expect(t.driver.takeUsed().map(({ written }) => written)).toEqual([1, 0])
  })

  it('is read-only when the image is', () => {
    const t = started(true)
    expect(t.send(1, 0, [new Uint8Array(512)], []).status).toBe(1)
    expect(t.disk.trace).toEqual([])
  })

  it('writes through for a driver that cannot flush', () => {
    const t = started(false, [])
    t.send(1, 0, [new Uint8Array(512)], [])
    expect(t.disk.trace).toEqual(['write 0+1', 'flush 0+0'])
  })
})

describe('virtio-rng', () => {
  it('fills what it is given, within reason', () => {
    const t = build(() => new VirtioRng({ fill: (target) => void target.fill(0xa5) }))
    t.driver.start([])
    const { at } = t.driver.add({ in: [10, 6] })
    t.driver.add({ in: [100_000] })
    t.driver.notify()
    expect(t.driver.takeUsed().map(({ written }) => written)).toEqual([16, 4096])
    expect(t.ram.read(at[1], 6)?.every((byte) => byte === 0xa5)).toBe(true)
  })
})

const subjects: [string, (ram: Ram) => VirtioDevice][] = [
  ['virtio-9p', () => new VirtioNinep('virtio-9p', new TestNine())],
  ['virtio-blk', (ram) => new VirtioBlock('virtio-blk', new TestBlock(ram, 64))],
  ['virtio-rng', () => new VirtioRng({ fill: (target) => void target.fill(1) })],
]
for (const [name, make] of subjects) {
  describeDeviceContract(name, () => {
    const ram = makeRam()
    const device = new VirtioPci(make(ram), { memory: ram, msi: { send: () => undefined } })
    const bar = (index: number) => {
      const spec = device.bars[index]
      if (spec === undefined) throw new Error('no such BAR')
      return spec
    }
    const mmio = (index: number) => {
      const { handler, size } = bar(index)
      return [{ readMmio: handler.readBar.bind(handler), writeMmio: handler.writeBar.bind(handler) }, size] as const
    }
    const { handler, size } = bar(0)
    const legacy = { readPort: handler.readBar.bind(handler), writePort: handler.writeBar.bind(handler) }
    const config = { readMmio: device.readConfig.bind(device), writeMmio: device.writeConfig.bind(device) }
    return { device, timers: new FakeTimers(), ports: [[legacy, 0, size]], mmio: [mmio(1), mmio(4), [config, 256]] }
  })
}
