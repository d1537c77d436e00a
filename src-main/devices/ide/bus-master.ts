import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Width } from '../../bus/bus.ts'
import type { GuestMemory, Segment } from '../../memory/guest-memory.ts'
import type { DmaTransfer } from './drive.ts'

/** Bus master IDE registers of one channel (Programming Interface for Bus Master IDE Controller 1.0). */
const COMMAND = 0
const STATUS = 2
const TABLE = 4

const START = 0x01
const TO_MEMORY = 0x08

const ACTIVE = 0x01
const ERROR = 0x02
const INTERRUPT = 0x04
const DRIVE_CAPABLE = 0x60

const END_OF_TABLE = 0x8000_0000
/** A table must not cross 64 KiB, and an entry is 8 bytes: that bounds how much of it is read. */
const MAX_ENTRIES = 8192

/** Carries out the data phase that a drive waits with, once the guest has started the engine. */
export class BusMaster {
  readonly #memory: GuestMemory
  readonly #mayMaster: () => boolean
  #command = 0
  #status = 0
  #table = 0
  #pending: DmaTransfer | undefined

  /** `mayMaster`: the guest has set the bus master bit of the PCI command register. */
  constructor(memory: GuestMemory, mayMaster: () => boolean) {
    this.#memory = memory
    this.#mayMaster = mayMaster
  }

  read(offset: number, width: Width): number {
    let value = 0
    for (let i = 0; i < width; i++) value += this.#readByte(offset + i) * 2 ** (8 * i)
    return value
  }

  write(offset: number, width: Width, value: number): void {
    for (let i = 0; i < width; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff)
  }

  /** The drive has a data phase; it runs as soon as the engine is started. */
  offer(transfer: DmaTransfer): void {
    this.#pending = transfer
    if (this.#command & START) this.#run()
  }

  cancel(): void {
    this.#pending = undefined
  }

  /** The drive's data phase is over. */
  finished(): void {
    this.#status &= ~ACTIVE
  }

  /** The channel's interrupt line rose. */
  latchInterrupt(): void {
    this.#status |= INTERRUPT
  }

  reset(): void {
    this.#command = 0
    this.#status = 0
    this.#table = 0
    this.#pending = undefined
  }

  save(): SnapshotFields {
    return { command: this.#command, status: this.#status, table: this.#table }
  }

  restore(fields: SnapshotFields): void {
    this.#command = fields.command as number
    this.#status = fields.status as number
    this.#table = fields.table as number
    this.#pending = undefined
  }

  #readByte(offset: number): number {
    if (offset === COMMAND) return this.#command
    if (offset === STATUS) return this.#status
    if (offset >= TABLE && offset < TABLE + 4) return (this.#table >>> (8 * (offset - TABLE))) & 0xff
    return 0
  }

  #writeByte(offset: number, value: number): void {
    if (offset === COMMAND) this.#writeCommand(value)
    else if (offset === STATUS) {
      this.#status = (this.#status & ACTIVE) | (value & DRIVE_CAPABLE) | (this.#status & ~value & (ERROR | INTERRUPT))
    } else if (offset >= TABLE && offset < TABLE + 4) {
      const shift = 8 * (offset - TABLE)
      this.#table = ((this.#table & ~(0xff << shift)) | (value << shift)) & ~3
      this.#table >>>= 0
    }
  }

  #writeCommand(value: number): void {
    const started = (value & START) !== 0 && (this.#command & START) === 0
    this.#command = value & (START | TO_MEMORY)
    if (started) {
      this.#status |= ACTIVE
      if (this.#pending !== undefined) this.#run()
    } else if ((value & START) === 0) {
      this.#status &= ~ACTIVE
    }
  }

  #run(): void {
    const transfer = this.#pending
    if (transfer === undefined || !this.#mayMaster()) return
    const segments = this.#segments(transfer.bytes)
    if (segments === 'short') {
      // Specification section 3.1: the table ended before the drive: neither active nor interrupt; the driver times out and resets.
      this.#status &= ~ACTIVE
      return
    }
    this.#pending = undefined
    if (segments === 'bad' || transfer.toMemory !== ((this.#command & TO_MEMORY) !== 0)) {
      this.#status = (this.#status & ~ACTIVE) | ERROR
      transfer.fail()
      return
    }
    transfer.run(segments)
  }

  /** Memory regions of the table, cut to `bytes`. */
  #segments(bytes: number): Segment[] | 'short' | 'bad' {
    const segments: Segment[] = []
    let missing = bytes
    for (let i = 0; i < MAX_ENTRIES; i++) {
      const gpa = this.#memory.readU32(this.#table + i * 8)
      const control = this.#memory.readU32(this.#table + i * 8 + 4)
      if (gpa === undefined || control === undefined) return 'bad'
      const start = (gpa & ~1) >>> 0
      const length = Math.min(control & 0xfffe || 0x1_0000, missing)
      if (this.#memory.offset(start, length) < 0) return 'bad'
      segments.push({ gpa: start, length })
      missing -= length
      if (missing === 0) return segments
      if (control >= END_OF_TABLE) return 'short'
    }
    return 'short'
  }
}
