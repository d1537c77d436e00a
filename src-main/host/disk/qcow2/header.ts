/** The qcow2 header (QEMU docs/interop/qcow2.txt): all integers are big-endian. */
import { DiskError } from '../image.ts'

export const MAGIC = 0x5146_49fb
/** What of a file is enough to read any header: header, extensions and backing file name lie in the first cluster; ours are short. */
export const HEAD_BYTES = 65536

const INCOMPATIBLE = { dirty: 1n, corrupt: 2n, dataFile: 4n, compression: 8n, extendedL2: 16n } as const
const KNOWN_INCOMPATIBLE = INCOMPATIBLE.dirty | INCOMPATIBLE.corrupt | INCOMPATIBLE.compression
const AUTOCLEAR_BITMAPS = 1n
const EXTENSION = { end: 0, backingFormat: 0xe279_2aca } as const

const V2_BYTES = 72
const V3_BYTES = 104
const MOST_BACKING_NAME = 1023
/** QEMU's limits, which keep tables at a size that memory can hold. */
const MOST_L1_BYTES = 32 << 20
const MOST_REFCOUNT_TABLE_BYTES = 8 << 20

export interface Qcow2Header {
  readonly version: 2 | 3
  readonly clusterBits: number
  /** Bytes of the disk. */
  readonly size: number
  readonly l1Entries: number
  readonly l1At: number
  readonly refcountTableAt: number
  readonly refcountTableClusters: number
  /** A refcount has 2^order bits. */
  readonly refcountOrder: number
  readonly snapshots: number
  readonly snapshotsAt: number
  readonly compression: 'zlib' | 'zstd'
  readonly backingFile: string | undefined
  /** What the image says of the backing file's format; undefined: nothing. */
  readonly backingFormat: string | undefined
  /** Refcounts may be behind (lazy refcounts and no proper close). */
  readonly dirty: boolean
  readonly corrupt: boolean
  /** Dirty bitmaps, which writes would have to keep up to date. */
  readonly bitmaps: boolean
  readonly autoclear: bigint
  readonly headerBytes: number
}

/** Reads the header out of the first bytes of the file. Throws DiskError. */
export function parseHeader(head: Uint8Array, path: string): Qcow2Header {
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  const damaged = (what: string) => new DiskError(`Disk image ${path} is a damaged qcow2 image (${what}).`)
  const absent = (what: string) => new DiskError(`Disk image ${path} needs ${what}, which Longmode does not have.`)
  if (head.length < V2_BYTES || view.getUint32(0) !== MAGIC) throw damaged('it has no header')
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) throw absent(`version ${version} of the qcow2 format`)
  if (version === 3 && head.length < V3_BYTES) throw damaged('its header is cut off')
  const long = (at: number): number => Number(view.getBigUint64(at))
  const clusterBits = view.getUint32(20)
  if (clusterBits < 9 || clusterBits > 21) throw damaged(`clusters of 2^${clusterBits} bytes`)
  if (view.getUint32(32) !== 0) throw absent('encryption')
  const incompatible = version === 3 ? view.getBigUint64(72) : 0n
  if (incompatible & INCOMPATIBLE.dataFile) throw absent('an external data file')
  if (incompatible & INCOMPATIBLE.extendedL2) throw absent('extended L2 entries')
  if (incompatible & ~KNOWN_INCOMPATIBLE) throw absent(`feature bits ${incompatible.toString(16)}`)
  const headerBytes = version === 3 ? view.getUint32(100) : V2_BYTES
  if (headerBytes < V2_BYTES || headerBytes > head.length || headerBytes % 8 !== 0)
    throw damaged('its header is cut off')
  const refcountOrder = version === 3 ? view.getUint32(96) : 4
  if (refcountOrder > 6) throw damaged(`refcounts of 2^${refcountOrder} bits`)
  const hasCompression = (incompatible & INCOMPATIBLE.compression) !== 0n && headerBytes > V3_BYTES
  const compression = hasCompression ? view.getUint8(104) : 0
  if (compression > 1) throw absent(`compression type ${compression}`)
  const autoclear = version === 3 ? view.getBigUint64(88) : 0n
  const header = {
    version,
    clusterBits,
    size: long(24),
    l1Entries: view.getUint32(36),
    l1At: long(40),
    refcountTableAt: long(48),
    refcountTableClusters: view.getUint32(56),
    refcountOrder,
    snapshots: view.getUint32(60),
    snapshotsAt: long(64),
    compression: compression === 1 ? 'zstd' : 'zlib',
    ...backing(view, head, headerBytes, damaged),
    dirty: (incompatible & INCOMPATIBLE.dirty) !== 0n,
    corrupt: (incompatible & INCOMPATIBLE.corrupt) !== 0n,
    bitmaps: (autoclear & AUTOCLEAR_BITMAPS) !== 0n,
    autoclear,
    headerBytes,
  } satisfies Qcow2Header
  checkTables(header, damaged)
  return header
}

