import { ERRNO } from './errno.ts'
import { HostStat, S_IFLNK, S_IFMT } from './host-folder.ts'
import type { HostFile, HostFolder, HostNode } from './host-folder.ts'
import type { Creator, OwnerModel } from './owners.ts'

const NOBODY = 0xffff_ffff

/**
 * `passthrough` and `none`: owner and mode are the host's own. With `none` a chown that the host refuses while something is being
 * created is forgiven, so that an ordinary user can run it; a later chown by the guest gets the host's answer.
 */
export class PlainOwners implements OwnerModel {
  private readonly folder: HostFolder
  private readonly forgiving: boolean
  private readonly scratch = new HostStat()

  constructor(folder: HostFolder, forgiving: boolean) {
    this.folder = folder
    this.forgiving = forgiving
  }

  translate(): number {
    return 0
  }

  chmod(node: HostNode, mode: number): number {
    return this.folder.chmod(node, mode & 0o7777)
  }

  chown(node: HostNode, uid: number, gid: number): number {
    return this.folder.chown(node, uid, gid)
  }

  readlink(node: HostNode): Uint8Array | number {
    return this.folder.readlink(node)
  }

  create(dir: HostNode, name: Uint8Array, flags: number, mode: number, by: Creator): HostFile | number {
    const file = this.folder.create(dir, name, flags, mode & 0o777)
    if (typeof file === 'number') return file
    const failed = this.give(this.folder.nodeOf(file), mode, by)
    if (failed === 0) return file
    this.folder.close(file)
    this.folder.unlink(dir, name, false)
    return failed
  }

  mkdir(dir: HostNode, name: Uint8Array, mode: number, by: Creator): number {
    const failed = this.folder.mkdir(dir, name, mode & 0o777)
    return failed === 0 ? this.giveNew(dir, name, mode, by, true) : failed
  }

  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array, by: Creator): number {
    const failed = this.folder.symlink(dir, name, target)
    return failed === 0 ? this.giveNew(dir, name, S_IFLNK | 0o777, by, false) : failed
  }

  mknod(dir: HostNode, name: Uint8Array, mode: number, major: number, minor: number, by: Creator): number {
    const failed = this.folder.mknod(dir, name, mode & (S_IFMT | 0o777), major, minor)
    return failed === 0 ? this.giveNew(dir, name, mode, by, false) : failed
  }

  entryType(_dir: HostFile, _name: Uint8Array, hostType: number): number {
    return hostType
  }

  xattrName(name: string): string | number {
    if (name.startsWith('user.') || name.startsWith('security.') || name.startsWith('trusted.')) return name
    if (name.startsWith('system.posix_acl_') && !this.forgiving) return name
    return -ERRNO.EOPNOTSUPP
  }

  guestXattrName(hostName: string): string | undefined {
    return typeof this.xattrName(hostName) === 'string' ? hostName : undefined
  }

  private giveNew(dir: HostNode, name: Uint8Array, mode: number, by: Creator, directory: boolean): number {
    const node = this.folder.walk(dir, name, this.scratch)
    if (typeof node === 'number') return node
    const failed = this.giveKnown(node, mode, by)
    this.folder.release(node)
    if (failed !== 0) this.folder.unlink(dir, name, directory)
    return failed
  }

  private give(node: HostNode, mode: number, by: Creator): number {
    return this.folder.stat(node, this.scratch) || this.giveKnown(node, mode, by)
  }

  /** `scratch` holds the node's stat. Only what differs costs a call; the mode comes last because chown clears set-id bits. */
  private giveKnown(node: HostNode, mode: number, by: Creator): number {
    const { scratch } = this
    const uid = by.uid === NOBODY || by.uid === scratch.uid ? -1 : by.uid
    const gid = by.gid === NOBODY || by.gid === scratch.gid ? -1 : by.gid
    if (uid !== -1 || gid !== -1) {
      const failed = this.folder.chown(node, uid, gid)
      if (failed !== 0 && !this.forgiving) return failed
    }
    if ((mode & S_IFMT) === S_IFLNK || (scratch.mode & 0o7777) === (mode & 0o7777)) return 0
    return this.folder.chmod(node, mode & 0o7777)
  }
}
