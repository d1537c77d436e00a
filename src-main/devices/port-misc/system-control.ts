import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, PortHandler } from '../../bus/bus.ts'
import { bytePorts } from '../../bus/byte-ports.ts'
import type { PowerControl } from '../backends.ts'
import type { A20Gate } from '../i8042/i8042.ts'

/** Port 0x92 (82371SB datasheet §2.5.5). */
const PORT_A = { FAST_RESET: 0x01, A20: 0x02 } as const
/** Port 0xCF9, reset control (82371SB datasheet §2.5.6): bit 1 a hard reset, bit 2 does it on its rise. */
const RESET_CONTROL = { HARD: 0x02, CPU: 0x04 } as const

/** The small registers of the south bridge: fast A20 and reset, reset control, and the POST code port that serves as a delay. */
export class SystemControl implements Device {
  readonly name = 'system-control'
  /** Port 0x92. */
  readonly portA: PortHandler
  /** Port 0xCF9, for byte accesses alone: the dword at 0xCF8 is PCI's configuration address. */
  readonly resetControl: PortHandler
  /** Port 0x80. */
  readonly postCode: PortHandler

  private readonly power: PowerControl
  private readonly gate: A20Gate
  private lastReset = 0
  private lastPostCode = 0

  constructor(power: PowerControl, gate: A20Gate) {
    this.power = power
    this.gate = gate
    this.portA = bytePorts(
      () => (this.gate.a20 ? PORT_A.A20 : 0),
      (_port, value) => this.writePortA(value),
    )
    this.resetControl = bytePorts(
      () => this.lastReset,
      (_port, value) => this.writeResetControl(value),
    )
    this.postCode = bytePorts(
      () => this.lastPostCode,
      (_port, value) => void (this.lastPostCode = value),
    )
  }

  reset(): void {
    this.lastReset = 0
    this.lastPostCode = 0
    this.gate.a20 = true
  }

  save(): SnapshotFields {
    const { lastReset, lastPostCode } = this
    return { version: 1, lastReset, lastPostCode, a20: this.gate.a20 }
  }

  restore(fields: SnapshotFields): void {
    this.lastReset = Number(fields.lastReset)
    this.lastPostCode = Number(fields.lastPostCode)
    this.gate.a20 = fields.a20 === true
  }

  private writePortA(value: number): void {
    this.gate.a20 = (value & PORT_A.A20) !== 0
    if (value & PORT_A.FAST_RESET) this.power.reset('port 0x92')
  }

  private writeResetControl(value: number): void {
    const rises = (value & RESET_CONTROL.CPU) !== 0 && (this.lastReset & RESET_CONTROL.CPU) === 0
    this.lastReset = value & RESET_CONTROL.HARD
    if (rises) this.power.reset('port 0xCF9')
  }
}
