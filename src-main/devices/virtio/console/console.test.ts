import { describe, expect, it } from 'vitest'
import { FakeTimers } from '../../../base/fake-timers.ts'
import { Ram } from '../../../memory/ram.ts'
import type { ConsoleBackend, TerminalSize } from '../../backends.ts'
import { describeDeviceContract } from '../../contract.ts'
import { PciBus } from '../../pci/bus.ts'
import { TestBus } from '../../pci/test-bus.ts'
import { VirtioPci } from '../pci.ts'
import type { Chain } from '../queue.ts'
import { TestDriver } from '../test-driver.ts'
import { VirtioConsole } from './device.ts'

const MIB = 1 << 20
const F_SIZE = 0
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const bytes = (data: string) => new TextEncoder().encode(data)

/** Typed text waits here; what the guest prints is gathered. */
class TestTerminal implements ConsoleBackend {
  onReadable: (() => void) | undefined
  onBreak: (() => void) | undefined
  onResize: ((size: TerminalSize) => void) | undefined
  printed = ''
  waiting = new Uint8Array(0)
  write(data: Uint8Array): void {
    this.printed += text(data)
  }
  read(max: number): Uint8Array {
    const taken = this.waiting.slice(0, max)
    this.waiting = this.waiting.slice(max)
    return taken
  }
  type(data: string): void {
    this.waiting = bytes(text(this.waiting) + data)
    this.onReadable?.()
  }
}

function build() {
  const ram = new Ram(new SharedArrayBuffer(8 * MIB), { base: 0, lowSize: 8 * MIB, highSize: 0 })
  const bus = new TestBus()
  const terminal = new TestTerminal()
  const intx = { level: false }
  const pci = new PciBus({
    ports: bus.ports,
    mmio: bus.mmio,
    pirq: (_pirq, level) => void (intx.level = level),
    power: { reset: () => undefined },
  })
  const device = new VirtioConsole('virtio-console0', terminal)
  const fn = new VirtioPci(device, { memory: ram, msi: { send: () => undefined } })
  pci.add(2, 0, fn)
  return { ram, terminal, fn, driver: new TestDriver(bus, ram) }
}

describe('typing into a virtio console', () => {
  it('waits for the driver and its buffers, and loses nothing', () => {
    const { terminal, driver, ram } = build()
    terminal.type('abcde')
    expect(driver.start([F_SIZE])).toBe(true)
    const first = driver.add({ in: [3] })
    driver.notify()
    expect(driver.takeUsed()).toEqual([{ head: first.head, written: 3 }])
    expect(text(ram.read(first.at[0], 3))).toBe('abc')
    terminal.type('f')
    const second = driver.add({ in: [1, 100] })
    driver.notify()
    expect(driver.takeUsed()).toEqual([{ head: second.head, written: 2 }])
    const third = driver.add({ in: [100] })
    driver.notify()
    terminal.type('gh')
    expect(driver.takeUsed().map(({ written }) => written)).toEqual([1])
    expect(text(ram.read(third.at[0], 1))).toBe('f')
    expect(terminal.waiting.length).toBe(0)
  })
  it('survives a driver that gives buffers nobody can write to', () => {
    const { terminal, driver } = build()
    driver.start([F_SIZE])
    driver.add({ out: [bytes('read-only')] })
    const good = driver.add({ in: [10] })
    driver.notify()
    terminal.type('x')
    expect(driver.takeUsed().map(({ written }) => written)).toEqual([0, 1])
    expect(good.at.length).toBe(1)
  })
})

describe('the size of a virtio console', () => {
  it('stands in the configuration, and a change interrupts a driver that runs', () => {
    const { terminal, driver } = build()
    terminal.onResize?.({ columns: 132, rows: 43 })
    expect(driver.readIsr()).toBe(0)
    driver.start([F_SIZE])
    expect([driver.config(0, 2), driver.config(2, 2)]).toEqual([132, 43])
    const generation = driver.common(0x15, 1)
    terminal.onResize?.({ columns: 80, rows: 24 })
    expect(driver.readIsr()).toBe(2)
    expect(driver.common(0x15, 1)).not.toBe(generation)
    expect([driver.config(0, 2), driver.config(2, 2)]).toEqual([80, 24])
  })
  it('is told again when something is typed for the first time, and once only', () => {
    const { terminal, driver } = build()
    driver.start([F_SIZE])
    for (let n = 0; n < 2; n++) driver.add({ in: [10] })
    driver.notify()
    terminal.type('a')
    expect(driver.readIsr()).toBe(3)
    terminal.type('b')
    expect(driver.readIsr()).toBe(1)
  })
})

describe('printing', () => {
  /** The transmit queue alone, without a transport. */
  function transmitter(chains: Chain[]) {
    const ram = new Ram(new SharedArrayBuffer(MIB), { base: 0, lowSize: MIB, highSize: 0 })
    const terminal = new TestTerminal()
    const device = new VirtioConsole('virtio-console0', terminal)
    const done: [number, number, number][] = []
    let changes = 0
    device.attach({
      memory: ram,
      has: () => true,
      pop: (queue) => (queue === 1 ? chains.shift() : undefined),
      push: (queue, chain, written) => done.push([queue, chain.head, written]),
      configChanged: () => changes++,
    })
    return { ram, terminal, device, done, changes: () => changes }
  }

  it('goes out in order, whatever pieces it comes in', () => {
    const chains = [
      { head: 4, readable: [{ gpa: 0x1000, length: 6000 }], writable: [] },
      {
        head: 5,
        readable: [
          { gpa: 0x100, length: 1 },
          { gpa: 0x200, length: 2 },
        ],
        writable: [],
      },
    ]
    const t = transmitter(chains)
    t.ram.write(0x1000, bytes('0123456789'.repeat(600)))
    t.ram.write(0x100, bytes('a'))
    t.ram.write(0x200, bytes('bc'))
    t.device.notified(1)
    expect(t.terminal.printed).toBe(`${'0123456789'.repeat(600)}abc`)
    expect(t.done).toEqual([
      [1, 4, 0],
      [1, 5, 0],
    ])
    expect(t.changes()).toBe(1)
  })
  it('of what is not in memory is nothing', () => {
    const t = transmitter([{ head: 0, readable: [{ gpa: MIB - 2, length: 0x7fff_ffff }], writable: [] }])
    t.device.notified(1)
    expect([t.terminal.printed, t.done]).toEqual(['', [[1, 0, 0]]])
  })
})

describeDeviceContract('virtio-console', () => {
  const { fn } = build()
  const mmio = (index: number) => {
    const { handler, size } = fn.bars[index]!
    return [{ readMmio: handler.readBar.bind(handler), writeMmio: handler.writeBar.bind(handler) }, size] as const
  }
  const { handler, size } = fn.bars[0]!
  const legacy = { readPort: handler.readBar.bind(handler), writePort: handler.writeBar.bind(handler) }
  return { device: fn, timers: new FakeTimers(), ports: [[legacy, 0, size]], mmio: [mmio(1), mmio(4)] }
})
