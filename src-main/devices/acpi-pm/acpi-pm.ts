import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import { ticksAt, timeOfTick } from '../../base/frequency.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine, Mapping, PortBus, PortHandler, Width } from '../../bus/bus.ts'
import { bytePorts } from '../../bus/byte-ports.ts'
import type { PowerControl } from '../backends.ts'

/** The ACPI power management timer (ACPI 6.5 §4.8.3.3). */
export const PM_TIMER_HZ = 3_579_545
const PM_TIMER_MASK = 0xffffff
/** TMR_STS is set when the highest bit of the 24 changes, either way. */
const HALF_ROUND = 0x800000

/** Ports of the PIIX4's power management block (82371AB datasheet §7.2). */
export const PM_BLOCK_PORTS = 64
const PM1 = { STATUS: 0x00, ENABLE: 0x02, CONTROL: 0x04, TIMER: 0x08 } as const
/** Fixed events, the same bit in status and enable (ACPI 6.5 §4.8.3.1). */
const EVENT = { TIMER: 0x0001, GLOBAL: 0x0020, POWER_BUTTON: 0x0100, RTC: 0x0400, WAKE: 0x8000 } as const
const EVENTS = EVENT.TIMER | EVENT.GLOBAL | EVENT.POWER_BUTTON | EVENT.RTC
const CONTROL = { SCI_EN: 0x0001, SLP_TYP: 0x1c00, SLP_EN: 0x2000, KEPT: 0x1c03 } as const

export interface AcpiPmOptions {
  readonly ports: PortBus
  readonly sci: IrqLine
  readonly power: PowerControl
  readonly timers: Timers
  readonly log?: Log
  /** Values that switch ACPI mode when written to the SMI command port, and the SLP_TYP of S5: as the FADT and DSDT say. */
  readonly acpiEnable: number
  readonly acpiDisable: number
  readonly sleepTypeS5: number
}

const VERSION = 1

/** Power management of the PIIX4 as ACPI sees it: PM1 event and control, PM timer, GPE0, SMI command port. */
export class AcpiPm implements Device {
  readonly name = 'acpi-pm'
  /** GPE0 block: two bytes of status, two of enable. */
  readonly gpePorts: PortHandler
  /** SMI command and status (APMC, APMS). */
  readonly apmPorts: PortHandler

  private readonly options: AcpiPmOptions
  private readonly log: Log
  private readonly due: DueTimer
  private readonly block: PortHandler
  private mapping: Mapping | undefined
  private base: number | undefined

  private status = 0
  private enable = 0
  private control = 0
  private gpeStatus = 0
  private gpeEnable = 0
  private apmControl = 0
  private apmStatus = 0
  /** Half rounds of the PM timer that TMR_STS has already told. */
  private halfRounds = 0

  constructor(options: AcpiPmOptions) {
    this.options = options
    this.log = options.log ?? silentLog
    this.due = new DueTimer(options.timers, 'acpi-pm', () => this.update())
    this.block = {
      readPort: (port, width) => this.readBlock(port - (this.base ?? port), width),
      writePort: (port, width, value) => this.writeBlock(port - (this.base ?? port), width, value),
    }
    this.gpePorts = bytePorts(
      (port) => this.readGpe(port & 3),
      (port, value) => this.writeGpe(port & 3, value),
    )
    this.apmPorts = bytePorts(
      (port) => (port & 1 ? this.apmStatus : this.apmControl),
      (port, value) => this.writeApm(port & 1, value),
    )
  }

  reset(): void {
    this.status = this.enable = this.control = 0
    this.gpeStatus = this.gpeEnable = 0
    this.apmControl = this.apmStatus = 0
    this.halfRounds = this.halfRound()
    this.update()
  }

  /** PMBA and PMREGMISC of the PCI function moved the block (a multiple of 64), or switched it off (undefined). */
  setPmBase(base: number | undefined): void {
    if (base === this.base) return
    this.mapping?.remove()
    this.mapping = undefined
    this.base = base
    if (base === undefined) return
    try {
      this.mapping = this.options.ports.map(this.name, base, PM_BLOCK_PORTS, this.block)
    } catch (error) {
      this.log.warn(this.name, `the guest moved the PM block to ports in use: ${String(error)}`)
    }
  }

  /** The user asks the guest to shut down. */
  powerButton(): void {
    this.status |= EVENT.POWER_BUTTON
    this.update()
  }

  save(): SnapshotFields {
    this.noteTimer()
    const { status, enable, control, gpeStatus, gpeEnable, apmControl, apmStatus, halfRounds } = this
    const registers = { status, enable, control, gpeStatus, gpeEnable, apmControl, apmStatus, halfRounds }
    return { version: VERSION, ...registers, base: this.base ?? null }
  }

