import type { SnapshotFields } from '../../base/snapshotable.ts'

/** Where in its initialisation sequence the chip is: the ICW that the next write to A0=1 carries (0: none, it is OCW1). */
type InitStep = 0 | 2 | 3 | 4

const ICW1 = { IC4: 0x01, SNGL: 0x02, INIT: 0x10 } as const
const ICW4 = { AEOI: 0x02, SFNM: 0x10 } as const
const OCW3 = { SELECT: 0x08, RIS: 0x01, RR: 0x02, POLL: 0x04, SMM: 0x20, ESMM: 0x40 } as const
const OCW2 = { ROTATE: 0x80, SPECIFIC: 0x40, EOI: 0x20 } as const

/** The request that a chip reports when the one it announced has gone (8259A datasheet, "Interrupt sequence"). */
const SPURIOUS = 7

/** One 8259A (Intel 231468). Inputs are asserted/deasserted levels; the ELCR of the PIIX3 picks edge or level for each. */
export class Pic8259 {
  /** Input 2 of the master carries the slave: special fully nested mode treats it apart. */
  private readonly cascade: number
  /** Bits of the ELCR that exist (82371SB datasheet §2.5.7, 2.5.8). */
  private readonly elcrMask: number
  private readonly output: (asserted: boolean) => void

  private lines = 0
  /** Rising edges seen and not yet acknowledged; level inputs are read from `lines`. */
  private latched = 0
  private inService = 0
  private mask = 0
  private elcr = 0
  private vectorBase = 0
  /** The input of lowest priority; the next one up has the highest. */
  private lowest = 7
  private step: InitStep = 0
  private wantsIcw4 = false
  private single = false
  private autoEoi = false
  private rotateOnAutoEoi = false
  private fullyNested = false
  private specialMask = false
  private readInService = false
  private poll = false
  private asserted = false

  constructor(role: 'master' | 'slave', output: (asserted: boolean) => void) {
    this.cascade = role === 'master' ? 0x04 : 0
    this.elcrMask = role === 'master' ? 0xf8 : 0xde
    this.output = output
  }

  reset(): void {
    this.latched = 0
    this.elcr = 0
    this.vectorBase = 0
    this.step = 0
    this.mask = 0
    this.initialise(0)
    this.update()
  }

  setInput(input: number, level: boolean): void {
    const bit = 1 << input
    if (level && (this.lines & bit) === 0) this.latched |= bit
    this.lines = level ? this.lines | bit : this.lines & ~bit
    this.update()
  }

  /** INTA: the vector of the request of highest priority, which goes into service; the spurious vector when there is none. */
  acknowledge(): { input: number; vector: number; spurious: boolean } {
    const input = this.candidate()
    if (input < 0) return { input: SPURIOUS, vector: this.vectorBase | SPURIOUS, spurious: true }
    this.take(input)
    return { input, vector: this.vectorBase | input, spurious: false }
  }

  read(a0: number): number {
    if (this.poll) return this.readPoll()
    if (a0 !== 0) return this.mask
    return this.readInService ? this.inService : this.requests()
  }

  write(a0: number, value: number): void {
    if (a0 !== 0) this.writeData(value)
    else if (value & ICW1.INIT) this.initialise(value)
    else if (value & OCW3.SELECT) this.writeOcw3(value)
    else this.writeOcw2(value)
    this.update()
  }

  readElcr(): number {
    return this.elcr
  }

  writeElcr(value: number): void {
    this.elcr = value & this.elcrMask
    this.update()
  }

  save(): SnapshotFields {
    const { lines, latched, inService, mask, elcr, vectorBase, lowest, step, wantsIcw4, single } = this
    const { autoEoi, rotateOnAutoEoi, fullyNested, specialMask, readInService, poll, asserted } = this
    const lists = { lines, latched, inService, mask, elcr, vectorBase, lowest, step, wantsIcw4, single }
    return { ...lists, autoEoi, rotateOnAutoEoi, fullyNested, specialMask, readInService, poll, asserted }
  }

  restore(fields: SnapshotFields): void {
    this.lines = Number(fields.lines)
    this.latched = Number(fields.latched)
    this.inService = Number(fields.inService)
    this.mask = Number(fields.mask)
    this.elcr = Number(fields.elcr)
    this.vectorBase = Number(fields.vectorBase)
    this.lowest = Number(fields.lowest)
    this.step = Number(fields.step) as InitStep
    this.wantsIcw4 = fields.wantsIcw4 === true
    this.single = fields.single === true
    this.autoEoi = fields.autoEoi === true
    this.rotateOnAutoEoi = fields.rotateOnAutoEoi === true
    this.fullyNested = fields.fullyNested === true
    this.specialMask = fields.specialMask === true
    this.readInService = fields.readInService === true
    this.poll = fields.poll === true
    this.asserted = fields.asserted === true
  }

