import type { SnapshotFields } from '../../base/snapshotable.ts'
import { PciFunction } from './function.ts'
import { INTEL, PciCommand, PciReg } from './registers.ts'

/** 00.0, the i440FX host bridge. RAM is always readable and writable below 1 MiB: the PAM registers hold what was written, no more. */
export class HostBridge extends PciFunction {
  constructor() {
    super('i440fx', { vendor: INTEL, device: 0x1237, revision: 2, classCode: 0x060000 })
    this.define(0x50, 2, 0, 0xffff) // PMCCFG
    for (let pam = 0x59; pam <= 0x5f; pam++) this.define(pam, 1, 0x33, 0x33)
    this.define(0x72, 1, 0x02, 0x70) // SMRAM: no SMM here
  }
}

/** PIRQx route control: bit 7 set means not routed; bits 3:0 name the ISA IRQ (PIIX3 datasheet, PIRQRC). */
const PIRQ_ROUTE = 0x60
const ROUTE_DISABLED = 0x80
/** IRQs 0, 1, 2, 8 and 13 are reserved as targets. */
const ROUTABLE = 0b1101_1110_1111_1000

/** 01.0, the PIIX3 ISA bridge: its registers say which ISA IRQ each PCI interrupt is steered to. */
export class Piix3Isa extends PciFunction {
  readonly #steer: (pirq: number, irq: number | undefined) => void

  /** `steer` connects PIRQA# to PIRQD# (0 to 3) with an ISA IRQ, or with none. */
  constructor(steer: (pirq: number, irq: number | undefined) => void) {
    super('piix3-isa', { vendor: INTEL, device: 0x7000, revision: 0, classCode: 0x060100, multifunction: true })
    this.#steer = steer
    this.define(PciReg.command, 2, PciCommand.io | PciCommand.memory | PciCommand.busMaster)
    this.define(0x4c, 1, 0x4d, 0xff) // I/O recovery timer
    this.define(0x4e, 2, 0x0003, 0xffff) // X-bus chip select
    for (let pirq = 0; pirq < 4; pirq++) this.define(PIRQ_ROUTE + pirq, 1, ROUTE_DISABLED, 0x8f)
    this.define(0x69, 1, 0x02, 0xff) // top of memory
    this.define(0x82, 1, 0x00, 0x0f) // miscellaneous status
  }

  /** What firmware does: ISA IRQ for each of PIRQA# to PIRQD#. */
  routePirqs(irqs: readonly number[]): void {
    irqs.forEach((irq, pirq) => this.writeConfig(PIRQ_ROUTE + pirq, 1, irq))
  }

  protected override configWritten(offset: number, width: number): void {
    if (offset < PIRQ_ROUTE + 4 && offset + width > PIRQ_ROUTE) this.#update()
  }

  override reset(): void {
    super.reset()
    this.#update()
  }

  override restore(fields: SnapshotFields): void {
    super.restore(fields)
    this.#update()
  }

  #update(): void {
    for (let pirq = 0; pirq < 4; pirq++) {
      const route = this.config[PIRQ_ROUTE + pirq]
      const irq = route & 15
      this.#steer(pirq, (route & ROUTE_DISABLED) === 0 && ROUTABLE & (1 << irq) ? irq : undefined)
    }
  }
}

const PM_BASE = 0x40
const PM_ENABLE = 0x80

/** 01.3, the PIIX4 power management function. The registers behind PMBASE belong to the acpi-pm device. */
export class Piix4Pm extends PciFunction {
  readonly #relocate: (base: number | undefined) => void
  #base: number | undefined

  /** `relocate` is told where the 64 bytes of PM registers are to be decoded; undefined: nowhere. */
  constructor(relocate: (base: number | undefined) => void) {
    super('piix4-pm', { vendor: INTEL, device: 0x7113, revision: 3, classCode: 0x068000, interruptPin: 1 })
    this.#relocate = relocate
    this.define(PM_BASE, 4, 0x0000_0001, 0xffc0)
    this.define(PM_ENABLE, 1, 0, 0x01)
    this.define(0x90, 4, 0x0000_0001) // SMBus base: there is no SMBus
  }

  /** What firmware does: put the PM registers at `base` and enable them. The SCI is IRQ 9. */
  enable(base: number): void {
    this.writeConfig(PM_BASE, 4, base)
    this.writeConfig(PM_ENABLE, 1, 1)
    this.writeConfig(PciReg.interruptLine, 1, 9)
  }

  protected override configWritten(): void {
    this.#update()
  }

  override reset(): void {
    super.reset()
    this.#update()
  }

  override restore(fields: SnapshotFields): void {
    super.restore(fields)
    this.#update()
  }

  #update(): void {
    const address = (this.config[PM_BASE] & 0xc0) | (this.config[PM_BASE + 1] << 8)
    const base = (this.config[PM_ENABLE] & 1) !== 0 && address !== 0 ? address : undefined
    if (base === this.#base) return
    this.#base = base
    this.#relocate(base)
  }
}
