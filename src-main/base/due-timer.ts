import type { Timer, Timers } from './clock.ts'

/**
 * A timer that knows whether it is overdue. Timers are delivered between guest instructions, so a guest may touch a device's
 * registers after the deadline and before the delivery; `settle` delivers first, and no expiry is lost.
 */
export class DueTimer {
  private readonly timers: Timers
  private readonly timer: Timer
  private readonly expired: (now: number) => void
  private at: number | undefined

  /** `expired` gets the guest time at which the expiry is delivered. */
  constructor(timers: Timers, name: string, expired: (now: number) => void) {
    this.timers = timers
    this.expired = expired
    this.timer = timers.timer(name, () => this.fire(timers.now()))
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

  /**
   * Deliver what is due; to be called before the state that the expiry acts on is read or changed. A device that then computes deadlines
   * from the clock gives the reading that it computes with: between two readings an expiry could be lost.
   */
  settle(now = this.timers.now()): void {
    if (this.at !== undefined && this.at <= now) {
      this.timer.disarm()
      this.fire(now)
    }
  }

  private fire(now: number): void {
    if (this.at === undefined) return
    this.at = undefined
    this.expired(now)
  }
}
