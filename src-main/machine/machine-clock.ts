import type { Timer, Timers } from '../base/clock.ts'

/** Milliseconds from a monotonic clock, as performance.now gives them. */
export type MonotonicClock = () => number

interface Entry {
  deadline: number
  readonly fire: () => void
}

/** Guest time and all timers of the machine: ns of a monotonic host clock, standing still while paused. */
export class MachineClock implements Timers {
  private readonly host: MonotonicClock
  private readonly entries: Entry[] = []
  /** Host time (ms) at which guest time was zero; moved on by pauses. */
  private origin: number
  private pausedAt: number | undefined
  /** Earliest deadline; Infinity when nothing is armed. */
  private next = Infinity

  constructor(host: MonotonicClock = () => performance.now()) {
    this.host = host
    this.origin = host()
  }

  now(): number {
    return Math.floor(((this.pausedAt ?? this.host()) - this.origin) * 1e6)
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
    return Math.max(0, (this.next - this.now()) / 1e6)
  }

  /** Fires what is due, earliest first, each timer at most once. */
  runDue(): void {
    const now = this.now()
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
