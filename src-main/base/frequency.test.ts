import { expect, test } from 'vitest'
import { ticksAt, timeOfTick } from './frequency.ts'

test('timeOfTick is the first nanosecond at which the tick is reached', () => {
  for (const hz of [32_768, 1_193_182, 3_579_545]) {
    for (const tick of [0, 1, 2, 999, 65_535, hz - 1, hz, hz + 1, 1_000_003 * 977]) {
      const ns = timeOfTick(tick, hz)
      expect(ticksAt(ns, hz)).toBe(tick)
      if (ns > 0) expect(ticksAt(ns - 1, hz)).toBe(tick - 1)
    }
  }
})

test('a day of PIT ticks has no rounding error', () => {
  expect(ticksAt(86_400e9, 1_193_182)).toBe(86_400 * 1_193_182)
})
