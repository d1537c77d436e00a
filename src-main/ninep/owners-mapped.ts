import { ERRNO } from './errno.ts'
import { HostStat, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, OPEN } from './host-folder.ts'
import type { HostFile, HostFolder, HostNode } from './host-folder.ts'
import type { Creator, OwnerModel } from './owners.ts'

const NOBODY = 0xffff_ffff
/** What a mapped object is on the host: private to whoever runs us. */
const FILE_MODE = 0o600
const DIR_MODE = 0o700
const PREFIX = 'user.virtfs.'
const UID = `${PREFIX}uid`
const GID = `${PREFIX}gid`
const MODE = `${PREFIX}mode`
const RDEV = `${PREFIX}rdev`
/** PATH_MAX: a link's target ends there. */
const MAX_TARGET = 4096

/**
 * `mapped-xattr`: uid, gid, mode (u32, little-endian) and rdev (u64) live in `user.virtfs.*` of the host file, as QEMU stores them, so a folder may go
 * to and fro between the two. Links and special files are regular files on the host; a link's target is its content.
 */
export class MappedOwners implements OwnerModel {
  private readonly folder: HostFolder
  private readonly scratch = new HostStat()

  constructor(folder: HostFolder) {
    this.folder = folder
  }

  translate(node: HostNode, stat: HostStat): number {
    // A real link or special file that somebody made on the host carries no such attributes.
    const hostType = stat.mode & S_IFMT
    if (hostType !== S_IFREG && hostType !== S_IFDIR) return 0
    const mode = this.number(node, MODE)
    if (mode !== undefined) {
      const type = mode & S_IFMT
      stat.mode = hostType === S_IFDIR || type === S_IFDIR || type === 0 ? hostType | (mode & 0o7777) : mode
    }
    stat.uid = this.number(node, UID) ?? stat.uid
    stat.gid = this.number(node, GID) ?? stat.gid
    const type = stat.mode & S_IFMT
    if (type === S_IFCHR || type === S_IFBLK) this.translateDevice(node, stat)
    return 0
  }

  chmod(node: HostNode, mode: number): number {
    // Tsetattr carries no type; a link or special file must stay what it is.
    const failed = this.folder.stat(node, this.scratch) || this.translate(node, this.scratch)
    if (failed !== 0) return failed
    return this.setNumber(node, MODE, (this.scratch.mode & S_IFMT) | (mode & 0o7777))
  }

  chown(node: HostNode, uid: number, gid: number): number {
    if (uid < 0 && gid < 0) return this.folder.chown(node, -1, -1)
    const failed = uid < 0 ? 0 : this.setNumber(node, UID, uid)
    if (failed !== 0 || gid < 0) return failed
    return this.setNumber(node, GID, gid)
  }

  readlink(node: HostNode, stat: HostStat): Uint8Array | number {
    const failed = this.folder.stat(node, stat)
    if (failed !== 0) return failed
    if ((stat.mode & S_IFMT) === S_IFLNK) return this.folder.readlink(node)
    const file = this.folder.open(node, OPEN.RDONLY)
    if (typeof file === 'number') return file
    const target = new Uint8Array(MAX_TARGET)
    let length = this.folder.read(file, [target], 0)
    // Not in the page cache: a link is one block, wait for it here.
    if (length === undefined) length = this.folder.readWaiting(file, target, 0)
    this.folder.close(file)
    return length < 0 ? length : target.subarray(0, length)
  }

  create(dir: HostNode, name: Uint8Array, flags: number, mode: number, by: Creator): HostFile | number {
    const file = this.folder.create(dir, name, flags, FILE_MODE)
    if (typeof file === 'number') return file
    const failed = this.give(this.folder.nodeOf(file), S_IFREG | (mode & 0o7777), by)
    if (failed === 0) return file
    this.folder.close(file)
    this.folder.unlink(dir, name, false)
    return failed
  }

