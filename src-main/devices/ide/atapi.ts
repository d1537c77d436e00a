import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Segment } from '../../memory/guest-memory.ts'
import type { BlockBackend, BlockStatus } from '../backends.ts'
import { Command as C, ErrorBit, SECTOR, Status } from './ata.ts'
import { Drive } from './drive.ts'
import { IdentifyData, selectedMode } from './identify.ts'
import * as scsi from './scsi.ts'
import { CD_SECTOR, Scsi, Senses, type Sense } from './scsi.ts'

/** ATAPI, ATA/ATAPI-6 section 9.10: interrupt reason, in the sector count register. */
const Reason = { command: 1, toHost: 2 } as const

const PACKET_BYTES = 12
const FEATURE_DMA = 1
/** Blocks fetched at a time for a read by PIO: 64 KiB. */
const PIO_FETCH = 32
/** Largest transfer that one command may ask for, blocks: READ (10) can say no more. */
const MAX_BLOCKS = 0xffff

type Phase = 'packet' | 'identify' | 'data'

/** A read of the medium in progress by PIO. */
interface Reading {
  block: number
  remaining: number
}

/** A CD/DVD drive: ATAPI commands over PIO and DMA. Without a backend there is no medium in it. */
export class AtapiDrive extends Drive {
  readonly isPacketDevice = true
  readonly #medium: BlockBackend | undefined
  #sense: Sense = Senses.none
  /** What the PIO buffer is. */
  #phase: Phase = 'identify'
  #dma = false
  /** Bytes per DRQ block that the host allows. */
  #limit = 0
  /** What still has to be given to the host by PIO. */
  #data: Uint8Array = new Uint8Array(0)
  #reading: Reading | undefined
  #transferMode = 0x42

