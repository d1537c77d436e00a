import { expect, test } from 'vitest'
import { FakeTimers } from './fake-timers.ts'

test('advance fires each timer at its own deadline, in order', () => {
  const timers = new FakeTimers()
  const seen: string[] = []
  const late = timers.timer('late', () => seen.push(`late ${timers.now()}`))
  const early = timers.timer('early', () => {
    seen.push(`early ${timers.now()}`)
    if (timers.now() < 30) early.arm(timers.now() + 10)
  })
  late.arm(25)
  early.arm(10)
  timers.advance(100)
  expect(seen).toEqual(['early 10', 'early 20', 'late 25', 'early 30'])
  expect(timers.now()).toBe(100)
  expect(timers.nextDeadline()).toBeUndefined()
})

test('skip fires a due timer once, late; a disarmed one never', () => {
  const timers = new FakeTimers()
  let fired = 0
  const timer = timers.timer('t', () => fired++)
  const off = timers.timer('off', () => (fired += 100))
  timer.arm(5)
  off.arm(5)
  off.disarm()
  timers.skip(1000)
  expect(fired).toBe(1)
})
