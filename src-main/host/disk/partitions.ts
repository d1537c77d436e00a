/** Partition tables: master boot record with logical partitions, and GPT (UEFI specification, chapter 5). */
import { crc32 } from 'node:zlib'
import { SECTOR } from './image.ts'
import type { ReadBytes } from './file-systems.ts'

export interface PartitionEntry {
  readonly number: number
  /** Bytes. */
  readonly start: number
  readonly length: number
  readonly type: string
}
export interface PartitionTable {
  readonly table: 'none' | 'mbr' | 'gpt'
  readonly partitions: readonly PartitionEntry[]
}

const MBR_TYPES: Readonly<Record<number, string>> = {
  0x01: 'FAT12',
  0x04: 'FAT16',
  0x06: 'FAT16',
  0x07: 'NTFS or exFAT',
  0x0b: 'FAT32',
  0x0c: 'FAT32',
  0x0e: 'FAT16',
  0x82: 'Linux swap',
  0x83: 'Linux',
  0x8e: 'Linux LVM',
  0xef: 'EFI system',
  0xfd: 'Linux RAID',
}
const EXTENDED = new Set([0x05, 0x0f, 0x85])
const PROTECTIVE = 0xee

const GPT_TYPES: Readonly<Record<string, string>> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'EFI system',
  '21686148-6449-6e6f-744e-656564454649': 'BIOS boot',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'Linux',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'Linux root (x86-64)',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172': 'Linux boot (extended boot loader)',
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915': 'Linux home',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'Linux swap',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'Linux LVM',
  'a19d880f-05fc-4d3b-a006-743f0f84911e': 'Linux RAID',
  'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7': 'Microsoft data',
}

/** Entries of a GPT that are looked at; the standard has 128. */
const MOST_ENTRIES = 1024
const MOST_LOGICAL = 128

/** `size` is the disk's, in bytes. What a table says beyond the disk's end is no partition. */
export async function readPartitions(read: ReadBytes, size: number): Promise<PartitionTable> {
  const sector = await read(0, SECTOR)
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return { table: 'none', partitions: [] }
  const primary = mbrEntries(sector)
  if (primary.some(({ type }) => type === PROTECTIVE)) {
    const gpt = await readGpt(read, size)
    if (gpt) return { table: 'gpt', partitions: gpt }
  }
  // the boot sector of a file system ends with the same signature, and has code where a table would be
  const plausible = primary.every(
    ({ status, start, sectors }) => (status & 0x7f) === 0 && start > 0 && start * SECTOR < size && sectors > 0,
  )
  if (primary.length === 0 || !plausible) return { table: 'none', partitions: [] }
  const partitions: PartitionEntry[] = []
  for (const { slot, type, start, sectors } of primary) {
    if (EXTENDED.has(type)) partitions.push(...(await readLogical(read, start)))
    else partitions.push(mbrPartition(slot + 1, type, start, sectors))
  }
  return { table: 'mbr', partitions: partitions.sort((a, b) => a.number - b.number) }
}

interface MbrEntry {
  readonly slot: number
  readonly status: number
  readonly type: number
  readonly start: number
  readonly sectors: number
}
function mbrEntries(sector: Uint8Array): MbrEntry[] {
  const view = new DataView(sector.buffer, sector.byteOffset)
  const all = [0, 1, 2, 3].map((slot) => {
    const at = 446 + 16 * slot
    return {
      slot,
      status: view.getUint8(at),
      type: view.getUint8(at + 4),
      start: view.getUint32(at + 8, true),
      sectors: view.getUint32(at + 12, true),
    }
  })
  return all.filter(({ type }) => type !== 0)
}
const mbrPartition = (number: number, type: number, start: number, sectors: number): PartitionEntry => ({
  number,
  start: start * SECTOR,
  length: sectors * SECTOR,
  type: MBR_TYPES[type] ?? `type 0x${type.toString(16).padStart(2, '0')}`,
})

/** A chain of boot records inside the extended partition, each with one partition and the way to the next. */
async function readLogical(read: ReadBytes, extended: number): Promise<PartitionEntry[]> {
  const found: PartitionEntry[] = []
  for (let record = extended; found.length < MOST_LOGICAL;) {
    const sector = await read(record * SECTOR, SECTOR)
    if (sector[510] !== 0x55 || sector[511] !== 0xaa) break
    const entries = mbrEntries(sector)
    const own = entries.find(({ type }) => !EXTENDED.has(type))
    if (!own) break
    found.push(mbrPartition(5 + found.length, own.type, record + own.start, own.sectors))
    const next = entries.find(({ type }) => EXTENDED.has(type))
    // forward only: a chain that runs in a circle ends
    if (!next || extended + next.start <= record) break
    record = extended + next.start
  }
  return found
}

/** Undefined when neither the table nor its copy at the end of the disk is whole. */
async function readGpt(read: ReadBytes, size: number): Promise<PartitionEntry[] | undefined> {
  return (await gptAt(read, SECTOR, size)) ?? (await gptAt(read, size - SECTOR, size))
}
async function gptAt(read: ReadBytes, at: number, size: number): Promise<PartitionEntry[] | undefined> {
  const header = await read(at, SECTOR)
  const view = new DataView(header.buffer, header.byteOffset)
  if (String.fromCharCode(...header.subarray(0, 8)) !== 'EFI PART') return undefined
  const length = view.getUint32(12, true)
  if (length < 92 || length > SECTOR) return undefined
  const unsigned = header.slice(0, length)
  unsigned.fill(0, 16, 20)
  if (crc32(unsigned) !== view.getUint32(16, true)) return undefined
  const count = view.getUint32(80, true)
  const bytes = view.getUint32(84, true)
  if (count > MOST_ENTRIES || bytes < 128 || bytes > SECTOR) return undefined
  const entries = await read(Number(view.getBigUint64(72, true)) * SECTOR, count * bytes)
  if (crc32(entries) !== view.getUint32(88, true)) return undefined
  const found: PartitionEntry[] = []
  for (let n = 0; n < count; n++) {
    const entry = new DataView(entries.buffer, entries.byteOffset + n * bytes, bytes)
    const type = guid(entry)
    if (/^[0-]+$/.test(type)) continue
    const first = Number(entry.getBigUint64(32, true))
    const last = Number(entry.getBigUint64(40, true))
    if (last < first || first * SECTOR >= size) continue
    found.push({
      number: n + 1,
      start: first * SECTOR,
      length: (last - first + 1) * SECTOR,
      type: GPT_TYPES[type] ?? type,
    })
  }
  return found
}
/** The first three groups are little-endian. */
function guid(view: DataView): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const bytes = Array.from({ length: 8 }, (_, n) => hex(view.getUint8(8 + n), 2)).join('')
  const start = [hex(view.getUint32(0, true), 8), hex(view.getUint16(4, true), 4), hex(view.getUint16(6, true), 4)]
  return [...start, bytes.slice(0, 4), bytes.slice(4)].join('-')
}
