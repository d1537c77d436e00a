import type { Timers } from '../../base/clock.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine, MmioHandler, Width } from '../../bus/bus.ts'
import { type HpetBlock, HpetTimer, NS_PER_TICK, ROUTE_CAP } from './hpet-timer.ts'

const TIMERS = 3
/** Register offsets (IA-PC HPET 1.0a §2.3.3). */
const REG = {
  CAPABILITIES: 0x000,
  CONFIG: 0x010,
  STATUS: 0x020,
  COUNTER: 0x0f0,
  TIMERS: 0x100,
  TIMER_STRIDE: 0x20,
} as const
const TIMER_REG = { CONFIG: 0x00, COMPARATOR: 0x08 } as const
const CONFIG = { ENABLE: 0x1, LEGACY: 0x2 } as const
/** Vendor 8086, legacy replacement, 64-bit counter, three timers, revision 1. */
export const HPET_CAPABILITIES = 0x80860000 | 0x8000 | 0x2000 | ((TIMERS - 1) << 8) | 0x01
/** Period of the main counter in femtoseconds. */
const PERIOD_FS = NS_PER_TICK * 1_000_000
const MASK_64 = 0xffffffffffffffffn
const VERSION = 1

export interface HpetOptions {
  readonly timers: Timers
  /** Sources on ISA IRQ 0 and IRQ 8, which timers 0 and 1 drive in legacy replacement. */
  readonly irq0: IrqLine
  readonly irq8: IrqLine
  /** IO-APIC inputs 16..23, for timers that are routed there. */
  readonly setInput: (input: number, level: boolean) => void
  /** Legacy replacement was switched: PIT and RTC lose their interrupts, or get them back. */
  readonly onLegacy: (on: boolean) => void
}

/** The high precision event timer: a 64-bit 100 MHz counter with three comparators (no FSB delivery). */
export class Hpet implements Device, MmioHandler, HpetBlock {
  readonly name = 'hpet'
  readonly timers: Timers
  time = 0
  private readonly options: HpetOptions
  private readonly comparators: readonly HpetTimer[]
  private config = 0
  private status = 0
  /** Main counter while stopped; while running, its value less the 100 MHz ticks of guest time. */
  private base = 0n
  /** Level of each line driven, so that a change of routing leaves none asserted: input number, or -1 and -8 for the ISA lines. */
  private driven: (number | undefined)[] = [undefined, undefined, undefined]

  constructor(options: HpetOptions) {
    this.options = options
    this.timers = options.timers
    this.comparators = Array.from({ length: TIMERS }, (_, index) => new HpetTimer(index, this))
  }

  reset(): void {
    const legacy = (this.config & CONFIG.LEGACY) !== 0
    this.config = 0
    this.status = 0
    this.base = 0n
    for (const timer of this.comparators) timer.reset()
    if (legacy) this.options.onLegacy(false)
    this.drive()
  }

  get running(): boolean {
    return (this.config & CONFIG.ENABLE) !== 0
  }

  counter(): bigint {
    return this.running ? (this.base + this.ticks()) & MASK_64 : this.base
  }

  readMmio(offset: number, width: Width): number {
    this.time = this.timers.now()
    const value = this.readDword(offset - (offset & 3)) >>> ((offset & 3) * 8)
    return width === 4 ? value : width === 2 ? value & 0xffff : value & 0xff
  }

  /** Registers are written as aligned dwords or quadwords (§2.3.2); other writes vanish. */
  writeMmio(offset: number, width: Width, value: number): void {
    if (width !== 4 || offset & 3) return
    this.time = this.timers.now()
    for (const timer of this.comparators) timer.settle()
    if (offset === REG.CONFIG) this.writeConfig(value)
    else if (offset === REG.STATUS) this.status &= ~value
    else if (offset === REG.COUNTER || offset === REG.COUNTER + 4) this.writeCounter(offset !== REG.COUNTER, value)
    else this.writeTimer(offset - REG.TIMERS, value)
    this.drive()
  }

  matched(timer: HpetTimer): void {
    if (timer.level) {
      this.status |= 1 << timer.index
      this.drive()
    } else if (timer.enabled) {
      const line = this.lineOf(timer)
      this.setLine(line, true)
      this.setLine(line, false)
    }
  }

