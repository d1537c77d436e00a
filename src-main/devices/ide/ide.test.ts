import { beforeEach, describe, expect, it } from 'vitest'
import type { Width } from '../../bus/bus.ts'
import { Ram } from '../../memory/ram.ts'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { PciBus } from '../pci/bus.ts'
import { TestBus } from '../pci/test-bus.ts'
import { TestBlock } from '../test-block.ts'
import { Piix3Ide } from './controller.ts'
import { AtaDisk } from './disk.ts'

const IDE = 8 + 1
const [BM, PORT, CONTROL, TABLE] = [0xc000, 0x1f0, 0x3f6, 0x1000]

function build(options: { readOnly?: boolean } = {}) {
  const bus = new TestBus()
  const ram = new Ram(new SharedArrayBuffer(1 << 20), { base: 0, lowSize: 1 << 20, highSize: 0 })
  const disk = new TestBlock(ram, 70000, options.readOnly ?? false)
  const irqs = [false, false]
  let edges = 0
  const line = (index: number) => ({
    set: (level: boolean) => {
      if (level && !irqs[index]) edges++
      irqs[index] = level
    },
  })
  const makeIde = (on: TestBus) =>
    new Piix3Ide({
      ports: on.ports,
      memory: ram,
      channels: [
        { name: 'ide0', commandPort: 0x1f0, controlPort: 0x3f6, irq: line(0) },
        { name: 'ide1', commandPort: 0x170, controlPort: 0x376, irq: line(1) },
      ],
      drives: [new AtaDisk(disk)],
    })
  const ide = makeIde(bus)
  const pci = new PciBus({ ports: bus.ports, mmio: bus.mmio, pirq: () => undefined, power: { reset: () => undefined } })
  pci.add(1, 1, ide)
  bus.writeConfig(IDE, 0x20, BM)
  bus.writeConfig(IDE, 4, 5, 2)
  return { bus, ram, disk, ide, irqs, edges: () => edges, makeIde }
}

let t: ReturnType<typeof build>
beforeEach(() => {
  t = build()
})

const status = () => t.bus.input(PORT + 7)
const altStatus = () => t.bus.input(CONTROL)

/** LBA28 command; the sequence of libata. */
function command28(code: number, lba: number, count: number, feature = 0): void {
  t.bus.output(PORT + 6, 0xe0 | ((lba >> 24) & 15))
  t.bus.output(PORT + 1, feature)
  t.bus.output(PORT + 2, count & 0xff)
  t.bus.output(PORT + 3, lba)
  t.bus.output(PORT + 4, lba >> 8)
  t.bus.output(PORT + 5, lba >> 16)
  t.bus.output(PORT + 7, code)
}

function command48(code: number, lba: number, count: number): void {
  t.bus.output(PORT + 6, 0x40)
  for (const [register, value] of [
    [2, count],
    [3, lba],
    [4, lba / 0x100],
    [5, lba / 0x10000],
  ]) {
    t.bus.output(PORT + register, (value / (register === 2 ? 0x100 : 0x1000000)) & 0xff)
    t.bus.output(PORT + register, value & 0xff)
  }
  t.bus.output(PORT + 7, code)
}

function readPio(bytes: number, width: 2 | 4 = 2): Uint8Array {
  const data = new Uint8Array(bytes)
  const view = new DataView(data.buffer)
  for (let i = 0; i < bytes; i += width) {
    const value = t.bus.input(PORT, width)
    if (width === 2) view.setUint16(i, value, true)
    else view.setUint32(i, value, true)
  }
  return data
}

function writePio(data: Uint8Array): void {
  for (let i = 0; i < data.length; i += 2) t.bus.output(PORT, data[i] | (data[i + 1] << 8), 2)
}

function prd(...entries: [number, number][]): void {
  entries.forEach(([gpa, length], i) => {
    t.ram.writeU32(TABLE + i * 8, gpa)
    t.ram.writeU32(TABLE + i * 8 + 4, (length & 0xffff) + (i === entries.length - 1 ? 0x80000000 : 0))
  })
  t.bus.output(BM + 4, TABLE, 4)
  t.bus.output(BM + 2, 6)
}

const sectors = (first: number, count: number) => t.disk.data.subarray(first * 512, (first + count) * 512)

