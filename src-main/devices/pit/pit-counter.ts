import type { SnapshotFields } from '../../base/snapshotable.ts'

/** Bits 5:4 of the control word: which bytes of the counter the CPU reads and writes. */
const ACCESS = { LOW: 1, HIGH: 2, BOTH: 3 } as const

/**
 * One counter of the 8254 (Intel 231164). It holds no running count: the count is derived from `tick`, the number of input clocks
 * since power-on, which every method is given. Ticks never go back.
 */
export class PitCounter {
  private mode = 0
  private access: number = ACCESS.BOTH
  private bcd = false
  /** Counts in one run, 1..65536; undefined between a control word and the count that follows it. */
  private count: number | undefined
  /** A new count for modes 2 and 3, which comes into force when the present period ends. */
  private nextCount: number | undefined
  private startTick = 0
  /** Clocks counted so far while the gate stops the counter; modes 1 and 5 before their first trigger hold undefined in `started`. */
  private held: number | undefined
  private started = false
  private gate = true
  private writeLow: number | undefined
  private readHigh = false
  private latchedCount: number | undefined
  private latchedStatus: number | undefined

  reset(): void {
    this.mode = 0
    this.access = ACCESS.BOTH
    this.bcd = false
    this.count = this.nextCount = this.held = this.writeLow = undefined
    this.startTick = 0
    this.started = false
    this.gate = true
    this.readHigh = false
    this.latchedCount = this.latchedStatus = undefined
  }

  /** Control word, bits 5:0 (datasheet figure 7): the output goes to its initial state and counting waits for a count. */
  control(value: number): void {
    const mode = (value >> 1) & 7
    this.access = (value >> 4) & 3
    this.mode = mode > 5 ? mode & 3 : mode
    this.bcd = (value & 1) !== 0
    this.count = this.nextCount = this.held = this.writeLow = undefined
    this.started = false
    this.readHigh = false
    this.latchedCount = this.latchedStatus = undefined
  }

  /** Counter latch command: the first latch stays until it is read. */
  latchCount(tick: number): void {
    this.latchedCount ??= this.countNow(tick)
  }

  /** Read-back status (datasheet figure 12). */
  latchStatus(tick: number): void {
    if (this.latchedStatus !== undefined) return
    const unloaded = this.count === undefined || this.nextCount !== undefined
    const flags = (this.output(tick) ? 0x80 : 0) | (unloaded ? 0x40 : 0)
    this.latchedStatus = flags | (this.access << 4) | (this.mode << 1) | (this.bcd ? 1 : 0)
  }

  read(tick: number): number {
    if (this.latchedStatus !== undefined) {
      const status = this.latchedStatus
      this.latchedStatus = undefined
      return status
    }
    const value = this.latchedCount ?? this.countNow(tick)
    const high = this.access === ACCESS.HIGH || (this.access === ACCESS.BOTH && this.readHigh)
    if (this.access === ACCESS.BOTH) this.readHigh = !this.readHigh
    if (this.access !== ACCESS.BOTH || high) this.latchedCount = undefined
    return high ? value >> 8 : value & 0xff
  }

  write(tick: number, value: number): void {
    if (this.access === ACCESS.LOW) return this.load(tick, value)
    if (this.access === ACCESS.HIGH) return this.load(tick, value << 8)
    if (this.writeLow !== undefined) {
      const low = this.writeLow
      this.writeLow = undefined
      return this.load(tick, low | (value << 8))
    }
    this.writeLow = value
    // In mode 0 the first byte stops the counting (datasheet, "Mode 0").
    if (this.mode === 0 && this.count !== undefined) this.count = this.held = undefined
  }

  /** GATE input (datasheet figure 21). */
  setGate(tick: number, level: boolean): void {
    if (level === this.gate) return
    if (!level) {
      if (this.mode !== 1 && this.mode !== 5 && this.count !== undefined) this.held = this.elapsed(tick)
      this.gate = false
      return
    }
    const held = this.held
    this.gate = true
    this.held = undefined
    if (this.count === undefined) return
    if (this.mode === 0 || this.mode === 4) this.startTick = tick - (held ?? 0)
    else this.begin(tick)
  }

  /** OUT pin. */
  output(tick: number): boolean {
    this.advance(tick)
    const { count } = this
    if (count === undefined) return this.mode !== 0
    if ((this.mode === 1 || this.mode === 5) && !this.started) return true
    const elapsed = this.elapsed(tick)
    switch (this.mode) {
      case 0:
      case 1:
        return elapsed >= count
      case 2:
        return this.held !== undefined || elapsed % count !== count - 1
      case 3:
        return this.held !== undefined || elapsed % count < Math.ceil(count / 2)
      default:
        return elapsed !== count
    }
  }

