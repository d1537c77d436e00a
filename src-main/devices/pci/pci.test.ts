import { beforeEach, describe, expect, it } from 'vitest'
import type { Width } from '../../bus/bus.ts'
import { FakeTimers } from '../../base/fake-timers.ts'
import { IrqRouter } from '../../bus/irq-router.ts'
import { describeDeviceContract } from '../contract.ts'
import { assignResources } from './assign.ts'
import { PciBus } from './bus.ts'
import { HostBridge, Piix3Isa, Piix4Pm } from './chipset.ts'
import { PciFunction, type BarHandler } from './function.ts'
import { Msix } from './msix.ts'
import { TestBus } from './test-bus.ts'

class Card extends PciFunction {
  constructor(name: string, bars: { io?: BarHandler; memory?: BarHandler }) {
    super(name, { vendor: 0x1af4, device: 0x1234, revision: 1, classCode: 0xff0000, interruptPin: 1 })
    if (bars.io) this.defineBar(0, { space: 'io', size: 32, handler: bars.io })
    if (bars.memory) this.defineBar(1, { space: 'memory', size: 0x1000, handler: bars.memory })
    this.addCapability(9, Uint8Array.of(1, 2, 3))
    this.addCapability(17, Uint8Array.of(4))
  }

  raise(level: boolean): void {
    this.setIntx(level)
  }
}

class Recorder implements BarHandler {
  readonly writes: [number, Width, number][] = []
  readBar(offset: number, width: Width): number {
    return offset * 16 + width
  }
  writeBar(offset: number, width: Width, value: number): void {
    this.writes.push([offset, width, value])
  }
}

const CARD = 3 * 8
const OTHER = 4 * 8

function build() {
  const test = new TestBus()
  const irqs = new Map<number, boolean>()
  const resets: string[] = []
  const router = new IrqRouter({ set: (irq, level) => void irqs.set(irq, level) }, { set: () => undefined })
  const pirqs = [0, 1, 2, 3].map((pirq) => router.intx(pirq))
  const isa = new Piix3Isa((pirq, irq) => router.routePirq(pirq, irq))
  const bus = new PciBus({
    ports: test.ports,
    mmio: test.mmio,
    pirq: (pirq, level) => pirqs[pirq].set(level),
    power: { reset: (reason) => resets.push(reason) },
  })
  const pmBases: (number | undefined)[] = []
  const pm = new Piix4Pm((base) => pmBases.push(base))
  const io = new Recorder()
  const memory = new Recorder()
  const card = new Card('card', { io, memory })
  const other = new Card('other', { memory: new Recorder() })
  bus.add(0, 0, new HostBridge())
  bus.add(1, 0, isa)
  bus.add(1, 3, pm)
  bus.add(3, 0, card)
  bus.add(4, 0, other)
  return { test, irqs, resets, isa, bus, pm, pmBases, io, memory, card, other }
}

let t: ReturnType<typeof build>
beforeEach(() => {
  t = build()
})

describe('configuration mechanism #1', () => {
  it('finds the functions and nothing else', () => {
    expect(t.test.readConfig(0, 0)).toBe(0x12378086)
    expect(t.test.readConfig(8, 0)).toBe(0x70008086)
    expect(t.test.readConfig(11, 0)).toBe(0x71138086)
    expect(t.test.readConfig(8, 0x0e, 1)).toBe(0x80)
    expect(t.test.readConfig(9, 0)).toBe(0xffffffff)
    t.test.output(0xcf8, 0x8001_0000, 4)
    expect(t.test.input(0xcfc, 4)).toBe(0xffffffff)
    t.test.output(0xcf8, 0x0000_0000, 4)
    expect(t.test.input(0xcfc, 4)).toBe(0xffffffff)
  })

  it('reads bytes and words and keeps what is read-only', () => {
    expect(t.test.readConfig(CARD, 2, 2)).toBe(0x1234)
    expect(t.test.readConfig(CARD, 3, 1)).toBe(0x12)
    t.test.writeConfig(CARD, 0, 0, 4)
    expect(t.test.readConfig(CARD, 0)).toBe(0x12341af4)
    t.test.writeConfig(CARD, 0x3c, 0xaabb, 2)
    expect(t.test.readConfig(CARD, 0x3c, 2)).toBe(0x01bb)
  })

  it('chains capabilities', () => {
    expect(t.test.readConfig(CARD, 6, 2) & 0x10).toBe(0x10)
    const first = t.test.readConfig(CARD, 0x34, 1)
    expect(t.test.readConfig(CARD, first)).toBe(0x02010009 | ((first + 8) << 8))
    expect(t.test.readConfig(CARD, first + 8)).toBe(0x00040011)
  })

  it('resets the machine by port 0xCF9 only when the CPU reset bit is written', () => {
    t.test.output(0xcf9, 0x02)
    expect(t.resets).toEqual([])
    expect(t.test.input(0xcf9)).toBe(2)
    t.test.output(0xcf9, 0x06)
    expect(t.resets).toEqual(['port 0xCF9'])
  })

  it('refuses two functions in one place', () => {
    expect(() => t.bus.add(3, 0, new HostBridge())).toThrow('PCI 3.0 is taken by card')
  })
})

