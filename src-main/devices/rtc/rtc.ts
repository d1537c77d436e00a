import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import { ticksAt, timeOfTick } from '../../base/frequency.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine } from '../../bus/bus.ts'
import { BytePorts } from '../../bus/byte-ports.ts'
import { calendarOf, secondsOf } from './calendar.ts'
import { type CmosMemory, writeMemorySizes } from './cmos-layout.ts'

/** Register numbers (Motorola MC146818A data sheet, figure 11), and the century where the FADT says it is. */
const REG = {
  SECOND: 0,
  MINUTE: 2,
  HOUR: 4,
  WEEKDAY: 6,
  DAY: 7,
  MONTH: 8,
  YEAR: 9,
  A: 0xa,
  B: 0xb,
  C: 0xc,
  D: 0xd,
} as const
const ALARM = { SECOND: 1, MINUTE: 3, HOUR: 5 } as const
export const CMOS_CENTURY = 0x32
const A = { UPDATE: 0x80, DIVIDER: 0x70, RATE: 0x0f, RUNNING: 0x20 } as const
const B = { SET: 0x80, PERIODIC: 0x40, ALARM: 0x20, UPDATED: 0x10, BINARY: 0x04, HOURS_24: 0x02 } as const
const FLAG = { IRQ: 0x80, PERIODIC: 0x40, ALARM: 0x20, UPDATED: 0x10 } as const
const D_VALID = 0x80
/** Alarm bytes from here up match every value. */
const DONT_CARE = 0xc0
const PM = 0x80

const SECOND = 1_000_000_000
/** The update-in-progress bit is set this long (ns) before the update (data sheet, figure 16). */
const UPDATE_LEAD = 244_000
const CRYSTAL_HZ = 32_768
/** More seconds than this since the flags were looked at are not searched for an alarm: a day holds every alarm. */
const MAX_ALARM_SEARCH = 86_400
const VERSION = 1

export interface RtcOptions {
  readonly timers: Timers
  readonly irq: IrqLine
  /** What the clock shows at power-on: seconds since 1970, with the zone's offset added for `-rtc base=localtime`. */
  readonly startSeconds: number
  readonly memory: CmosMemory
}

/**
 * The real-time clock and its CMOS RAM (MC146818A). Time follows guest time; the flags of register C are worked out when
 * they are read, and the host's timer runs only for interrupts that the guest has enabled.
 */
export class Rtc extends BytePorts implements Device {
  readonly name = 'rtc'
  private readonly options: RtcOptions
  private readonly timers: Timers
  private readonly due: DueTimer
  private readonly ram = new Uint8Array(128)
  private index = 0
  private flags = 0
  /** The second `epoch` (since 1970) begins at guest time `origin` (ns, possibly negative): nanoseconds since 1970 would not fit. */
  private epoch: number
  private origin = 0
  /** While SET or a divider reset stops the clock: the second it shows. */
  private stoppedAt: number | undefined
  /** Guest time up to which the flags have been worked out. */
  private seen = 0
  private connected = true

  constructor(options: RtcOptions) {
    super()
    this.options = options
    this.timers = options.timers
    this.epoch = Math.floor(options.startSeconds)
    this.due = new DueTimer(this.timers, 'rtc', () => this.update())
    this.ram[REG.A] = 0x26 // 32.768 kHz, 1024 Hz
    this.ram[REG.B] = B.HOURS_24
    this.ram[REG.D] = D_VALID
    writeMemorySizes(this.ram, options.memory)
  }

  /** RESET clears the interrupt enables and flags; time, date and RAM are on the battery (data sheet, "RESET"). */
  reset(): void {
    this.note()
    this.index = 0
    this.flags = 0
    this.ram[REG.B] &= ~(B.PERIODIC | B.ALARM | B.UPDATED)
    this.connected = true
    this.update()
  }

  /** The HPET's legacy replacement takes IRQ 8 over (false) or gives it back (true). */
  connectIrq(connected: boolean): void {
    this.connected = connected
    this.update()
  }

  protected override readByte(port: number): number {
    if ((port & 1) === 0) return 0xff // the index register is write-only
    return this.readRegister()
  }

  protected override writeByte(port: number, value: number): void {
    if (port & 1) this.writeRegister(value)
    else this.index = value & 0x7f // bit 7 is the NMI mask of the board
  }

  save(): SnapshotFields {
    const { index, flags, epoch, origin, seen, connected } = this
    const time = { epoch, origin, seen, stoppedAt: this.stoppedAt ?? null }
    return { version: VERSION, ram: this.ram.slice(), index, flags, connected, ...time }
  }

