import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { timeOfTick } from '../../base/frequency.ts'
import { describeDeviceContract } from '../contract.ts'
import { PIT_HZ, Pit } from './pit.ts'

function board() {
  const timers = new FakeTimers()
  const irq = { level: false, edges: [] as number[] }
  const line = {
    set: (level: boolean): void => {
      if (level && !irq.level) irq.edges.push(timers.now())
      irq.level = level
    },
  }
  const pit = new Pit(line, timers)
  const out = (port: number, value: number): void =>
    port === 0x61 ? pit.portB.writePort(0x61, 1, value) : pit.writePort(port, 1, value)
  const inb = (port: number): number => (port === 0x61 ? pit.portB.readPort(0x61, 1) : pit.readPort(port, 1))
  const ticks = (count: number): void => {
    const now = Math.floor((timers.now() * PIT_HZ) / 1e9)
    timers.advance(timeOfTick(now + count, PIT_HZ) - timers.now())
  }
  const word = (port: number): number => inb(port) | (inb(port) << 8)
  const load = (channel: number, control: number, count: number): void => {
    out(0x43, (channel << 6) | control)
    if (control & 0x10) out(0x40 + channel, count & 0xff)
    if (control & 0x20) out(0x40 + channel, count >> 8)
  }
  const latched = (channel: number): number => {
    out(0x43, channel << 6)
    return word(0x40 + channel)
  }
  return { timers, irq, pit, out, inb, ticks, word, load, latched }
}

describe('counter 0 and IRQ 0', () => {
  test("mode 2 at HZ=250 (Linux's PIT_LATCH): 250 interrupts a second, no drift", () => {
    const { load, timers, irq } = board()
    load(0, 0x34, Math.floor((PIT_HZ + 125) / 250))
    irq.edges.length = 0
    timers.advance(10e9)
    expect(irq.edges.length).toBe(Math.floor((10 * PIT_HZ) / 4773))
    expect(irq.edges.at(-1)).toBe(timeOfTick(4773 * irq.edges.length, PIT_HZ))
  })

  test('mode 0 as one-shot: the output falls with the control word, rises once at the count', () => {
    const { load, ticks, irq } = board()
    load(0, 0x30, 1000)
    expect(irq.level).toBe(false)
    irq.edges.length = 0
    ticks(999)
    expect(irq.level).toBe(false)
    ticks(1)
    expect(irq.level).toBe(true)
    ticks(200_000)
    expect(irq.edges.length).toBe(1)
  })

  test('mode 4, as tickless Linux uses it, strobes once', () => {
    const { load, ticks, irq, timers } = board()
    load(0, 0x38, 500)
    irq.edges.length = 0
    ticks(501)
    expect(irq.edges.length).toBe(1)
    ticks(100_000)
    expect([irq.edges.length, timers.nextDeadline()]).toEqual([1, undefined])
  })

  test('late periods are one interrupt; the phase stays', () => {
    const { load, timers, irq, inb, out } = board()
    load(0, 0x34, 11932)
    irq.edges.length = 0
    timers.skip(105_000_000)
    expect(irq.edges.length).toBe(1)
    timers.advance(10_000_000)
    expect(irq.edges.length).toBe(2)
    expect(irq.edges[1]).toBe(timeOfTick(11932 * 11, PIT_HZ))
    out(0x43, 0)
    expect(inb(0x40)).toBeLessThan(256)
  })

  test('a period too short to serve is stretched, not delivered in a storm', () => {
    const { load, timers, irq } = board()
    load(0, 0x14, 2)
    irq.edges.length = 0
    timers.advance(1e9)
    expect(irq.edges.length).toBeLessThanOrEqual(50_000)
    expect(irq.edges.length).toBeGreaterThan(10_000)
  })

  test('legacy replacement silences it; afterwards it goes on', () => {
    const { pit, load, timers, irq } = board()
    load(0, 0x34, 1193)
    pit.connectIrq(false)
    irq.edges.length = 0
    timers.advance(1e8)
    expect([irq.edges.length, timers.nextDeadline()]).toEqual([0, undefined])
    pit.connectIrq(true)
    timers.advance(1e7)
    expect(irq.edges.length).toBeGreaterThan(9)
  })
})

