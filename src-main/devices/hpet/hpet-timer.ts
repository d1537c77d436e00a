import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'

/** The main counter runs at 100 MHz. */
export const NS_PER_TICK = 10

/** Timer configuration and capability register (IA-PC HPET 1.0a §2.3.8). */
export const TN = {
  LEVEL: 0x0002,
  ENABLE: 0x0004,
  PERIODIC: 0x0008,
  PERIODIC_CAP: 0x0010,
  SIZE_CAP: 0x0020,
  VALUE_SET: 0x0040,
  MODE_32: 0x0100,
  ROUTE: 0x3e00,
  ROUTE_SHIFT: 9,
} as const
const WRITABLE = TN.LEVEL | TN.ENABLE | TN.PERIODIC | TN.VALUE_SET | TN.MODE_32

/** IO-APIC inputs that a timer may use outside legacy replacement: those that no ISA interrupt is wired to. */
export const ROUTE_CAP = 0x00ff0000

const MASK_32 = 0xffffffffn
const MASK_64 = 0xffffffffffffffffn
/** A match further away (ticks) than guest time can count in whole nanoseconds: nobody waits for it. */
const NEVER = 1n << 49n
/** The shortest period (ticks) that is served: 20 µs. */
const MIN_PERIOD = 2000n

/** What a timer needs of the block it is part of. */
export interface HpetBlock {
  readonly timers: Timers
  /** Guest time of the access or expiry that is served, ns: read once for each, so that no match falls between two readings. */
  time: number
  /** The main counter at that time. */
  counter(): bigint
  readonly running: boolean
  /** The comparator matched. */
  matched(timer: HpetTimer): void
}

/** One comparator of the HPET. */
export class HpetTimer {
  readonly index: number
  private readonly block: HpetBlock
  private readonly due: DueTimer
  private settings = 0
  private comparator = MASK_64
  private period = 0n
  /** The high half of a value-set write may still come. */
  private highFollows = false
  /** Counter at the last match: while it stands there, that match is not to come again. */
  private matchedAt: bigint | undefined

  constructor(index: number, block: HpetBlock) {
    this.index = index
    this.block = block
    this.due = new DueTimer(block.timers, `hpet${index}`, (now) => this.match(now))
  }

  reset(): void {
    this.settings = 0
    this.comparator = MASK_64
    this.period = 0n
    this.highFollows = false
    this.matchedAt = undefined
    this.due.disarm()
  }

  get enabled(): boolean {
    return (this.settings & TN.ENABLE) !== 0
  }

  get level(): boolean {
    return (this.settings & TN.LEVEL) !== 0
  }

  get route(): number {
    return (this.settings & TN.ROUTE) >> TN.ROUTE_SHIFT
  }

  readConfig(): number {
    return this.settings | TN.PERIODIC_CAP | TN.SIZE_CAP
  }

  writeConfig(value: number): void {
    this.settle()
    const asked = (value & TN.ROUTE) >> TN.ROUTE_SHIFT
    // A route the hardware cannot take reads back as it was (§2.3.8, Tn_INT_ROUTE_CNF).
    const route = asked === 0 || ROUTE_CAP & (1 << asked) ? value & TN.ROUTE : this.settings & TN.ROUTE
    this.settings = (value & WRITABLE) | route
    if (this.settings & TN.MODE_32) {
      this.comparator &= MASK_32
      this.period &= MASK_32
    }
    this.rearm()
  }

  readComparator(high: boolean): number {
    this.settle()
    this.catchUp()
    return Number(high ? this.comparator >> 32n : this.comparator & MASK_32)
  }

  /**
   * Comparator write (§2.3.9). In periodic mode it sets the period; with VAL_SET, which it uses up, the comparator as well.
   */
  writeComparator(high: boolean, value: number): void {
    this.settle()
    if (high && this.settings & TN.MODE_32) return
    const periodic = (this.settings & TN.PERIODIC) !== 0
    const sets = !periodic || (this.settings & TN.VALUE_SET) !== 0 || (high && this.highFollows)
    if (periodic) this.period = replaceHalf(this.period, high, value)
    if (sets) this.comparator = replaceHalf(this.comparator, high, value) & this.mask()
    this.highFollows = sets && periodic && !high
    this.settings &= ~TN.VALUE_SET
    this.rearm()
  }

  /** The counter was started, stopped or written: wait anew. */
  rearm(): void {
    this.due.set(this.nextMatch())
  }

  settle(): void {
    this.due.settle(this.block.time)
  }

  save(): SnapshotFields {
    const { settings, comparator, period, highFollows } = this
    return { settings, comparator, period, highFollows, due: this.due.deadline ?? null }
  }

  restore(fields: SnapshotFields): void {
    this.settings = Number(fields.settings)
    this.comparator = BigInt(fields.comparator as bigint)
    this.period = BigInt(fields.period as bigint)
    this.highFollows = fields.highFollows === true
    this.due.set(fields.due === null ? undefined : Number(fields.due))
  }

  private mask(): bigint {
    return this.settings & TN.MODE_32 ? MASK_32 : MASK_64
  }

  private nextMatch(): number | undefined {
    // A level timer shows in the status register even with its interrupt off; an edge would go nowhere.
    if (!this.block.running || (!this.enabled && !this.level)) return undefined
    this.catchUp()
    const counter = this.block.counter()
    const wait = (this.comparator - counter) & this.mask()
    if (wait > NEVER || (wait === 0n && this.matchedAt === counter)) return undefined
    const now = this.block.time
    const deadline = (Math.floor(now / NS_PER_TICK) + Number(wait)) * NS_PER_TICK
    const short = (this.settings & TN.PERIODIC) !== 0 && this.period < MIN_PERIOD
    return short ? Math.max(deadline, now + Number(MIN_PERIOD) * NS_PER_TICK) : deadline
  }

  /** Bring the comparator of a periodic timer past the counter, over the periods that went by unserved. */
  private catchUp(): void {
    if ((this.settings & TN.PERIODIC) === 0 || this.period === 0n || !this.block.running) return
    const mask = this.mask()
    const behind = (this.block.counter() - this.comparator) & mask
    // In modular arithmetic "behind" and "ahead" are told apart by the half range.
    if (behind === 0n || behind > mask >> 1n) return
    this.comparator = (this.comparator + (behind / this.period + 1n) * this.period) & mask
  }

  private match(now: number): void {
    this.block.time = now
    this.matchedAt = this.block.counter()
    if (this.settings & TN.PERIODIC && this.period !== 0n) {
      if (this.comparator === (this.block.counter() & this.mask()))
        this.comparator = (this.comparator + this.period) & this.mask()
      this.rearm()
    }
    this.block.matched(this)
  }
}

function replaceHalf(old: bigint, high: boolean, value: number): bigint {
  const half = BigInt(value >>> 0)
  return high ? (old & MASK_32) | (half << 32n) : (old & ~MASK_32) | half
}
