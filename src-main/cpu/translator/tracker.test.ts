import { describe, expect, it } from 'vitest'
import { ALL, inLoop, meet, Tracker } from './tracker.ts'

const A = 1
const B = 2
const C = 4

describe('what a region loads and stores', () => {
  it('loads what is read before it is written for sure', () => {
    const t = new Tracker()
    t.write(A, true)
    t.write(B, false)
    t.read(A | B | C)
    expect(t.atEntry).toBe(B | C)
  })
  it('stores at an exit what may have been written on the way to it, and loads that where it may not have been', () => {
    const t = new Tracker()
    const before = t.now
    t.write(A | B, true)
    const one = t.now
    t.now = before
    t.write(B, true)
    expect(t.leave()).toBe(B)
    expect(t.atEntry).toBe(0)
    t.now = meet(one, t.now)
    expect(t.leave()).toBe(A | B)
    expect(t.atEntry).toBe(A)
  })
  it('takes everything that is written anywhere for written in a loop', () => {
    const t = new Tracker()
    t.write(A, true)
    t.now = inLoop(t.now)
    expect(t.leave()).toBe(ALL)
    t.write(B, true)
    expect(t.atEntry).toBe(B)
  })
  it('knows what the one stop has to store always, sometimes and never', () => {
    const t = new Tracker()
    t.write(A, true)
    t.stop()
    t.write(B, true)
    t.stop()
    t.write(C, true)
    expect([t.allStops, t.someStops, t.written]).toEqual([A, A | B, A | B | C])
  })
})
