/**
 * Conversions between guest nanoseconds and ticks of a crystal, in whole numbers. Exact for frequencies up to 9 MHz and times up
 * to 104 days: every counter that is derived with them stays in step with all others for ever.
 */
const NS_PER_SECOND = 1_000_000_000

/** Ticks of a `hz` crystal that have passed at `ns` (rounded down). */
export function ticksAt(ns: number, hz: number): number {
  const seconds = Math.floor(ns / NS_PER_SECOND)
  return seconds * hz + Math.floor(((ns - seconds * NS_PER_SECOND) * hz) / NS_PER_SECOND)
}

/** The first nanosecond at which `ticksAt` reaches `ticks`. */
export function timeOfTick(ticks: number, hz: number): number {
  const seconds = Math.floor(ticks / hz)
  return seconds * NS_PER_SECOND + Math.ceil(((ticks - seconds * hz) * NS_PER_SECOND) / hz)
}