  save(): SnapshotFields {
    const { config, status, base } = this
    return { version: VERSION, config, status, base, comparators: this.comparators.map((timer) => timer.save()) }
  }

  restore(fields: SnapshotFields): void {
    const before = this.config & CONFIG.LEGACY
    this.config = Number(fields.config)
    this.status = Number(fields.status)
    this.base = BigInt(fields.base as bigint)
    const comparators = fields.comparators as SnapshotFields[]
    this.comparators.forEach((timer, index) => timer.restore(comparators[index]))
    if (before !== (this.config & CONFIG.LEGACY)) this.options.onLegacy((this.config & CONFIG.LEGACY) !== 0)
    this.drive()
  }

  private ticks(): bigint {
    return BigInt(Math.floor(this.time / NS_PER_TICK))
  }

  private readDword(offset: number): number {
    switch (offset) {
      case REG.CAPABILITIES:
        return HPET_CAPABILITIES >>> 0
      case REG.CAPABILITIES + 4:
        return PERIOD_FS
      case REG.CONFIG:
        return this.config
      case REG.STATUS:
        for (const timer of this.comparators) timer.settle()
        return this.status
      case REG.COUNTER:
        return Number(this.counter() & 0xffffffffn)
      case REG.COUNTER + 4:
        return Number(this.counter() >> 32n)
    }
    const timer = this.comparators[(offset - REG.TIMERS) >> 5]
    const register = (offset - REG.TIMERS) & (REG.TIMER_STRIDE - 1)
    if (!timer || offset < REG.TIMERS) return 0
    if (register === TIMER_REG.CONFIG) return timer.readConfig()
    if (register === TIMER_REG.CONFIG + 4) return ROUTE_CAP
    if ((register & ~4) === TIMER_REG.COMPARATOR) return timer.readComparator((register & 4) !== 0)
    return 0 // the FSB route, which is not there
  }

  private writeConfig(value: number): void {
    const changed = this.config ^ value
    if (changed & CONFIG.ENABLE) {
      const counter = this.counter()
      this.base = value & CONFIG.ENABLE ? (counter - this.ticks()) & MASK_64 : counter
    }
    this.config = value & (CONFIG.ENABLE | CONFIG.LEGACY)
    if (changed & CONFIG.LEGACY) this.options.onLegacy((value & CONFIG.LEGACY) !== 0)
    for (const timer of this.comparators) timer.rearm()
  }

  private writeCounter(high: boolean, value: number): void {
    const counter = this.counter()
    const half = BigInt(value)
    const written = high ? (counter & 0xffffffffn) | (half << 32n) : (counter & ~0xffffffffn) | half
    this.base = this.running ? (written - this.ticks()) & MASK_64 : written
    for (const timer of this.comparators) timer.rearm()
  }

  private writeTimer(offset: number, value: number): void {
    const timer = this.comparators[offset >> 5]
    const register = offset & (REG.TIMER_STRIDE - 1)
    if (!timer || offset < 0) return
    if (register === TIMER_REG.CONFIG) timer.writeConfig(value)
    else if ((register & ~4) === TIMER_REG.COMPARATOR) timer.writeComparator((register & 4) !== 0, value)
  }

  /** The line a timer drives: -1 for IRQ 0, -8 for IRQ 8 (legacy replacement), an IO-APIC input, or none. */
  private lineOf(timer: HpetTimer): number | undefined {
    if (this.config & CONFIG.LEGACY && timer.index < 2) return timer.index === 0 ? -1 : -8
    return timer.route === 0 ? undefined : timer.route
  }

  private setLine(line: number | undefined, level: boolean): void {
    if (line === -1) this.options.irq0.set(level)
    else if (line === -8) this.options.irq8.set(level)
    else if (line !== undefined) this.options.setInput(line, level)
  }

  /** Set the level-triggered lines to what the status register says; timers that share one are ORed. */
  private drive(): void {
    const wanted = this.comparators.map((timer) => {
      const active = timer.level && timer.enabled && (this.status & (1 << timer.index)) !== 0
      return active ? this.lineOf(timer) : undefined
    })
    for (const line of this.driven) if (line !== undefined && !wanted.includes(line)) this.setLine(line, false)
    for (const line of wanted) if (line !== undefined && !this.driven.includes(line)) this.setLine(line, true)
    this.driven = wanted
  }
}