describe('presence', () => {
  it('shows drive 0 and neither drive 1 nor the second channel', () => {
    const probe = (port: number, device: number) => {
      t.bus.output(port + 6, device)
      t.bus.output(port + 2, 0x55)
      t.bus.output(port + 3, 0xaa)
      return [t.bus.input(port + 2), t.bus.input(port + 3)]
    }
    expect(probe(0x1f0, 0xa0)).toEqual([0x55, 0xaa])
    expect(probe(0x1f0, 0xb0)).toEqual([0, 0])
    expect(t.bus.input(0x1f7)).toBe(0)
    expect(probe(0x170, 0xa0)).toEqual([0, 0])
  })

  it('gives the ATA signature after a software reset', () => {
    t.bus.output(CONTROL, 4)
    expect(altStatus() & 0x80).toBe(0x80)
    t.bus.output(CONTROL, 0)
    expect([1, 2, 3, 4, 5].map((i) => t.bus.input(PORT + i))).toEqual([1, 1, 1, 0, 0])
    expect(status()).toBe(0x50)
    expect(t.irqs[0]).toBe(false)
  })

  it('diagnoses with an interrupt', () => {
    t.bus.output(PORT + 7, 0x90)
    expect(t.irqs[0]).toBe(true)
    expect(t.bus.input(PORT + 1)).toBe(1)
  })

  it('shows the channels as enabled once firmware has done so', () => {
    t.ide.enableChannels()
    expect(t.bus.readConfig(IDE, 0x40)).toBe(0x80008000)
  })
})

