/** What an image is and what is in it, as plain data for window and command line. */
import * as fs from 'node:fs'
import path from 'node:path'
import { ImageInUse, openDiskFile } from './file.ts'
import { fileSystemAt, type ReadBytes } from './file-systems.ts'
import { DiskError, SECTOR, type DiskImage } from './image.ts'
import { openToLook, probeFormat } from './open.ts'
import { readPartitions, type PartitionEntry } from './partitions.ts'
import { overlayOf } from './protect.ts'
import { backingPath, readHead } from './qcow2/open.ts'
import { parseHeader } from './qcow2/header.ts'

export interface PartitionInfo extends PartitionEntry {
  readonly fileSystem?: string
  readonly label?: string
}

export interface DiskInfo {
  readonly path: string
  readonly name: string
  readonly format: 'raw' | 'qcow2'
  /** Bytes that the guest sees, and bytes that the file takes on the host. */
  readonly size: number
  readonly allocated: number
  readonly writable: boolean
  /** A machine, or another program, has it open for writing. */
  readonly inUse: boolean
  readonly table: 'none' | 'mbr' | 'gpt'
  readonly partitions: readonly PartitionInfo[]
  /** Of an image without a partition table. */
  readonly fileSystem?: string
  readonly label?: string
  /** qcow2: the image below this one. */
  readonly backingFile?: string
  /** The overlay that protects this image, when it has one (protect.ts). */
  readonly overlay?: string
}

/** Reads from `start` on; what cannot be read or lies beyond the end is zeroes. */
export function reader(image: DiskImage, start = 0): ReadBytes {
  const size = image.sectors * SECTOR
  return async (position, length) => {
    const from = start + position
    const first = from - (from % SECTOR)
    const end = Math.min(size, Math.ceil((from + length) / SECTOR) * SECTOR)
    const result = new Uint8Array(length)
    if (!(first >= 0 && end > first)) return result
    const whole = new Uint8Array(end - first)
    if ((await image.read(first, [whole])) !== 'ok') return result
    result.set(whole.subarray(from - first, from - first + length))
    return result
  }
}

/** Its own lock is gone when it answers: whoever asked may be about to open the image. */
async function isInUse(file: string): Promise<boolean> {
  try {
    await openDiskFile(file, true).close()
    return false
  } catch (error) {
    if (error instanceof ImageInUse) return true
    throw error
  }
}
function isWritable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

const optional = <K extends string, T>(key: K, value: T | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<K, T>>

/** Throws DiskError when there is no such image. An image that lies on a missing one is told by that error too. */
export async function imageInfo(file: string): Promise<DiskInfo> {
  const inUse = await isInUse(file)
  const format = probeFormat(file)
  const name = format === 'qcow2' ? parseHeader(readHead(file), file).backingFile : undefined
  const overlay = overlayOf(file)
  const image = openToLook(file)
  try {
    const size = image.sectors * SECTOR
    const { table, partitions } = await readPartitions(reader(image), size)
    const whole = table === 'none' ? await fileSystemAt(reader(image)) : undefined
    const detailed: PartitionInfo[] = []
    for (const partition of partitions) {
      const found = await fileSystemAt(reader(image, partition.start))
      detailed.push({ ...partition, ...optional('fileSystem', found?.kind), ...optional('label', found?.label) })
    }
    return {
      path: path.resolve(file),
      name: path.basename(file),
      format,
      size,
      allocated: fs.statSync(file).blocks * 512,
      writable: isWritable(file),
      inUse,
      table,
      partitions: detailed,
      ...optional('fileSystem', whole?.kind),
      ...optional('label', whole?.label),
      ...optional('backingFile', name === undefined ? undefined : backingPath(file, name)),
      ...optional('overlay', overlay),
    }
  } finally {
    await image.close()
  }
}
export { DiskError }
