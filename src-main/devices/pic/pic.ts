import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, PortHandler } from '../../bus/bus.ts'
import { bytePorts } from '../../bus/byte-ports.ts'
import type { IrqInputs } from '../../bus/irq-router.ts'
import { Pic8259 } from './pic8259.ts'

/** The pair's INTR pin, wired to LINT0 of the local APIC. */
export interface InterruptOutput {
  raise(): void
  lower(): void
}

const CASCADE = 2
const VERSION = 1

/** The two 8259A of the PIIX3: sixteen inputs, the slave's output on input 2 of the master. */
export class Pic implements Device, IrqInputs {
  readonly name = 'pic'
  private readonly master: Pic8259
  private readonly slave: Pic8259

  /** Command and data port of each chip (two ports from 0x20 and 0xA0 on a PC). */
  readonly masterPorts: PortHandler
  readonly slavePorts: PortHandler
  /** Edge/level control registers (0x4D0 and 0x4D1). */
  readonly elcrPorts: PortHandler

  constructor(output: InterruptOutput) {
    this.master = new Pic8259('master', (asserted) => (asserted ? output.raise() : output.lower()))
    this.slave = new Pic8259('slave', (asserted) => this.master.setInput(CASCADE, asserted))
    this.masterPorts = chipPorts(this.master)
    this.slavePorts = chipPorts(this.slave)
    this.elcrPorts = bytePorts(
      (port) => (port & 1 ? this.slave : this.master).readElcr(),
      (port, value) => (port & 1 ? this.slave : this.master).writeElcr(value),
    )
  }

  /** Level of ISA interrupt `irq` (0..15 but 2). */
  set(irq: number, level: boolean): void {
    if (irq < 8) this.master.setInput(irq, level)
    else this.slave.setInput(irq - 8, level)
  }

  /** The CPU's interrupt acknowledge cycle: the vector to deliver. */
  acknowledge(): number {
    const taken = this.master.acknowledge()
    if (taken.spurious || taken.input !== CASCADE) return taken.vector
    return this.slave.acknowledge().vector
  }

  reset(): void {
    this.master.reset()
    this.slave.reset()
  }

  save(): SnapshotFields {
    return { version: VERSION, master: this.master.save(), slave: this.slave.save() }
  }

  restore(fields: SnapshotFields): void {
    this.master.restore(fields.master as SnapshotFields)
    this.slave.restore(fields.slave as SnapshotFields)
  }
}

function chipPorts(chip: Pic8259): PortHandler {
  return bytePorts(
    (port) => chip.read(port & 1),
    (port, value) => chip.write(port & 1, value),
  )
}
