import * as nodeFs from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { sep } from 'node:path'
import { ERRNO, errnoFromCode } from '../ninep/errno.ts'
import { HostStat, OPEN, S_IFDIR, S_IFMT } from '../ninep/host-folder.ts'
import type { DirEntry, HostFile, HostNode } from '../ninep/host-folder.ts'
import { toGuestName, toHostName } from './folder-portable-names.ts'
import type { HostPlatform } from './folder-portable-names.ts'
import { Place, PortableFile, PortableNode } from './folder-portable-place.ts'
import type { PortableIdentity } from './folder-portable-place.ts'

/** The calls of node:fs that are used; tests give others, to play Windows. */
export type FsCalls = Pick<
  typeof nodeFs,
  | 'lstatSync'
  | 'fstatSync'
  | 'readlinkSync'
  | 'chmodSync'
  | 'lchownSync'
  | 'truncateSync'
  | 'ftruncateSync'
  | 'lutimesSync'
  | 'statfsSync'
  | 'mkdirSync'
  | 'symlinkSync'
  | 'linkSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'rmdirSync'
  | 'openSync'
  | 'closeSync'
  | 'readSync'
  | 'writevSync'
  | 'readvSync'
  | 'read'
  | 'writev'
  | 'fsync'
  | 'fdatasync'
  | 'readdirSync'
>

/** From nodes to paths of the host and back, with the looks that keep a path inside the folder. */
export class PortablePaths {
  protected readonly top: string
  protected readonly platform: HostPlatform
  protected readonly fs: FsCalls
  protected readonly rootPlace = new Place(undefined, '')
  protected readonly rootIdentity: PortableIdentity
  /** Nodes and files that were given out. */
  protected held = 0

  /** Throws Node's error when there is no such directory. */
  constructor(path: string, platform: HostPlatform, fs: FsCalls = nodeFs) {
    this.fs = fs
    this.platform = platform
    this.top =
      platform === 'linux' ? Buffer.from(nodeFs.realpathSync(path)).toString('latin1') : nodeFs.realpathSync(path)
    this.rootIdentity = identityOf(fs.lstatSync(this.hostPath([]), { bigint: true }))
    if (this.rootIdentity.type !== S_IFDIR) throw new Error(`${path} is not a directory`)
  }

  protected nodeAt(place: Place, stat: HostStat): HostNode | number {
    let identity: PortableIdentity | undefined
    const failed = this.attempt(() => {
      const found = this.fs.lstatSync(this.hostPath(place.names() ?? []), { bigint: true })
      identity = identityOf(found)
      this.fill(found, stat)
    })
    if (failed < 0 || identity === undefined) return failed
    this.held++
    return new PortableNode(place, identity)
  }

  /** The node's path, after a look at everything on the way to it; -ESTALE when that is not what was walked to. */
  protected pathOf(node: HostNode): HostPath | number {
    const { place, identity } = asNode(node)
    const names = place.names()
    if (names === undefined) return -ERRNO.ESTALE
    let path: HostPath | number = -ERRNO.ESTALE
    const failed = this.attempt(() => {
      for (let depth = 0; depth < names.length; depth++) {
        if (!this.fs.lstatSync(this.hostPath(names.slice(0, depth))).isDirectory()) return
      }
      const whole = this.hostPath(names)
      if (same(identityOf(this.fs.lstatSync(whole, { bigint: true })), identity)) path = whole
    })
    return failed === -ERRNO.ENOENT || failed === -ERRNO.ENOTDIR ? -ERRNO.ESTALE : failed || path
  }

  protected onPath(node: HostNode, call: (path: HostPath) => void): number {
    const path = this.pathOf(node)
    return typeof path === 'number' ? path : this.attempt(() => call(path))
  }

  protected onChild(dir: HostNode, name: Uint8Array, call: (path: HostPath) => void): number {
    const parent = this.pathOf(dir)
    if (typeof parent === 'number') return parent
    const text = toHostName(name, this.platform)
    if (text === undefined) return -ERRNO.EINVAL
    return this.attempt(() => call(this.hostPath([...(asNode(dir).place.names() ?? []), text])))
  }

  /** Names that are bytes make a path of bytes. */
  protected hostPath(names: readonly string[]): HostPath {
    const whole = [this.top, ...names].join(this.platform === 'win32' ? sep : '/')
    return this.platform === 'linux' ? Buffer.from(whole, 'latin1') : whole
  }