describe('counting', () => {
  test('mode 2 counts from N to 1, mode 3 by two through both halves', () => {
    const { load, ticks, latched } = board()
    load(0, 0x34, 10)
    const seen2: number[] = []
    for (let i = 0; i < 12; i++, ticks(1)) seen2.push(latched(0))
    expect(seen2).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 10, 9])
    load(0, 0x36, 6)
    const seen3: number[] = []
    for (let i = 0; i < 7; i++, ticks(1)) seen3.push(latched(0))
    expect(seen3).toEqual([6, 4, 2, 6, 4, 2, 6])
  })

  test('mode 0 wraps past zero and goes on', () => {
    const { load, ticks, latched } = board()
    load(0, 0x30, 3)
    ticks(5)
    expect(latched(0)).toBe(0xfffe)
  })

  test('a count of 0 is 65536; in BCD 10000', () => {
    const { load, ticks, latched } = board()
    load(0, 0x34, 0)
    expect(latched(0)).toBe(0)
    ticks(1)
    expect(latched(0)).toBe(0xffff)
    load(0, 0x35, 0)
    ticks(1)
    expect(latched(0)).toBe(0x9999)
    load(0, 0x35, 0x1234)
    ticks(35)
    expect(latched(0)).toBe(0x1199)
  })

  test('a new count in mode 2 waits for the end of the period', () => {
    const { load, out, ticks, latched } = board()
    load(0, 0x34, 100)
    ticks(230)
    out(0x40, 50)
    out(0x40, 0)
    expect(latched(0)).toBe(70)
    ticks(70)
    expect(latched(0)).toBe(50)
    ticks(50)
    expect(latched(0)).toBe(50)
  })

  test('latched values hold; the first latch stays until it is read', () => {
    const { load, out, ticks, word } = board()
    load(0, 0x34, 1000)
    ticks(10)
    out(0x43, 0)
    ticks(10)
    out(0x43, 0)
    expect(word(0x40)).toBe(990)
    expect(word(0x40)).toBe(980)
  })

  test('read-back: status then count, of the chosen counters', () => {
    const { load, out, inb, word, ticks } = board()
    load(0, 0x34, 1000)
    out(0x43, 0xb6)
    ticks(10)
    out(0x43, 0xca)
    expect(inb(0x40)).toBe(0x80 | 0x34)
    expect(word(0x40)).toBe(990)
    expect(inb(0x42)).toBe(0x80 | 0x40 | 0x36)
    out(0x43, 0x36)
    out(0x43, 0xe2)
    expect(inb(0x40)).toBe(0xc0 | 0x36)
  })
})

describe('counter 2 and port 0x61', () => {
  test("Linux's TSC calibration: mode 0, gate up, output rises after exactly the count", () => {
    const { load, out, inb, ticks } = board()
    out(0x61, (inb(0x61) & ~2) | 1)
    load(2, 0x30, 59659)
    expect(inb(0x61) & 0x21).toBe(1)
    ticks(59658)
    expect(inb(0x61) & 0x20).toBe(0)
    ticks(1)
    expect(inb(0x61) & 0x20).toBe(0x20)
  })

  test("the quick calibration reads the running count's high byte", () => {
    const { load, inb, ticks, out } = board()
    out(0x61, 1)
    load(2, 0x30, 0xffff)
    inb(0x42)
    expect(inb(0x42)).toBe(0xff)
    ticks(256)
    inb(0x42)
    expect(inb(0x42)).toBe(0xfe)
  })

  test('a low gate stops modes 0 and 2; mode 2 starts anew, mode 0 goes on', () => {
    const { load, out, ticks, latched, inb } = board()
    out(0x61, 1)
    load(2, 0x30, 1000)
    ticks(100)
    out(0x61, 0)
    ticks(100)
    expect(latched(2)).toBe(900)
    out(0x61, 1)
    ticks(50)
    expect(latched(2)).toBe(850)
    load(2, 0x34, 1000)
    ticks(100)
    out(0x61, 0)
    expect(inb(0x61) & 0x20).toBe(0x20)
    out(0x61, 1)
    expect(latched(2)).toBe(1000)
  })

  test('modes 1 and 5 wait for the gate to rise', () => {
    const { load, out, ticks, inb } = board()
    load(2, 0x32, 100)
    ticks(500)
    expect(inb(0x61) & 0x20).toBe(0x20)
    out(0x61, 1)
    expect(inb(0x61) & 0x20).toBe(0)
    ticks(99)
    expect(inb(0x61) & 0x20).toBe(0)
    ticks(1)
    expect(inb(0x61) & 0x20).toBe(0x20)
    out(0x61, 0)
    load(2, 0x3a, 10)
    out(0x61, 1)
    ticks(10)
    expect(inb(0x61) & 0x20).toBe(0)
    ticks(1)
    expect(inb(0x61) & 0x20).toBe(0x20)
  })

  test('the refresh bit toggles with time, not with reads', () => {
    const { inb, ticks } = board()
    const first = inb(0x61) & 0x10
    expect(inb(0x61) & 0x10).toBe(first)
    ticks(18)
    expect(inb(0x61) & 0x10).toBe(first ^ 0x10)
  })
})

describeDeviceContract('pit', () => {
  const { pit, timers } = board()
  return {
    device: pit,
    timers,
    ports: [
      [pit, 0x40, 4],
      [pit.portB, 0x61, 1],
    ],
    inputs: [(value) => pit.connectIrq((value & 1) !== 0)],
  }
})
