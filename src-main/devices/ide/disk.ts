import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { BlockBackend, BlockStatus } from '../backends.ts'
import type { Segment } from '../../memory/guest-memory.ts'
import { Command as C, DeviceBit, ErrorBit, SECTOR, Status } from './ata.ts'
import { Drive } from './drive.ts'
import { HEADS, identifyDisk, MAX_MULTIPLE, SECTORS_PER_TRACK } from './identify.ts'

/** Sectors fetched at a time for a PIO read. */
const PIO_FETCH = 128
const LBA28_LIMIT = 0x1000_0000

/** The media command in progress. */
interface Transfer {
  readonly write: boolean
  /** Sectors in one DRQ block. */
  readonly block: number
  sector: number
  remaining: number
}

interface MediaCommand {
  readonly write: boolean
  readonly ext: boolean
  readonly mode: 'single' | 'multiple' | 'dma' | 'verify'
}

const media = (mode: MediaCommand['mode'], write: boolean, ext: boolean): MediaCommand => ({ mode, write, ext })

/** Commands that move sectors. */
const MEDIA_COMMANDS = new Map<number, MediaCommand>([
  [C.readSectors, media('single', false, false)],
  [C.readSectorsNoRetry, media('single', false, false)],
  [C.readSectorsExt, media('single', false, true)],
  [C.readMultiple, media('multiple', false, false)],
  [C.readMultipleExt, media('multiple', false, true)],
  [C.readDma, media('dma', false, false)],
  [C.readDmaNoRetry, media('dma', false, false)],
  [C.readDmaExt, media('dma', false, true)],
  [C.writeSectors, media('single', true, false)],
  [C.writeSectorsNoRetry, media('single', true, false)],
  [C.writeSectorsExt, media('single', true, true)],
  [C.writeMultiple, media('multiple', true, false)],
  [C.writeMultipleExt, media('multiple', true, true)],
  [C.writeDma, media('dma', true, false)],
  [C.writeDmaNoRetry, media('dma', true, false)],
  [C.writeDmaExt, media('dma', true, true)],
  [C.readVerify, media('verify', false, false)],
  [C.readVerifyNoRetry, media('verify', false, false)],
  [C.readVerifyExt, media('verify', false, true)],
])

const POWER_COMMANDS = [
  ...[C.standby, C.standbyImmediate, C.idle, C.idleImmediate, C.sleep],
  ...[C.standbyOld, C.standbyImmediateOld, C.idleOld, C.idleImmediateOld, C.sleepOld],
]

/** SET FEATURES subcommands, ATA-8 ACS section 7.45. */
const Feature = {
  writeCacheOn: 0x02,
  transferMode: 0x03,
  lookAheadOff: 0x55,
  writeCacheOff: 0x82,
  lookAheadOn: 0xaa,
} as const

/** An ATA hard disk. All media access goes to the backend and never waits. */
export class AtaDisk extends Drive {
  readonly isPacketDevice = false
  readonly #backend: BlockBackend
  #transfer: Transfer | undefined
  /** Sectors fetched but not yet offered to the guest. */
  #fetched: Uint8Array = new Uint8Array(0)
  #multiple = MAX_MULTIPLE
  #writeCache = true
  #transferMode = 0x45
  #heads = HEADS
  #sectorsPerTrack = SECTORS_PER_TRACK