  restore(fields: SnapshotFields): void {
    this.ram.set((fields.ram as Uint8Array).subarray(0, this.ram.length))
    this.index = Number(fields.index)
    this.flags = Number(fields.flags)
    this.epoch = Number(fields.epoch)
    this.origin = Number(fields.origin)
    this.seen = Number(fields.seen)
    this.connected = fields.connected === true
    this.stoppedAt = fields.stoppedAt === null ? undefined : Number(fields.stoppedAt)
    this.drive()
  }

  // ── Time ──

  /** The second that the running clock shows at guest time `now`. */
  private secondAt(now: number): number {
    return this.epoch + Math.floor((now - this.origin) / SECOND)
  }

  /** Guest time at which the running clock comes to `second`. */
  private timeOf(second: number): number {
    return this.origin + (second - this.epoch) * SECOND
  }

  /** Let `second` be `fraction` ns old now. */
  private setRunning(second: number, fraction: number): void {
    this.epoch = second
    this.origin = this.timers.now() - fraction
  }

  private seconds(): number {
    return this.stoppedAt ?? this.secondAt(this.timers.now())
  }

  /** Guest time of the next change of the second; undefined while stopped. */
  private nextSecond(): number | undefined {
    return this.stoppedAt === undefined ? this.timeOf(this.seconds() + 1) : undefined
  }

  private updateSoon(): boolean {
    const next = this.nextSecond()
    return next !== undefined && next - this.timers.now() <= UPDATE_LEAD
  }

  private halted(): boolean {
    return (this.ram[REG.B] & B.SET) !== 0 || (this.ram[REG.A] & A.DIVIDER) !== A.RUNNING
  }

  /** Stop or start the clock as SET and the divider say; `fraction` is how far (ns) into its second it starts. */
  private follow(fraction: number): void {
    if (this.halted()) {
      this.stoppedAt ??= this.seconds()
    } else if (this.stoppedAt !== undefined) {
      this.setRunning(this.stoppedAt, fraction)
      this.stoppedAt = undefined
    }
  }

  // ── Registers ──

  private readRegister(): number {
    const { index } = this
    if (index <= REG.YEAR || index === CMOS_CENTURY) return this.readTime(index)
    if (index === REG.A) return this.ram[REG.A] | (this.updateSoon() ? A.UPDATE : 0)
    if (index === REG.C) return this.readFlags()
    return this.ram[index]
  }

  private writeRegister(value: number): void {
    const { index, ram } = this
    this.note()
    const fraction = (((this.timers.now() - this.origin) % SECOND) + SECOND) % SECOND
    if (index === REG.A) {
      const wasReset = (ram[REG.A] & A.DIVIDER) !== A.RUNNING
      ram[REG.A] = value & ~A.UPDATE
      // The first update comes half a second after the divider leaves its reset (data sheet, "Divider Control").
      this.follow(wasReset ? SECOND / 2 : fraction)
    } else if (index === REG.B) {
      ram[REG.B] = value & B.SET ? value & ~B.UPDATED : value // SET clears UIE (data sheet, "SET")
      this.follow(fraction)
    } else if (index <= REG.YEAR || index === CMOS_CENTURY) {
      this.writeTime(index, value, fraction)
    } else if (index !== REG.C && index !== REG.D) {
      ram[index] = value
    }
    this.update()
  }

  private readTime(index: number): number {
    const time = calendarOf(this.seconds())
    switch (index) {
      case REG.SECOND:
        return this.encode(time.second)
      case REG.MINUTE:
        return this.encode(time.minute)
      case REG.HOUR:
        return this.encodeHour(time.hour)
      case REG.WEEKDAY:
        return this.encode(time.weekday)
      case REG.DAY:
        return this.encode(time.day)
      case REG.MONTH:
        return this.encode(time.month)
      case REG.YEAR:
        return this.encode(((time.year % 100) + 100) % 100)
      case CMOS_CENTURY:
        return toBcd((Math.floor(time.year / 100) % 100) & 0xff) // always BCD: firmware's byte, not the chip's
      default:
        return this.ram[index] // alarm bytes
    }
  }

  private writeTime(index: number, value: number, fraction: number): void {
    const time = calendarOf(this.seconds())
    const number = this.decode(value)
    const century = Math.floor(time.year / 100) * 100
    const changes: Partial<Record<number, Partial<typeof time>>> = {
      [REG.SECOND]: { second: number },
      [REG.MINUTE]: { minute: number },
      [REG.HOUR]: { hour: this.decodeHour(value) },
      [REG.DAY]: { day: number },
      [REG.MONTH]: { month: number },
      [REG.YEAR]: { year: century + number },
      [CMOS_CENTURY]: { year: (time.year % 100) + fromBcd(value) * 100 },
    }
    const change = changes[index]
    if (change) this.setSeconds(secondsOf({ ...time, ...change }), fraction)
    else this.ram[index] = value // alarm bytes; the day of the week follows the date
  }

