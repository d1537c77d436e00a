import type { Timer, Timers } from '../base/clock.ts'

/** Milliseconds from a monotonic clock, as performance.now gives them. */
export type MonotonicClock = () => number

interface Entry {
  deadline: number
  readonly fire: () => void
}

/** Readings that follow each other faster than this (ns), and not much slower than they usually do, are a loop that polls a clock. */
const POLL_GAP = 10_000
const MUCH_SLOWER = 4
/** So many of them in a row make one. */
const POLL_READINGS = 6
/** Bounds of what counts as the usual time between two readings, ns. */
const LEAST_USUAL = 200
const MOST_USUAL = 4000
/** A slice with fewer readings than one in so many instructions ends the polling. */
const POLL_INSTRUCTIONS = 500
/** Never further behind the host than this (ns). */
const MOST_WITHHELD = 1_000_000_000
/** While the loop goes on, one part in so many of its own time is given back on top. */
const GIVE_BACK = 16

/** Asked for once: Node's global is a getter, and a guest reads the time very often. */
const monotonic = performance

/**
 * Guest time and all timers of the machine: ns of a monotonic host clock, standing still while paused.
 *
 * Kernels calibrate their clocks against each other in loops that bear no interruption, but the host takes the processor away when it
 * likes. So the time in which a loop that polls a clock did not run is withheld from it, and made up at once when the loop ends
 * ("apparent time" of virtual machines), or little by little while it lasts. All clocks of the machine are this one, so none ever differs from another.
 */
export class MachineClock implements Timers {
  private readonly host: MonotonicClock
  /** The last reading of the host's clock (ms), and how many fast ones came before it in a row. */
  private lastReading = 0
  private fastReadings = 0
  private sliceReadings = 0
  /** The usual time between two readings of a loop: what a reading takes when the host let the loop wait, ns. */
  private usual = MOST_USUAL
  /** Guest time that is withheld, ns. */
  private withheld = 0
  private readonly entries: Entry[] = []
  /** Host time (ms) at which guest time was zero; moved on by pauses. */
  private origin: number
  private pausedAt: number | undefined
  /** Earliest deadline; Infinity when nothing is armed. */
  private next = Infinity

  constructor(host: MonotonicClock = () => monotonic.now()) {
    this.host = host
    this.origin = host()
  }

  now(): number {
    this.sliceReadings++
    this.fastReadings++
    return this.read()
  }

  /** Reads the host's clock; a gap that interrupts a polling loop is withheld. */
  private read(): number {
    if (this.pausedAt !== undefined) return Math.floor((this.pausedAt - this.origin) * 1e6 - this.withheld)
    const host = this.host()
    const gap = (host - this.lastReading) * 1e6
    this.lastReading = host
    const limit = Math.min(POLL_GAP, MUCH_SLOWER * this.usual)
    if (gap < limit) {
      if (this.withheld > 0) this.withheld = Math.max(0, this.withheld - gap / GIVE_BACK)
    } else if (this.fastReadings < POLL_READINGS) this.fastReadings = 0
    else this.withhold(gap - this.usual)
    const usual = this.usual + (Math.min(gap, limit) - this.usual) / 16
    this.usual = Math.min(MOST_USUAL, Math.max(LEAST_USUAL, usual))
    return Math.floor((host - this.origin) * 1e6 - this.withheld)
  }

  /** A slice of `instructions` guest instructions has run. */
  endSlice(instructions: number): void {
    if (this.sliceReadings * POLL_INSTRUCTIONS < instructions) this.catchUp()
    this.sliceReadings = 0
  }

  /** Nobody polls, or the guest sleeps: guest time is what the host's clock says. */
  catchUp(): void {
    this.fastReadings = 0
    this.withheld = 0
  }

  private withhold(time: number): void {
    this.withheld += time
    if (this.withheld > MOST_WITHHELD) this.catchUp()
  }

  pause(): void {
    this.pausedAt ??= this.host()
  }

  resume(): void {
    if (this.pausedAt === undefined) return
    this.origin += this.host() - this.pausedAt
    this.pausedAt = undefined
  }

  timer(_name: string, fire: () => void): Timer {
    const entry: Entry = { deadline: Infinity, fire }
    this.entries.push(entry)
    return {
      arm: (deadline) => {
        entry.deadline = deadline
        if (deadline < this.next) this.next = deadline
        else this.findNext()
      },
      disarm: () => {
        entry.deadline = Infinity
        this.findNext()
      },
    }
  }

  private findNext(): void {
    this.next = Infinity
    for (const entry of this.entries) if (entry.deadline < this.next) this.next = entry.deadline
  }

  /** Milliseconds until the next timer, 0 when one is due; undefined when none is armed. */
  untilNext(): number | undefined {
    if (this.next === Infinity) return undefined
    return Math.max(0, (this.next - this.read()) / 1e6)
  }

  /** Fires what is due, earliest first, each timer at most once. */
  runDue(): void {
    const now = this.read()
    if (now < this.next) return
    const due = this.entries.filter((entry) => entry.deadline <= now).sort((a, b) => a.deadline - b.deadline)
    for (const entry of due) {
      // an earlier one may have disarmed or moved it
      if (entry.deadline > now) continue
      entry.deadline = Infinity
      entry.fire()
    }
    this.findNext()
  }
}