function checkTables(header: Qcow2Header, damaged: (what: string) => DiskError): void {
  const cluster = 2 ** header.clusterBits
  const l2Covers = cluster * (cluster / 8)
  const places = [header.size, header.l1At, header.refcountTableAt, header.snapshotsAt]
  if (!places.every((place) => Number.isSafeInteger(place))) throw damaged('its header has impossible numbers')
  if (header.size % 512 !== 0) throw damaged('its size is no whole number of sectors')
  if (header.l1Entries < Math.ceil(header.size / l2Covers)) throw damaged('its L1 table is too small')
  if (header.l1Entries * 8 > MOST_L1_BYTES) throw damaged('its L1 table is too large')
  if (header.refcountTableClusters * cluster > MOST_REFCOUNT_TABLE_BYTES)
    throw damaged('its refcount table is too large')
  if (header.l1At % cluster || header.refcountTableAt % cluster) throw damaged('its tables lie between clusters')
}

function backing(
  view: DataView,
  head: Uint8Array,
  headerBytes: number,
  damaged: (what: string) => DiskError,
): { backingFile: string | undefined; backingFormat: string | undefined } {
  const at = Number(view.getBigUint64(8))
  const length = view.getUint32(16)
  if (at === 0) return { backingFile: undefined, backingFormat: undefined }
  if (length > MOST_BACKING_NAME || at + length > head.length) throw damaged('its backing file name is cut off')
  const text = (from: number, bytes: number) => new TextDecoder().decode(head.subarray(from, from + bytes))
  let backingFormat: string | undefined
  for (let from = headerBytes; from + 8 <= at;) {
    const type = view.getUint32(from)
    const bytes = view.getUint32(from + 4)
    if (type === EXTENSION.end || from + 8 + bytes > head.length) break
    if (type === EXTENSION.backingFormat) backingFormat = text(from + 8, bytes)
    from += 8 + Math.ceil(bytes / 8) * 8
  }
  return { backingFile: text(at, length), backingFormat }
}

/** Where the header keeps what changes while an image is used. */
export const HEADER_AT = { refcountTable: 48, incompatible: 72, autoclear: 88 } as const

export interface NewHeader {
  readonly clusterBits: number
  readonly size: number
  readonly l1Entries: number
  readonly l1At: number
  readonly refcountTableAt: number
  readonly backing?: { readonly file: string; readonly format: 'raw' | 'qcow2' }
  readonly compression: 'zlib' | 'zstd'
}

/** The first cluster of a new image, version 3 with 16-bit refcounts as qemu-img makes it. */
export function encodeHeader(header: NewHeader): Uint8Array {
  const bytes = new Uint8Array(2 ** header.clusterBits)
  const view = new DataView(bytes.buffer)
  const headerBytes = 112
  view.setUint32(0, MAGIC)
  view.setUint32(4, 3)
  view.setUint32(20, header.clusterBits)
  view.setBigUint64(24, BigInt(header.size))
  view.setUint32(36, header.l1Entries)
  view.setBigUint64(40, BigInt(header.l1At))
  view.setBigUint64(48, BigInt(header.refcountTableAt))
  view.setUint32(56, 1)
  if (header.compression === 'zstd') {
    view.setBigUint64(72, INCOMPATIBLE.compression)
    view.setUint8(104, 1)
  }
  view.setUint32(96, 4)
  view.setUint32(100, headerBytes)
  if (!header.backing) return bytes
  const format = new TextEncoder().encode(header.backing.format)
  view.setUint32(headerBytes, EXTENSION.backingFormat)
  view.setUint32(headerBytes + 4, format.length)
  bytes.set(format, headerBytes + 8)
  const name = new TextEncoder().encode(header.backing.file)
  const at = headerBytes + 8 + Math.ceil(format.length / 8) * 8 + 8
  if (name.length > MOST_BACKING_NAME || at + name.length > bytes.length)
    throw new DiskError(`The path ${header.backing.file} is too long for a qcow2 image.`)
  view.setBigUint64(8, BigInt(at))
  view.setUint32(16, name.length)
  bytes.set(name, at)
  return bytes
}
