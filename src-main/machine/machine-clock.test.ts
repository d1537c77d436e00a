import { describe, expect, it } from 'vitest'
import { MachineClock } from './machine-clock.ts'

describe('machine clock', () => {
  it('fires timers in order of their deadlines, late ones once, and stands still while paused', () => {
    let host = 100
    const clock = new MachineClock(() => host)
    const fired: string[] = []
    const a = clock.timer('a', () => {
      fired.push('a')
      a.arm(clock.now() + 1e6)
    })
    const b = clock.timer('b', () => fired.push('b'))
    a.arm(5e6)
    b.arm(3e6)
    expect(clock.untilNext()).toBe(3)
    clock.runDue()
    expect(fired).toEqual([])
    host = 150
    clock.runDue()
    expect(fired).toEqual(['b', 'a'])
    clock.pause()
    host = 1000
    expect(clock.now()).toBe(50e6)
    clock.resume()
    expect(clock.now()).toBe(50e6)
    b.arm(60e6)
    b.disarm()
    expect(clock.untilNext()).toBe(1)
  })

  /** Reads the clock `count` times, every `gap` microseconds; gives the largest step between two readings in ns. */
  function poll(clock: MachineClock, host: { ms: number }, count: number, gap = 1): number {
    let [last, largest, smallest] = [clock.now(), 0, Infinity]
    for (let n = 0; n < count; n++) {
      host.ms += gap / 1000
      const now = clock.now()
      largest = Math.max(largest, now - last)
      smallest = Math.min(smallest, now - last)
      last = now
    }
    expect(smallest).toBeGreaterThanOrEqual(0)
    return largest
  }

  it('withholds lost time from a loop that polls it, and makes it up when the loop ends', () => {
    const host = { ms: 0 }
    const clock = new MachineClock(() => host.ms)
    poll(clock, host, 100)
    clock.endSlice(2000)
    const before = clock.now()
    host.ms += 10
    expect(clock.now() - before).toBeLessThan(1100)
    expect(poll(clock, host, 100)).toBeLessThanOrEqual(1064)
    clock.endSlice(2000)
    clock.endSlice(20_000)
    expect(clock.now()).toBe(Math.floor(host.ms * 1e6))
  })
  it('is never far behind, however long the loop', () => {
    const host = { ms: 0 }
    const clock = new MachineClock(() => host.ms)
    for (let n = 0; n < 300; n++) {
      poll(clock, host, 50)
      clock.endSlice(1000)
      host.ms += 10
      expect(host.ms * 1e6 - clock.now()).toBeLessThanOrEqual(1_000_000_001)
    }
  })
  it('gives back while the loop lasts', () => {
    const host = { ms: 0 }
    const clock = new MachineClock(() => host.ms)
    poll(clock, host, 100)
    host.ms += 1
    poll(clock, host, 20_000)
    clock.endSlice(200_000)
    expect(clock.now()).toBe(Math.floor(host.ms * 1e6))
  })
  it('withholds nothing from a program that looks at the clock now and then', () => {
    const host = { ms: 0 }
    const clock = new MachineClock(() => host.ms)
    expect(poll(clock, host, 1000, 50)).toBeGreaterThanOrEqual(49_999)
    expect(clock.now()).toBe(Math.floor(host.ms * 1e6))
  })
})