  readonly #commands = new Map<number, () => void>([
    [C.identify, () => this.startPio(this.#identify(), true, true)],
    [C.flushCache, () => this.#flush()],
    [C.flushCacheExt, () => this.#flush()],
    [C.setFeatures, () => this.#setFeatures()],
    [C.setMultiple, () => this.#setMultiple()],
    [C.initializeParameters, () => this.#initializeParameters()],
    [C.readNativeMax, () => this.#nativeMax(false)],
    [C.readNativeMaxExt, () => this.#nativeMax(true)],
    [C.checkPower, () => this.#checkPower()],
    [C.checkPowerOld, () => this.#checkPower()],
    [C.recalibrate, () => this.finish()],
    [C.seek, () => this.finish()],
    // The power state does not change anything: the drive is always ready. But standby implies a flush.
    ...POWER_COMMANDS.map((command): [number, () => void] => [command, () => this.#flush()]),
  ])

  constructor(backend: BlockBackend) {
    super()
    this.#backend = backend
  }

  override reset(): void {
    this.#multiple = MAX_MULTIPLE
    this.#writeCache = true
    this.#transferMode = 0x45
    this.#heads = HEADS
    this.#sectorsPerTrack = SECTORS_PER_TRACK
    super.reset()
  }

  override softReset(): void {
    this.#transfer = undefined
    this.#fetched = new Uint8Array(0)
    super.softReset()
  }

  protected execute(command: number): void {
    this.#transfer = undefined
    this.#fetched = new Uint8Array(0)
    const mediaCommand = MEDIA_COMMANDS.get(command)
    if (mediaCommand !== undefined) this.#startMedia(mediaCommand)
    else (this.#commands.get(command) ?? (() => this.abort()))()
  }

  #startMedia({ mode, write, ext }: MediaCommand): void {
    const sector = this.#address(ext)
    const remaining = this.#sectorCount(ext)
    if (mode === 'multiple' && this.#multiple === 0) {
      this.abort()
      return
    }
    if (write && this.#backend.readOnly) {
      this.abort()
      return
    }
    if (sector === undefined || sector + remaining > this.#backend.sectors) {
      this.fail(ErrorBit.notFound)
      return
    }
    this.#transfer = { write, sector, remaining, block: mode === 'multiple' ? this.#multiple : 1 }
    if (mode === 'dma') this.#startDma(this.#transfer)
    else if (mode === 'verify') this.#verify(this.#transfer)
    else if (write) this.#wantBlock(this.#transfer, false)
    else this.#fetch(this.#transfer)
  }

  #startDma({ write, sector, remaining }: Transfer): void {
    this.status |= Status.dataRequest
    const length = remaining * SECTOR
    const op = write ? 'write' : 'read'
    this.host.startDma({
      toMemory: !write,
      bytes: length,
      run: (segments: readonly Segment[]) => {
        this.setBusy()
        const done = this.#guarded((status) => {
          this.host.finishDma()
          if (status === 'ok') this.#finishMedia()
          else this.#mediaError(status)
        })
        const written = write && !this.#writeCache ? (status: BlockStatus) => this.#throughCache(status, done) : done
        this.#backend.submit({ op, sector, length, segments, done: written })
      },
      fail: () => this.abort(),
    })
  }

  /** PIO read: fetch the next piece, then offer it block by block. */
  #fetch(transfer: Transfer): void {
    this.setBusy()
    const wanted = Math.min(transfer.remaining, PIO_FETCH - (PIO_FETCH % transfer.block))
    const buffer = new Uint8Array(wanted * SECTOR)
    const done = this.#guarded((status) => {
      if (status !== 'ok') {
        this.#mediaError(status)
        return
      }
      this.#fetched = buffer
      this.#offerBlock(transfer)
    })
    this.#backend.submit({ op: 'read', sector: transfer.sector, length: buffer.length, buffer, done })
  }

  /** Read everything and throw it away. */
  #verify(transfer: Transfer): void {
    this.setBusy()
    const sectors = Math.min(transfer.remaining, PIO_FETCH)
    const buffer = new Uint8Array(sectors * SECTOR)
    const done = this.#guarded((status) => {
      if (status !== 'ok') {
        this.#mediaError(status)
        return
      }
      transfer.sector += sectors
      transfer.remaining -= sectors
      if (transfer.remaining > 0) this.#verify(transfer)
      else this.#finishMedia()
    })
    this.#backend.submit({ op: 'read', sector: transfer.sector, length: buffer.length, buffer, done })
  }

  #offerBlock(transfer: Transfer): void {
    const bytes = Math.min(transfer.block * SECTOR, this.#fetched.length)
    const block = this.#fetched.subarray(0, bytes)
    this.#fetched = this.#fetched.subarray(bytes)
    transfer.sector += bytes / SECTOR
    transfer.remaining -= bytes / SECTOR
    this.startPio(block, true, true)
  }

  #wantBlock(transfer: Transfer, interrupt: boolean): void {
    this.startPio(new Uint8Array(Math.min(transfer.block, transfer.remaining) * SECTOR), false, interrupt)
  }

  protected pioDone(buffer: Uint8Array): void {
    const transfer = this.#transfer
    if (transfer === undefined) {
      this.finish(false)
      return
    } // IDENTIFY
    if (transfer.write) {
      this.#writeBlock(transfer, buffer)
      return
    }
    if (this.#fetched.length > 0) this.#offerBlock(transfer)
    else if (transfer.remaining > 0) this.#fetch(transfer)
    else this.finish(false)
  }

  #writeBlock(transfer: Transfer, buffer: Uint8Array): void {
    this.setBusy()
    const done = this.#guarded((status) => {
      if (status !== 'ok') {
        this.#mediaError(status)
        return
      }
      transfer.sector += buffer.length / SECTOR
      transfer.remaining -= buffer.length / SECTOR
      if (transfer.remaining > 0) this.#wantBlock(transfer, true)
      else this.#finishMedia()
    })
    const written = this.#writeCache ? done : (status: BlockStatus) => this.#throughCache(status, done)
    this.#backend.submit({ op: 'write', sector: transfer.sector, length: buffer.length, buffer, done: written })
  }

  /** With the write cache off a write ends when it is on the disk. */
  #throughCache(status: BlockStatus, done: (status: BlockStatus) => void): void {
    if (status !== 'ok') done(status)
    else this.#backend.submit({ op: 'flush', sector: 0, length: 0, done })
  }

  #flush(): void {
    this.setBusy()
    const done = this.#guarded((status) => (status === 'ok' ? this.finish() : this.#mediaError(status)))
    this.#backend.submit({ op: 'flush', sector: 0, length: 0, done })
  }

  /** Drop answers to requests from before a reset. */
  #guarded(done: (status: BlockStatus) => void): (status: BlockStatus) => void {
    const generation = this.generation
    return (status) => {
      if (generation === this.generation) done(status)
    }
  }

  #finishMedia(): void {
    this.#transfer = undefined
    this.finish()
  }

  #mediaError(status: BlockStatus): void {
    const write = this.#transfer?.write ?? true
    this.#transfer = undefined
    if (status === 'out-of-range') this.fail(ErrorBit.notFound)
    else if (write) this.fail(ErrorBit.abort, Status.fault)
    else this.fail(ErrorBit.uncorrectable)
  }

  /** First sector as the task file names it; undefined for a CHS address that does not exist. */
  #address(ext: boolean): number | undefined {
    const low = this.lbaLow.value + this.lbaMid.value * 0x100 + this.lbaHigh.value * 0x1_0000
    if (ext) {
      return low + (this.lbaLow.old + this.lbaMid.old * 0x100 + this.lbaHigh.old * 0x1_0000) * 0x100_0000
    }
    if (this.device & DeviceBit.lba) return low + (this.device & 15) * 0x100_0000
    const cylinder = this.lbaMid.value + this.lbaHigh.value * 0x100
    const head = this.device & 15
    const sector = this.lbaLow.value
    if (sector === 0 || sector > this.#sectorsPerTrack || head >= this.#heads) return undefined
    return (cylinder * this.#heads + head) * this.#sectorsPerTrack + sector - 1
  }

  #sectorCount(ext: boolean): number {
    return ext ? this.count.value + this.count.old * 0x100 || 0x1_0000 : this.count.value || 0x100
  }

  #identify(): Uint8Array {
    return identifyDisk({
      sectors: this.#backend.sectors,
      serial: this.#backend.serial,
      multiple: this.#multiple,
      writeCache: this.#writeCache,
      transferMode: this.#transferMode,
      heads: this.#heads,
      sectorsPerTrack: this.#sectorsPerTrack,
    })
  }

  #setFeatures(): void {
    switch (this.features.value) {
      case Feature.writeCacheOn:
        this.#writeCache = true
        {
          this.finish()
          return
        }
      case Feature.writeCacheOff:
        this.#writeCache = false
        {
          this.#flush()
          return
        }
      case Feature.lookAheadOn:
      case Feature.lookAheadOff: {
        this.finish()
        return
      }
      case Feature.transferMode: {
        this.#setTransferMode(this.count.value)
        return
      }
      default: {
        this.abort()
        return
      }
    }
  }

  #setTransferMode(mode: number): void {
    const limits: Record<number, number> = { 0x00: 1, 0x08: 4, 0x20: 2, 0x40: 5 } // PIO default, PIO, multiword, Ultra DMA
    const limit = limits[mode & 0xf8]
    if (limit === undefined || (mode & 7) > limit) {
      this.abort()
      return
    }
    if (mode & 0x60) this.#transferMode = mode
    this.finish()
  }

  #setMultiple(): void {
    const sectors = this.count.value
    if (sectors > MAX_MULTIPLE || (sectors & (sectors - 1)) !== 0) {
      this.abort()
      return
    }
    this.#multiple = sectors
    this.finish()
  }

  #initializeParameters(): void {
    if (this.count.value === 0) {
      this.abort()
      return
    }
    this.#heads = (this.device & 15) + 1
    this.#sectorsPerTrack = this.count.value
    this.finish()
  }

  #nativeMax(ext: boolean): void {
    const last = Math.min(this.#backend.sectors, ext ? Infinity : LBA28_LIMIT) - 1
    const byte = (index: number): number => Math.floor(last / 2 ** (8 * index)) & 0xff
    this.lbaLow.set(byte(0), byte(3))
    this.lbaMid.set(byte(1), byte(4))
    this.lbaHigh.set(byte(2), byte(5))
    if (!ext) this.device = (this.device & 0xf0) | (byte(3) & 15)
    this.finish()
  }

  #checkPower(): void {
    this.count.set(0xff) // active or idle
    this.finish()
  }

  override save(): SnapshotFields {
    return {
      ...super.save(),
      transfer: this.#transfer === undefined ? null : { ...this.#transfer },
      fetched: this.#fetched.slice(),
      multiple: this.#multiple,
      writeCache: this.#writeCache,
      transferMode: this.#transferMode,
      heads: this.#heads,
      sectorsPerTrack: this.#sectorsPerTrack,
    }
  }

  override restore(fields: SnapshotFields): void {
    super.restore(fields)
    this.#transfer = fields.transfer === null ? undefined : { ...(fields.transfer as unknown as Transfer) }
    this.#fetched = (fields.fetched as Uint8Array).slice()
    this.#multiple = fields.multiple as number
    this.#writeCache = fields.writeCache as boolean
    this.#transferMode = fields.transferMode as number
    this.#heads = fields.heads as number
    this.#sectorsPerTrack = fields.sectorsPerTrack as number
  }
}
