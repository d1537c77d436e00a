import type { Timer, Timers } from './clock.ts'

/**
 * A timer that knows whether it is overdue. Timers are delivered between guest instructions, so a guest may touch a device's
 * registers after the deadline and before the delivery; `settle` delivers first, and no expiry is lost.
 */
export class DueTimer {
  private readonly timers: Timers
  private readonly timer: Timer
  private readonly expired: () => void
  private at: number | undefined

  constructor(timers: Timers, name: string, expired: () => void) {
    this.timers = timers
    this.expired = expired
    this.timer = timers.timer(name, () => this.fire())
  }

  /** Deadline in ns of guest time; undefined when disarmed. */
  get deadline(): number | undefined {
    return this.at
  }

  arm(deadline: number): void {
    this.at = deadline
    this.timer.arm(deadline)
  }

  disarm(): void {
    this.at = undefined
    this.timer.disarm()
  }

  /** Arm, or disarm when there is no deadline. */
  set(deadline: number | undefined): void {
    if (deadline === undefined) this.disarm()
    else this.arm(deadline)
  }

  /** Deliver now what is due; to be called before the state that the expiry acts on is read or changed. */
  settle(): void {
    if (this.at !== undefined && this.at <= this.timers.now()) {
      this.timer.disarm()
      this.fire()
    }
  }

  private fire(): void {
    if (this.at === undefined) return
    this.at = undefined
    this.expired()
  }
}
