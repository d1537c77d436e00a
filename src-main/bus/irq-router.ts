import type { IrqLine } from './bus.ts'

/** An interrupt controller's inputs, by number. */
export interface IrqInputs {
  set(input: number, level: boolean): void
}

const ISA_LINES = 16
const PIRQS = 4
/** The cascade of the two 8259A: no device can drive it. */
const CASCADE = 2

/** Lines that several sources drive: asserted while any of them is (wired OR). */
class SharedLine {
  private asserted = 0
  private readonly changed: (level: boolean) => void

  constructor(changed: (level: boolean) => void) {
    this.changed = changed
  }

  get level(): boolean {
    return this.asserted > 0
  }

  source(): IrqLine {
    let driven = false
    return {
      set: (level) => {
        if (level === driven) return
        driven = level
        const before = this.level
        this.asserted += level ? 1 : -1
        if (before !== this.level) this.changed(this.level)
      },
    }
  }
}

/**
 * The interrupt wiring of the pc board. Each ISA IRQ reaches the 8259A pair and the IO-APIC input of the same number, except that
 * IRQ 0 is wired to IO-APIC input 2 (the MADT's interrupt source override says so). PCI INTA..INTD arrive as PIRQA..PIRQD, which
 * the PIIX3's PIRQRC registers steer to an ISA IRQ (82371SB datasheet §2.2.6).
 */
export class IrqRouter {
  private readonly pic: IrqInputs
  private readonly ioapic: IrqInputs
  private readonly lines: SharedLine[]
  private readonly pirqs: SharedLine[]
  /** Where each PIRQ ends, and the source it drives there. */
  private readonly routes: ({ irq: number; source: IrqLine } | undefined)[] = new Array<undefined>(PIRQS).fill(
    undefined,
  )
  private readonly steering: IrqLine[][]
  /** How often each ISA line was raised since power-on. */
  readonly counts = new Uint32Array(ISA_LINES)

  constructor(pic: IrqInputs, ioapic: IrqInputs) {
    this.pic = pic
    this.ioapic = ioapic
    this.lines = Array.from({ length: ISA_LINES }, (_, irq) => new SharedLine((level) => this.drive(irq, level)))
    this.pirqs = Array.from({ length: PIRQS }, (_, n) => new SharedLine((level) => this.routes[n]?.source.set(level)))
    this.steering = this.pirqs.map(() => this.lines.map((line) => line.source()))
  }

  /** A new source on ISA IRQ `irq` (0..15, not 2). */
  isa(irq: number): IrqLine {
    if (!Number.isInteger(irq) || irq < 0 || irq >= ISA_LINES || irq === CASCADE)
      throw new Error(`there is no ISA interrupt ${irq}`)
    return this.lines[irq].source()
  }

  /** A new source on PCI interrupt `pirq` (0..3 for PIRQA..PIRQD); level-triggered, shared. */
  intx(pirq: number): IrqLine {
    const line = this.pirqs[pirq]
    if (!line) throw new Error(`there is no PCI interrupt line ${pirq}`)
    return line.source()
  }

  /** PIRQRC[A..D]: steer `pirq` to ISA IRQ `irq`, or to nowhere (undefined). */
  routePirq(pirq: number, irq: number | undefined): void {
    const old = this.routes[pirq]
    if (old?.irq === irq) return
    old?.source.set(false)
    const valid = irq !== undefined && irq >= 0 && irq < ISA_LINES && irq !== CASCADE
    const route = valid ? { irq, source: this.steering[pirq][irq] } : undefined
    this.routes[pirq] = route
    route?.source.set(this.pirqs[pirq].level)
  }

  private drive(irq: number, level: boolean): void {
    if (level) this.counts[irq] = (this.counts[irq] ?? 0) + 1
    this.pic.set(irq, level)
    this.ioapic.set(irq === 0 ? 2 : irq, level)
  }
}
