import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'

/** Bits 18:17 of the timer's local vector table entry (SDM Vol. 3 §11.5.4). */
const TIMER_MODE = { ONE_SHOT: 0, PERIODIC: 1, TSC_DEADLINE: 2 } as const
const MASKED = 0x10000

/** A period below this (ns) would leave the guest no time between its ticks, and the host none at all. */
const MIN_PERIOD = 10_000

/** The local APIC timer. Its input clock is 1 GHz: a tick of the undivided counter is a nanosecond of guest time. */
export class ApicTimer {
  private readonly timers: Timers
  private readonly timeAtTsc: (tsc: bigint) => number
  private readonly due: DueTimer
  private readonly interrupt: () => void

  private mode: number = TIMER_MODE.ONE_SHOT
  private masked = true
  private initialCount = 0
  private divideConfig = 0
  /** Guest time at which the counter held the initial count. */
  private start = 0
  private deadlineTsc = 0n

  constructor(timers: Timers, timeAtTsc: (tsc: bigint) => number, interrupt: () => void) {
    this.timers = timers
    this.timeAtTsc = timeAtTsc
    this.interrupt = interrupt
    this.due = new DueTimer(timers, 'local-apic', () => this.expired())
  }

  reset(): void {
    this.mode = TIMER_MODE.ONE_SHOT
    this.masked = true
    this.initialCount = 0
    this.divideConfig = 0
    this.start = 0
    this.deadlineTsc = 0n
    this.due.disarm()
  }

  /** The timer's local vector table entry is about to become `entry`. */
  configure(entry: number): void {
    this.due.settle()
    const mode = (entry >> 17) & 3
    // A change between TSC-deadline and the other modes disarms the timer (SDM Vol. 3 §11.5.4.1).
    if ((mode === TIMER_MODE.TSC_DEADLINE) !== (this.mode === TIMER_MODE.TSC_DEADLINE)) {
      this.initialCount = 0
      this.deadlineTsc = 0n
    }
    this.mode = mode
    this.masked = (entry & MASKED) !== 0
    this.rearm()
  }

  get initial(): number {
    return this.initialCount
  }

  set initial(value: number) {
    this.due.settle()
    // Ignored in TSC-deadline mode (SDM Vol. 3 §11.5.4.1).
    if (this.mode === TIMER_MODE.TSC_DEADLINE) return
    this.initialCount = value
    this.start = this.timers.now()
    this.rearm(true)
  }

  get divide(): number {
    return this.divideConfig
  }

  /** Divide configuration register, bits 3, 1 and 0; the count goes on from where it is. */
  set divide(value: number) {
    this.due.settle()
    const elapsed = this.elapsed()
    this.divideConfig = value
    this.start = this.timers.now() - elapsed * this.divisor()
    this.rearm()
  }

  /** Current count register. */
  current(): number {
    if (this.initialCount === 0 || this.mode === TIMER_MODE.TSC_DEADLINE) return 0
    const elapsed = this.elapsed()
    if (this.mode === TIMER_MODE.PERIODIC) return this.initialCount - (elapsed % this.initialCount)
    return Math.max(0, this.initialCount - elapsed)
  }

  /** IA32_TSC_DEADLINE reads as zero when nothing is armed. */
  get tscDeadline(): bigint {
    this.due.settle()
    return this.deadlineTsc
  }

  set tscDeadline(value: bigint) {
    this.due.settle()
    if (this.mode !== TIMER_MODE.TSC_DEADLINE) return
    this.deadlineTsc = value
    this.rearm()
    this.due.settle()
  }

  tscMoved(): void {
    if (this.mode !== TIMER_MODE.TSC_DEADLINE) return
    this.rearm()
    this.due.settle()
  }

  save(): SnapshotFields {
    const { mode, masked, initialCount, divideConfig, start, deadlineTsc } = this
    return { mode, masked, initialCount, divideConfig, start, deadlineTsc, due: this.due.deadline ?? null }
  }

  restore(fields: SnapshotFields): void {
    this.mode = Number(fields.mode)
    this.masked = fields.masked === true
    this.initialCount = Number(fields.initialCount)
    this.divideConfig = Number(fields.divideConfig)
    this.start = Number(fields.start)
    this.deadlineTsc = BigInt(fields.deadlineTsc as bigint)
    this.due.set(fields.due === null ? undefined : Number(fields.due))
  }

  /** 1, 2, 4 .. 128 (SDM Vol. 3 figure 11-10: 000 is 2, 111 is 1). */
  private divisor(): number {
    const code = (this.divideConfig & 3) | ((this.divideConfig >> 1) & 4)
    return 1 << ((code + 1) & 7)
  }

  private elapsed(): number {
    return Math.floor((this.timers.now() - this.start) / this.divisor())
  }

  /** A masked timer counts on without us: its count is derived from the clock, and nobody waits for the expiry. */
  private rearm(counting = false): void {
    this.due.set(this.nextExpiry(counting))
  }

  /** `counting`: the count has only just begun. */
  private nextExpiry(counting: boolean): number | undefined {
    if (this.mode === TIMER_MODE.TSC_DEADLINE)
      return this.deadlineTsc === 0n ? undefined : this.timeAtTsc(this.deadlineTsc)
    if (this.masked || this.initialCount === 0) return undefined
    const now = this.timers.now()
    const period = this.initialCount * this.divisor()
    const first = this.start + period
    if (now < first) return first
    // A short count may be over before we have read the clock again: late, but never lost.
    if (this.mode !== TIMER_MODE.PERIODIC) return counting || this.due.deadline !== undefined ? first : undefined
    const next = first + (Math.floor((now - first) / period) + 1) * period
    return Math.max(next, now + MIN_PERIOD)
  }

  private expired(): void {
    if (this.mode === TIMER_MODE.TSC_DEADLINE) this.deadlineTsc = 0n
    this.rearm()
    this.interrupt()
  }
}
