import { ERRNO } from './errno.ts'
import type { Fid } from './fids.ts'
import { LOCK_TYPE, OPEN } from './host-folder.ts'
import type { HostFile, LockType } from './host-folder.ts'
import type { HeldLock } from './lock-table.ts'
import { LOCK_STATUS } from './messages.ts'
import type { Session } from './session.ts'

interface LockRequest {
  readonly fid: Fid
  /** Which file: device and inode, the same for all its fids and names. */
  readonly file: string
  readonly lock: HeldLock
}

/** type[1] (flags[4]) start[8] length[8] proc_id[4] client_id[s], after fid[4]. */
function readRequest(session: Session, withFlags: boolean): LockRequest | number {
  const { reader, stat } = session
  const fid = session.fids.get(reader.u32())
  const type = reader.u8()
  if (withFlags) reader.u32()
  const start = reader.u64()
  const length = reader.u64()
  const pid = reader.u32()
  const clientId = reader.string()
  if (reader.short || type > LOCK_TYPE.UNLOCK || clientId.length > MAX_CLIENT_ID) return -ERRNO.EINVAL
  if (fid?.open === undefined) return -ERRNO.EBADF
  if (start + length > Number.MAX_SAFE_INTEGER) return -ERRNO.EOVERFLOW
  const failed = session.folder.stat(fid.held.node, stat)
  if (failed !== 0) return failed
  const file = `${stat.dev}:${stat.inoHigh}:${stat.inoLow}`
  const end = length === 0 ? Infinity : start + length
  const lock = { owner: `${pid}@${clientId.join()}`, type: type as LockType, start, end, pid, clientId }
  return { fid, file, lock }
}

/** v9fs sends the guest's host name (64 bytes at most). */
const MAX_CLIENT_ID = 256

/**
 * Tlock -> status[1]. The guest's processes are kept apart by their kernel; towards the host's programs the guest is one holder, whose lock lies on
 * a descriptor of its own as long as anybody in the guest holds a range. Never waits: v9fs asks again after BLOCKED.
 */
export function lock(session: Session): number {
  const request = readRequest(session, true)
  if (typeof request === 'number') return request
  const { file, lock: wanted } = request
  const status = wanted.type === LOCK_TYPE.UNLOCK ? unlock(session, file, wanted) : acquire(session, request)
  if (status < 0) return status
  session.writer.u8(status)
  return 0
}

function acquire(session: Session, request: LockRequest): number {
  const { locks, folder } = session
  const { file, lock: wanted, fid } = request
  const holder = session.lockHolders.get(file) ?? openHolder(session, file, fid)
  if (holder !== undefined) {
    const outcome = folder.lock(holder, wanted.type, wanted.start, lengthOf(wanted))
    if (outcome === -ERRNO.EAGAIN || outcome === -ERRNO.EACCES) {
      closeHolderIfUnused(session, file)
      return LOCK_STATUS.BLOCKED
    }
  }
  const full = locks.apply(file, wanted)
  if (full !== 0) closeHolderIfUnused(session, file)
  return full === 0 ? LOCK_STATUS.SUCCESS : LOCK_STATUS.ERROR
}

/** Undefined where the host has no such locks or the file may not be opened so: then only the guest's own are kept. */
function openHolder(session: Session, file: string, fid: Fid): HostFile | undefined {
  const { folder, lockHolders } = session
  let holder = session.readOnly ? -ERRNO.EROFS : folder.open(fid.held.node, OPEN.RDWR)
  if (typeof holder === 'number') holder = folder.open(fid.held.node, OPEN.RDONLY)
  if (typeof holder === 'number') return undefined
  lockHolders.set(file, holder)
  return holder
}

function closeHolderIfUnused(session: Session, file: string): void {
  const holder = session.lockHolders.get(file)
  if (holder === undefined || session.locks.of(file).length > 0) return
  session.lockHolders.delete(file)
  session.folder.close(holder)
}

function unlock(session: Session, file: string, wanted: HeldLock): number {
  session.locks.apply(file, wanted)
  const holder = session.lockHolders.get(file)
  if (holder === undefined) return LOCK_STATUS.SUCCESS
  // What others in the guest still hold of the range stays locked towards the host.
  let from = wanted.start
  const held = session.locks.of(file).filter((other) => other.end > wanted.start && other.start < wanted.end)
  for (const other of held.toSorted((a, b) => a.start - b.start)) {
    if (other.start > from) session.folder.lock(holder, LOCK_TYPE.UNLOCK, from, other.start - from)
    from = Math.max(from, other.end)
  }
  if (from < wanted.end) {
    session.folder.lock(holder, LOCK_TYPE.UNLOCK, from, wanted.end === Infinity ? 0 : wanted.end - from)
  }
  closeHolderIfUnused(session, file)
  return LOCK_STATUS.SUCCESS
}

/**
 * Tgetlock -> type[1] start[8] length[8] proc_id[4] client_id[s]: the first lock in the way, or the question with type UNLOCK. A lock of the host's
 * own programs has process 0.
 */
export function getlock(session: Session): number {
  const request = readRequest(session, false)
  if (typeof request === 'number') return request
  const { writer } = session
  const { lock: wanted } = request
  const own = wanted.type === LOCK_TYPE.UNLOCK ? undefined : session.locks.conflict(request.file, wanted)
  const found = own ?? ofHost(session, request)
  const shown = found ?? wanted
  writer.u8(found?.type ?? LOCK_TYPE.UNLOCK)
  writer.u64(shown.start)
  writer.u64(lengthOf(shown))
  writer.u32(shown.pid)
  writer.string(shown.clientId)
  return 0
}

/**
 * Linux's v9fs asks with type UNLOCK whatever its process asked for (vfs_file.c, v9fs_file_getlock). Then only a write lock is told: that one is in
 * the way of readers and writers alike.
 */
function ofHost(session: Session, { file, fid, lock: wanted }: LockRequest): HeldLock | undefined {
  const type = wanted.type === LOCK_TYPE.UNLOCK ? LOCK_TYPE.READ : wanted.type
  // Asked by the descriptor that carries the guest's own locks, which are then not in the way.
  const asking = session.lockHolders.get(file) ?? fid.open?.file
  const found = asking && session.folder.lockInWay(asking, type, wanted.start, lengthOf(wanted))
  if (found === undefined) return undefined
  const end = found.length === 0 ? Infinity : found.start + found.length
  return { ...wanted, owner: 'host', pid: 0, type: found.type, start: found.start, end }
}

function lengthOf(lock: HeldLock): number {
  return lock.end === Infinity ? 0 : lock.end - lock.start
}
