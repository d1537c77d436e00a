import { constants } from 'node:fs'
import { ERRNO } from '../ninep/errno.ts'
import { HostStat, OPEN, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, UTIME_NOW, UTIME_OMIT } from '../ninep/host-folder.ts'
import type { DirEntry, HostFile, HostFolder, HostNode, HostStatFs } from '../ninep/host-folder.ts'
import { toGuestName, toHostName } from './folder-portable-names.ts'
import { HostCallError, PortablePaths, asFile, asNode, errnoOf, identityOf, same } from './folder-portable-paths.ts'
import { PortableFile, PortableNode } from './folder-portable-place.ts'

/** Reads up to this many bytes are done at once, larger ones off this thread. */
const QUICK_READ = 65_536

/**
 * The folder by paths, with what node:fs has on every system. Where it differs from LinuxFolder:
 *
 * - Before each call every directory on the way is looked at and must be no link, and the object must be the one that was walked to (device and inode; an
 *   opened file is checked again after opening). A program of the host that swaps a directory for a link between the look and the call can
 *   still lead that one call outside; the guest alone cannot, since it can make such a swap only through us, one call after the other.
 * - No special files (EPERM), no extended attributes and no locks towards the host's programs (ENOTSUP), times to about a microsecond.
 * - A listing is what the directory held when it began.
 * - Windows: every file shows mode 0755, or 0555 with the read-only attribute; chmod sets that attribute by the owner's write bit and drops
 *   the rest; chown is EPERM; links need the right to make them (EPERM without). See folder-portable-names.ts for names.
 * - Windows and usually macOS fold case: `A` and `a` are one file, listed as it was first written.
 */
export class PortableFolder extends PortablePaths implements HostFolder {
  readonly hasXattrs = false

  get openCount(): number {
    return this.held
  }

  root(stat: HostStat): HostNode | number {
    return this.nodeAt(this.rootPlace, stat)
  }

  isRoot(node: HostNode): boolean {
    return asNode(node).place === this.rootPlace
  }

  walk(dir: HostNode, name: Uint8Array, stat: HostStat): HostNode | number {
    const parent = this.pathOf(dir)
    if (typeof parent === 'number') return parent
    const text = toHostName(name, this.platform)
    if (text === undefined) return -ERRNO.ENOENT
    const { place } = asNode(dir)
    place.users++
    const found = this.nodeAt(place.child(text), stat)
    place.leave()
    return found
  }

  parent(dir: HostNode, stat: HostStat): HostNode | number {
    const { place } = asNode(dir)
    if (place.names() === undefined) return -ERRNO.ESTALE
    return this.nodeAt(place.parent ?? this.rootPlace, stat)
  }

  locate(node: HostNode): { dir: HostNode; name: Uint8Array } | number {
    const path = this.pathOf(node)
    const { place } = asNode(node)
    if (typeof path === 'number' || place.parent === undefined) return -ERRNO.ESTALE
    const dir = this.nodeAt(place.parent, new HostStat())
    return typeof dir === 'number' ? dir : { dir, name: toGuestName(place.name, this.platform) }
  }

  path(node: HostNode): Uint8Array | undefined {
    const names = asNode(node).place.names()
    return (
      names &&
      Buffer.concat(names.flatMap((name, i) => [Buffer.from(i === 0 ? '' : '/'), toGuestName(name, this.platform)]))
    )
  }

  release(node: HostNode): void {
    const { place, file } = asNode(node)
    place.leave()
    if (file === undefined) this.held--
  }

  stat(node: HostNode, stat: HostStat): number {
    const { file } = asNode(node)
    if (file !== undefined && file.fd >= 0) {
      return this.attempt(() => this.fill(this.fs.fstatSync(file.fd, { bigint: true }), stat))
    }
    return this.onPath(node, (path) => this.fill(this.fs.lstatSync(path, { bigint: true }), stat))
  }

  readlink(node: HostNode): Uint8Array | number {
    const path = this.pathOf(node)
    if (typeof path === 'number') return path
    let target: Uint8Array | number = -ERRNO.EIO
    const failed = this.attempt(() => {
      const raw = this.fs.readlinkSync(path, { encoding: 'buffer' })
      target = this.platform === 'win32' ? Buffer.from(raw.toString('utf8').replaceAll('\\', '/')) : raw
    })
    return failed < 0 ? failed : target
  }

  chmod(node: HostNode, mode: number): number {
    if (asNode(node).identity.type === S_IFLNK) return -ERRNO.EOPNOTSUPP
    return this.onPath(node, (path) => this.fs.chmodSync(path, mode))
  }

  chown(node: HostNode, uid: number, gid: number): number {
    if (uid < 0 && gid < 0) return 0
    if (this.platform === 'win32') return -ERRNO.EPERM
    return this.onPath(node, (path) => this.fs.lchownSync(path, uid, gid))
  }