describe('BARs', () => {
  it('tell their size and follow the guest', () => {
    t.test.writeConfig(CARD, 0x10, 0xffffffff)
    t.test.writeConfig(CARD, 0x14, 0xffffffff)
    expect(t.test.readConfig(CARD, 0x10)).toBe(0xffffffe1)
    expect(t.test.readConfig(CARD, 0x14)).toBe(0xfffff000)
    expect(t.test.readConfig(CARD, 0x18)).toBe(0)
    t.test.writeConfig(CARD, 0x10, 0xc040)
    t.test.writeConfig(CARD, 0x14, 0xfebf1000)
    expect(t.test.input(0xc044, 2)).toBe(0xffff)
    t.test.writeConfig(CARD, 4, 3, 2)
    expect(t.test.input(0xc044, 2)).toBe(0x42)
    t.test.store(0xfebf1010, 0xdeadbeef)
    expect(t.memory.writes).toEqual([[0x10, 4, 0xdeadbeef]])
    t.test.writeConfig(CARD, 0x14, 0xfebf2000)
    expect(t.test.load(0xfebf1010)).toBe(0xffffffff)
    expect(t.test.load(0xfebf2010)).toBe(0x104)
    t.test.writeConfig(CARD, 4, 0, 2)
    expect(t.test.load(0xfebf2010)).toBe(0xffffffff)
  })

  it('on top of each other are decoded once, the second as soon as there is room', () => {
    t.test.writeConfig(CARD, 0x14, 0xfebf1000)
    t.test.writeConfig(OTHER, 0x14, 0xfebf1000)
    t.test.writeConfig(CARD, 4, 2, 2)
    t.test.writeConfig(OTHER, 4, 2, 2)
    t.test.store(0xfebf1000, 1)
    expect(t.memory.writes.length).toBe(1)
    t.test.writeConfig(CARD, 4, 0, 2)
    t.test.store(0xfebf1000, 2)
    expect(t.memory.writes.length).toBe(1)
    expect(t.test.load(0xfebf1010)).toBe(0x104)
  })
})

describe('INTx', () => {
  it('reaches the ISA IRQ that the PIRQ is routed to', () => {
    t.isa.routePirqs([10, 10, 11, 11])
    t.card.raise(true) // slot 3 INTA# = PIRQC#
    expect(t.irqs.get(11)).toBe(true)
    expect(t.test.readConfig(CARD, 6, 2) & 8).toBe(8)
    t.test.writeConfig(8, 0x62, 0x80, 1)
    expect(t.irqs.get(11)).toBe(false)
    t.test.writeConfig(8, 0x62, 5, 1)
    expect(t.irqs.get(5)).toBe(true)
    t.test.writeConfig(CARD, 4, 0x400, 2)
    expect(t.irqs.get(5)).toBe(false)
    t.test.writeConfig(CARD, 4, 0, 2)
    expect(t.irqs.get(5)).toBe(true)
    t.card.raise(false)
    expect(t.irqs.get(5)).toBe(false)
  })

  it('is shared: the line falls with the last request', () => {
    t.isa.routePirqs([10, 10, 10, 10])
    t.card.raise(true)
    t.other.raise(true)
    t.card.raise(false)
    expect(t.irqs.get(10)).toBe(true)
    t.other.raise(false)
    expect(t.irqs.get(10)).toBe(false)
  })

  it('never reaches a reserved IRQ', () => {
    t.isa.routePirqs([0, 0, 2, 2])
    t.card.raise(true)
    expect([...t.irqs]).toEqual([])
  })
})