  /** The interrupt request register as OCW3 shows it. */
  private requests(): number {
    return (this.latched & ~this.elcr) | (this.lines & this.elcr)
  }

  /** 0 for the highest priority among `bits`, 8 for none. */
  private rank(bits: number): number {
    for (let rank = 0; rank < 8; rank++) if (bits & (1 << ((this.lowest + 1 + rank) & 7))) return rank
    return 8
  }

  /** The input that may interrupt now, or -1. */
  private candidate(): number {
    const requested = this.requests() & ~this.mask
    if (requested === 0) return -1
    let blocking = this.inService
    // Special mask mode: a masked input in service inhibits no other (datasheet, "Special mask mode").
    if (this.specialMask) blocking &= ~this.mask
    // Special fully nested mode: the slave in service is not locked out from further requests of its own.
    if (this.fullyNested) blocking &= ~this.cascade
    const rank = this.rank(requested)
    return rank < this.rank(blocking) ? (this.lowest + 1 + rank) & 7 : -1
  }

  private take(input: number): void {
    const bit = 1 << input
    this.latched &= ~bit
    if (!this.autoEoi) this.inService |= bit
    else if (this.rotateOnAutoEoi) this.lowest = input
    // INT drops with INTA and rises again for a further request, so that the master's edge sense sees a new edge.
    this.drive(false)
    this.update()
  }

  private readPoll(): number {
    this.poll = false
    const input = this.candidate()
    if (input < 0) return 0
    this.take(input)
    return 0x80 | input
  }

  private initialise(icw1: number): void {
    // ICW1 (datasheet, "Initialization command words"): edge sense reset, IMR cleared, IR7 lowest, status read is IRR.
    this.latched = 0
    this.mask = 0
    this.inService = 0
    this.lowest = 7
    this.specialMask = false
    this.readInService = false
    this.poll = false
    this.autoEoi = false
    this.rotateOnAutoEoi = false
    this.fullyNested = false
    this.wantsIcw4 = (icw1 & ICW1.IC4) !== 0
    this.single = (icw1 & ICW1.SNGL) !== 0
    this.step = icw1 & ICW1.INIT ? 2 : 0
  }

  private writeData(value: number): void {
    if (this.step === 0) {
      this.mask = value
    } else if (this.step === 2) {
      this.vectorBase = value & 0xf8
      this.step = this.single ? this.afterIcw3() : 3
    } else if (this.step === 3) {
      this.step = this.afterIcw3() // ICW3 tells how the chips are wired, which is fixed on this board.
    } else {
      this.autoEoi = (value & ICW4.AEOI) !== 0
      this.fullyNested = (value & ICW4.SFNM) !== 0
      this.step = 0
    }
  }

  private afterIcw3(): InitStep {
    return this.wantsIcw4 ? 4 : 0
  }

  private writeOcw3(value: number): void {
    if (value & OCW3.POLL) this.poll = true
    else if (value & OCW3.RR) this.readInService = (value & OCW3.RIS) !== 0
    if (value & OCW3.ESMM) this.specialMask = (value & OCW3.SMM) !== 0
  }

  private writeOcw2(value: number): void {
    const rotate = (value & OCW2.ROTATE) !== 0
    const level = value & 7
    if (value & OCW2.EOI) {
      const input = value & OCW2.SPECIFIC ? level : this.servedNow()
      if (input < 0) return
      this.inService &= ~(1 << input)
      if (rotate) this.lowest = input
    } else if (value & OCW2.SPECIFIC) {
      if (rotate) this.lowest = level // "set priority"; without R it is the no-operation command
    } else {
      this.rotateOnAutoEoi = rotate
    }
  }

  /** What a non-specific EOI ends: the highest in service; in special mask mode masked ones are left alone. */
  private servedNow(): number {
    const rank = this.rank(this.specialMask ? this.inService & ~this.mask : this.inService)
    return rank === 8 ? -1 : (this.lowest + 1 + rank) & 7
  }

  private update(): void {
    this.drive(this.step === 0 && this.candidate() >= 0)
  }

  private drive(asserted: boolean): void {
    if (asserted === this.asserted) return
    this.asserted = asserted
    this.output(asserted)
  }
}
