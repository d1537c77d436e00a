/** New images. A file that is there already is never touched. */
import { closeSync, existsSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { DiskError, SECTOR } from './image.ts'
import { probeFormat } from './open.ts'
import { encodeHeader } from './qcow2/header.ts'

export interface NewImage {
  readonly file: string
  readonly format: 'raw' | 'qcow2'
  /** Bytes; rounded up to whole sectors. */
  readonly size: number
  /** qcow2 only: what the image lies on. Its format is looked at when it is not given. */
  readonly backing?: { readonly file: string; readonly format?: 'raw' | 'qcow2' }
  /** qcow2 only; 512 to 2 MiB, a power of two. */
  readonly clusterBytes?: number
  /** How clusters may be compressed; zlib unless said. */
  readonly compression?: 'zlib' | 'zstd'
}

const CLUSTER_BYTES = 65536
/** As QEMU: an L1 table of 32 MiB. */
const MOST_L1_ENTRIES = (32 << 20) / 8

/** Makes a sparse image that reads as zeroes, or as what it lies on. Throws DiskError. */
export function createImage(image: NewImage): void {
  const { file, format } = image
  const size = Math.ceil(image.size / SECTOR) * SECTOR
  if (!(size > 0 && Number.isSafeInteger(size))) throw new DiskError(`A disk of ${image.size} bytes cannot be made.`)
  if (format === 'raw' && image.backing)
    throw new DiskError('A raw image cannot lie on top of another; give the format qcow2.')
  const start = format === 'raw' ? [] : qcow2Start(image, size)
  const fd = openNew(file)
  try {
    start.forEach((cluster, n) => writeSync(fd, cluster, 0, cluster.length, n * cluster.length))
    if (format === 'raw') ftruncateSync(fd, size)
  } catch (error) {
    unlinkSync(file)
    throw new DiskError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    })
  } finally {
    closeSync(fd)
  }
}

function openNew(file: string): number {
  try {
    return openSync(file, 'wx')
  } catch (error) {
    const why = existsSync(file)
      ? 'exists already'
      : `cannot be made: ${error instanceof Error ? error.message : String(error)}`
    throw new DiskError(`${file} ${why}.`, { cause: error })
  }
}

/** Header, refcount table, first refcount block, and the empty L1 table. */
function qcow2Start(image: NewImage, size: number): Uint8Array[] {
  const clusterBytes = image.clusterBytes ?? CLUSTER_BYTES
  const clusterBits = Math.log2(clusterBytes)
  if (!Number.isInteger(clusterBits) || clusterBits < 9 || clusterBits > 21)
    throw new DiskError('The clusters of a qcow2 image have 512 bytes to 2 MiB, a power of two.')
  const l1Entries = Math.ceil(size / (clusterBytes * (clusterBytes / 8)))
  const l1Clusters = Math.ceil((l1Entries * 8) / clusterBytes)
  if (l1Entries > MOST_L1_ENTRIES || 3 + l1Clusters > clusterBytes / 2)
    throw new DiskError(`A qcow2 image of ${size} bytes needs larger clusters.`)
  const backing = image.backing && {
    file: backingName(image.file, image.backing.file),
    format: image.backing.format ?? probeFormat(image.backing.file),
  }
  const header = encodeHeader({
    clusterBits,
    size,
    l1Entries,
    l1At: 3 * clusterBytes,
    refcountTableAt: clusterBytes,
    compression: image.compression ?? 'zlib',
    ...(backing && { backing }),
  })
  const table = new Uint8Array(clusterBytes)
  new DataView(table.buffer).setBigUint64(0, BigInt(2 * clusterBytes))
  const block = new Uint8Array(clusterBytes)
  const counts = new DataView(block.buffer)
  for (let n = 0; n < 3 + l1Clusters; n++) counts.setUint16(n * 2, 1)
  const l1 = Array.from({ length: Math.max(1, l1Clusters) }, () => new Uint8Array(clusterBytes))
  return [header, table, block, ...l1]
}

/** Relative where both lie in the same folder, so that they can be moved together. */
function backingName(image: string, backing: string): string {
  const [from, to] = [path.resolve(path.dirname(image)), path.resolve(backing)]
  return path.dirname(to) === from ? path.basename(to) : to
}
