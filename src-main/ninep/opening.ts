import { ioUnit } from './attributes.ts'
import { ERRNO } from './errno.ts'
import type { Fid } from './fids.ts'
import { OPEN, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from './host-folder.ts'
import type { HostFile } from './host-folder.ts'
import type { Session } from './session.ts'
import { checkName, isDirectory } from './session.ts'

/** What the host is asked for. O_DIRECT, O_NONBLOCK, O_NOATIME, … are the guest kernel's business and tolerated. */
const PASSED_FLAGS = OPEN.ACCMODE | OPEN.TRUNC | OPEN.APPEND | OPEN.DSYNC | OPEN.SYNC | OPEN.DIRECTORY
const NOGID = 0xffff_ffff

/** Tlopen fid[4] flags[4] -> qid[13] iounit[4] */
export function lopen(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const flags = reader.u32()
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  return openFid(session, fid, flags & PASSED_FLAGS)
}

/** Topen fid[4] mode[1], the older dialect's: read, write, both, execute; 0x10 truncates. */
export function open(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const flags = legacyFlags(reader.u8())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  return flags < 0 ? flags : openFid(session, fid, flags)
}

const ORCLOSE = 0x40

/** Remove-on-close cannot be kept (the file may be renamed meanwhile), so it is refused. */
function legacyFlags(mode: number): number {
  if ((mode & ORCLOSE) !== 0) return -ERRNO.EOPNOTSUPP
  const access = (mode & 3) === 3 ? OPEN.RDONLY : mode & 3
  return access | ((mode & 0x10) !== 0 ? OPEN.TRUNC : 0)
}

function openFid(session: Session, fid: Fid, flags: number): number {
  if (fid.open !== undefined || fid.xattr !== undefined) return -ERRNO.EINVAL
  const type = fid.mode & S_IFMT
  if (type === S_IFLNK) return -ERRNO.ELOOP
  // The guest's kernel opens its FIFOs and devices itself; nobody else's are opened at all.
  if (type !== S_IFREG && type !== S_IFDIR) return -ERRNO.ENXIO
  const writes = (flags & OPEN.ACCMODE) !== OPEN.RDONLY || (flags & OPEN.TRUNC) !== 0
  if (type === S_IFDIR && writes) return -ERRNO.EISDIR
  if (writes && session.readOnly) return -ERRNO.EROFS
  const file = session.folder.open(fid.held.node, flags)
  return typeof file === 'number' ? file : opened(session, fid, file, flags)
}

/** The file is the fid's from now on; the reply is its qid and the I/O unit. */
function opened(session: Session, fid: Fid, file: HostFile, flags: number): number {
  const { stat, folder, fids } = session
  const node = folder.nodeOf(file)
  const failed = folder.stat(node, stat) || session.owners.translate(node, stat)
  folder.release(node)
  if (failed !== 0) {
    folder.close(file)
    return failed
  }
  fids.setOpen(fid, file, flags)
  fid.mode = stat.mode
  session.putQid(stat)
  session.writer.u32(ioUnit(session, stat.blksize))
  return 0
}

/** Tlcreate fid[4] name[s] flags[4] mode[4] gid[4] -> qid[13] iounit[4]; the fid, a directory, becomes the file. */
export function lcreate(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const flags = reader.u32()
  const mode = reader.u32()
  const gid = reader.u32()
  return createIn(session, dir, name, flags, mode, gid)
}

/** Tcreate fid[4] name[s] perm[4] mode[1], the older dialect's; directories (DMDIR) and plain files only. */
export function create(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const perm = reader.u32()
  const flags = legacyFlags(reader.u8())
  if (flags < 0) return flags
  if (perm >= DMEXCL) return (perm & ~0o777) >>> 0 === DMDIR ? createDir(session, dir, name, perm) : -ERRNO.EOPNOTSUPP
  return createIn(session, dir, name, flags | OPEN.EXCL, perm & 0o777, NOGID)
}

const DMDIR = 0x8000_0000
/** The lowest of the special perm bits that ask for something other than a plain file. */
const DMEXCL = 0x2000_0000

function checkCreate(session: Session, dir: Fid | undefined, name: Uint8Array): number {
  if (session.reader.short) return -ERRNO.EINVAL
  if (dir === undefined) return -ERRNO.EBADF
  if (dir.open !== undefined || dir.xattr !== undefined) return -ERRNO.EINVAL
  return isDirectory(dir) ? checkName(name) : -ERRNO.ENOTDIR
}

function createDir(session: Session, dir: Fid | undefined, name: Uint8Array, perm: number): number {
  const bad = checkCreate(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  const parent = dir.held.node
  const failed = session.owners.mkdir(parent, name, perm & 0o777, { uid: dir.uid, gid: NOGID })
  if (failed !== 0) return failed
  session.touch?.('create', parent, name)
  return openExisting(session, dir, name, OPEN.RDONLY)
}

function createIn(
  session: Session,
  dir: Fid | undefined,
  name: Uint8Array,
  flags: number,
  mode: number,
  gid: number,
): number {
  const bad = checkCreate(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  const passed = flags & PASSED_FLAGS & ~OPEN.DIRECTORY
  const parent = dir.held.node
  const file = session.owners.create(parent, name, passed & ~OPEN.TRUNC, mode & 0o7777, { uid: dir.uid, gid })
  if (file === -ERRNO.EEXIST && (flags & OPEN.EXCL) === 0) return openExisting(session, dir, name, passed)
  if (typeof file === 'number') return file
  session.touch?.('create', parent, name)
  dir.isRoot = false
  return opened(session, dir, file, passed)
}

/** Somebody was quicker: open what is there, with all the care of a walk and an open. */
function openExisting(session: Session, dir: Fid, name: Uint8Array, flags: number): number {
  const { folder, stat } = session
  const node = folder.walk(dir.held.node, name, stat)
  if (typeof node === 'number') return node
  const failed = session.owners.translate(node, stat)
  const type = stat.mode & S_IFMT
  let outcome = failed
  if (failed === 0 && type === S_IFLNK) outcome = -ERRNO.ELOOP
  else if (failed === 0 && type === S_IFDIR && flags !== OPEN.RDONLY) outcome = -ERRNO.EISDIR
  else if (failed === 0 && type !== S_IFREG && type !== S_IFDIR) outcome = -ERRNO.ENXIO
  const file = outcome === 0 ? folder.open(node, flags) : outcome
  folder.release(node)
  if (typeof file === 'number') return file
  dir.isRoot = false
  return opened(session, dir, file, flags)
}

/** Tfsync fid[4] datasync[4]: answered after the host's fsync. */
export function fsync(session: Session): number | Promise<number> {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const dataOnly = reader.u32() !== 0
  if (reader.short) return -ERRNO.EINVAL
  if (fid?.open === undefined) return -ERRNO.EBADF
  const { open: held } = fid
  fids.useFile(held)
  return session.folder.sync(held.file, dataOnly).finally(() => fids.releaseFile(held))
}
