import type { GpaRange } from '../types.ts'

/** A range of I/O ports. */
export interface PortRange {
  readonly base: number
  readonly length: number
}

/** What the tables say about the machine; made from machine/layout.ts. */
export interface AcpiConfig {
  readonly cpus: number
  readonly lapic: number
  readonly ioapic: { readonly base: number; readonly id: number }
  /** Absent: the machine has none, and neither table nor device is made. */
  readonly hpet?: GpaRange
  /** Keyboard controller with a keyboard. */
  readonly i8042?: { readonly data: number; readonly command: number; readonly keyboardIrq: number }
  readonly serial: readonly { readonly ports: PortRange; readonly irq: number }[]
  readonly rtc: { readonly ports: PortRange; readonly irq: number }
  /** First port of PM1a_EVT; PM1a_CNT is at +4, PM_TMR at +8 (PIIX4). */
  readonly pmBase: number
  readonly gpe0: PortRange
  readonly sciIrq: number
  readonly smi: { readonly port: number; readonly enable: number; readonly disable: number }
  readonly reset: { readonly port: number; readonly value: number }
  /** GSI of the PIT, ISA IRQ 0. */
  readonly timerGsi: number
  readonly levelIrqs: readonly number[]
  readonly pci: {
    readonly configPorts: PortRange
    readonly mmio: GpaRange
    /** IRQs of PIRQ A to D, and the PIRQ (0 to 3) that pin 1 to 4 of a slot is wired to. */
    readonly pirqIrqs: readonly number[]
    pirqOf(slot: number, pin: number): number
  }
}
