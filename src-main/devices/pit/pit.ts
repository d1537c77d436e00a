import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import { ticksAt, timeOfTick } from '../../base/frequency.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine, PortHandler } from '../../bus/bus.ts'
import { BytePorts, bytePorts } from '../../bus/byte-ports.ts'
import { PitCounter } from './pit-counter.ts'

/** A third of the NTSC colour burst, as on every PC. */
export const PIT_HZ = 1_193_182

/** Port 0x61, system control port B (82371SB datasheet §2.5.4). */
const PORT_B = { GATE2: 0x01, SPEAKER: 0x02, ENABLES: 0x0f, REFRESH: 0x10, OUT2: 0x20 } as const
/** The refresh request toggles every 18 clocks of the timer: about 15 µs. */
const REFRESH_TICKS = 18

/** A period below this (ns) would leave the guest no time between its ticks. */
const MIN_PERIOD = 20_000
const VERSION = 1

/** The 8254 with its three counters: 0 drives IRQ 0, 2 is read through port 0x61. */
export class Pit extends BytePorts implements Device {
  readonly name = 'pit'
  /** Port 0x61: gate and output of counter 2. */
  readonly portB: PortHandler

  private readonly timers: Timers
  private readonly irq: IrqLine
  private readonly due: DueTimer
  private readonly counters = [new PitCounter(), new PitCounter(), new PitCounter()]
  private controlB = 0
  private connected = true

  constructor(irq: IrqLine, timers: Timers) {
    super()
    this.irq = irq
    this.timers = timers
    this.due = new DueTimer(timers, 'pit', () => this.rise())
    this.portB = bytePorts(
      () => this.readPortB(),
      (_port, value) => this.writePortB(value),
    )
    this.reset()
  }

  reset(): void {
    for (const counter of this.counters) counter.reset()
    this.controlB = 0
    this.connected = true
    this.counters[2].setGate(this.tick(), false)
    this.due.disarm()
    this.irq.set(false)
  }

  /** The HPET's legacy replacement takes IRQ 0 over (false) or gives it back (true). */
  connectIrq(connected: boolean): void {
    this.due.settle()
    this.connected = connected
    this.drive()
  }

  protected override readByte(port: number): number {
    this.due.settle()
    const index = port & 3
    return index === 3 ? 0xff : this.counters[index].read(this.tick()) // the control word register is write-only
  }

  protected override writeByte(port: number, value: number): void {
    this.due.settle()
    const index = port & 3
    if (index === 3) this.control(value)
    else this.counters[index].write(this.tick(), value)
    if (index === 0 || index === 3) this.drive()
  }

  save(): SnapshotFields {
    const counters = this.counters.map((counter) => counter.save())
    const { controlB, connected } = this
    return { version: VERSION, counters, controlB, connected, due: this.due.deadline ?? null }
  }

  restore(fields: SnapshotFields): void {
    const counters = fields.counters as SnapshotFields[]
    this.counters.forEach((counter, index) => counter.restore(counters[index]))
    this.controlB = Number(fields.controlB)
    this.connected = fields.connected === true
    this.due.set(fields.due === null ? undefined : Number(fields.due))
    this.irq.set(this.connected && this.counters[0].output(this.tick()))
  }

  private tick(): number {
    return ticksAt(this.timers.now(), PIT_HZ)
  }

  private control(value: number): void {
    const tick = this.tick()
    const select = value >> 6
    if (select === 3) return this.readBack(tick, value)
    const counter = this.counters[select]
    if ((value & 0x30) === 0) counter.latchCount(tick)
    else counter.control(value)
  }

  /** Read-back command (datasheet figure 11): bits 5 and 4 are active low. */
  private readBack(tick: number, value: number): void {
    this.counters.forEach((counter, index) => {
      if ((value & (2 << index)) === 0) return
      if ((value & 0x20) === 0) counter.latchCount(tick)
      if ((value & 0x10) === 0) counter.latchStatus(tick)
    })
  }

  /** Set IRQ 0 to counter 0's output and wait for its next rise. */
  private drive(): void {
    const counter = this.counters[0]
    const tick = this.tick()
    this.irq.set(this.connected && counter.output(tick))
    const rise = this.connected ? counter.nextRise(tick) : undefined
    if (rise === undefined) return this.due.disarm()
    const time = timeOfTick(rise, PIT_HZ)
    this.due.arm(counter.periodic ? Math.max(time, this.timers.now() + this.minimumWait(counter, rise)) : time)
  }

  /** Nothing for a counter of usual length; a guest that asks for a very short period gets a longer one. */
  private minimumWait(counter: PitCounter, rise: number): number {
    const following = counter.nextRise(rise) ?? rise
    return timeOfTick(following, PIT_HZ) - timeOfTick(rise, PIT_HZ) < MIN_PERIOD ? MIN_PERIOD : 0
  }

  /** One edge, however many periods have passed since the last. */
  private rise(): void {
    this.irq.set(false)
    this.irq.set(this.connected)
    this.drive()
  }

  private readPortB(): number {
    const tick = this.tick()
    const refresh = Math.floor(tick / REFRESH_TICKS) % 2 ? PORT_B.REFRESH : 0
    return this.controlB | refresh | (this.counters[2].output(tick) ? PORT_B.OUT2 : 0)
  }

  private writePortB(value: number): void {
    this.controlB = value & PORT_B.ENABLES
    this.counters[2].setGate(this.tick(), (value & PORT_B.GATE2) !== 0)
  }
}
