import { ERRNO } from './errno.ts'
import type { Fid } from './fids.ts'
import { HostStat, S_IFDIR, S_IFMT, S_IFREG } from './host-folder.ts'
import type { HostNode } from './host-folder.ts'
import { AT_REMOVEDIR } from './messages.ts'
import type { Session } from './session.ts'
import { checkName, isDirectory } from './session.ts'

/** PATH_MAX, with the final NUL. */
const MAX_TARGET = 4095

/** The directory fid and name every message of this file starts or ends with: 0 or what is wrong with them. */
function checkPlace(session: Session, dir: Fid | undefined, name: Uint8Array): number {
  if (session.reader.short) return -ERRNO.EINVAL
  if (dir === undefined || dir.xattr !== undefined) return -ERRNO.EBADF
  if (!isDirectory(dir)) return -ERRNO.ENOTDIR
  return checkName(name)
}

/** The reply of what creates without opening: the new object's qid. */
function putNewQid(session: Session, dir: HostNode, name: Uint8Array): number {
  const { folder, stat } = session
  const node = folder.walk(dir, name, stat)
  if (typeof node === 'number') return node
  const failed = session.owners.translate(node, stat)
  folder.release(node)
  if (failed !== 0) return failed
  session.putQid(stat)
  session.touch?.('create', dir, name)
  return 0
}

/** Tsymlink dfid[4] name[s] symtgt[s] gid[4] -> qid */
export function symlink(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const target = reader.string()
  const gid = reader.u32()
  const bad = checkPlace(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  if (target.length === 0 || target.includes(0)) return -ERRNO.ENOENT
  if (target.length > MAX_TARGET) return -ERRNO.ENAMETOOLONG
  const { node } = dir.held
  return session.owners.symlink(node, name, target, { uid: dir.uid, gid }) || putNewQid(session, node, name)
}

/** Tmknod dfid[4] name[s] mode[4] major[4] minor[4] gid[4] -> qid */
export function mknod(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const mode = reader.u32()
  const major = reader.u32()
  const minor = reader.u32()
  const gid = reader.u32()
  const bad = checkPlace(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  const type = mode & S_IFMT || S_IFREG
  if (!NODE_TYPES.has(type)) return -ERRNO.EINVAL
  const { node } = dir.held
  const whole = type | (mode & 0o7777)
  return session.owners.mknod(node, name, whole, major, minor, { uid: dir.uid, gid }) || putNewQid(session, node, name)
}

/** S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK: what mknod(2) makes. */
const NODE_TYPES: ReadonlySet<number> = new Set([0o100000, 0o010000, 0o020000, 0o060000, 0o140000])

/** Tmkdir dfid[4] name[s] mode[4] gid[4] -> qid */
export function mkdir(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const mode = reader.u32()
  const gid = reader.u32()
  const bad = checkPlace(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  const { node } = dir.held
  return session.owners.mkdir(node, name, mode & 0o7777, { uid: dir.uid, gid }) || putNewQid(session, node, name)
}

/** Tlink dfid[4] fid[4] name[s] */
export function link(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const fid = fids.get(reader.u32())
  const name = reader.string()
  const bad = checkPlace(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  if (fid === undefined) return -ERRNO.EBADF
  const failed = session.folder.link(fid.held.node, dir.held.node, name)
  if (failed === 0) session.touch?.('create', dir.held.node, name)
  return failed
}

/** Trenameat olddirfid[4] oldname[s] newdirfid[4] newname[s] */
export function renameat(session: Session): number {
  const { reader, fids } = session
  const fromDir = fids.get(reader.u32())
  const from = reader.string()
  const toDir = fids.get(reader.u32())
  const to = reader.string()
  const bad = checkPlace(session, fromDir, from) || checkPlace(session, toDir, to)
  if (bad !== 0 || fromDir === undefined || toDir === undefined) return bad
  return moveEntry(session, fromDir.held.node, from, toDir.held.node, to)
}

/** Trename fid[4] dfid[4] name[s]: of what the fid is called now. */
export function rename(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const toDir = fids.get(reader.u32())
  const to = reader.string()
  const bad = checkPlace(session, toDir, to)
  if (bad !== 0 || toDir === undefined) return bad
  if (fid === undefined) return -ERRNO.EBADF
  if (fid.isRoot) return -ERRNO.EBUSY
  const at = session.folder.locate(fid.held.node)
  if (typeof at === 'number') return at
  const failed = moveEntry(session, at.dir, at.name, toDir.held.node, to)
  session.folder.release(at.dir)
  return failed
}

function moveEntry(session: Session, fromDir: HostNode, from: Uint8Array, toDir: HostNode, to: Uint8Array): number {
  const failed = session.folder.rename(fromDir, from, toDir, to)
  if (failed === 0) {
    session.touch?.('remove', fromDir, from)
    session.touch?.('create', toDir, to)
  }
  return failed
}

/** Tunlinkat dirfd[4] name[s] flags[4] */
export function unlinkat(session: Session): number {
  const { reader, fids } = session
  const dir = fids.get(reader.u32())
  const name = reader.string()
  const flags = reader.u32()
  const bad = checkPlace(session, dir, name)
  if (bad !== 0 || dir === undefined) return bad
  if ((flags & ~AT_REMOVEDIR) !== 0) return -ERRNO.EINVAL
  return removeEntry(session, dir.held.node, name, (flags & AT_REMOVEDIR) !== 0)
}

function removeEntry(session: Session, dir: HostNode, name: Uint8Array, directory: boolean): number {
  const failed = session.folder.unlink(dir, name, directory)
  if (failed === 0) session.touch?.('remove', dir, name)
  return failed
}

const stat = new HostStat()

/** Tremove fid[4]: removes what the fid is called now; the fid is gone whatever comes of it. */
export function remove(session: Session): number {
  const { reader, fids, folder } = session
  const fid = fids.get(reader.u32())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const outcome = session.readOnly ? -ERRNO.EROFS : removeNode(session, fid)
  fids.remove(fid)
  return outcome

  function removeNode(of: Session, target: Fid): number {
    if (target.isRoot) return -ERRNO.EBUSY
    const failed = folder.stat(target.held.node, stat)
    if (failed !== 0) return failed
    const at = folder.locate(target.held.node)
    if (typeof at === 'number') return at
    const removed = removeEntry(of, at.dir, at.name, (stat.mode & S_IFMT) === S_IFDIR)
    folder.release(at.dir)
    return removed
  }
}
