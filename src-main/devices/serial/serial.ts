import type { Timers } from '../../base/clock.ts'
import { DueTimer } from '../../base/due-timer.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine } from '../../bus/bus.ts'
import { BytePorts } from '../../bus/byte-ports.ts'
import type { CharBackend } from '../backends.ts'
import { BREAK, ReceiveFifo } from './receive-fifo.ts'

/** Registers by port offset; DLL and DLM replace the first two while LCR.DLAB is set (PC16550D datasheet, table II). */
const REG = { DATA: 0, IER: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const
const IER = { RECEIVED: 0x01, TRANSMIT: 0x02, LINE: 0x04, MODEM: 0x08 } as const
const IIR = { MODEM: 0x00, NONE: 0x01, TRANSMIT: 0x02, RECEIVED: 0x04, LINE: 0x06, TIMEOUT: 0x0c, FIFOS: 0xc0 } as const
const FCR = { ENABLE: 0x01, CLEAR_RECEIVER: 0x02 } as const
const LCR_DLAB = 0x80
const MCR = { DTR: 0x01, RTS: 0x02, OUT1: 0x04, OUT2: 0x08, LOOP: 0x10 } as const
const LSR = { DATA: 0x01, OVERRUN: 0x02, BREAK: 0x10, THR_EMPTY: 0x20, EMPTY: 0x40, FIFO_ERROR: 0x80 } as const
const LSR_ERRORS = LSR.OVERRUN | 0x04 | 0x08 | LSR.BREAK
const MSR = { CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80 } as const

/** A terminal is there and ready, always. */
const TERMINAL_PRESENT = MSR.CTS | MSR.DSR | MSR.DCD
const TRIGGERS = [1, 4, 8, 14] as const
const FIFO_DEPTH = 16
/** Output is handed over when this much has come together, or when the machine calls `flush`. */
const BATCH = 4096
/** 1.8432 MHz / 16: the rate of divisor 1. A character takes ten bit times. */
const BASE_BAUD = 115_200
const CHARACTER_BITS = 10
const VERSION = 1

/**
 * A 16550A UART (National PC16550D). A character written is sent at once: the transmitter is always empty, and every write makes a
 * new "transmitter empty" event. Input is taken from the backend only as the FIFO has room, and only while the guest listens: RTS
 * is set or the received-data interrupt is enabled. So a script's input piped in before the guest is up waits, and none is lost.
 */
export class Serial extends BytePorts implements Device {
  readonly name: string
  private readonly backend: CharBackend
  private readonly irq: IrqLine
  private readonly timers: Timers
  private readonly idle: DueTimer
  private readonly fifo = new ReceiveFifo()
  private readonly batch = new Uint8Array(BATCH)
  private batched = 0

  private ier = 0
  private fifosOn = false
  private trigger = 0
  private lcr = 0
  private mcr = 0
  private errors = 0
  private modem: number = TERMINAL_PRESENT
  private modemChanges = 0
  private scratch = 0
  private divisor = 12
  private transmitPending = false
  private timedOut = false

  constructor(name: string, backend: CharBackend, irq: IrqLine, timers: Timers) {
    super()
    this.name = name
    this.backend = backend
    this.irq = irq
    this.timers = timers
    this.idle = new DueTimer(timers, name, () => {
      this.timedOut = true
      this.update()
    })
    backend.onReadable = () => this.pull()
    backend.onBreak = () => this.receiveBreak()
  }

  /** Master reset (datasheet, table I). */
  reset(): void {
    this.flush()
    this.ier = this.lcr = this.mcr = this.errors = this.trigger = this.scratch = 0
    this.divisor = 12
    this.modem = TERMINAL_PRESENT
    this.modemChanges = 0
    this.transmitPending = this.timedOut = false
    this.setFifos(false)
    this.update()
  }

  /** Hand the collected output to the backend. The machine calls it after each slice of guest time. */
  flush(): void {
    if (this.batched === 0) return
    const bytes = this.batch.slice(0, this.batched)
    this.batched = 0
    this.backend.write(bytes)
  }

  protected override readByte(port: number): number {
    this.idle.settle()
    switch (port & 7) {
      case REG.DATA:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : this.readData()
      case REG.IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier
      case REG.IIR_FCR:
        return this.readIdentification()
      case REG.LCR:
        return this.lcr
      case REG.MCR:
        return this.mcr
      case REG.LSR:
        return this.readLineStatus()
      case REG.MSR:
        return this.readModemStatus()
      default:
        return this.scratch
    }
  }

  protected override writeByte(port: number, value: number): void {
    this.idle.settle()
    switch (port & 7) {
      case REG.DATA:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff00) | value
        else this.transmit(value)
        break
      case REG.IER:
        if (this.lcr & LCR_DLAB) this.divisor = (this.divisor & 0xff) | (value << 8)
        else this.writeInterruptEnable(value & 0x0f)
        break
      case REG.IIR_FCR:
        this.writeFifoControl(value)
        break
      case REG.LCR:
        this.lcr = value
        break
      case REG.MCR:
        this.mcr = value & 0x1f
        this.setModem(this.mcr & MCR.LOOP ? this.loopedModem() : TERMINAL_PRESENT)
        this.pull()
        break
      case REG.SCR:
        this.scratch = value
        break
    }
    this.update()
  }

  save(): SnapshotFields {
    this.flush()
    const { ier, fifosOn, trigger, lcr, mcr, errors, modem, modemChanges, scratch, divisor } = this
    const registers = { ier, fifosOn, trigger, lcr, mcr, errors, modem, modemChanges, scratch, divisor }
    const { transmitPending, timedOut } = this
    const receiver = { received: this.fifo.contents(), timedOut, idle: this.idle.deadline ?? null }
    return { version: VERSION, ...registers, transmitPending, ...receiver }
  }

  restore(fields: SnapshotFields): void {
    this.ier = Number(fields.ier)
    this.fifosOn = fields.fifosOn === true
    this.trigger = Number(fields.trigger)
    this.lcr = Number(fields.lcr)
    this.mcr = Number(fields.mcr)
    this.errors = Number(fields.errors)
    this.modem = Number(fields.modem)
    this.modemChanges = Number(fields.modemChanges)
    this.scratch = Number(fields.scratch)
    this.divisor = Number(fields.divisor)
    this.transmitPending = fields.transmitPending === true
    this.timedOut = fields.timedOut === true
    this.fifo.depth = this.fifosOn ? FIFO_DEPTH : 1
    this.fifo.restore(fields.received as number[])
    this.idle.set(fields.idle === null ? undefined : Number(fields.idle))
    this.update()
  }

  // ── Receiver ──

  private listening(): boolean {
    if (this.mcr & MCR.LOOP) return false
    return (this.mcr & MCR.RTS) !== 0 || (this.ier & IER.RECEIVED) !== 0
  }

  /** Take what fits from the backend. */
  private pull(): void {
    if (!this.listening() || this.fifo.space === 0) return
    const bytes = this.backend.read(this.fifo.space)
    for (const byte of bytes) this.receive(byte)
    if (bytes.length > 0) this.update()
  }

  private receiveBreak(): void {
    if (this.mcr & MCR.LOOP) return
    this.receive(BREAK)
    this.update()
  }

  private receive(item: number): void {
    if (!this.fifo.push(item)) this.errors |= LSR.OVERRUN
    else if (this.fifo.length === 1) this.revealTop()
    this.restartIdle()
  }

  /** Errors are reported when their character reaches the top of the FIFO (datasheet §8.3, bits 1 to 4). */
  private revealTop(): void {
    const top = this.fifo.peek()
    if (top !== undefined && top & BREAK) this.errors |= LSR.BREAK
  }

  private readData(): number {
    const item = this.fifo.shift() ?? 0
    this.revealTop()
    this.restartIdle()
    this.pull()
    this.update()
    return item & 0xff
  }

  /** The character timeout: four character times without a read or a new character while some wait (datasheet §8.10.1). */
  private restartIdle(): void {
    this.timedOut = false
    if (!this.fifosOn || this.fifo.length === 0) return this.idle.disarm()
    const bits = 4 * CHARACTER_BITS * Math.max(1, this.divisor)
    this.idle.arm(this.timers.now() + Math.ceil((bits * 1e9) / BASE_BAUD))
  }

  private setFifos(on: boolean): void {
    this.fifosOn = on
    this.fifo.depth = on ? FIFO_DEPTH : 1
    this.clearReceiver()
  }

  private clearReceiver(): void {
    this.fifo.clear()
    this.restartIdle()
  }

  private writeFifoControl(value: number): void {
    const on = (value & FCR.ENABLE) !== 0
    // A change of FCR0 clears both FIFOs; without FCR0 the other bits are not programmed (datasheet §8.5).
    if (on !== this.fifosOn) this.setFifos(on)
    else if (on && value & FCR.CLEAR_RECEIVER) this.clearReceiver()
    if (on) this.trigger = value >> 6
    this.pull()
  }

  private readLineStatus(): number {
    const data = this.fifo.length > 0 ? LSR.DATA : 0
    const inFifo = this.fifosOn && this.fifo.hasBreak() ? LSR.FIFO_ERROR : 0
    const status = data | this.errors | inFifo | LSR.THR_EMPTY | LSR.EMPTY
    this.errors = 0
    this.update()
    return status
  }

  // ── Transmitter ──

  private transmit(value: number): void {
    if (this.mcr & MCR.LOOP) {
      this.receive(value)
    } else {
      this.batch[this.batched++] = value
      if (this.batched === BATCH) this.flush()
    }
    // Sent already: the write ends one "transmitter empty" interrupt and the next begins, with an edge between them.
    this.transmitPending = false
    this.update()
    this.transmitPending = true
  }

  private writeInterruptEnable(value: number): void {
    // Enabling the interrupt while the transmitter is empty raises it at once; Linux tests for this at start-up.
    if (value & IER.TRANSMIT && !(this.ier & IER.TRANSMIT)) this.transmitPending = true
    this.ier = value
    this.pull()
  }

  // ── Modem ──

  /** Loopback connects the four outputs to the four inputs (datasheet §8.7). */
  private loopedModem(): number {
    const { mcr } = this
    const dsr = mcr & MCR.DTR ? MSR.DSR : 0
    const cts = mcr & MCR.RTS ? MSR.CTS : 0
    const ri = mcr & MCR.OUT1 ? MSR.RI : 0
    return dsr | cts | ri | (mcr & MCR.OUT2 ? MSR.DCD : 0)
  }

  private setModem(inputs: number): void {
    const changed = (inputs ^ this.modem) >> 4
    // The ring indicator reports its trailing edge only (datasheet §8.8, bit 2).
    const ringing = changed & 4 && (inputs & MSR.RI) !== 0
    this.modemChanges |= ringing ? changed & ~4 : changed
    this.modem = inputs
  }

  private readModemStatus(): number {
    const status = this.modem | this.modemChanges
    this.modemChanges = 0
    this.update()
    return status
  }

  // ── Interrupts ──

  /** The pending interrupt of highest priority (datasheet, table IV). */
  private pending(): number {
    if (this.ier & IER.LINE && this.errors & LSR_ERRORS) return IIR.LINE
    if (this.ier & IER.RECEIVED) {
      if (this.timedOut) return IIR.TIMEOUT
      if (this.fifo.length >= (this.fifosOn ? TRIGGERS[this.trigger] : 1)) return IIR.RECEIVED
    }
    if (this.ier & IER.TRANSMIT && this.transmitPending) return IIR.TRANSMIT
    if (this.ier & IER.MODEM && this.modemChanges) return IIR.MODEM
    return IIR.NONE
  }

  private readIdentification(): number {
    const pending = this.pending()
    // Reading IIR ends the transmitter interrupt, if it is the one that is shown.
    if (pending === IIR.TRANSMIT) {
      this.transmitPending = false
      this.update()
    }
    return pending | (this.fifosOn ? IIR.FIFOS : 0)
  }

  private update(): void {
    this.irq.set(this.pending() !== IIR.NONE)
  }
}
