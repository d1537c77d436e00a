/** ext2, ext3 and ext4, read-only (Linux, Documentation/filesystems/ext4). The journal is not replayed: what was written last may be missing. */
import type { ReadBytes } from '../file-systems.ts'
import { UnreadableTree, type FileTree, type TreeEntry } from './file-tree.ts'

const SUPER_AT = 1024
const MAGIC = 0xef53
const ROOT_INODE = 2
const INCOMPAT = {
  compression: 1,
  metaBlockGroups: 0x10,
  extents: 0x40,
  is64: 0x80,
  inlineData: 0x8000,
  encrypted: 0x10000,
} as const
const FLAG = { extents: 0x80000, inlineData: 0x1000_0000, encrypted: 0x800 } as const
const TYPE = { directory: 0x4000, file: 0x8000, symlink: 0xa000 } as const
const EXTENT_MAGIC = 0xf30a
const MOST_DEPTH = 5
/** Nodes of an extent tree; a file of a terabyte in small pieces has fewer. */
const MOST_NODES = 10_000
const MOST_DIRECTORY = 16 << 20
/** As in Linux. */
const MOST_LINKS = 40
const MOST_LINK_BYTES = 4096

interface Inode {
  readonly mode: number
  readonly size: number
  readonly flags: number
  /** The 60 bytes of i_block. */
  readonly map: DataView
}

function checkReadable({ flags }: Inode): void {
  if (flags & FLAG.encrypted) throw new UnreadableTree('a file is encrypted')
  if (flags & FLAG.inlineData) throw new UnreadableTree('a file keeps its data in its inode')
}
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const kindOf = (mode: number): number => mode & 0xf000

export class Ext4Tree implements FileTree {
  private readonly readBytes: ReadBytes
  private readonly blockBytes: number
  private readonly inodesPerGroup: number
  private readonly inodeBytes: number
  private readonly descriptorBytes: number
  private readonly firstBlock: number
  private readonly inodes: number

  private constructor(readBytes: ReadBytes, superblock: DataView) {
    this.readBytes = readBytes
    this.blockBytes = 1024 << superblock.getUint32(24, true)
    this.inodesPerGroup = superblock.getUint32(40, true)
    this.inodes = superblock.getUint32(0, true)
    const incompatible = superblock.getUint32(96, true)
    const old = superblock.getUint32(76, true) === 0
    this.inodeBytes = old ? 128 : superblock.getUint16(88, true)
    this.descriptorBytes = incompatible & INCOMPAT.is64 ? superblock.getUint16(254, true) : 32
    this.firstBlock = superblock.getUint32(20, true)
  }

  /** Throws UnreadableTree. */
  static async open(readBytes: ReadBytes): Promise<Ext4Tree> {
    const superblock = viewOf(await readBytes(SUPER_AT, 1024))
    if (superblock.getUint16(56, true) !== MAGIC) throw new UnreadableTree('there is no ext4 file system')
    const incompatible = superblock.getUint32(96, true)
    if (incompatible & INCOMPAT.compression) throw new UnreadableTree('the file system is compressed')
    if (incompatible & INCOMPAT.metaBlockGroups) throw new UnreadableTree('the ext4 file system has meta block groups')
    if (superblock.getUint32(24, true) > 6) throw new UnreadableTree('the ext4 file system is damaged (block size)')
    const tree = new Ext4Tree(readBytes, superblock)
    const { inodeBytes, inodesPerGroup, descriptorBytes } = tree
    if (inodeBytes < 128 || inodeBytes > tree.blockBytes || inodesPerGroup === 0 || descriptorBytes < 32)
      throw new UnreadableTree('the ext4 file system is damaged (superblock)')
    return tree
  }

  async list(path: string): Promise<TreeEntry[] | undefined> {
    const inode = await this.find(path)
    if (inode === undefined || kindOf(inode.mode) !== TYPE.directory) return undefined
    const entries = await this.entries(inode)
    const kinds: Readonly<Record<number, TreeEntry['kind']>> = { 1: 'file', 2: 'directory', 7: 'symlink' }
    return entries.map(({ name, type }) => ({ name, kind: kinds[type] ?? 'other' }))
  }

  async sizeOf(path: string): Promise<number | undefined> {
    return (await this.file(path))?.size
  }
  async read(path: string, most: number): Promise<Uint8Array | undefined> {
    const inode = await this.file(path)
    if (inode === undefined) return undefined
    if (inode.size > most) throw new UnreadableTree(`${path} is larger than ${most} bytes`)
    return await this.contents(inode)
  }
  private async file(path: string): Promise<Inode | undefined> {
    const inode = await this.find(path)
    if (inode === undefined || kindOf(inode.mode) !== TYPE.file) return undefined
    checkReadable(inode)
    return inode
  }