  truncate(node: HostNode, size: number): number {
    const { identity, file } = asNode(node)
    if (identity.type !== S_IFREG) return identity.type === S_IFDIR ? -ERRNO.EISDIR : -ERRNO.EINVAL
    if (file?.writable === true) return this.attempt(() => this.fs.ftruncateSync(file.fd, size))
    const opened = this.open(node, OPEN.WRONLY)
    if (typeof opened === 'number') return opened
    const outcome = this.attempt(() => this.fs.ftruncateSync(asFile(opened).fd, size))
    this.close(opened)
    return outcome
  }

  utimes(node: HostNode, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number {
    const now = Date.now() / 1000
    const stat = new HostStat()
    const failed = this.stat(node, stat)
    if (failed !== 0) return failed
    const value = (seconds: number, nsec: number, old: number): number =>
      nsec === UTIME_OMIT ? old : nsec === UTIME_NOW ? now : seconds + nsec / 1e9
    const access = value(atime, atimeNsec, stat.atime + stat.atimeNsec / 1e9)
    const modified = value(mtime, mtimeNsec, stat.mtime + stat.mtimeNsec / 1e9)
    return this.onPath(node, (path) => this.fs.lutimesSync(path, access, modified))
  }

  statfs(node: HostNode): HostStatFs | number {
    let found: HostStatFs | number = -ERRNO.EIO
    const failed = this.onPath(node, (path) => {
      const { type, bsize, blocks, bfree, bavail, files, ffree } = this.fs.statfsSync(path)
      found = { type, bsize, blocks, bfree, bavail, files, ffree, fsid: 0n, namelen: 255 }
    })
    return failed < 0 ? failed : found
  }

  getXattr(): number {
    return -ERRNO.EOPNOTSUPP
  }

  getChildXattr(): number {
    return -ERRNO.EOPNOTSUPP
  }

  setXattr(): number {
    return -ERRNO.EOPNOTSUPP
  }

  removeXattr(): number {
    return -ERRNO.EOPNOTSUPP
  }

  listXattr(): number {
    return -ERRNO.EOPNOTSUPP
  }

  mkdir(dir: HostNode, name: Uint8Array, mode: number): number {
    return this.onChild(dir, name, (path) => this.fs.mkdirSync(path, { mode }))
  }

  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array): number {
    return this.onChild(dir, name, (path) => this.fs.symlinkSync(Buffer.from(target), path))
  }

  mknod(dir: HostNode, name: Uint8Array, mode: number): number {
    if ((mode & S_IFMT) !== S_IFREG) return -ERRNO.EPERM
    const file = this.create(dir, name, OPEN.WRONLY, mode & 0o777)
    if (typeof file === 'number') return file
    this.close(file)
    return 0
  }

  link(node: HostNode, dir: HostNode, name: Uint8Array): number {
    const from = this.pathOf(node)
    if (typeof from === 'number') return from
    return this.onChild(dir, name, (path) => this.fs.linkSync(from, path))
  }

  rename(fromDir: HostNode, from: Uint8Array, toDir: HostNode, to: Uint8Array): number {
    const toName = toHostName(to, this.platform)
    const fromName = toHostName(from, this.platform)
    if (toName === undefined || fromName === undefined) return -ERRNO.ENOENT
    const outcome = this.onChild(fromDir, from, (path) => {
      const moved = this.onChild(toDir, to, (target) => this.fs.renameSync(path, target))
      if (moved < 0) throw new HostCallError(moved)
    })
    if (outcome === 0) asNode(fromDir).place.move(fromName, asNode(toDir).place, toName)
    return outcome
  }

  unlink(dir: HostNode, name: Uint8Array, directory: boolean): number {
    const outcome = this.onChild(dir, name, (path) => {
      // Systems disagree on what unlinking a directory says; the guest gets Linux's answer.
      const isDirectory = this.fs.lstatSync(path).isDirectory()
      if (isDirectory !== directory) throw new HostCallError(directory ? -ERRNO.ENOTDIR : -ERRNO.EISDIR)
      if (directory) this.fs.rmdirSync(path)
      else this.fs.unlinkSync(path)
    })
    const text = toHostName(name, this.platform)
    if (outcome === 0 && text !== undefined) asNode(dir).place.drop(text)
    return outcome
  }