  protected keep(file: PortableFile): PortableFile {
    this.held++
    return file
  }

  protected listing(dir: PortableFile): readonly string[] | number {
    const names = dir.place.names()
    if (names === undefined) return []
    let found: readonly string[] = []
    const failed = this.attempt(() => {
      const encoding = this.platform === 'linux' ? 'latin1' : 'utf8'
      found = ['.', '..', ...this.fs.readdirSync(this.hostPath(names), { encoding })]
    })
    return failed < 0 ? failed : found
  }

  /** Type and inode take a look at each: node:fs does not say them with the names. What is gone by now is of unknown type. */
  protected entry(dir: PortableFile, name: string, cookie: bigint): DirEntry {
    const names = dir.place.names() ?? []
    const stat = new HostStat()
    const at = name === '.' ? names : name === '..' ? names.slice(0, -1) : [...names, name]
    const failed = this.attempt(() => this.fill(this.fs.lstatSync(this.hostPath(at), { bigint: true }), stat))
    const guestName = name === '.' || name === '..' ? Buffer.from(name) : toGuestName(name, this.platform)
    const { inoLow, inoHigh } = stat
    return { name: guestName, inoLow, inoHigh, type: failed < 0 ? 0 : (stat.mode & S_IFMT) >>> 12, cookie }
  }

  protected flags(flags: number): number {
    // What a system does not have is undefined there, and nothing in a bitwise or.
    const { O_APPEND, O_SYNC, O_DSYNC, O_NOFOLLOW } = nodeFs.constants
    const wanted = (bit: number, host: number): number => ((flags & bit) !== 0 ? host : 0)
    return (
      (flags & OPEN.ACCMODE) |
      O_NOFOLLOW |
      wanted(OPEN.APPEND, O_APPEND) |
      wanted(OPEN.SYNC, O_SYNC) |
      wanted(OPEN.DSYNC, O_DSYNC)
    )
  }

  protected fill(from: BigIntStats, to: HostStat): void {
    const windows = this.platform === 'win32'
    to.dev = Number(BigInt.asUintN(32, from.dev))
    to.inoLow = Number(BigInt.asUintN(32, from.ino))
    to.inoHigh = Number(BigInt.asUintN(32, from.ino >> 32n))
    to.mode = Number(from.mode)
    if (windows) to.mode = (to.mode & S_IFMT) | ((to.mode & 0o200) !== 0 || from.isDirectory() ? 0o755 : 0o555)
    to.nlink = Number(from.nlink)
    to.uid = windows ? 0 : Number(from.uid)
    to.gid = windows ? 0 : Number(from.gid)
    to.size = Number(from.size)
    to.blksize = Number(from.blksize) || 4096
    to.blocks = windows ? Math.ceil(to.size / 512) : Number(from.blocks)
    ;[to.atime, to.atimeNsec] = seconds(from.atimeNs)
    ;[to.mtime, to.mtimeNsec] = seconds(from.mtimeNs)
    ;[to.ctime, to.ctimeNsec] = seconds(from.ctimeNs)
  }

  protected attempt(call: () => void): number {
    try {
      call()
      return 0
    } catch (error) {
      return error instanceof HostCallError ? error.outcome : errnoOf(error)
    }
  }
}

export type HostPath = string | Buffer

/** An errno that was decided here, on its way out of a nested call. */
export class HostCallError extends Error {
  readonly outcome: number

  constructor(outcome: number) {
    super('host call refused')
    this.outcome = outcome
  }
}

export function errnoOf(error: unknown): number {
  return -errnoFromCode(error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined)
}

function seconds(ns: bigint): [number, number] {
  const nsec = Number(((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  return [Number((ns - BigInt(nsec)) / 1_000_000_000n), nsec]
}

export function identityOf({ dev, ino, mode }: BigIntStats): PortableIdentity {
  return { dev, ino, type: Number(mode) & S_IFMT }
}

export function same(a: PortableIdentity, b: PortableIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.type === b.type
}

export function asNode(node: HostNode): PortableNode {
  if (node instanceof PortableNode) return node
  throw new TypeError('a node of another folder')
}

export function asFile(file: HostFile): PortableFile {
  if (file instanceof PortableFile) return file
  throw new TypeError('a file of another folder')
}
