import { beforeEach, describe, expect, it } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import type { Width } from '../../bus/bus.ts'
import { Ram } from '../../memory/ram.ts'
import { describeDeviceContract } from '../contract.ts'
import { PciBus } from '../pci/bus.ts'
import { TestBus } from '../pci/test-bus.ts'
import { TestBlock } from '../test-block.ts'
import { AtapiDrive } from './atapi.ts'
import { Piix3Ide } from './controller.ts'

const PORT = 0x170
const CONTROL = 0x376
const BM = 0xc008
const TABLE = 0x1000

/** The drive is the secondary master, as on QEMU. */
function build(withMedium: boolean) {
  const bus = new TestBus()
  const ram = new Ram(new SharedArrayBuffer(1 << 20), { base: 0, lowSize: 1 << 20, highSize: 0 })
  const disc = new TestBlock(ram, 400 * 4, true)
  let edges = 0
  const irq = { level: false, set: (level: boolean) => void ((edges += Number(level)), (irq.level = level)) }
  const ide = new Piix3Ide({
    ports: bus.ports,
    memory: ram,
    channels: [
      { name: 'ide0', commandPort: 0x1f0, controlPort: 0x3f6, irq: { set: () => undefined } },
      { name: 'ide1', commandPort: 0x170, controlPort: 0x376, irq },
    ],
    drives: [undefined, undefined, new AtapiDrive(withMedium ? disc : undefined)],
  })
  const pci = new PciBus({ ports: bus.ports, mmio: bus.mmio, pirq: () => undefined, power: { reset: () => undefined } })
  pci.add(1, 1, ide)
  bus.writeConfig(9, 0x20, 0xc000)
  bus.writeConfig(9, 4, 5, 2)
  return { bus, ram, disc, ide, irq, edges: () => edges }
}

let t: ReturnType<typeof build>
beforeEach(() => {
  t = build(true)
})

const status = () => t.bus.input(PORT + 7)
const reason = () => t.bus.input(PORT + 2)
const byteCount = () => t.bus.input(PORT + 4) | (t.bus.input(PORT + 5) << 8)

function packet(bytes: readonly number[], options: { dma?: boolean; limit?: number } = {}): void {
  const limit = options.limit ?? 0xfffe
  t.bus.output(PORT + 6, 0xa0)
  t.bus.output(PORT + 1, options.dma ? 1 : 0)
  t.bus.output(PORT + 4, limit & 0xff)
  t.bus.output(PORT + 5, limit >> 8)
  t.bus.output(PORT + 7, 0xa0)
  expect(t.bus.input(CONTROL) & 0x88).toBe(0x08)
  expect(reason()).toBe(1)
  const data = Uint8Array.from({ length: 12 }, (_, i) => bytes[i] ?? 0)
  for (let i = 0; i < 12; i += 2) t.bus.output(PORT, data[i] | (data[i + 1] << 8), 2)
}

/** Take what the drive gives, block by block, as libata does; the sizes of the blocks and all bytes. */
function take(): { blocks: number[]; data: Uint8Array } {
  const blocks: number[] = []
  const bytes: number[] = []
  for (t.disc.run(); status() & 8; t.disc.run()) {
    expect(reason()).toBe(2)
    const count = byteCount()
    blocks.push(count)
    for (let i = 0; i < count; i += 2) {
      const word = t.bus.input(PORT, 2)
      bytes.push(word & 0xff)
      if (i + 1 < count) bytes.push(word >> 8)
    }
  }
  expect(reason()).toBe(3)
  return { blocks, data: Uint8Array.from(bytes) }
}

/** The key and code that REQUEST SENSE gives. */
function sense(): number[] {
  packet([0x03, 0, 0, 0, 18])
  const { data } = take()
  return [data[2], data[12]]
}

describe('the drive', () => {
  it('shows the ATAPI signature and refuses IDENTIFY DEVICE with it', () => {
    t.bus.output(CONTROL, 4)
    t.bus.output(CONTROL, 0)
    expect([2, 3, 4, 5].map((i) => t.bus.input(PORT + i))).toEqual([1, 1, 0x14, 0xeb])
    t.bus.output(PORT + 4, 0)
    t.bus.output(PORT + 7, 0xec)
    expect([status(), t.bus.input(PORT + 1), byteCount()]).toEqual([0x51, 4, 0xeb14])
  })

  it('identifies itself as a CD-ROM', () => {
    t.bus.output(PORT + 7, 0xa1)
    expect(status()).toBe(0x58)
    expect(t.bus.input(PORT, 2)).toBe(0x85c0)
    for (let i = 1; i < 256; i++) t.bus.input(PORT, 2)
    expect(status()).toBe(0x50)
    expect(t.edges()).toBe(1)
  })

  it('answers INQUIRY, cut to what was allocated', () => {
    packet([0x12, 0, 0, 0, 36])
    const { data } = take()
    expect(data.length).toBe(36)
    expect(String.fromCharCode(...data.subarray(8, 22))).toBe('LongmodeCD-ROM')
    packet([0x12, 0, 0, 0, 5])
    expect(take().blocks).toEqual([5])
  })

  it('comes back from DEVICE RESET', () => {
    packet([0x28, 0, 0, 0, 0, 0, 0, 0, 4])
    t.bus.output(PORT + 7, 0x08)
    t.disc.run()
    expect(byteCount()).toBe(0xeb14)
    expect(t.irq.level).toBe(false)
  })
})

