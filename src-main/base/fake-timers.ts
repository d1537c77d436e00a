import type { Timer, Timers } from './clock.ts'

interface Entry {
  readonly fire: () => void
  deadline: number | undefined
}

/** A device that re-arms for "now" for ever would hang a test; more firings than this in one step is an error. */
const MAX_FIRINGS = 1_000_000

/** Guest time under a test's control: nothing moves until `advance` or `skip` is called. */
export class FakeTimers implements Timers {
  private time = 0
  private readonly entries: Entry[] = []

  now(): number {
    return this.time
  }

  timer(_name: string, fire: () => void): Timer {
    const entry: Entry = { fire, deadline: undefined }
    this.entries.push(entry)
    return {
      arm: (deadline) => void (entry.deadline = deadline),
      disarm: () => void (entry.deadline = undefined),
    }
  }

  /** Let `ns` pass; each timer fires exactly at its deadline, in order of time. */
  advance(ns: number): void {
    const end = this.time + ns
    for (let firings = 0; ; firings++) {
      if (firings > MAX_FIRINGS) throw new Error('a timer re-arms without end')
      const next = this.earliest(end)
      if (!next) break
      this.time = Math.max(this.time, next.deadline ?? 0)
      this.fire(next)
    }
    this.time = end
  }

  /** Let `ns` pass in one leap, as when the host was suspended: every due timer then fires once, late. */
  skip(ns: number): void {
    this.time += ns
    const due = this.entries.filter((entry) => entry.deadline !== undefined && entry.deadline <= this.time)
    for (const entry of due) this.fire(entry)
  }

  /** Let `ns` pass without delivering anything: the guest is between two deliveries. What fell due comes with the next step. */
  elapse(ns: number): void {
    this.time += ns
  }

  /** The earliest armed deadline, or undefined: what an idle vCPU would sleep for. */
  nextDeadline(): number | undefined {
    return this.earliest(Infinity)?.deadline
  }

  private earliest(end: number): Entry | undefined {
    let best: Entry | undefined
    for (const entry of this.entries) {
      if (entry.deadline === undefined || entry.deadline > end) continue
      if (best?.deadline === undefined || entry.deadline < best.deadline) best = entry
    }
    return best
  }

  private fire(entry: Entry): void {
    entry.deadline = undefined
    entry.fire()
  }
}

/** Every reading of the clock takes the host a microsecond. */
export class SlowTimers extends FakeTimers {
  override now(): number {
    this.elapse(1000)
    return super.now()
  }
}
