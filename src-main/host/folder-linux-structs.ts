import { LOCK_TYPE } from '../ninep/host-folder.ts'
import type { HostLock, HostStat, HostStatFs, LockType } from '../ninep/host-folder.ts'

/** STATX_BASIC_STATS: what stat(2) gives. */
export const STATX_BASIC = 0x7ff

/** struct statx (statx(2)): the same on every architecture. */
export function decodeStatx(from: Buffer, to: HostStat): void {
  to.blksize = from.readUInt32LE(4)
  to.nlink = from.readUInt32LE(16)
  to.uid = from.readUInt32LE(20)
  to.gid = from.readUInt32LE(24)
  to.mode = from.readUInt16LE(28)
  to.inoLow = from.readUInt32LE(32)
  to.inoHigh = from.readUInt32LE(36)
  to.size = u64(from, 40)
  to.blocks = u64(from, 48)
  to.atime = i64(from, 64)
  to.atimeNsec = from.readUInt32LE(72)
  to.ctime = i64(from, 96)
  to.ctimeNsec = from.readUInt32LE(104)
  to.mtime = i64(from, 112)
  to.mtimeNsec = from.readUInt32LE(120)
  to.rdevMajor = from.readUInt32LE(128)
  to.rdevMinor = from.readUInt32LE(132)
  to.dev = from.readUInt32LE(136) * 0x10_0000 + from.readUInt32LE(140)
}

/** struct statfs of 64-bit Linux. */
export function decodeStatFs(from: Buffer): HostStatFs {
  return {
    type: from.readUInt32LE(0),
    bsize: u64(from, 8),
    blocks: u64(from, 16),
    bfree: u64(from, 24),
    bavail: u64(from, 32),
    files: u64(from, 40),
    ffree: u64(from, 48),
    fsid: from.readBigUInt64LE(56),
    namelen: u64(from, 64),
  }
}

/** struct timespec[2]. */
export function encodeTimes(into: Buffer, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): Buffer {
  into.writeBigInt64LE(BigInt(atime), 0)
  into.writeBigInt64LE(BigInt(atimeNsec), 8)
  into.writeBigInt64LE(BigInt(mtime), 16)
  into.writeBigInt64LE(BigInt(mtimeNsec), 24)
  return into
}

function u64(from: Buffer, at: number): number {
  return from.readUInt32LE(at + 4) * 0x1_0000_0000 + from.readUInt32LE(at)
}

function i64(from: Buffer, at: number): number {
  return from.readInt32LE(at + 4) * 0x1_0000_0000 + from.readUInt32LE(at)
}

/** struct flock: l_type, l_whence (SEEK_SET), l_start, l_len, l_pid; the wire's three types are F_RDLCK, F_WRLCK, F_UNLCK. */
export function putFlock(into: Buffer, type: LockType, start: number, length: number): Buffer {
  into.fill(0, 0, 32)
  into.writeInt16LE(type, 0)
  into.writeBigInt64LE(BigInt(start), 8)
  into.writeBigInt64LE(BigInt(length), 16)
  return into
}

export function takeFlock(from: Buffer): HostLock | undefined {
  const type = from.readInt16LE(0)
  if (type !== LOCK_TYPE.READ && type !== LOCK_TYPE.WRITE) return undefined
  return { type, start: i64(from, 8), length: i64(from, 16) }
}