  restore(fields: SnapshotFields): void {
    this.status = Number(fields.status)
    this.enable = Number(fields.enable)
    this.control = Number(fields.control)
    this.gpeStatus = Number(fields.gpeStatus)
    this.gpeEnable = Number(fields.gpeEnable)
    this.apmControl = Number(fields.apmControl)
    this.apmStatus = Number(fields.apmStatus)
    this.halfRounds = Number(fields.halfRounds)
    this.setPmBase(fields.base === null ? undefined : Number(fields.base))
    this.update()
  }

  private tick(): number {
    return ticksAt(this.options.timers.now(), PM_TIMER_HZ)
  }

  private halfRound(): number {
    return Math.floor(this.tick() / HALF_ROUND)
  }

  private readBlock(offset: number, width: Width): number {
    const first = offset & ~3
    const low = this.readDword(first) >>> (8 * (offset & 3))
    const bytesOfFirst = 4 - (offset & 3)
    if (width <= bytesOfFirst) return width === 4 ? low >>> 0 : low & (width === 1 ? 0xff : 0xffff)
    const high = this.readDword(first + 4) << (8 * bytesOfFirst)
    return width === 4 ? (low | high) >>> 0 : (low | high) & 0xffff
  }

  private readDword(offset: number): number {
    this.noteTimer()
    if (offset === PM1.STATUS) return (this.status | (this.enable << 16)) >>> 0
    if (offset === PM1.CONTROL) return this.control
    if (offset === PM1.TIMER) return this.tick() & PM_TIMER_MASK
    return 0 // the PIIX4's device monitors and traps: absent
  }

  /** Every register here can be written byte by byte: status bits are cleared singly, SLP_TYP and SLP_EN share a byte. */
  private writeBlock(offset: number, width: Width, value: number): void {
    this.noteTimer()
    for (let i = 0; i < width; i++) this.writeBlockByte(offset + i, (value >>> (8 * i)) & 0xff)
    this.update()
  }

  private writeBlockByte(offset: number, value: number): void {
    const shift = 8 * (offset & 1)
    const byte = 0xff << shift
    switch (offset & ~1) {
      case PM1.STATUS:
        this.status &= ~(value << shift)
        break
      case PM1.ENABLE:
        this.enable = ((this.enable & ~byte) | (value << shift)) & EVENTS
        break
      case PM1.CONTROL:
        this.writeControl((this.control & ~byte) | (value << shift))
        break
    }
  }

  private writeControl(value: number): void {
    this.control = value & CONTROL.KEPT
    if ((value & CONTROL.SLP_EN) === 0) return
    const type = (value & CONTROL.SLP_TYP) >> 10
    if (type === this.options.sleepTypeS5) this.options.power.powerOff()
    else this.log.warn(this.name, `the guest asked for sleep type ${type}, which this machine does not have`)
  }

  private readGpe(offset: number): number {
    return ((offset < 2 ? this.gpeStatus : this.gpeEnable) >> (8 * (offset & 1))) & 0xff
  }

  private writeGpe(offset: number, value: number): void {
    const shift = 8 * (offset & 1)
    if (offset < 2) this.gpeStatus &= ~(value << shift)
    else this.gpeEnable = (this.gpeEnable & ~(0xff << shift)) | (value << shift)
    this.update()
  }

  private writeApm(register: number, value: number): void {
    if (register === 1) {
      this.apmStatus = value
      return
    }
    this.apmControl = value
    if (value === this.options.acpiEnable) this.control |= CONTROL.SCI_EN
    else if (value === this.options.acpiDisable) this.control &= ~CONTROL.SCI_EN
    this.update()
  }

  /** Set TMR_STS if the timer's highest bit has changed since this was last looked at. */
  private noteTimer(): void {
    const now = this.halfRound()
    if (now !== this.halfRounds) this.status |= EVENT.TIMER
    this.halfRounds = now
  }

  private update(): void {
    this.noteTimer()
    const fixed = (this.status & this.enable & EVENTS) !== 0
    const general = (this.gpeStatus & this.gpeEnable) !== 0
    this.options.sci.set((this.control & CONTROL.SCI_EN) !== 0 && (fixed || general))
    // Nobody waits for the timer unless its event is enabled and not already told.
    const waits = (this.enable & EVENT.TIMER) !== 0 && (this.status & EVENT.TIMER) === 0
    this.due.set(waits ? timeOfTick((this.halfRounds + 1) * HALF_ROUND, PM_TIMER_HZ) : undefined)
  }
}