  mkdir(dir: HostNode, name: Uint8Array, mode: number, by: Creator): number {
    const made = this.folder.mkdir(dir, name, DIR_MODE)
    if (made !== 0) return made
    const node = this.folder.walk(dir, name, this.scratch)
    if (typeof node === 'number') return node
    const failed = this.give(node, S_IFDIR | (mode & 0o7777), by)
    this.folder.release(node)
    if (failed !== 0) this.folder.unlink(dir, name, true)
    return failed
  }

  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array, by: Creator): number {
    const file = this.folder.create(dir, name, OPEN.WRONLY, FILE_MODE)
    if (typeof file === 'number') return file
    const written = this.folder.writeWaiting(file, target, 0)
    const short = written < target.length ? -ERRNO.ENOSPC : 0
    const failed = (written < 0 ? written : short) || this.give(this.folder.nodeOf(file), S_IFLNK | 0o777, by)
    this.folder.close(file)
    if (failed !== 0) this.folder.unlink(dir, name, false)
    return failed
  }

  mknod(dir: HostNode, name: Uint8Array, mode: number, major: number, minor: number, by: Creator): number {
    const file = this.folder.create(dir, name, OPEN.WRONLY, FILE_MODE)
    if (typeof file === 'number') return file
    const node = this.folder.nodeOf(file)
    const type = mode & S_IFMT || S_IFREG
    let failed = this.give(node, type | (mode & 0o7777), by)
    if (failed === 0 && (type === S_IFCHR || type === S_IFBLK)) {
      failed = this.folder.setXattr(node, RDEV, encodeDevice(major, minor), 0)
    }
    this.folder.close(file)
    if (failed !== 0) this.folder.unlink(dir, name, false)
    return failed
  }

  entryType(dir: HostFile, name: Uint8Array, hostType: number): number {
    const DT_REG = 8
    if (hostType !== DT_REG) return hostType
    const value = this.folder.getChildXattr(dir, name, MODE)
    const mode = typeof value === 'number' ? undefined : decodeNumber(value)
    return mode === undefined || (mode & S_IFMT) === 0 ? hostType : (mode & S_IFMT) >>> 12
  }

  xattrName(name: string): string | number {
    if (name.startsWith(PREFIX) || name === 'user.virtfs') return -ERRNO.EACCES
    if (name.startsWith('user.')) return name
    if (ACLS.has(name)) return `${PREFIX}${name}`
    return -ERRNO.EOPNOTSUPP
  }

  guestXattrName(hostName: string): string | undefined {
    if (!hostName.startsWith(PREFIX)) return hostName.startsWith('user.') ? hostName : undefined
    const inner = hostName.slice(PREFIX.length)
    return ACLS.has(inner) ? inner : undefined
  }

  private translateDevice(node: HostNode, stat: HostStat): void {
    const value = this.folder.getXattr(node, RDEV)
    if (typeof value === 'number' || value.length !== 8) return
    const view = new DataView(value.buffer, value.byteOffset, 8)
    const low = view.getUint32(0, true)
    const high = view.getUint32(4, true)
    // glibc's dev_t: minor bits 0-7 and 20-43, major bits 8-19 and 44-63.
    stat.rdevMajor = (((low >>> 8) & 0xfff) | (high & 0xffff_f000)) >>> 0
    stat.rdevMinor = ((low & 0xff) | ((low >>> 12) & 0xf_ff00) | ((high & 0xfff) << 20)) >>> 0
  }

  private give(node: HostNode, mode: number, by: Creator): number {
    let failed = this.setNumber(node, MODE, mode)
    if (failed === 0 && by.uid !== NOBODY) failed = this.setNumber(node, UID, by.uid)
    if (failed === 0 && by.gid !== NOBODY) failed = this.setNumber(node, GID, by.gid)
    return failed
  }

  private number(node: HostNode, name: string): number | undefined {
    const value = this.folder.getXattr(node, name)
    return typeof value === 'number' ? undefined : decodeNumber(value)
  }

  private setNumber(node: HostNode, name: string, value: number): number {
    return this.folder.setXattr(node, name, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24), 0)
  }
}

const ACLS: ReadonlySet<string> = new Set(['system.posix_acl_access', 'system.posix_acl_default'])

function decodeNumber(value: Uint8Array): number | undefined {
  if (value.length !== 4) return undefined
  return (value[0] | (value[1] << 8) | (value[2] << 16) | (value[3] << 24)) >>> 0
}

function encodeDevice(major: number, minor: number): Uint8Array {
  const value = new DataView(new ArrayBuffer(8))
  value.setUint32(0, ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xf_ff00) << 12)) >>> 0, true)
  value.setUint32(4, ((major & 0xffff_f000) | (minor >>> 20)) >>> 0, true)
  return new Uint8Array(value.buffer)
}