describe('IDENTIFY', () => {
  it('tells model, serial, size and modes with a right checksum', () => {
    command28(0xec, 0, 0)
    expect(t.irqs[0]).toBe(true)
    expect(status()).toBe(0x58)
    expect(t.irqs[0]).toBe(false)
    const data = readPio(512)
    const word = (i: number) => data[i * 2] | (data[i * 2 + 1] << 8)
    const text = (first: number, words: number) =>
      Array.from({ length: words * 2 }, (_, i) => String.fromCharCode(data[first * 2 + (i ^ 1)])).join('')
    expect(text(27, 20).trim()).toBe('Longmode disk')
    expect(text(10, 10).trim()).toBe('LM0001')
    expect(word(60) + word(61) * 65536).toBe(70000)
    expect(word(100) + word(101) * 65536).toBe(70000)
    expect(word(83) & 0x7400).toBe(0x7400)
    expect(word(88)).toBe(0x203f)
    expect(data.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
    expect(status()).toBe(0x50)
  })
})

describe('PIO', () => {
  it('reads sector by sector, each with an interrupt', () => {
    command28(0x20, 5, 3)
    expect(altStatus()).toBe(0xd0)
    expect(t.irqs[0]).toBe(false)
    t.disk.run()
    for (let i = 0; i < 3; i++) {
      expect(t.irqs[0]).toBe(true)
      expect(status()).toBe(0x58)
      expect(readPio(512, i === 1 ? 4 : 2)).toEqual(sectors(5 + i, 1))
    }
    expect(t.irqs[0]).toBe(false)
    expect(status()).toBe(0x50)
    expect(t.edges()).toBe(3)
  })

  it('reads 256 sectors for a count of 0, in blocks with READ MULTIPLE', () => {
    command28(0xc6, 0, 16)
    status()
    command28(0xc4, 7, 0)
    let read = 0
    while (read < 256) {
      t.disk.run()
      expect(status()).toBe(0x58)
      expect(readPio(16 * 512)).toEqual(sectors(7 + read, 16))
      read += 16
    }
    expect(status()).toBe(0x50)
    expect(t.edges()).toBe(1 + 16)
  })

  it('writes, and wants the next block only when the last was taken', () => {
    const data = Uint8Array.from({ length: 1024 }, (_, i) => i * 7)
    command28(0x30, 9, 2)
    expect(t.irqs[0]).toBe(false)
    expect(status()).toBe(0x58)
    writePio(data.subarray(0, 512))
    expect(altStatus() & 0x88).toBe(0x80)
    t.disk.run()
    expect(t.irqs[0]).toBe(true)
    expect(status()).toBe(0x58)
    writePio(data.subarray(512))
    t.disk.run()
    expect(status()).toBe(0x50)
    expect(sectors(9, 2)).toEqual(data)
  })

  it('finds sectors by cylinder, head and sector', () => {
    t.bus.output(PORT + 6, 0xa0 | 3)
    t.bus.output(PORT + 2, 1)
    t.bus.output(PORT + 3, 5)
    t.bus.output(PORT + 4, 2)
    t.bus.output(PORT + 5, 0)
    t.bus.output(PORT + 7, 0x20)
    expect(t.disk.trace).toEqual([`read ${(2 * 16 + 3) * 63 + 4}+1`])
  })

  it('reads with 48-bit addresses', () => {
    command48(0x24, 69999, 1)
    t.disk.run()
    expect(readPio(512)).toEqual(sectors(69999, 1))
  })
})

describe('DMA', () => {
  function startDma(toMemory: boolean): void {
    t.bus.output(BM, toMemory ? 8 : 0)
    t.bus.output(BM, toMemory ? 9 : 1)
  }

  it('reads into scattered memory', () => {
    prd([0x20000, 512], [0x30002, 3 * 512])
    command28(0xc8, 100, 4)
    expect(t.disk.trace).toEqual([])
    startDma(true)
    expect(t.bus.input(BM + 2)).toBe(1)
    expect(altStatus() & 0x80).toBe(0x80)
    t.disk.run()
    expect(t.irqs[0]).toBe(true)
    expect(t.bus.input(BM + 2)).toBe(4)
    t.bus.output(BM, 0)
    t.bus.output(BM + 2, 4)
    expect(t.bus.input(BM + 2)).toBe(0)
    expect(status()).toBe(0x50)
    expect(t.ram.read(0x20000, 512)).toEqual(sectors(100, 1))
    expect(t.ram.read(0x30002, 3 * 512)).toEqual(sectors(101, 3))
  })

  it('writes with 48-bit addresses and 128 KiB in 64 KiB regions', () => {
    t.ram.write(
      0x40000,
      Uint8Array.from({ length: 0x20000 }, (_, i) => i * 3),
    )
    prd([0x40000, 0x10000], [0x50000, 0x10000])
    startDma(false)
    command48(0x35, 69000, 256)
    t.disk.run()
    expect(status()).toBe(0x50)
    expect(sectors(69000, 256)).toEqual(t.ram.read(0x40000, 0x20000))
  })

  it('marks an error when a region is not in memory', () => {
    prd([0xfff00, 0x1000])
    command28(0xc8, 0, 8)
    startDma(true)
    expect(t.bus.input(BM + 2)).toBe(6)
    expect(status()).toBe(0x51)
    expect(t.disk.trace).toEqual([])
  })

  it('waits for a reset when the table is too short', () => {
    prd([0x20000, 512])
    command28(0xc8, 0, 2)
    startDma(true)
    expect(t.bus.input(BM + 2) & 1).toBe(0)
    expect(t.irqs[0]).toBe(false)
    t.bus.output(CONTROL, 4)
    t.bus.output(CONTROL, 0)
    expect(status()).toBe(0x50)
  })

  it('does nothing before the guest allows bus mastering', () => {
    t.bus.writeConfig(IDE, 4, 1, 2)
    prd([0x20000, 512])
    command28(0xc8, 0, 1)
    startDma(true)
    expect(t.disk.trace).toEqual([])
  })

  it('ignores the answer to a request from before a reset', () => {
    prd([0x20000, 512])
    command28(0xc8, 0, 1)
    startDma(true)
    t.bus.output(CONTROL, 4)
    t.bus.output(CONTROL, 0)
    t.disk.run()
    expect(t.irqs[0]).toBe(false)
    expect(status()).toBe(0x50)
  })
})

describe('errors', () => {
  const failedWith = () => [status(), t.bus.input(PORT + 1)]

  it('reports what the backend reports', () => {
    command28(0x20, 0, 1)
    t.disk.failNext('io-error')
    t.disk.run()
    expect(failedWith()).toEqual([0x51, 0x40])
    command28(0x30, 0, 1)
    writePio(new Uint8Array(512))
    t.disk.failNext('no-space')
    t.disk.run()
    expect(failedWith()).toEqual([0x71, 4])
    command28(0xe7, 0, 0)
    t.disk.failNext('io-error')
    t.disk.run()
    expect(failedWith()).toEqual([0x71, 4])
  })

  it('refuses sectors beyond the end, unknown commands and SMART', () => {
    command28(0x20, 69999, 2)
    expect(failedWith()).toEqual([0x51, 0x10])
    command28(0xb0, 0, 1, 0xd8)
    expect(failedWith()).toEqual([0x51, 4])
    command28(0xa1, 0, 0)
    expect(failedWith()).toEqual([0x51, 4])
    command28(0xef, 0, 0x47, 3)
    expect(failedWith()).toEqual([0x51, 4])
    expect(t.disk.trace).toEqual([])
  })

  it('refuses writes to a read-only disk', () => {
    t = build({ readOnly: true })
    command28(0xca, 0, 1)
    expect(failedWith()).toEqual([0x51, 4])
    expect(t.disk.trace).toEqual([])
  })
})

describe('other commands', () => {
  it('flush reaches the backend, and every write does with the cache off', () => {
    command28(0xe7, 0, 0)
    expect(altStatus() & 0x80).toBe(0x80)
    t.disk.run()
    expect(status()).toBe(0x50)
    command28(0xef, 0, 0, 0x82)
    t.disk.run()
    command28(0x30, 3, 1)
    writePio(new Uint8Array(512))
    t.disk.completeOne()
    expect(altStatus() & 0x80).toBe(0x80)
    t.disk.run()
    expect(status()).toBe(0x50)
    expect(t.disk.trace).toEqual(['flush 0+0', 'flush 0+0', 'write 3+1', 'flush 0+0'])
  })

  it('tells the last sector and the power mode', () => {
    command48(0x27, 0, 0)
    const low = [3, 4, 5].map((i) => t.bus.input(PORT + i))
    t.bus.output(CONTROL, 0x80)
    const high = [3, 4, 5].map((i) => t.bus.input(PORT + i))
    expect([...low, ...high]).toEqual([69999 & 0xff, (69999 >> 8) & 0xff, 1, 0, 0, 0])
    command28(0xe5, 0, 0)
    expect(t.bus.input(PORT + 2)).toBe(0xff)
  })

  it('verifies by reading everything', () => {
    command28(0x40, 0, 200)
    t.disk.run()
    expect(status()).toBe(0x50)
    expect(t.disk.trace).toEqual(['read 0+128', 'read 128+72'])
  })

  it('keeps the interrupt back while nIEN is set', () => {
    t.bus.output(CONTROL, 2)
    command28(0xec, 0, 0)
    expect(t.irqs[0]).toBe(false)
    t.bus.output(CONTROL, 0)
    expect(t.irqs[0]).toBe(true)
  })
})

describe('robustness', () => {
  it('survives every command and register value', () => {
    let seed = 1
    const random = (limit: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return Math.floor((seed / 2 ** 32) * limit)
    }
    for (let i = 0; i < 30000; i++) {
      const width = ([1, 2, 4] as const)[random(3)]
      const port = [PORT + random(8), CONTROL, BM + random(16), 0x170 + random(8)][random(4)]
      if (random(3) === 0) t.bus.input(port, width)
      else t.bus.output(port, random(4) === 0 ? random(2 ** 32) : random(256), width)
      if (random(8) === 0 && t.disk.waiting.length > 0) t.disk.completeOne(random(t.disk.waiting.length))
    }
    t.disk.run()
    t.bus.output(CONTROL, 4)
    t.bus.output(CONTROL, 0)
    expect(status()).toBe(0x50)
  })

  it('goes on from a snapshot in the middle of a PIO read', () => {
    command28(0x20, 5, 2)
    t.disk.run()
    status()
    readPio(100)
    const copy = new TestBus()
    const restored = t.makeIde(copy)
    restored.restore(t.ide.save())
    expect(restored.save()).toEqual(t.ide.save())
    t.bus = copy
    expect(readPio(412)).toEqual(sectors(5, 1).subarray(100))
    expect(status()).toBe(0x58)
    expect(readPio(512)).toEqual(sectors(6, 1))
    expect(status()).toBe(0x50)
  })

  it('goes back to power-on state with a machine reset', () => {
    const fresh = t.ide.save()
    command28(0xef, 0, 0x22, 3)
    command28(0x20, 5, 2)
    t.disk.run()
    t.ide.reset()
    expect(t.ide.save()).toEqual({ ...fresh, config: expect.any(Uint8Array) as Uint8Array })
  })
})

describeDeviceContract('piix3-ide', () => {
  const { bus, ide, disk } = build()
  const ports = (first: number, count: number) =>
    [
      {
        readPort: bus.input.bind(bus),
        writePort: (port: number, width: Width, value: number) => bus.output(port, value, width),
      },
      first,
      count,
    ] as const
  const config = { readMmio: ide.readConfig.bind(ide), writeMmio: ide.writeConfig.bind(ide) }
  return {
    device: ide,
    timers: new FakeTimers(),
    ports: [ports(0x1f0, 8), ports(0x3f6, 1), ports(0x170, 8), ports(BM, 16)],
    mmio: [[config, 256]],
    // A machine is saved and reset with nothing in flight.
    inputs: [() => disk.run()],
    rest: () => disk.run(),
  }
})
