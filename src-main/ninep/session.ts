import type { Log } from '../base/log.ts'
import { ERRNO } from './errno.ts'
import { FidTable } from './fids.ts'
import type { Fid } from './fids.ts'
import { HostStat, S_IFDIR, S_IFLNK, S_IFMT } from './host-folder.ts'
import type { HostFile, HostFolder, HostNode } from './host-folder.ts'
import { LockTable } from './lock-table.ts'
import { MIN_MSIZE, QID } from './messages.ts'
import type { OwnerModel } from './owners.ts'
import { MessageReader, MessageWriter } from './wire.ts'

/** What the guest changed, for those who show it; the node's place is looked up by the listener. */
export type Touch = (kind: 'create' | 'change' | 'remove', node: HostNode, name: Uint8Array | undefined) => void

/** All bounds on what a guest can make us hold. */
export interface Limits {
  readonly maxFids: number
  readonly maxXattrBytes: number
  readonly maxLocks: number
}

export const DEFAULT_LIMITS: Limits = { maxFids: 262_144, maxXattrBytes: 16 << 20, maxLocks: 65_536 }

/** The state the message handlers share. One session a server: a new Tversion clears it. */
export class Session {
  readonly folder: HostFolder
  readonly owners: OwnerModel
  readonly readOnly: boolean
  readonly limits: Limits
  readonly log: Log
  readonly touch: Touch | undefined
  readonly fids: FidTable
  readonly locks: LockTable
  /** By file: the descriptor that carries the guest's locks towards the host. */
  readonly lockHolders = new Map<string, HostFile>()
  /** The message being handled; private memory, so the guest cannot change it under us. */
  readonly reader = new MessageReader()
  writer = new MessageWriter(new Uint8Array(MIN_MSIZE))
  /** Agreed at Tversion. */
  msize = MIN_MSIZE
  readonly stat = new HostStat()
  private readonly devices = new Map<number, number>()

  constructor(
    folder: HostFolder,
    owners: OwnerModel,
    options: { readOnly: boolean; limits: Limits; log: Log; touch: Touch | undefined },
  ) {
    this.folder = folder
    this.owners = owners
    this.readOnly = options.readOnly
    this.limits = options.limits
    this.log = options.log
    this.touch = options.touch
    this.fids = new FidTable(folder, options.limits.maxFids)
    this.locks = new LockTable(options.limits.maxLocks)
  }

  /** Forget everything the guest holds. */
  clear(): void {
    this.fids.clear()
    this.locks.clear()
    for (const holder of this.lockHolders.values()) this.folder.close(holder)
    this.lockHolders.clear()
  }

  putQid(stat: HostStat): void {
    const w = this.writer
    w.u8(qidType(stat.mode))
    // A version that changes with the content, for the guest's caches.
    w.u32((stat.mtime ^ stat.mtimeNsec ^ (stat.size << 8)) >>> 0)
    this.putPath(stat.dev, stat.inoLow, stat.inoHigh)
  }

  /** Inode numbers repeat on another file system mounted inside the folder: each device but the first gets its own high byte. */
  putPath(dev: number, inoLow: number, inoHigh: number): void {
    this.writer.u32(inoLow)
    this.writer.u32((inoHigh ^ (this.deviceIndex(dev) << 24)) >>> 0)
  }

  private deviceIndex(dev: number): number {
    let index = this.devices.get(dev)
    if (index === undefined) {
      index = Math.min(this.devices.size, 255)
      if (this.devices.size < 256) this.devices.set(dev, index)
    }
    return index
  }
}

function qidType(mode: number): number {
  const type = mode & S_IFMT
  return type === S_IFDIR ? QID.DIR : type === S_IFLNK ? QID.SYMLINK : QID.FILE
}

/** A name for something new or to be removed: 0, or the errno that says what is wrong with it. Too long a name is the host's to refuse, in its order. */
export function checkName(name: Uint8Array): number {
  if (name.length === 0) return -ERRNO.ENOENT
  if (name.includes(0x2f) || name.includes(0)) return -ERRNO.ENOENT
  if (isDot(name) || isDotDot(name)) return -ERRNO.EINVAL
  return 0
}

export function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e
}

export function isDotDot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e
}

export function isDirectory(fid: Fid): boolean {
  return (fid.mode & S_IFMT) === S_IFDIR
}