describe('assignResources', () => {
  it('leaves a machine as firmware would', () => {
    assignResources(t.bus, {
      ioFirst: 0xc000,
      ioLimit: 0xd000,
      memoryFirst: 0xfeb80000,
      memoryLimit: 0xfec00000,
      pirqIrqs: [10, 10, 11, 11],
    })
    expect(t.test.readConfig(CARD, 0x10)).toBe(0xc001)
    expect(t.test.readConfig(CARD, 0x14)).toBe(0xfeb80000)
    expect(t.test.readConfig(OTHER, 0x14)).toBe(0xfeb81000)
    expect(t.test.readConfig(CARD, 4, 2)).toBe(3)
    expect(t.test.readConfig(OTHER, 4, 2)).toBe(2)
    expect(t.test.readConfig(CARD, 0x3c, 1)).toBe(11)
    expect(t.test.input(0xc004, 1)).toBe(0x41)
  })

  it('says when a window is too small', () => {
    const windows = { ioFirst: 0xc000, ioLimit: 0xc010, memoryFirst: 0, memoryLimit: 0 }
    expect(() => assignResources(t.bus, { ...windows, pirqIrqs: [10, 10, 11, 11] })).toThrow('PCI io window for card')
  })
})

describe('PIIX4 PM', () => {
  it('tells where the PM registers are decoded', () => {
    t.pm.enable(0x600)
    expect(t.test.readConfig(11, 0x40)).toBe(0x601)
    t.test.writeConfig(11, 0x80, 0, 1)
    t.pm.reset()
    expect(t.pmBases).toEqual([0x600, undefined])
  })
})

describe('reset and snapshot', () => {
  it('go back to power-on, and to a saved state', () => {
    const card = () => Array.from({ length: 64 }, (_, i) => t.test.readConfig(CARD, i * 4))
    const fresh = card()
    t.test.writeConfig(CARD, 0x14, 0xfebf1000)
    t.test.writeConfig(CARD, 4, 2, 2)
    t.card.raise(true)
    const changed = card()
    const saved = t.card.save()
    t.bus.reset()
    expect(card()).toEqual(fresh)
    expect(t.test.load(0xfebf1010)).toBe(0xffffffff)
    t.card.restore(saved)
    expect(card()).toEqual(changed)
    expect(t.test.load(0xfebf1010)).toBe(0x104)
  })
})

describe('MSI-X', () => {
  function table() {
    const sent: [number, number][] = []
    const msix = new Msix(3, { send: (address, data) => sent.push([address, data]) })
    for (let i = 0; i < 3; i++) {
      msix.writeBar(i * 16, 4, 0xfee01000)
      msix.writeBar(i * 16 + 8, 4, 0x4000 + i)
      msix.writeBar(i * 16 + 12, 4, 0)
    }
    return { msix, sent }
  }

  it('sends what the table says, only while enabled', () => {
    const { msix, sent } = table()
    msix.signal(1)
    msix.setControl(0x80)
    msix.signal(1)
    msix.signal(3)
    msix.signal(0xffff)
    expect(sent).toEqual([[0xfee01000, 0x4001]])
  })

  it('holds masked vectors as pending until they are unmasked', () => {
    const { msix, sent } = table()
    msix.setControl(0xc0)
    msix.signal(2)
    expect(msix.readBar(0x800, 4)).toBe(4)
    msix.writeBar(2 * 16 + 12, 4, 1)
    msix.setControl(0x80)
    expect(sent).toEqual([])
    msix.writeBar(2 * 16 + 12, 4, 0)
    expect(sent).toEqual([[0xfee01000, 0x4002]])
    expect(msix.readBar(0x800, 4)).toBe(0)
  })

  it('survives every offset and width', () => {
    const { msix } = table()
    for (let offset = 0; offset < 0x1000; offset++) {
      for (const width of [1, 2, 4] as const) {
        msix.writeBar(offset, width, 0xffffffff)
        expect(msix.readBar(offset, width)).toBeGreaterThanOrEqual(0)
      }
    }
  })

  it('keeps its state in a snapshot', () => {
    const { msix, sent } = table()
    msix.setControl(0xc0)
    msix.signal(0)
    const copy = new Msix(3, { send: (address, data) => sent.push([address, data]) })
    copy.restore(msix.save())
    copy.setControl(0x80)
    expect(sent).toEqual([[0xfee01000, 0x4000]])
  })
})

for (const name of ['card', 'isa', 'pm'] as const) {
  describeDeviceContract(`pci ${name}`, () => {
    const device = build()[name]
    const config = { readMmio: device.readConfig.bind(device), writeMmio: device.writeConfig.bind(device) }
    return { device, timers: new FakeTimers(), mmio: [[config, 256]] }
  })
}

describeDeviceContract('pci bus', () => {
  const { ports, mmio } = new TestBus()
  const device = new PciBus({ ports, mmio, pirq: () => undefined, power: { reset: () => undefined } })
  return { device, timers: new FakeTimers(), ports: [[device, 0xcf8, 8]] }
})
