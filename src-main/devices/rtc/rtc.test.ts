import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { calendarOf, secondsOf } from './calendar.ts'
import { Rtc } from './rtc.ts'

const START = Date.UTC(2024, 1, 28, 23, 59, 50) / 1000

function board(startSeconds = START) {
  const timers = new FakeTimers()
  const irq = { level: false, edges: 0 }
  const rtc = new Rtc({
    timers,
    irq: {
      set: (level) => {
        if (level && !irq.level) irq.edges++
        irq.level = level
      },
    },
    startSeconds,
    memory: { low: 0xc0000000, high: 0x40000000 },
  })
  const write = (index: number, value: number): void => {
    rtc.writePort(0x70, 1, index)
    rtc.writePort(0x71, 1, value)
  }
  const read = (index: number): number => {
    rtc.writePort(0x70, 1, index | 0x80)
    return rtc.readPort(0x71, 1)
  }
  const time = (): number[] => [0x32, 9, 8, 7, 4, 2, 0].map(read)
  return { timers, irq, rtc, write, read, time }
}

describe('calendar', () => {
  test('agrees with the host over a thousand years, and back again', () => {
    for (let seconds = -1e10; seconds < 2e10; seconds += 86_399 * 1001) {
      const date = new Date(seconds * 1000)
      const time = calendarOf(seconds)
      expect([time.year, time.month, time.day, time.weekday]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay() + 1,
      ])
      expect([time.hour, time.minute, time.second]).toEqual([
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ])
      expect(secondsOf(time)).toBe(seconds)
    }
  })
})

describe('time', () => {
  test('BCD, 24 hours, with the century; it goes over the end of a leap February day', () => {
    const { time, timers, read } = board()
    expect(time()).toEqual([0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x50])
    expect(read(6)).toBe(4)
    timers.advance(10e9)
    expect(time()).toEqual([0x20, 0x24, 0x02, 0x29, 0x00, 0x00, 0x00])
    timers.advance(86_400e9)
    expect(time()).toEqual([0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00])
  })

  test('binary and 12-hour modes', () => {
    const { write, read } = board()
    write(0xb, 0x06)
    expect([read(4), read(0)]).toEqual([23, 50])
    write(0xb, 0x00)
    expect(read(4)).toBe(0x80 | 0x11)
    write(4, 0x12)
    write(0xb, 0x02)
    expect(read(4)).toBe(0)
  })

  test('update-in-progress for the last 244 µs of a second', () => {
    const { timers, read } = board()
    timers.advance(1e9 - 244_001)
    expect(read(0xa)).toBe(0x26)
    timers.advance(1)
    expect(read(0xa)).toBe(0xa6)
    timers.advance(244_000)
    expect([read(0xa), read(0)]).toEqual([0x26, 0x51])
  })

  test("Linux's mc146818_set_time: stop, reset the divider, write, run; the first tick half a second later", () => {
    const { timers, write, read, time } = board()
    timers.advance(123_456_789)
    write(0xb, 0x82)
    write(0xa, 0x76)
    timers.advance(5e9)
    for (const [index, value] of [
      [0x32, 0x19],
      [9, 0x99],
      [8, 0x12],
      [7, 0x31],
      [4, 0x23],
      [2, 0x59],
      [0, 0x59],
    ])
      write(index, value)
    write(0xb, 0x02)
    write(0xa, 0x26)
    expect(time()).toEqual([0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59])
    timers.advance(499_999_999)
    expect(read(0)).toBe(0x59)
    timers.advance(1)
    expect(time()).toEqual([0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00])
  })

  test('a write while it runs takes effect at once and keeps the fraction of the second', () => {
    const { timers, write, read } = board()
    timers.advance(400_000_000)
    write(2, 0x10)
    expect([read(2), read(0)]).toEqual([0x10, 0x50])
    timers.advance(600_000_000)
    expect(read(0)).toBe(0x51)
  })
})

describe('IRQ 8', () => {
  test('update-ended: once a second; register C tells and clears, the line falls', () => {
    const { timers, irq, write, read } = board()
    write(0xb, 0x12)
    timers.advance(1e9)
    expect([irq.level, read(0xc) & 0x90, irq.level]).toEqual([true, 0x90, false])
    expect(read(0xc) & 0x90).toBe(0)
    timers.advance(3e9)
    expect(irq.edges).toBe(2)
  })

  test('periodic at 1024 Hz; a late one once', () => {
    const { timers, irq, write, read } = board()
    write(0xb, 0x42)
    for (let i = 0; i < 1024; i++) {
      timers.advance(976_563)
      read(0xc)
    }
    expect(irq.edges).toBe(1024)
    timers.skip(1e9)
    expect(irq.edges).toBe(1025)
    expect(read(0xc) & 0xc0).toBe(0xc0)
    expect(irq.level).toBe(false)
  })

  test('alarm at a time, and every minute with "do not care" bytes', () => {
    const { timers, irq, write, read } = board()
    write(5, 0x00)
    write(3, 0x00)
    write(1, 0x05)
    read(0xc)
    write(0xb, 0x22)
    timers.advance(15e9 - 1)
    expect(irq.level).toBe(false)
    timers.advance(1)
    expect([irq.level, read(0xc) & 0xa0]).toEqual([true, 0xa0])
    write(5, 0xff)
    write(3, 0xff)
    timers.advance(60e9)
    expect(irq.edges).toBe(2)
  })

  test('flags come up without interrupts too, and cost no host timer', () => {
    const { timers, read } = board()
    read(0xc)
    expect(timers.nextDeadline()).toBeUndefined()
    timers.advance(1.5e9)
    expect(read(0xc)).toBe(0x50)
  })

  test('legacy replacement keeps the line low', () => {
    const { rtc, timers, irq, write } = board()
    rtc.connectIrq(false)
    write(0xb, 0x12)
    timers.advance(2e9)
    expect(irq.edges).toBe(0)
  })
})

describe('CMOS', () => {
  test('memory sizes: 640 KiB, extended, above 16 MiB, above 4 GiB', () => {
    const { read } = board()
    const word = (at: number): number => read(at) | (read(at + 1) << 8)
    expect([word(0x15), word(0x17), word(0x30), word(0x34)]).toEqual([640, 0xffff, 0xffff, 0xbf00])
    expect(word(0x5b) | (read(0x5d) << 16)).toBe(0x4000)
  })

  test('RAM holds, survives a reset; D says the battery is good', () => {
    const { rtc, read, write } = board()
    write(0x0f, 0x0a)
    write(0xb, 0x72)
    rtc.reset()
    expect([read(0x0f), read(0xd), read(0xb)]).toEqual([0x0a, 0x80, 0x02])
  })
})

describeDeviceContract('rtc', () => {
  const { rtc, timers } = board()
  return {
    device: rtc,
    timers,
    ports: [[rtc, 0x70, 2]],
    inputs: [(value) => rtc.connectIrq((value & 1) !== 0)],
    kept: ['ram', 'epoch', 'origin', 'seen', 'stoppedAt'],
  }
})