  private setSeconds(seconds: number, fraction: number): void {
    if (this.stoppedAt !== undefined) this.stoppedAt = seconds
    else this.setRunning(seconds, fraction)
  }

  private encode(value: number): number {
    return this.ram[REG.B] & B.BINARY ? value : toBcd(value)
  }

  private decode(value: number): number {
    return this.ram[REG.B] & B.BINARY ? value : fromBcd(value)
  }

  private encodeHour(hour: number): number {
    if (this.ram[REG.B] & B.HOURS_24) return this.encode(hour)
    return this.encode(hour % 12 || 12) | (hour >= 12 ? PM : 0)
  }

  private decodeHour(value: number): number {
    if (this.ram[REG.B] & B.HOURS_24) return this.decode(value)
    return (this.decode(value & 0x7f) % 12) + (value & PM ? 12 : 0)
  }

  // ── Flags and the interrupt ──

  private readFlags(): number {
    this.note()
    const enabled = (this.flags & this.ram[REG.B] & 0x70) !== 0
    const value = this.flags | (enabled ? FLAG.IRQ : 0)
    this.flags = 0
    this.update()
    return value
  }

  /** Work out which flags have come up since the last look. */
  private note(): void {
    const now = this.timers.now()
    const hz = this.periodicHz()
    if (hz > 0 && ticksAt(now, hz) > ticksAt(this.seen, hz)) this.flags |= FLAG.PERIODIC
    if (this.stoppedAt === undefined) {
      const before = this.secondAt(this.seen)
      const second = this.seconds()
      if (second > before) this.flags |= FLAG.UPDATED
      const first = Math.max(before + 1, second - MAX_ALARM_SEARCH + 1)
      if ((this.flags & FLAG.ALARM) === 0 && this.nextAlarm(first, second) !== undefined) this.flags |= FLAG.ALARM
    }
    this.seen = now
  }

  /** Rate of the periodic flag by RS3..RS0 at 32.768 kHz (data sheet, table 5): 2 to 8192 Hz. */
  private periodicHz(): number {
    const rate = this.ram[REG.A] & A.RATE
    if (rate === 0 || (this.ram[REG.A] & A.DIVIDER) !== A.RUNNING) return 0
    return CRYSTAL_HZ >> ((rate <= 2 ? rate + 7 : rate) - 1)
  }

  /** The first second in [first, last] at which the alarm matches. */
  private nextAlarm(first: number, last: number): number | undefined {
    const { ram } = this
    const matches = (alarm: number, value: number): boolean => ram[alarm] >= DONT_CARE || ram[alarm] === value
    for (let second = first; second <= last;) {
      const time = calendarOf(second)
      if (!matches(ALARM.HOUR, this.encodeHour(time.hour))) second += 3600 - (time.minute * 60 + time.second)
      else if (!matches(ALARM.MINUTE, this.encode(time.minute))) second += 60 - time.second
      else if (!matches(ALARM.SECOND, this.encode(time.second))) second++
      else return second
    }
    return undefined
  }

  private update(): void {
    this.note()
    this.drive()
  }

  private drive(): void {
    const enables = this.ram[REG.B] & 0x70
    this.options.irq.set(this.connected && (this.flags & enables) !== 0)
    this.due.set(this.nextEvent(enables & ~this.flags))
  }

  /** Guest time at which the first of the enabled flags that are not yet set comes up. */
  private nextEvent(awaited: number): number | undefined {
    const times: number[] = []
    const hz = this.periodicHz()
    if (awaited & B.PERIODIC && hz > 0) times.push(timeOfTick(ticksAt(this.seen, hz) + 1, hz))
    const second = this.nextSecond()
    if (second !== undefined && awaited & B.UPDATED) times.push(second)
    if (second !== undefined && awaited & B.ALARM) {
      const now = this.seconds()
      const alarm = this.nextAlarm(now + 1, now + MAX_ALARM_SEARCH)
      if (alarm !== undefined) times.push(this.timeOf(alarm))
    }
    return times.length > 0 ? Math.min(...times) : undefined
  }
}

function toBcd(value: number): number {
  return ((Math.floor(value / 10) % 10) << 4) | (value % 10)
}

function fromBcd(value: number): number {
  return (value >> 4) * 10 + (value & 0xf)
}
