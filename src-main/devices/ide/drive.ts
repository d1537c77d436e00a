import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Width } from '../../bus/bus.ts'
import type { GuestMemory, Segment } from '../../memory/guest-memory.ts'
import { ErrorBit, Status } from './ata.ts'

/** A DMA data phase that waits for the bus master. */
export interface DmaTransfer {
  /** True: device to memory. */
  readonly toMemory: boolean
  /** Bytes, even. */
  readonly bytes: number
  /** The bus master was started and its table covers `bytes`. The drive ends with DriveHost.finishDma. */
  run(segments: readonly Segment[]): void
  /** The bus master's table does not lie in memory, or points outside it. */
  fail(): void
}

/** What a channel gives its drives. */
export interface DriveHost {
  readonly memory: GuestMemory
  /** A drive's interrupt request or status changed. */
  update(): void
  startDma(transfer: DmaTransfer): void
  finishDma(): void
  cancelDma(): void
}

/** Registers that are written in pairs for 48-bit commands: `old` is what was there before the last write. */
export class PairedRegister {
  value = 0
  old = 0

  write(value: number): void {
    this.old = this.value
    this.value = value
  }

  set(value: number, old = 0): void {
    this.value = value
    this.old = old
  }
}

/**
 * What is common to ATA disks and ATAPI drives: the task file, the status register, the PIO data register and the
 * interrupt request. A data phase by PIO is a buffer that the guest empties or fills; `pioDone` says what comes next.
 */
export abstract class Drive {
  status = 0
  error = 0
  features = new PairedRegister()
  count = new PairedRegister()
  lbaLow = new PairedRegister()
  lbaMid = new PairedRegister()
  lbaHigh = new PairedRegister()
  device = 0
  /** INTRQ as this drive asserts it; the channel drives the line when the drive is selected. */
  interrupt = false
  protected host!: DriveHost
  /** Requests to the backend that were sent before a reset are recognised by an older number. */
  protected generation = 0
  #buffer: Uint8Array = new Uint8Array(0)
  #at = 0
  #toGuest = false

  abstract readonly isPacketDevice: boolean
  /** Run the command that was written to the command register. Drive is not busy, ERR and error are clear. */
  protected abstract execute(command: number): void
  /** The guest has emptied or filled the PIO buffer. */
  protected abstract pioDone(buffer: Uint8Array): void

  attach(host: DriveHost): void {
    this.host = host
    this.softReset()
  }

  command(command: number): void {
    // ATA-8 section 4.4: a command written while BSY or DRQ is set has no defined result: ignored, as DEVICE RESET is the channel's.
    if (this.status & (Status.busy | Status.dataRequest)) return
    this.interrupt = false
    this.error = 0
    this.status = Status.ready | Status.seekComplete
    this.execute(command)
    this.host.update()
  }

  /** Signature of the device and a clean status (ATA-8 section 9.12, signatures). */
  softReset(): void {
    this.generation++
    this.#buffer = new Uint8Array(0)
    this.#at = 0
    this.#toGuest = false
    this.interrupt = false
    this.error = 1 // diagnostics passed
    this.count.set(1)
    this.lbaLow.set(1)
    this.lbaMid.set(this.isPacketDevice ? 0x14 : 0)
    this.lbaHigh.set(this.isPacketDevice ? 0xeb : 0)
    this.device = 0
    this.status = this.isPacketDevice ? 0 : Status.ready | Status.seekComplete
  }

  /** Power-on state. */
  reset(): void {
    this.features.set(0)
    this.softReset()
  }

  readData(width: Width): number {
    if (!(this.status & Status.dataRequest) || !this.#toGuest) return 0
    let value = 0
    for (let i = 0; i < width; i++) value += (this.#buffer[this.#at + i] ?? 0) * 2 ** (8 * i)
    this.#advance(width)
    return value
  }

  writeData(width: Width, value: number): void {
    if (!(this.status & Status.dataRequest) || this.#toGuest) return
    for (let i = 0; i < width && this.#at + i < this.#buffer.length; i++) {
      this.#buffer[this.#at + i] = value >>> (8 * i)
    }
    this.#advance(width)
  }

  /** Offer data to the guest, or ask it for data, through the data register. */
  protected startPio(buffer: Uint8Array, toGuest: boolean, interrupt: boolean): void {
    this.#buffer = buffer
    this.#at = 0
    this.#toGuest = toGuest
    this.status = (this.status & ~Status.busy) | Status.ready | Status.seekComplete | Status.dataRequest
    if (interrupt) this.interrupt = true
    this.host.update()
  }

  protected setBusy(): void {
    this.status = (this.status & ~Status.dataRequest) | Status.busy
  }

  /** The command ended well. */
  protected finish(interrupt = true): void {
    this.status = Status.ready | Status.seekComplete
    if (interrupt) this.interrupt = true
    this.host.update()
  }

  /** The command ended with an error: bits for the error register. */
  protected fail(error: number, extraStatus = 0): void {
    this.error = error
    this.status = Status.ready | Status.seekComplete | Status.error | extraStatus
    this.interrupt = true
    this.host.update()
  }

  protected abort(): void {
    this.fail(ErrorBit.abort)
  }

  #advance(width: number): void {
    this.#at += width
    if (this.#at < this.#buffer.length) return
    this.status &= ~Status.dataRequest
    const done = this.#buffer
    this.#buffer = new Uint8Array(0)
    this.#at = 0
    this.pioDone(done)
    this.host.update()
  }

  save(): SnapshotFields {
    const pair = ({ value, old }: PairedRegister): SnapshotFields => ({ value, old })
    return {
      status: this.status,
      error: this.error,
      features: pair(this.features),
      count: pair(this.count),
      lbaLow: pair(this.lbaLow),
      lbaMid: pair(this.lbaMid),
      lbaHigh: pair(this.lbaHigh),
      device: this.device,
      interrupt: this.interrupt,
      pioBuffer: this.#buffer.slice(),
      pioAt: this.#at,
      pioToGuest: this.#toGuest,
    }
  }

  restore(fields: SnapshotFields): void {
    const pair = (register: PairedRegister, from: SnapshotFields): void =>
      register.set(from.value as number, from.old as number)
    this.generation++
    this.status = fields.status as number
    this.error = fields.error as number
    pair(this.features, fields.features as SnapshotFields)
    pair(this.count, fields.count as SnapshotFields)
    pair(this.lbaLow, fields.lbaLow as SnapshotFields)
    pair(this.lbaMid, fields.lbaMid as SnapshotFields)
    pair(this.lbaHigh, fields.lbaHigh as SnapshotFields)
    this.device = fields.device as number
    this.interrupt = fields.interrupt as boolean
    this.#buffer = (fields.pioBuffer as Uint8Array).slice()
    this.#at = fields.pioAt as number
    this.#toGuest = fields.pioToGuest as boolean
  }
}