  /**
   * The first tick after `tick` at which OUT rises; undefined when it never does without the CPU's help.
   */
  nextRise(tick: number): number | undefined {
    this.advance(tick)
    const { count } = this
    if (count === undefined || this.held !== undefined) return undefined
    if ((this.mode === 1 || this.mode === 5) && !this.started) return undefined
    const elapsed = this.elapsed(tick)
    if (this.mode === 2 || this.mode === 3) return this.startTick + (Math.floor(elapsed / count) + 1) * count
    const rise = this.mode <= 1 ? count : count + 1
    return elapsed < rise ? this.startTick + rise : undefined
  }

  /** Does it run over and over? */
  get periodic(): boolean {
    return this.mode === 2 || this.mode === 3
  }

  save(): SnapshotFields {
    const { mode, access, bcd, startTick, started, gate, readHigh } = this
    const optional = (value: number | undefined): number | null => value ?? null
    return {
      ...{ mode, access, bcd, startTick, started, gate, readHigh },
      count: optional(this.count),
      nextCount: optional(this.nextCount),
      held: optional(this.held),
      writeLow: optional(this.writeLow),
      latchedCount: optional(this.latchedCount),
      latchedStatus: optional(this.latchedStatus),
    }
  }

  restore(fields: SnapshotFields): void {
    const optional = (name: string): number | undefined => (fields[name] === null ? undefined : Number(fields[name]))
    this.mode = Number(fields.mode)
    this.access = Number(fields.access)
    this.bcd = fields.bcd === true
    this.startTick = Number(fields.startTick)
    this.started = fields.started === true
    this.gate = fields.gate === true
    this.readHigh = fields.readHigh === true
    this.count = optional('count')
    this.nextCount = optional('nextCount')
    this.held = optional('held')
    this.writeLow = optional('writeLow')
    this.latchedCount = optional('latchedCount')
    this.latchedStatus = optional('latchedStatus')
  }

  private elapsed(tick: number): number {
    return this.held ?? tick - this.startTick
  }

  private begin(tick: number): void {
    if (this.nextCount !== undefined) this.count = this.nextCount
    this.nextCount = undefined
    this.startTick = tick
    this.started = true
  }

  /** Put a count that waits for the end of a period into force, if that end has come. */
  private advance(tick: number): void {
    if (this.nextCount === undefined || this.count === undefined || this.held !== undefined) return
    if (!this.periodic || tick - this.startTick < this.count) return
    const start = this.startTick + this.count
    this.begin(start)
  }

  private load(tick: number, raw: number): void {
    const limit = this.bcd ? 10_000 : 0x10000
    const value = (this.bcd ? fromBcd(raw) : raw) % limit || limit
    // A count of 1 is illegal in modes 2 and 3 (datasheet, "Mode 2"); the shortest there is two clocks.
    const count = this.periodic ? Math.max(2, value) : value
    this.advance(tick)
    if (this.periodic && this.count !== undefined) {
      this.rebase(tick)
      this.nextCount = count
      return
    }
    const waits = this.mode === 1 || this.mode === 5
    if (waits && this.count !== undefined) {
      this.nextCount = count // the present one-shot is not disturbed; the next trigger takes it
      return
    }
    this.count = count
    if (waits) return
    this.begin(tick)
    this.held = this.gate ? undefined : 0
  }

  /** Move the start to the present period, so that `advance` finds its end. */
  private rebase(tick: number): void {
    if (this.count === undefined || this.held !== undefined) return
    this.startTick += Math.floor((tick - this.startTick) / this.count) * this.count
  }

  /** The counting element as the CPU reads it (16 bits; mode 3 counts by two). */
  private countNow(tick: number): number {
    this.advance(tick)
    const { count } = this
    if (count === undefined) return 0
    const limit = this.bcd ? 10_000 : 0x10000
    const elapsed = (this.mode === 1 || this.mode === 5) && !this.started ? 0 : this.elapsed(tick)
    let value: number
    if (this.mode === 2) value = count - (elapsed % count)
    else if (this.mode === 3) value = squareWaveCount(count, elapsed % count)
    else value = (((count - elapsed) % limit) + limit) % limit
    value %= limit
    return this.bcd ? toBcd(value) : value
  }
}

/** Mode 3 decrements by two, through the count once for each half period (datasheet, "Mode 3"). */
function squareWaveCount(count: number, into: number): number {
  const half = Math.ceil(count / 2)
  const even = count & ~1
  return even - 2 * (into < half ? Math.min(into, even / 2 - 1) : into - half)
}

function fromBcd(raw: number): number {
  return [12, 8, 4, 0].reduce((sum, shift) => sum * 10 + ((raw >> shift) & 0xf), 0)
}

function toBcd(value: number): number {
  return [1000, 100, 10, 1].reduce((sum, weight) => (sum << 4) | (Math.floor(value / weight) % 10), 0)
}
