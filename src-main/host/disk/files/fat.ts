/** FAT12, FAT16 and FAT32 with long names, read-only: EFI system partitions (Microsoft's FAT specification, 1.03). */
import type { ReadBytes } from '../file-systems.ts'
import { UnreadableTree, type FileTree, type TreeEntry } from './file-tree.ts'

const ENTRY_BYTES = 32
const ATTRIBUTE = { directory: 0x10, volume: 0x08, longName: 0x0f } as const
const MOST_DIRECTORY = 4 << 20

interface Node {
  readonly name: string
  readonly directory: boolean
  /** First cluster; 0: the root of FAT12 and FAT16, or an empty file. */
  readonly cluster: number
  readonly size: number
}

export class FatTree implements FileTree {
  private readonly readBytes: ReadBytes
  private readonly clusterBytes: number
  private readonly dataAt: number
  private readonly bits: 12 | 16 | 32
  private readonly table: DataView
  private readonly clusters: number
  private readonly root: { readonly at: number; readonly bytes: number } | { readonly cluster: number }

  private constructor(readBytes: ReadBytes, boot: DataView, table: Uint8Array, geometry: Geometry) {
    this.readBytes = readBytes
    this.table = new DataView(table.buffer, table.byteOffset, table.length)
    this.clusterBytes = geometry.clusterBytes
    this.dataAt = geometry.dataAt
    this.bits = geometry.bits
    this.clusters = geometry.clusters
    this.root =
      geometry.bits === 32 ? { cluster: boot.getUint32(44, true) } : { at: geometry.rootAt, bytes: geometry.rootBytes }
  }

  /** Throws UnreadableTree. */
  static async open(readBytes: ReadBytes): Promise<FatTree> {
    const head = await readBytes(0, 512)
    const boot = new DataView(head.buffer, head.byteOffset)
    const geometry = geometryOf(boot)
    return new FatTree(readBytes, boot, await readBytes(geometry.tableAt, geometry.tableBytes), geometry)
  }

  async list(path: string): Promise<TreeEntry[] | undefined> {
    const node = await this.find(path)
    if (!node?.directory) return undefined
    return (await this.entries(node)).map(({ name, directory }) => ({ name, kind: directory ? 'directory' : 'file' }))
  }

  async sizeOf(path: string): Promise<number | undefined> {
    return (await this.file(path))?.size
  }
  async read(path: string, most: number): Promise<Uint8Array | undefined> {
    const node = await this.file(path)
    if (!node) return undefined
    if (node.size > most) throw new UnreadableTree(`${path} is larger than ${most} bytes`)
    return (await this.chain(node.cluster, node.size)).subarray(0, node.size)
  }

  private async file(path: string): Promise<Node | undefined> {
    const node = await this.find(path)
    return node?.directory ? undefined : node
  }

  /** Names are the same in capitals and small letters. */
  private async find(path: string): Promise<Node | undefined> {
    let node: Node | undefined = { name: '/', directory: true, cluster: -1, size: 0 }
    for (const part of path.split('/').filter((one) => one !== '' && one !== '.')) {
      if (!node?.directory) return undefined
      node = (await this.entries(node)).find(({ name }) => name.toLowerCase() === part.toLowerCase())
    }
    return node
  }

  private async entries(directory: Node): Promise<Node[]> {
    const { root } = this
    const isRoot = directory.cluster === -1
    let bytes: Uint8Array
    if (isRoot && 'at' in root) bytes = await this.readBytes(root.at, root.bytes)
    else bytes = await this.chain(isRoot && 'cluster' in root ? root.cluster : directory.cluster, MOST_DIRECTORY)
    return readEntries(bytes)
  }

  private next(cluster: number): number {
    const at = this.bits === 12 ? cluster + (cluster >> 1) : cluster * (this.bits / 8)
    if (at + this.bits / 8 > this.table.byteLength) return 0
    if (this.bits === 32) return this.table.getUint32(at, true) & 0x0fff_ffff
    const word = this.table.getUint16(at, true)
    if (this.bits === 16) return word
    return cluster & 1 ? word >> 4 : word & 0xfff
  }

  /** The clusters of a chain, up to `most` bytes. */
  private async chain(first: number, most: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let bytes = 0
    for (
      let cluster = first;
      cluster >= 2 && cluster < this.clusters + 2 && bytes < most;
      cluster = this.next(cluster)
    ) {
      pieces.push(await this.readBytes(this.dataAt + (cluster - 2) * this.clusterBytes, this.clusterBytes))
      bytes += this.clusterBytes
    }
    const whole = new Uint8Array(bytes)
    pieces.forEach((piece, n) => whole.set(piece, n * this.clusterBytes))
    return whole
  }
}

interface Geometry {
  readonly bits: 12 | 16 | 32
  readonly clusterBytes: number
  readonly clusters: number
  readonly tableAt: number
  readonly tableBytes: number
  readonly rootAt: number
  readonly rootBytes: number
  readonly dataAt: number
}
function geometryOf(boot: DataView): Geometry {
  const word = (at: number) => boot.getUint16(at, true)
  const sector = word(11)
  const perCluster = boot.getUint8(13)
  if (![512, 1024, 2048, 4096].includes(sector) || perCluster === 0 || (perCluster & (perCluster - 1)) !== 0)
    throw new UnreadableTree('there is no FAT file system')
  const tableSectors = word(22) || boot.getUint32(36, true)
  const rootBytes = word(17) * ENTRY_BYTES
  const rootAt = (word(14) + boot.getUint8(16) * tableSectors) * sector
  const dataAt = rootAt + Math.ceil(rootBytes / sector) * sector
  const total = (word(19) || boot.getUint32(32, true)) * sector
  const clusterBytes = perCluster * sector
  const clusters = Math.floor((total - dataAt) / clusterBytes)
  if (clusters < 1 || tableSectors * sector > 64 << 20) throw new UnreadableTree('the FAT file system is damaged')
  // the number of clusters alone decides (specification, 3.5)
  const bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32
  return {
    bits,
    clusterBytes,
    clusters,
    tableAt: word(14) * sector,
    tableBytes: tableSectors * sector,
    rootAt,
    rootBytes,
    dataAt,
  }
}

/** Long names stand before their entry, last piece first. */
function readEntries(bytes: Uint8Array): Node[] {
  const nodes: Node[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let long = ''
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const first = bytes[at]!
    if (first === 0) break
    const attributes = bytes[at + 11]!
    if (first === 0xe5) {
      long = ''
      continue
    }
    if (attributes === ATTRIBUTE.longName) {
      long = longPiece(view, at) + long
      continue
    }
    const name = long === '' ? shortName(bytes, at) : long
    long = ''
    if (attributes & ATTRIBUTE.volume || name === '.' || name === '..') continue
    nodes.push({
      name,
      directory: (attributes & ATTRIBUTE.directory) !== 0,
      cluster: (view.getUint16(at + 20, true) << 16) | view.getUint16(at + 26, true),
      size: view.getUint32(at + 28, true),
    })
  }
  return nodes
}
const LONG_PLACES = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
function longPiece(view: DataView, at: number): string {
  const codes = LONG_PLACES.map((place) => view.getUint16(at + place, true))
  const end = codes.indexOf(0)
  return String.fromCharCode(...(end < 0 ? codes : codes.slice(0, end)))
}
function shortName(bytes: Uint8Array, at: number): string {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(at + from, at + to)).trimEnd()
  const extension = text(8, 11)
  return extension === '' ? text(0, 8) : `${text(0, 8)}.${extension}`
}
