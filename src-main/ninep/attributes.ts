import { ERRNO } from './errno.ts'
import { S_IFLNK, S_IFMT, UTIME_NOW, UTIME_OMIT } from './host-folder.ts'
import type { HostNode } from './host-folder.ts'
import { GETATTR_BASIC, MAX_OFFSET, READ_REPLY_HEADER_SIZE, SETATTR } from './messages.ts'
import type { Session } from './session.ts'
import { clearSetId } from './write.ts'

/** What a data message can carry besides its header, in whole blocks of the host: programs size their buffers by it. */
export function ioUnit(session: Session, blockSize: number): number {
  const room = session.msize - READ_REPLY_HEADER_SIZE - 13
  return blockSize > 0 && blockSize <= room ? room - (room % blockSize) : room
}

/** Tgetattr fid[4] request_mask[8] -> the basic fields; birth time, generation and data version are not claimed. */
export function getattr(session: Session): number {
  const { reader, writer, stat, fids } = session
  const fid = fids.get(reader.u32())
  reader.u64()
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const failed = session.folder.stat(fid.held.node, stat) || session.owners.translate(fid.held.node, stat)
  if (failed !== 0) return failed
  writer.u64(GETATTR_BASIC)
  session.putQid(stat)
  writer.u32(stat.mode)
  writer.u32(stat.uid)
  writer.u32(stat.gid)
  writer.u64(stat.nlink)
  // new_encode_dev() of Linux: what v9fs decodes.
  writer.u64(((stat.rdevMinor & 0xff) | (stat.rdevMajor << 8) | ((stat.rdevMinor & ~0xff) << 12)) >>> 0)
  writer.u64(stat.size)
  writer.u64(ioUnit(session, stat.blksize))
  writer.u64(stat.blocks)
  writer.u64(stat.atime)
  writer.u64(stat.atimeNsec)
  writer.u64(stat.mtime)
  writer.u64(stat.mtimeNsec)
  writer.u64(stat.ctime)
  writer.u64(stat.ctimeNsec)
  for (let unclaimed = 0; unclaimed < 4; unclaimed++) writer.u64(0)
  return 0
}

interface Wanted {
  valid: number
  mode: number
  uid: number
  gid: number
  size: number
  atime: number
  atimeNsec: number
  mtime: number
  mtimeNsec: number
}

/** Tsetattr fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8] */
export function setattr(session: Session): number {
  const { reader } = session
  const fid = session.fids.get(reader.u32())
  const wanted: Wanted = {
    valid: reader.u32(),
    mode: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    size: reader.u64(),
    atime: reader.i64(),
    atimeNsec: reader.u64(),
    mtime: reader.i64(),
    mtimeNsec: reader.u64(),
  }
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const { node } = fid.held
  const failed = applyOwners(session, node, fid.mode, wanted) || applySize(session, node, wanted)
  if (failed !== 0) return failed
  if ((wanted.valid & SETATTR.SIZE) !== 0 && fid.uid !== 0) clearSetId(session, fid)
  const timed = applyTimes(session, node, wanted)
  if (timed === 0) session.touch?.('change', node, undefined)
  return timed
}

/** Owner before mode: a host chown clears the set-id bits that an explicit mode wants. */
function applyOwners(session: Session, node: HostNode, type: number, wanted: Wanted): number {
  const { valid } = wanted
  if ((valid & (SETATTR.UID | SETATTR.GID)) !== 0) {
    const uid = (valid & SETATTR.UID) !== 0 ? wanted.uid : -1
    const gid = (valid & SETATTR.GID) !== 0 ? wanted.gid : -1
    const failed = session.owners.chown(node, uid, gid)
    if (failed !== 0) return failed
  }
  if ((valid & SETATTR.MODE) === 0) return 0
  if ((type & S_IFMT) === S_IFLNK) return -ERRNO.EOPNOTSUPP
  return session.owners.chmod(node, wanted.mode)
}

function applySize(session: Session, node: HostNode, wanted: Wanted): number {
  if ((wanted.valid & SETATTR.SIZE) === 0) return 0
  return wanted.size > MAX_OFFSET ? -ERRNO.EFBIG : session.folder.truncate(node, wanted.size)
}

function applyTimes(session: Session, node: HostNode, wanted: Wanted): number {
  const { valid } = wanted
  if ((valid & (SETATTR.ATIME | SETATTR.MTIME)) === 0) {
    // A change of ctime alone: a chown that changes nothing does it.
    return valid === SETATTR.CTIME ? session.folder.chown(node, -1, -1) : 0
  }
  const atimeNsec = nanoseconds(valid, SETATTR.ATIME, SETATTR.ATIME_SET, wanted.atimeNsec)
  const mtimeNsec = nanoseconds(valid, SETATTR.MTIME, SETATTR.MTIME_SET, wanted.mtimeNsec)
  if (atimeNsec < 0 || mtimeNsec < 0) return -ERRNO.EINVAL
  return session.folder.utimes(node, seconds(wanted.atime), atimeNsec, seconds(wanted.mtime), mtimeNsec)
}

/** No file system keeps times beyond 2^53 s; the host makes of them the last that its own does. A number near 2^63 would be rounded out of the call's range. */
function seconds(value: number): number {
  return Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

function nanoseconds(valid: number, bit: number, setBit: number, value: number): number {
  if ((valid & bit) === 0) return UTIME_OMIT
  if ((valid & setBit) === 0) return UTIME_NOW
  return value < 1_000_000_000 ? value : -1
}

/** Treadlink fid[4] -> target[s] */
export function readlink(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  if ((fid.mode & S_IFMT) !== S_IFLNK) return -ERRNO.EINVAL
  const target = session.owners.readlink(fid.held.node, session.stat)
  if (typeof target === 'number') return target
  session.writer.string(target)
  return 0
}

/** Tstatfs fid[4] -> type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8] ffree[8] fsid[8] namelen[4] */
export function statfs(session: Session): number {
  const { reader, writer, fids } = session
  const fid = fids.get(reader.u32())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const of = session.folder.statfs(fid.held.node)
  if (typeof of === 'number') return of
  writer.u32(of.type)
  writer.u32(of.bsize)
  writer.u64(of.blocks)
  writer.u64(of.bfree)
  writer.u64(of.bavail)
  writer.u64(of.files)
  writer.u64(of.ffree)
  writer.u64Exact(of.fsid)
  writer.u32(of.namelen)
  return 0
}