  /** The inode that a path leads to, links followed; undefined when there is none. */
  private async find(path: string): Promise<Inode | undefined> {
    let left = parts(path)
    let trail = [await this.inode(ROOT_INODE)]
    let links = 0
    while (left.length > 0) {
      const [name, ...rest] = left as [string, ...string[]]
      left = rest
      const here = trail.at(-1)!
      if (name === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      if (kindOf(here.mode) !== TYPE.directory) return undefined
      const entry = (await this.entries(here)).find((one) => one.name === name)
      if (!entry) return undefined
      const inode = await this.inode(entry.inode)
      if (kindOf(inode.mode) !== TYPE.symlink) {
        trail.push(inode)
        continue
      }
      if (++links > MOST_LINKS) return undefined
      const target = await this.linkTarget(inode)
      if (target.startsWith('/')) trail = [trail[0]!]
      left = [...parts(target), ...left]
    }
    return trail.at(-1)
  }

  private async inode(number: number): Promise<Inode> {
    if (number < 1 || number > this.inodes)
      throw new UnreadableTree(`the ext4 file system is damaged (inode ${number})`)
    const group = Math.floor((number - 1) / this.inodesPerGroup)
    const descriptor = viewOf(
      await this.readBytes(
        (this.firstBlock + 1) * this.blockBytes + group * this.descriptorBytes,
        this.descriptorBytes,
      ),
    )
    const high = this.descriptorBytes >= 64 ? descriptor.getUint32(40, true) : 0
    const table = descriptor.getUint32(8, true) + high * 0x1_0000_0000
    const at = table * this.blockBytes + ((number - 1) % this.inodesPerGroup) * this.inodeBytes
    const bytes = await this.readBytes(at, 128)
    const view = viewOf(bytes)
    return {
      mode: view.getUint16(0, true),
      size: view.getUint32(4, true) + view.getUint32(108, true) * 0x1_0000_0000,
      flags: view.getUint32(32, true),
      map: viewOf(bytes.slice(40, 100)),
    }
  }

  private async entries(directory: Inode): Promise<{ name: string; inode: number; type: number }[]> {
    if (directory.size > MOST_DIRECTORY) throw new UnreadableTree('a directory is too large')
    const bytes = await this.contents(directory)
    const view = viewOf(bytes)
    const found: { name: string; inode: number; type: number }[] = []
    for (let at = 0; at + 8 <= bytes.length;) {
      const inode = view.getUint32(at, true)
      const length = view.getUint16(at + 4, true)
      const nameBytes = view.getUint8(at + 6)
      // blocks of a hash tree look like one entry without an inode
      if (length < 8 || at + length > bytes.length) throw new UnreadableTree('a directory is damaged')
      const name = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + nameBytes))
      if (inode !== 0 && name !== '.' && name !== '..') found.push({ name, inode, type: view.getUint8(at + 7) })
      at += length
    }
    return found
  }

  private async linkTarget(inode: Inode): Promise<string> {
    if (inode.size > MOST_LINK_BYTES) throw new UnreadableTree('a symbolic link is damaged')
    const short = inode.size < inode.map.byteLength && !(inode.flags & FLAG.extents)
    const bytes = short ? new Uint8Array(inode.map.buffer, 0, inode.size) : await this.contents(inode)
    return new TextDecoder().decode(bytes)
  }

  private async contents(inode: Inode): Promise<Uint8Array> {
    checkReadable(inode)
    const result = new Uint8Array(inode.size)
    const blocks = Math.ceil(inode.size / this.blockBytes)
    const runs =
      inode.flags & FLAG.extents
        ? await this.extents(inode.map, MOST_DEPTH, { left: MOST_NODES })
        : await this.mapped(inode.map, blocks)
    for (const { logical, physical, count } of runs) {
      const from = logical * this.blockBytes
      const length = Math.min(count * this.blockBytes, result.length - from)
      // holes and what was only reserved are zeroes
      if (physical !== 0 && length > 0) result.set(await this.readBytes(physical * this.blockBytes, length), from)
    }
    return result
  }

  private async extents(node: DataView, depthLeft: number, nodes: { left: number }): Promise<Run[]> {
    if (nodes.left-- <= 0) throw new UnreadableTree('a file is damaged (too many extents)')
    if (node.getUint16(0, true) !== EXTENT_MAGIC) throw new UnreadableTree('a file is damaged (extents)')
    const count = node.getUint16(2, true)
    const depth = node.getUint16(6, true)
    if (12 + count * 12 > node.byteLength || depth > depthLeft) throw new UnreadableTree('a file is damaged (extents)')
    const runs: Run[] = []
    for (let n = 0; n < count; n++) {
      const at = 12 + n * 12
      if (depth === 0) {
        const length = node.getUint16(at + 4, true)
        const physical = node.getUint16(at + 6, true) * 0x1_0000_0000 + node.getUint32(at + 8, true)
        // more than 32768: allocated, never written
        const written = length <= 32768
        runs.push({
          logical: node.getUint32(at, true),
          count: written ? length : length - 32768,
          physical: written ? physical : 0,
        })
      } else {
        const child = node.getUint16(at + 8, true) * 0x1_0000_0000 + node.getUint32(at + 4, true)
        runs.push(
          ...(await this.extents(
            viewOf(await this.readBytes(child * this.blockBytes, this.blockBytes)),
            depth - 1,
            nodes,
          )),
        )
      }
    }
    return runs
  }

  /** The block maps of ext2 and ext3: twelve blocks, then blocks of blocks. */
  private async mapped(map: DataView, blocks: number): Promise<Run[]> {
    const runs: Run[] = []
    const add = (physical: number) => {
      const last = runs.at(-1)
      if (last && physical !== 0 && last.physical + last.count === physical) last.count++
      else runs.push({ logical: next, physical, count: 1 })
      next++
    }
    let next = 0
    const perBlock = this.blockBytes / 4
    const walk = async (block: number, depth: number): Promise<void> => {
      if (depth === 0) return add(block)
      if (block === 0) {
        next += perBlock ** depth
        return
      }
      const table = viewOf(await this.readBytes(block * this.blockBytes, this.blockBytes))
      for (let n = 0; n < perBlock && next < blocks; n++) await walk(table.getUint32(n * 4, true), depth - 1)
    }
    for (let n = 0; n < 15 && next < blocks; n++) await walk(map.getUint32(n * 4, true), n < 12 ? 0 : n - 11)
    return runs
  }
}

interface Run {
  readonly logical: number
  readonly physical: number
  count: number
}

const parts = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.')
