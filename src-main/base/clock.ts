/**
 * Guest time. Nanoseconds since the machine's power-on as a whole number (a double holds 104 days of them exactly).
 * It stands still while the machine is paused. PIT, HPET, PM timer, RTC, LAPIC timer and TSC are all derived from it,
 * so that they advance together.
 */
export interface Clock {
  now(): number
}

/** A one-shot timer of a device. Delivered on the vCPU thread, between guest instructions; late ones once, never in a burst. */
export interface Timer {
  /** Fire once at `deadline` (ns of the same clock); replaces an earlier deadline. */
  arm(deadline: number): void
  disarm(): void
}

export interface Timers extends Clock {
  /** Make a timer (disarmed). `name` is for logs. */
  timer(name: string, fire: () => void): Timer
}
