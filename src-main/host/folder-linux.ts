import { constants, fdatasync, fsync, read, writev } from 'node:fs'
import { ERRNO } from '../ninep/errno.ts'
import { HostStat, OPEN, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../ninep/host-folder.ts'
import type { DirEntry, HostFile, HostFolder, HostLock, HostNode, HostStatFs, LockType } from '../ninep/host-folder.ts'
import type { Libc } from './folder-libc.ts'
import { DescriptorBudget } from './folder-linux-budget.ts'
import { readEntries } from './folder-linux-listing.ts'
import { IoVector, LinuxFile, LinuxNode, Scratch } from './folder-linux-node.ts'
import { STATX_BASIC, decodeStatFs, decodeStatx, encodeTimes, putFlock, takeFlock } from './folder-linux-structs.ts'

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
const AT_SYMLINK_FOLLOW = 0x400
const AT_EMPTY_PATH = 0x1000
export const O_PATH = 0o10000000
export const O_CLOEXEC = 0o2000000
const { O_NOFOLLOW, O_DIRECTORY, O_NOCTTY } = constants
const NODE_FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC
const RWF_NOWAIT = 8
const NO_NAME = Buffer.from([0])
const DOT_DOT = Buffer.from('..\0')
/** Where the kernel cannot say whether a read would wait, reads up to this many bytes are taken to be quick. */
const QUICK_READ = 32_768
/** A write that took longer than this (ms) shows a slow disk: for SLOW_PERIOD writes are done off this thread. */
const SLOW_WRITE = 30
const SLOW_PERIOD = 500

/**
 * The folder on Linux, by descriptors. Every object is an O_PATH descriptor got by openat(parent, one name, O_NOFOLLOW): no path is ever resolved
 * again, so nothing the guest or the host renames or replaces meanwhile can lead outside (CVE-2016-9602).
 */
export class LinuxFolder implements HostFolder {
  readonly hasXattrs: boolean
  private readonly libc: Libc
  private readonly rootNode: LinuxNode
  private readonly rootIdentity = new HostStat()
  private readonly scratch = new Scratch()
  private readonly vector: IoVector
  private readonly budget: DescriptorBudget
  private openFiles = 0
  private nowait = true
  private readonly inMemory: boolean
  private slowUntil = 0
  private readonly xattrNames = new Map<string, Buffer>()

  /** `rootFd`: an O_PATH descriptor of the folder, ours from now on. `maxDescriptors` for tests; default from the process's limit. */
  constructor(libc: Libc, rootFd: number, maxDescriptors?: number) {
    this.libc = libc
    this.vector = new IoVector((buffer) => libc.address(buffer))
    this.rootNode = new LinuxNode(rootFd, S_IFDIR, true, true)
    this.budget = new DescriptorBudget(libc, this.rootNode, maxDescriptors)
    this.statFd(rootFd, this.rootIdentity)
    const fs = this.statfs(this.rootNode)
    this.inMemory = typeof fs !== 'number' && MEMORY_FILE_SYSTEMS.has(fs.type)
    // FAT, /proc and some network file systems keep none: asked for any they say so, where others say that this one is not there.
    this.hasXattrs = this.getXattr(this.rootNode, 'user.virtfs.uid') !== -ERRNO.EOPNOTSUPP
  }

  get openCount(): number {
    return this.budget.held + this.openFiles
  }

  root(stat: HostStat): HostNode | number {
    return this.walkTo(this.rootNode.fd, DOT, stat)
  }

  isRoot(node: HostNode): boolean {
    return asNode(node).isRoot
  }

  walk(dir: HostNode, name: Uint8Array, stat: HostStat): HostNode | number {
    const fd = this.fdOf(dir)
    if (fd < 0) return fd
    const text = this.scratch.string(name)
    return text === undefined ? -ERRNO.ENAMETOOLONG : this.walkTo(fd, text, stat)
  }

  parent(dir: HostNode, stat: HostStat): HostNode | number {
    const fd = this.fdOf(dir)
    if (fd < 0) return fd
    const up = this.walkTo(fd, DOT_DOT, stat)
    if (typeof up === 'number') return up
    // A directory that was moved out of the folder has its parent outside.
    if (this.budget.pathOf(asNode(up)) !== undefined) return up
    this.release(up)
    return -ERRNO.ESTALE
  }

  locate(node: HostNode): { dir: HostNode; name: Uint8Array } | number {
    const fd = this.fdOf(node)
    if (fd < 0) return fd
    const stat = new HostStat()
    const failed = this.statFd(fd, stat)
    if (failed !== 0) return failed
    const found = this.budget.find(asNode(node), stat)
    if (found === undefined) return -ERRNO.ESTALE
    return { dir: this.budget.keep(new LinuxNode(found.dirFd, S_IFDIR, found.isRoot, false)), name: found.name }
  }

  path(node: HostNode): Uint8Array | undefined {
    return this.budget.pathOf(asNode(node))
  }

  release(node: HostNode): void {
    this.budget.release(asNode(node))
  }

  stat(node: HostNode, stat: HostStat): number {
    const fd = this.fdOf(node)
    return fd < 0 ? fd : this.statFd(fd, stat)
  }

  readlink(node: HostNode): Uint8Array | number {
    const fd = this.fdOf(node)
    if (fd < 0) return fd
    const { large } = this.scratch
    const length = this.libc.readlinkat(fd, NO_NAME, large, large.length)
    return length < 0 ? length : Uint8Array.from(large.subarray(0, length))
  }

  chmod(node: HostNode, mode: number): number {
    return this.byProc(node, (path) => this.libc.chmod(path, mode))
  }

  chown(node: HostNode, uid: number, gid: number): number {
    const fd = this.fdOf(node)
    return fd < 0 ? fd : this.libc.fchownat(fd, NO_NAME, uid >>> 0, gid >>> 0, AT_EMPTY_PATH)
  }

  truncate(node: HostNode, size: number): number {
    const { type, borrowed, fd } = asNode(node)
    if (type === S_IFDIR) return -ERRNO.EISDIR
    if (type !== S_IFREG) return -ERRNO.EINVAL
    // An open file may be cut by its own right even when its mode forbids opening it now.
    const direct = borrowed ? this.libc.ftruncate(fd, size) : -ERRNO.EBADF
    if (direct !== -ERRNO.EBADF && direct !== -ERRNO.EINVAL) return direct
    return this.byProc(node, (path) => this.libc.truncate(path, size))
  }

  utimes(node: HostNode, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    const times = encodeTimes(this.scratch.struct, atime, atimeNsec, mtime, mtimeNsec)
    return this.byProc(node, (path) => this.libc.utimensat(AT_FDCWD, path, times, 0))
  }

  statfs(node: HostNode): HostStatFs | number {
    const fd = this.fdOf(node)
    if (fd < 0) return fd
    const failed = this.libc.fstatfs(fd, this.scratch.struct)
    return failed < 0 ? failed : decodeStatFs(this.scratch.struct)
  }

  getXattr(node: HostNode, name: string): Uint8Array | number {
    const { large } = this.scratch
    const length = this.byProc(node, (path) => this.libc.getxattr(path, this.xattrName(name), large, large.length))
    return length < 0 ? length : Uint8Array.from(large.subarray(0, length))
  }

  getChildXattr(dir: HostFile, child: Uint8Array, name: string): Uint8Array | number {
    const { large } = this.scratch
    const path = this.scratch.procChild(asFile(dir).fd, child)
    const length = this.libc.lgetxattr(path, this.xattrName(name), large, large.length)
    return length < 0 ? length : Uint8Array.from(large.subarray(0, length))
  }

  setXattr(node: HostNode, name: string, value: Uint8Array, flags: number): number {
    return this.byProc(node, (path) => this.libc.setxattr(path, this.xattrName(name), value, value.length, flags))
  }

  removeXattr(node: HostNode, name: string): number {
    return this.byProc(node, (path) => this.libc.removexattr(path, this.xattrName(name)))
  }

  listXattr(node: HostNode): Uint8Array | number {
    const { large } = this.scratch
    const length = this.byProc(node, (path) => this.libc.listxattr(path, large, large.length))
    return length < 0 ? length : Uint8Array.from(large.subarray(0, length))
  }

  mkdir(dir: HostNode, name: Uint8Array, mode: number): number {
    return this.inDir(dir, name, (fd, text) => this.libc.mkdirat(fd, text, mode))
  }

  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array): number {
    const to = this.scratch.string(target, this.scratch.second)
    if (to === undefined) return -ERRNO.ENAMETOOLONG
    return this.inDir(dir, name, (fd, text) => this.libc.symlinkat(to, fd, text))
  }

  mknod(dir: HostNode, name: Uint8Array, mode: number, major: number, minor: number): number {
    // Minors above 20 bits and majors above 12 do not exist on Linux (MKDEV).
    if (major > 0xfff || minor > 0xf_ffff) return -ERRNO.EINVAL
    const device = (minor & 0xff) + major * 256 + (minor >>> 8) * 0x10_0000
    return this.inDir(dir, name, (fd, text) => this.libc.mknodat(fd, text, mode, device))
  }

  link(node: HostNode, dir: HostNode, name: Uint8Array): number {
    // linkat(AT_EMPTY_PATH) needs a capability; the descriptor's own path does not.
    return this.byProc(node, (path) =>
      this.inDir(dir, name, (fd, text) => this.libc.linkat(AT_FDCWD, path, fd, text, AT_SYMLINK_FOLLOW)),
    )
  }

  rename(fromDir: HostNode, from: Uint8Array, toDir: HostNode, to: Uint8Array): number {
    const toFd = this.fdOf(toDir)
    if (toFd < 0) return toFd
    const toName = this.scratch.string(to, this.scratch.second)
    if (toName === undefined) return -ERRNO.ENAMETOOLONG
    const outcome = this.inDir(fromDir, from, (fd, text) => this.libc.renameat(fd, text, toFd, toName))
    if (outcome === 0) this.budget.renamed(asNode(fromDir), from, asNode(toDir), to)
    return outcome
  }

  unlink(dir: HostNode, name: Uint8Array, directory: boolean): number {
    return this.inDir(dir, name, (fd, text) => this.libc.unlinkat(fd, text, directory ? AT_REMOVEDIR : 0))
  }

  open(node: HostNode, flags: number): HostFile | number {
    const { type, isRoot } = asNode(node)
    if (type === S_IFLNK) return -ERRNO.ELOOP
    if (type !== S_IFREG && type !== S_IFDIR) return -ERRNO.ENXIO
    const fd = this.byProc(node, (path) => this.libc.openat(AT_FDCWD, path, hostFlags(flags), 0))
    return fd < 0 ? fd : this.keepFile(new LinuxFile(fd, type, isRoot))
  }

  create(dir: HostNode, name: Uint8Array, flags: number, mode: number): HostFile | number {
    const all = hostFlags(flags) | constants.O_CREAT | constants.O_EXCL | O_NOFOLLOW
    const fd = this.inDir(dir, name, (dirFd, text) => this.libc.openat(dirFd, text, all, mode))
    return fd < 0 ? fd : this.keepFile(new LinuxFile(fd, S_IFREG, false))
  }

  nodeOf(file: HostFile): HostNode {
    const { fd, type, isRoot } = asFile(file)
    return new LinuxNode(fd, type, isRoot, true)
  }

  close(file: HostFile): void {
    const open = asFile(file)
    this.libc.close(open.fd)
    open.fd = -1
    this.openFiles--
  }

  read(file: HostFile, target: readonly Uint8Array[], offset: number): number | undefined {
    const { fd } = asFile(file)
    const count = this.vector.set(target)
    if (this.nowait && !this.inMemory) {
      const done = this.libc.preadv2(fd, this.vector.words, count, offset, RWF_NOWAIT)
      if (done >= 0) return done
      if (done === -ERRNO.EAGAIN) return undefined
      if (done !== -ERRNO.EOPNOTSUPP) return done
      this.nowait = false
    }
    let length = 0
    for (const segment of target) length += segment.length
    if (length > QUICK_READ && !this.inMemory) return undefined
    return this.libc.preadv2(fd, this.vector.words, count, offset, 0)
  }

  readLater(file: HostFile, length: number, offset: number): Promise<Uint8Array | number> {
    const data = Buffer.allocUnsafe(length)
    return new Promise((resolve) => {
      read(asFile(file).fd, data, 0, length, offset, (error, done) => {
        resolve(error === null ? data.subarray(0, done) : errnoOf(error))
      })
    })
  }

  readWaiting(file: HostFile, target: Uint8Array, offset: number): number {
    return this.libc.preadv2(asFile(file).fd, this.vector.words, this.vector.set([target]), offset, 0)
  }

  write(file: HostFile, source: readonly Uint8Array[], offset: number): number | Promise<number> {
    const before = performance.now()
    if (before < this.slowUntil) return this.writeLater(file, source, offset)
    const done = this.libc.pwritev(asFile(file).fd, this.vector.words, this.vector.set(source), offset)
    if (performance.now() - before > SLOW_WRITE) this.slowUntil = before + SLOW_PERIOD
    return done
  }

  writeWaiting(file: HostFile, source: Uint8Array, offset: number): number {
    return this.libc.pwritev(asFile(file).fd, this.vector.words, this.vector.set([source]), offset)
  }

  sync(file: HostFile, dataOnly: boolean): Promise<number> {
    const call = dataOnly ? fdatasync : fsync
    return new Promise((resolve) => {
      call(asFile(file).fd, (error) => resolve(error === null || error === undefined ? 0 : errnoOf(error)))
    })
  }

  readDir(file: HostFile, cookie: bigint, take: (entry: DirEntry) => boolean): number {
    return readEntries(this.libc, asFile(file), cookie, take)
  }

  lock(file: HostFile, type: LockType, start: number, length: number): number {
    return this.libc.setlk(asFile(file).fd, putFlock(this.scratch.struct, type, start, length))
  }

  lockInWay(file: HostFile, type: LockType, start: number, length: number): HostLock | undefined {
    const struct = putFlock(this.scratch.struct, type, start, length)
    return this.libc.getlk(asFile(file).fd, struct) < 0 ? undefined : takeFlock(struct)
  }

  dispose(): void {
    this.budget.releaseAll()
    this.libc.close(this.rootNode.fd)
  }

  private writeLater(file: HostFile, source: readonly Uint8Array[], offset: number): Promise<number> {
    return new Promise((resolve) => {
      writev(asFile(file).fd, source, offset, (error, done) => resolve(error === null ? done : errnoOf(error)))
    })
  }

  private walkTo(dirFd: number, name: Buffer, stat: HostStat): HostNode | number {
    const fd = this.libc.openat(dirFd, name, NODE_FLAGS, 0)
    if (fd < 0) return fd
    const failed = this.statFd(fd, stat)
    if (failed !== 0) {
      this.libc.close(fd)
      return failed
    }
    const { rootIdentity } = this
    const isRoot =
      stat.inoLow === rootIdentity.inoLow && stat.inoHigh === rootIdentity.inoHigh && stat.dev === rootIdentity.dev
    return this.budget.keep(new LinuxNode(fd, stat.mode & S_IFMT, isRoot, false))
  }

  private statFd(fd: number, stat: HostStat): number {
    const { struct } = this.scratch
    const failed = this.libc.statx(fd, NO_NAME, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC, struct)
    if (failed === 0) decodeStatx(struct, stat)
    return failed
  }

  private fdOf(node: HostNode): number {
    const { fd } = asNode(node)
    return fd >= 0 ? fd : this.budget.fetch(asNode(node))
  }

  private byProc(node: HostNode, call: (path: Buffer) => number): number {
    const fd = this.fdOf(node)
    return fd < 0 ? fd : call(this.scratch.proc(fd))
  }

  private inDir(dir: HostNode, name: Uint8Array, call: (fd: number, text: Buffer) => number): number {
    const fd = this.fdOf(dir)
    if (fd < 0) return fd
    const text = this.scratch.string(name)
    return text === undefined ? -ERRNO.ENAMETOOLONG : call(fd, text)
  }

  private keepFile(file: LinuxFile): LinuxFile | number {
    this.openFiles++
    if (this.budget.makeRoom(this.openFiles)) return file
    this.close(file)
    return -ERRNO.EMFILE
  }

  private xattrName(name: string): Buffer {
    let bytes = this.xattrNames.get(name)
    if (bytes === undefined) {
      if (this.xattrNames.size > 1000) this.xattrNames.clear()
      bytes = Buffer.from(`${name}\0`, 'latin1')
      this.xattrNames.set(name, bytes)
    }
    return bytes
  }
}

const DOT = Buffer.from('.\0')
/** tmpfs and ramfs: a read never waits. */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6])

/** The wire's flags are the generic Linux ones; O_DIRECTORY differs on ARM. The node is what it is: never O_NOFOLLOW here. */
function hostFlags(flags: number): number {
  const { ACCMODE, TRUNC, APPEND, DSYNC, SYNC, DIRECTORY } = OPEN
  const same = flags & (ACCMODE | TRUNC | APPEND | DSYNC | SYNC)
  return same | ((flags & DIRECTORY) !== 0 ? O_DIRECTORY : 0) | O_CLOEXEC | O_NOCTTY
}

function errnoOf(error: NodeJS.ErrnoException): number {
  return error.errno === undefined ? -ERRNO.EIO : -Math.abs(error.errno)
}

function asNode(node: HostNode): LinuxNode {
  if (node instanceof LinuxNode) return node
  throw new TypeError('a node of another folder')
}

function asFile(file: HostFile): LinuxFile {
  if (file instanceof LinuxFile) return file
  throw new TypeError('a file of another folder')
}