describe('without a medium', () => {
  it('says so', () => {
    t = build(false)
    for (const command of [0x00, 0x25, 0x28, 0x43]) {
      packet([command, 0, 0, 0, 0, 0, 0, 0, 1])
      expect(status() & 1).toBe(1)
      expect(t.bus.input(PORT + 1) >> 4).toBe(2)
      expect(sense()).toEqual([2, 0x3a])
    }
    expect(sense()).toEqual([0, 0])
    packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8])
    expect([...take().data]).toEqual([0, 6, 4, 0x10, 0, 0, 0, 0])
  })
})

describe('with a medium', () => {
  it('tells its size and its one track', () => {
    packet([0x00])
    expect(status()).toBe(0x50)
    packet([0x25])
    expect([...take().data]).toEqual([0, 0, 1, 0x8f, 0, 0, 8, 0])
    packet([0x43, 0, 0, 0, 0, 0, 0, 0, 20])
    expect(take().data.slice(16)).toEqual(Uint8Array.of(0, 0, 1, 0x90))
  })

  it('reads by PIO in blocks of the size that the host allows', () => {
    packet([0x28, 0, 0, 0, 0, 10, 0, 0, 40], { limit: 8192 })
    const { blocks, data } = take()
    expect(data).toEqual(t.disc.data.slice(20480, 20480 + 40 * 2048))
    expect(blocks).toEqual(Array.from({ length: 10 }, () => 8192))
    expect(t.disc.trace).toEqual(['read 40+128', 'read 168+32'])
  })

  it('reads by DMA', () => {
    t.ram.writeU32(TABLE, 0x20000)
    t.ram.writeU32(TABLE + 4, (0x80000000 | (2 * 2048)) >>> 0)
    t.bus.output(BM + 4, TABLE, 4)
    packet([0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 2], { dma: true })
    t.bus.output(BM, 9)
    t.disc.run()
    expect(t.irq.level).toBe(true)
    expect(t.bus.input(BM + 2)).toBe(4)
    expect(status()).toBe(0x50)
    expect(t.ram.read(0x20000, 4096)).toEqual(t.disc.data.slice(7 * 2048, 9 * 2048))
  })

  it('gives its own data by DMA too', () => {
    t.ram.writeU32(TABLE, 0x20000)
    t.ram.writeU32(TABLE + 4, 0x80000008)
    t.bus.output(BM + 4, TABLE, 4)
    packet([0x25], { dma: true })
    t.bus.output(BM, 9)
    expect(t.ram.read(0x20000, 8)).toEqual(Uint8Array.of(0, 0, 1, 0x8f, 0, 0, 8, 0))
    expect(status()).toBe(0x50)
  })

  it('explains errors', () => {
    packet([0x28, 0, 0, 0, 1, 0x8f, 0, 0, 2])
    expect(sense()).toEqual([5, 0x21])
    packet([0x28, 0, 0, 0, 0, 0, 0, 0, 1])
    t.disc.failNext('io-error')
    t.disc.run()
    expect(status() & 1).toBe(1)
    expect(sense()).toEqual([3, 0x11])
    packet([0x2a])
    expect(sense()).toEqual([5, 0x20])
    packet([0x5a, 0, 0x01, 0, 0, 0, 0, 0, 8])
    expect(sense()).toEqual([5, 0x24])
  })
})

describeDeviceContract('atapi', () => {
  const { bus, ide, disc } = build(true)
  const write = (port: number, width: Width, value: number) => bus.output(port, value, width)
  const handler = { readPort: bus.input.bind(bus), writePort: write }
  return {
    device: ide,
    timers: new FakeTimers(),
    ports: [
      [handler, 0x170, 8],
      [handler, 0x376, 1],
      [handler, BM, 8],
    ],
    inputs: [() => disc.run()],
    rest: () => disc.run(),
  }
})