  readonly #packets = new Map<number, (packet: Uint8Array) => void>([
    [Scsi.testUnitReady, () => this.#withMedium(() => this.#good())],
    [Scsi.requestSense, (packet) => this.#requestSense(packet[4])],
    [Scsi.inquiry, (packet) => this.#give(scsi.inquiryData(), packet[4])],
    [Scsi.startStopUnit, () => this.#good()],
    [Scsi.preventRemoval, () => this.#good()],
    [Scsi.readCapacity, () => this.#withMedium(() => this.#give(scsi.capacityData(this.#blocks), 8))],
    [Scsi.read10, (packet) => this.#read(scsi.bigEndian(packet, 2, 4), scsi.bigEndian(packet, 7, 2))],
    [Scsi.read12, (packet) => this.#read(scsi.bigEndian(packet, 2, 4), scsi.bigEndian(packet, 6, 4))],
    [Scsi.readToc, (packet) => this.#readToc(packet)],
    [Scsi.getConfiguration, (packet) => this.#give(scsi.configurationData(this.#blocks), scsi.bigEndian(packet, 7, 2))],
    [Scsi.getEventStatus, (packet) => this.#eventStatus(packet)],
    [Scsi.modeSense10, (packet) => this.#giveOrRefuse(scsi.modeSenseData(packet[2] & 0x3f, this.#blocks > 0), packet)],
  ])

  constructor(medium: BlockBackend | undefined) {
    super()
    this.#medium = medium
  }

  override reset(): void {
    this.#transferMode = 0x42
    this.#sense = Senses.none
    this.#dma = false
    this.#limit = 0
    super.reset()
  }

  override softReset(): void {
    this.#phase = 'identify'
    this.#data = new Uint8Array(0)
    this.#reading = undefined
    super.softReset()
  }

  get #blocks(): number {
    return Math.floor((this.#medium?.sectors ?? 0) / (CD_SECTOR / SECTOR))
  }

  protected execute(command: number): void {
    this.#data = new Uint8Array(0)
    this.#reading = undefined
    this.#phase = 'identify'
    switch (command) {
      case C.packet:
        this.#startPacket()
        return
      case C.identifyPacket:
        this.startPio(this.#identify(), true, true)
        return
      case C.identify:
        this.#refuseIdentify()
        return
      case C.setFeatures:
        this.#setFeatures()
        return
      case C.checkPower:
        this.count.set(0xff)
        this.finish()
        return
      case C.standbyImmediate:
      case C.idleImmediate:
      case C.sleep:
      case C.flushCache:
        this.finish()
        return
      default:
        this.abort()
    }
  }

  /** IDENTIFY DEVICE is aborted, and shows by the signature what the drive is. */
  #refuseIdentify(): void {
    this.count.set(1)
    this.lbaLow.set(1)
    this.lbaMid.set(0x14)
    this.lbaHigh.set(0xeb)
    this.abort()
  }

  #startPacket(): void {
    this.#dma = (this.features.value & FEATURE_DMA) !== 0
    const limit = this.lbaMid.value + this.lbaHigh.value * 0x100
    this.#limit = limit === 0 ? 0xfffe : limit & ~1 || 2
    this.#phase = 'packet'
    this.count.set(Reason.command)
    this.startPio(new Uint8Array(PACKET_BYTES), false, false)
  }

  protected pioDone(buffer: Uint8Array): void {
    if (this.#phase === 'packet') this.#runPacket(buffer)
    else if (this.#phase === 'identify') this.finish(false)
    else if (this.#data.length > 0) this.#offer()
    else if (this.#reading !== undefined && this.#reading.remaining > 0) this.#fetch(this.#reading)
    else this.#good()
  }

  #runPacket(packet: Uint8Array): void {
    if (packet[0] !== Scsi.requestSense) this.#sense = Senses.none
    const handler = this.#packets.get(packet[0])
    if (handler === undefined) this.#check(Senses.invalidCommand)
    else handler(packet)
  }

  #good(): void {
    this.count.set(Reason.command | Reason.toHost)
    this.#reading = undefined
    this.finish()
  }

  /** The command ends with CHECK CONDITION; the host asks for the sense data. */
  #check(sense: Sense): void {
    this.#sense = sense
    this.#reading = undefined
    this.count.set(Reason.command | Reason.toHost)
    this.fail((sense.key << 4) | ErrorBit.abort)
  }

  #withMedium(action: () => void): void {
    if (this.#blocks === 0) this.#check(Senses.noMedium)
    else action()
  }

  #requestSense(length: number): void {
    const data = scsi.senseData(this.#sense)
    this.#sense = Senses.none
    this.#give(data, length)
  }

  #readToc(packet: Uint8Array): void {
    const format = packet[2] & 15 || packet[9] >> 6
    this.#withMedium(() => this.#giveOrRefuse(scsi.tocData(format, (packet[1] & 2) !== 0, this.#blocks), packet))
  }

  /** Only the polled form exists; notifications are never pending otherwise. */
  #eventStatus(packet: Uint8Array): void {
    if ((packet[1] & 1) === 0) this.#check(Senses.invalidField)
    else this.#give(scsi.mediaEventData(this.#blocks > 0), scsi.bigEndian(packet, 7, 2))
  }

  #giveOrRefuse(data: Uint8Array | undefined, packet: Uint8Array): void {
    if (data === undefined) this.#check(Senses.invalidField)
    else this.#give(data, scsi.bigEndian(packet, 7, 2))
  }

  /** Data of the drive itself, cut to what the host allocated. */
  #give(data: Uint8Array, allocated: number): void {
    const part = data.subarray(0, allocated)
    if (part.length === 0) this.#good()
    else if (this.#dma) this.#giveByDma(part)
    else {
      this.#data = part
      this.#offer()
    }
  }

  #giveByDma(data: Uint8Array): void {
    const padded = new Uint8Array((data.length + 1) & ~1)
    padded.set(data)
    this.#startDma(padded.length, (segments) => {
      let at = 0
      for (const { gpa, length } of segments) {
        this.host.memory.write(gpa, padded.subarray(at, at + length))
        at += length
      }
      this.host.finishDma()
      this.#good()
    })
  }

  /** One DRQ block of what is left; its size stands in the byte count registers. */
  #offer(): void {
    const block = this.#data.subarray(0, Math.min(this.#data.length, this.#limit))
    this.#data = this.#data.subarray(block.length)
    this.#phase = 'data'
    this.count.set(Reason.toHost)
    this.lbaMid.set(block.length & 0xff)
    this.lbaHigh.set(block.length >>> 8)
    this.startPio(block, true, true)
  }

  #startDma(bytes: number, run: (segments: readonly Segment[]) => void): void {
    this.status |= Status.dataRequest
    this.count.set(Reason.toHost)
    this.host.startDma({ toMemory: true, bytes, run, fail: () => this.#check(Senses.mediumError) })
    this.host.update()
  }

  #read(block: number, count: number): void {
    if (this.#blocks === 0) this.#check(Senses.noMedium)
    else if (count > MAX_BLOCKS || block + count > this.#blocks) this.#check(Senses.outOfRange)
    else if (count === 0) this.#good()
    else if (this.#dma) this.#readByDma(block, count)
    else this.#fetch((this.#reading = { block, remaining: count }))
  }

  #readByDma(block: number, count: number): void {
    const length = count * CD_SECTOR
    this.#startDma(length, (segments) => {
      this.setBusy()
      const done = this.#guarded((status) => {
        this.host.finishDma()
        if (status === 'ok') this.#good()
        else this.#check(Senses.mediumError)
      })
      this.#medium?.submit({ op: 'read', sector: block * (CD_SECTOR / SECTOR), length, segments, done })
    })
  }

  #fetch(reading: Reading): void {
    this.setBusy()
    const count = Math.min(reading.remaining, PIO_FETCH)
    const buffer = new Uint8Array(count * CD_SECTOR)
    const done = this.#guarded((status) => {
      if (status !== 'ok') {
        this.#check(Senses.mediumError)
        return
      }
      reading.block += count
      reading.remaining -= count
      this.#data = buffer
      this.#offer()
    })
    const sector = reading.block * (CD_SECTOR / SECTOR)
    this.#medium?.submit({ op: 'read', sector, length: buffer.length, buffer, done })
  }

  #guarded(done: (status: BlockStatus) => void): (status: BlockStatus) => void {
    const generation = this.generation
    return (status) => {
      if (generation === this.generation) done(status)
    }
  }

  #setFeatures(): void {
    const mode = this.count.value
    const limits: Record<number, number> = { 0x00: 1, 0x08: 4, 0x20: 2, 0x40: 2 } // PIO default, PIO, multiword, Ultra DMA
    const isMode = this.features.value === 0x03 && (mode & 7) <= (limits[mode & 0xf8] ?? -1)
    if (!isMode) {
      this.abort()
      return
    }
    if (mode & 0x60) this.#transferMode = mode
    this.finish()
  }

  /** IDENTIFY PACKET DEVICE, ATA-8 ACS section 7.17. */
  #identify(): Uint8Array {
    return new IdentifyData()
      .word(0, 0x85c0) // ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets
      .text(10, 10, this.#medium?.serial ?? 'LM-CD')
      .text(23, 4, '1.0')
      .text(27, 20, 'Longmode CD-ROM')
      .word(49, 0x0f00)
      .word(50, 0x4000)
      .word(51, 0x0200)
      .word(53, 6)
      .word(63, 0x07 | selectedMode(this.#transferMode, 0x20))
      .word(64, 3)
      .word(65, 120)
      .word(66, 120)
      .word(67, 120)
      .word(68, 120)
      .word(80, 0x01f0)
      .word(82, 0x0214)
      .word(83, 0x4000)
      .word(84, 0x4000)
      .word(85, 0x0214)
      .word(87, 0x4000)
      .word(88, 0x07 | selectedMode(this.#transferMode, 0x40))
      .seal()
  }

  override save(): SnapshotFields {
    return {
      ...super.save(),
      sense: { ...this.#sense },
      phase: this.#phase,
      dma: this.#dma,
      limit: this.#limit,
      data: this.#data.slice(),
      reading: this.#reading === undefined ? null : { ...this.#reading },
      transferMode: this.#transferMode,
    }
  }

  override restore(fields: SnapshotFields): void {
    super.restore(fields)
    this.#sense = { ...(fields.sense as unknown as Sense) }
    this.#phase = fields.phase as Phase
    this.#dma = fields.dma as boolean
    this.#limit = fields.limit as number
    this.#data = (fields.data as Uint8Array).slice()
    this.#reading = fields.reading === null ? undefined : { ...(fields.reading as unknown as Reading) }
    this.#transferMode = fields.transferMode as number
  }
}
