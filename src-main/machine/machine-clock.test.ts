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
})
