import { ERRNO } from './errno.ts'
import { HostStat, S_ISGID, S_ISUID, S_IXGRP } from './host-folder.ts'
import { MAX_OFFSET } from './messages.ts'
import { gather } from './segments.ts'
import type { Session } from './session.ts'
import type { Fid, XattrValue } from './fids.ts'

/** Twrite fid[4] offset[8] count[4] data: straight from the guest's memory. `available` is what the message really carries. */
export function writeFile(session: Session, data: readonly Uint8Array[], available: number): number | Promise<number> {
  const { reader, fids, folder } = session
  const fid = fids.get(reader.u32())
  const offset = reader.u64()
  const count = reader.u32()
  if (reader.short || count > available) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  if (fid.xattr !== undefined) return reply(session, writeXattr(fid.xattr, data, offset, count))
  if (fid.open === undefined) return -ERRNO.EBADF
  if (offset > MAX_OFFSET - count) return -ERRNO.EFBIG
  const open = fid.open
  const source = count === available ? data : cut(data, count)
  const outcome = folder.write(open.file, source, offset)
  if (typeof outcome === 'number') return reply(session, afterWrite(session, fid, outcome))
  fids.useFile(open)
  return outcome.then((written) => afterWrite(session, fid, written)).finally(() => fids.releaseFile(open))
}

/** Body of an Rwrite: count[4]. */
function reply(session: Session, outcome: number): number {
  if (outcome >= 0) session.writer.u32(outcome)
  return outcome
}

const stat = new HostStat()

/**
 * Linux clears set-user-id, and set-group-id of a group-executable file, when anybody but root writes (file_remove_privs); v9fs without a
 * cache leaves that to the server.
 */
function afterWrite(session: Session, fid: Fid, outcome: number): number {
  // A fid that was clunked while its write was under way has no node any more.
  if (outcome > 0 && fid.open !== undefined) {
    if (fid.uid !== 0) clearSetId(session, fid)
    session.touch?.('change', fid.held.node, undefined)
  }
  return outcome
}

export function clearSetId(session: Session, fid: Fid): void {
  const { node } = fid.held
  if (session.folder.stat(node, stat) < 0 || session.owners.translate(node, stat) < 0) return
  let { mode } = stat
  if ((mode & S_ISUID) !== 0) mode &= ~S_ISUID
  if ((mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP)) mode &= ~S_ISGID
  if (mode !== stat.mode) session.owners.chmod(node, mode)
}

/** The value of a Txattrcreate comes from the front to the end; pieces may be written again but leave no gap. */
function writeXattr(value: XattrValue, data: readonly Uint8Array[], offset: number, count: number): number {
  if (value.mode !== 'create' || offset > value.filled) return -ERRNO.EINVAL
  if (offset + count > value.bytes.length) return -ERRNO.ENOSPC
  gather(data, value.bytes.subarray(offset, offset + count), count)
  value.filled = Math.max(value.filled, offset + count)
  return count
}

function cut(data: readonly Uint8Array[], count: number): Uint8Array[] {
  const whole: Uint8Array[] = []
  for (const part of data) {
    if (count <= 0) break
    whole.push(part.length > count ? part.subarray(0, count) : part)
    count -= part.length
  }
  return whole
}
