import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, MmioHandler, MsiSink, Width } from '../../bus/bus.ts'
import type { IrqInputs } from '../../bus/irq-router.ts'

export const IOAPIC_PINS = 24

/** Memory-mapped registers and the indirect ones behind them (82093AA datasheet §3.1, §3.2). */
const MMIO = { SELECT: 0x00, WINDOW: 0x10 } as const
const INDEX = { ID: 0x00, VERSION: 0x01, ARBITRATION: 0x02, REDIRECTION: 0x10 } as const
const VERSION_REGISTER = ((IOAPIC_PINS - 1) << 16) | 0x11

/** Low half of a redirection entry (§3.2.4). */
const ENTRY = { LOGICAL: 0x800, REMOTE_IRR: 0x4000, LEVEL: 0x8000, MASKED: 0x10000, WRITABLE: 0x1afff } as const
const DELIVERY_EXTINT = 7
const SNAPSHOT_VERSION = 1

/**
 * The IO-APIC (Intel 82093AA, version 0x11). Interrupts leave it as messages, in the form of an MSI, to the local APIC.
 *
 * The polarity bit is kept and read back but changes nothing: inputs are "asserted or not", as the board's wiring knows, and not
 * voltages. A driver that calls a PCI line active-low and one that calls it active-high both get the interrupt when the device asks.
 */
export class IoApic implements Device, MmioHandler, IrqInputs {
  readonly name = 'ioapic'
  private readonly sink: MsiSink
  private readonly low = new Uint32Array(IOAPIC_PINS)
  private readonly high = new Uint32Array(IOAPIC_PINS)
  private lines = 0
  private select = 0
  private id = 0

  constructor(sink: MsiSink) {
    this.sink = sink
    this.reset()
  }

  reset(): void {
    this.select = 0
    this.id = 0
    this.low.fill(ENTRY.MASKED)
    this.high.fill(0)
  }

  /** Level of input `pin` (0..23). */
  set(pin: number, level: boolean): void {
    const bit = 1 << pin
    const rising = level && (this.lines & bit) === 0
    this.lines = level ? this.lines | bit : this.lines & ~bit
    // An edge on a masked pin is lost (§3.2.4, interrupt mask); a level waits.
    if (rising) this.service(pin)
  }

  /** The local APIC's EOI message for a level-triggered vector. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const entry = this.low[pin]
      if ((entry & 0xff) !== vector || (entry & ENTRY.REMOTE_IRR) === 0) continue
      this.low[pin] = entry & ~ENTRY.REMOTE_IRR
      if (this.asserted(pin)) this.service(pin)
    }
  }

  readMmio(offset: number, width: Width): number {
    const register = offset - (offset & 3)
    const value = register === MMIO.SELECT ? this.select : register === MMIO.WINDOW ? this.readIndirect() : 0
    const shifted = value >>> ((offset & 3) * 8)
    return width === 4 ? shifted : width === 2 ? shifted & 0xffff : shifted & 0xff
  }

  /** Registers are written as dwords (§3.1); the select register, which has eight bits, as a byte too. */
  writeMmio(offset: number, width: Width, value: number): void {
    if (offset === MMIO.SELECT) this.select = value & 0xff
    else if (offset === MMIO.WINDOW && width === 4) this.writeIndirect(value)
  }

  save(): SnapshotFields {
    const entries = Array.from(this.low, (low, pin) => ({ low, high: this.high[pin] }))
    return { version: SNAPSHOT_VERSION, lines: this.lines, select: this.select, id: this.id, entries }
  }

  restore(fields: SnapshotFields): void {
    this.lines = Number(fields.lines)
    this.select = Number(fields.select)
    this.id = Number(fields.id)
    const entries = fields.entries as SnapshotFields[]
    entries.slice(0, IOAPIC_PINS).forEach((entry, pin) => {
      this.low[pin] = Number(entry.low)
      this.high[pin] = Number(entry.high)
    })
  }

  private asserted(pin: number): boolean {
    return (this.lines & (1 << pin)) !== 0
  }

  private readIndirect(): number {
    if (this.select === INDEX.ID || this.select === INDEX.ARBITRATION) return this.id << 24
    if (this.select === INDEX.VERSION) return VERSION_REGISTER
    const pin = (this.select - INDEX.REDIRECTION) >> 1
    if (pin < 0 || pin >= IOAPIC_PINS) return 0
    return this.select & 1 ? this.high[pin] : this.low[pin]
  }

  private writeIndirect(value: number): void {
    if (this.select === INDEX.ID) this.id = (value >>> 24) & 0xf
    const pin = (this.select - INDEX.REDIRECTION) >> 1
    if (pin < 0 || pin >= IOAPIC_PINS) return
    if (this.select & 1) {
      this.high[pin] = value & 0xff000000
      return
    }
    let entry = (this.low[pin] & ENTRY.REMOTE_IRR) | (value & ENTRY.WRITABLE)
    // Remote IRR has no meaning for an edge; drivers toggle the trigger mode to clear a stuck one (§3.2.4).
    if ((entry & ENTRY.LEVEL) === 0) entry &= ~ENTRY.REMOTE_IRR
    this.low[pin] = entry
    if (entry & ENTRY.LEVEL && this.asserted(pin)) this.service(pin)
  }

  private service(pin: number): void {
    const entry = this.low[pin]
    if (entry & ENTRY.MASKED) return
    const level = (entry & ENTRY.LEVEL) !== 0
    if (level) {
      if (entry & ENTRY.REMOTE_IRR) return
      if (((entry >> 8) & 7) !== DELIVERY_EXTINT) this.low[pin] = entry | ENTRY.REMOTE_IRR
    }
    const address = (0xfee00000 | ((this.high[pin] >>> 24) << 12) | (entry & ENTRY.LOGICAL ? 4 : 0)) >>> 0
    const data = (entry & 0x7ff) | (level ? 0xc000 : 0)
    this.sink.send(address, data)
  }
}
