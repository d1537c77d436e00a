import { SECTOR } from './ata.ts'

/** Translated geometry that IDENTIFY shows for drives beyond 8.4 GB (ATA-5 annex). */
export const HEADS = 16
export const SECTORS_PER_TRACK = 63
const MAX_CYLINDERS = 16383
const MAX_LBA28 = 0x0fff_ffff

/** Most sectors in one DRQ block of READ/WRITE MULTIPLE. */
export const MAX_MULTIPLE = 16

export interface DiskIdentity {
  /** 512-byte sectors. */
  readonly sectors: number
  readonly serial: string
  readonly multiple: number
  readonly writeCache: boolean
  /** Transfer mode as SET FEATURES 03h took it: 0x20|n multiword DMA, 0x40|n Ultra DMA. */
  readonly transferMode: number
  readonly heads: number
  readonly sectorsPerTrack: number
}

/** 256 little-endian words with the checksum at the end. */
export class IdentifyData {
  readonly bytes = new Uint8Array(SECTOR)
  readonly #view = new DataView(this.bytes.buffer)

  word(index: number, value: number): this {
    this.#view.setUint16(index * 2, value, true)
    return this
  }

  dword(index: number, value: number): this {
    this.#view.setUint32(index * 2, value, true)
    return this
  }

  /** ASCII, space padded, the two characters of each word swapped. */
  text(index: number, words: number, text: string): this {
    const padded = text.padEnd(words * 2, ' ')
    for (let i = 0; i < words * 2; i++) this.bytes[index * 2 + (i ^ 1)] = padded.charCodeAt(i) & 0x7f
    return this
  }

  /** Word 255: signature A5h and a checksum that makes all bytes sum to 0. */
  seal(): Uint8Array {
    this.bytes[510] = 0xa5
    let sum = 0
    for (let i = 0; i < 511; i++) sum += this.bytes[i]
    this.bytes[511] = -sum
    return this.bytes
  }
}

export function cylinders(sectors: number): number {
  return Math.min(MAX_CYLINDERS, Math.floor(sectors / (HEADS * SECTORS_PER_TRACK)))
}

/** Which mode of a family is selected, in the high byte of words 63 and 88. */
export function selectedMode(transferMode: number, family: number): number {
  return (transferMode & 0xf8) === family ? 0x100 << (transferMode & 7) : 0
}

/** IDENTIFY DEVICE data, ATA-8 ACS section 7.16. */
export function identifyDisk(disk: DiskIdentity): Uint8Array {
  const { sectors, heads, sectorsPerTrack } = disk
  const currentCylinders = Math.min(0xffff, Math.floor(sectors / (heads * sectorsPerTrack)))
  const commandSets = 1 << 5 // write cache
  const commandSets2 = (1 << 14) | (1 << 13) | (1 << 12) | (1 << 10) // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
  return new IdentifyData()
    .word(0, 0x0040)
    .word(1, cylinders(sectors))
    .word(3, HEADS)
    .word(6, SECTORS_PER_TRACK)
    .text(10, 10, disk.serial)
    .text(23, 4, '1.0')
    .text(27, 20, 'Longmode disk')
    .word(47, 0x8000 | MAX_MULTIPLE)
    .word(49, 0x0f00) // LBA, DMA, IORDY
    .word(50, 0x4000)
    .word(51, 0x0200)
    .word(53, 7)
    .word(54, currentCylinders)
    .word(55, heads)
    .word(56, sectorsPerTrack)
    .dword(57, Math.min(sectors, currentCylinders * heads * sectorsPerTrack))
    .word(59, disk.multiple === 0 ? 0 : 0x100 | disk.multiple)
    .dword(60, Math.min(sectors, MAX_LBA28))
    .word(63, 0x07 | selectedMode(disk.transferMode, 0x20))
    .word(64, 3)
    .word(65, 120)
    .word(66, 120)
    .word(67, 120)
    .word(68, 120)
    .word(80, 0x01f0) // ATA-4 to ATA-8
    .word(82, commandSets)
    .word(83, commandSets2)
    .word(84, 0x4000)
    .word(85, disk.writeCache ? commandSets : 0)
    .word(86, commandSets2 & ~(1 << 14))
    .word(87, 0x4000)
    .word(88, 0x3f | selectedMode(disk.transferMode, 0x40))
    .word(93, 0x6001) // 80-conductor cable
    .dword(100, sectors % 0x1_0000_0000)
    .dword(102, Math.floor(sectors / 0x1_0000_0000))
    .word(217, 1) // does not rotate
    .seal()
}