  open(node: HostNode, flags: number): HostFile | number {
    const { identity, place, file } = asNode(node)
    if (identity.type === S_IFLNK) return -ERRNO.ELOOP
    if (identity.type !== S_IFREG && identity.type !== S_IFDIR) return -ERRNO.ENXIO
    const path = this.pathOf(node)
    // Removed but still open: node:fs has no way to open it again.
    if (typeof path === 'number') return file === undefined ? path : -ERRNO.ESTALE
    if (identity.type === S_IFDIR && this.platform === 'win32')
      return this.keep(new PortableFile(-1, place, identity, false))
    let opened: HostFile | number = -ERRNO.ESTALE
    const failed = this.attempt(() => {
      const fd = this.fs.openSync(path, this.flags(flags & ~OPEN.TRUNC))
      const found = identityOf(this.fs.fstatSync(fd, { bigint: true }))
      if (!same(found, identity)) return this.fs.closeSync(fd)
      opened = this.keep(new PortableFile(fd, place, identity, (flags & OPEN.ACCMODE) !== OPEN.RDONLY))
    })
    if (failed < 0 || typeof opened === 'number' || (flags & OPEN.TRUNC) === 0) return failed < 0 ? failed : opened
    // Only now is it sure what is cut; also a file that is opened for reading alone is.
    const itself = this.nodeOf(opened)
    const cut = this.truncate(itself, 0)
    this.release(itself)
    if (cut === 0) return opened
    this.close(opened)
    return cut
  }

  create(dir: HostNode, name: Uint8Array, flags: number, mode: number): HostFile | number {
    const { O_CREAT, O_EXCL } = constants
    let made: HostFile | number = -ERRNO.EIO
    const failed = this.onChild(dir, name, (path) => {
      const fd = this.fs.openSync(path, this.flags(flags) | O_CREAT | O_EXCL, mode)
      const identity = identityOf(this.fs.fstatSync(fd, { bigint: true }))
      const place = asNode(dir).place.child(toHostName(name, this.platform) ?? '')
      made = this.keep(new PortableFile(fd, place, identity, (flags & OPEN.ACCMODE) !== OPEN.RDONLY))
    })
    return failed < 0 ? failed : made
  }

  nodeOf(file: HostFile): HostNode {
    const open = asFile(file)
    return new PortableNode(open.place, open.identity, open)
  }

  close(file: HostFile): void {
    const { fd, place } = asFile(file)
    if (fd >= 0) this.attempt(() => this.fs.closeSync(fd))
    place.leave()
    this.held--
  }

  read(file: HostFile, target: readonly Uint8Array[], offset: number): number | undefined {
    const length = target.reduce((sum, segment) => sum + segment.length, 0)
    if (length > QUICK_READ) return undefined
    let done = 0
    const failed = this.attempt(() => void (done = this.fs.readvSync(asFile(file).fd, target, offset)))
    return failed < 0 ? failed : done
  }

  readLater(file: HostFile, length: number, offset: number): Promise<Uint8Array | number> {
    const data = Buffer.allocUnsafe(length)
    return new Promise((resolve) => {
      this.fs.read(asFile(file).fd, data, 0, length, offset, (error, done) => {
        resolve(error === null ? data.subarray(0, done) : errnoOf(error))
      })
    })
  }

  readWaiting(file: HostFile, target: Uint8Array, offset: number): number {
    let done = 0
    const failed = this.attempt(() => void (done = this.fs.readSync(asFile(file).fd, target, 0, target.length, offset)))
    return failed < 0 ? failed : done
  }

  write(file: HostFile, source: readonly Uint8Array[], offset: number): Promise<number> {
    return new Promise((resolve) => {
      this.fs.writev(asFile(file).fd, source, offset, (error, done) => resolve(error === null ? done : errnoOf(error)))
    })
  }

  writeWaiting(file: HostFile, source: Uint8Array, offset: number): number {
    let done = 0
    const failed = this.attempt(() => void (done = this.fs.writevSync(asFile(file).fd, [source], offset)))
    return failed < 0 ? failed : done
  }

  sync(file: HostFile, dataOnly: boolean): Promise<number> {
    const { fd } = asFile(file)
    // Windows has no open directory to sync.
    if (fd < 0) return Promise.resolve(0)
    const call = dataOnly ? this.fs.fdatasync : this.fs.fsync
    return new Promise((resolve) => call(fd, (error) => resolve(error ? errnoOf(error) : 0)))
  }

  readDir(file: HostFile, cookie: bigint, take: (entry: DirEntry) => boolean): number {
    const dir = asFile(file)
    if (cookie === 0n || dir.listing === undefined) {
      const listed = this.listing(dir)
      if (typeof listed === 'number') return listed
      dir.listing = listed
    }
    const names = dir.listing
    for (let at = Number(cookie); at < names.length; at++) {
      if (!take(this.entry(dir, names[at], BigInt(at + 1)))) return 0
    }
    return 0
  }

  lock(): number {
    return -ERRNO.EOPNOTSUPP
  }

  lockInWay(): undefined {
    return undefined
  }

  dispose(): void {
    this.rootPlace.children.clear()
  }
}
