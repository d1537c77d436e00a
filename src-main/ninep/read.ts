import { ERRNO } from './errno.ts'
import { MAX_OFFSET } from './messages.ts'
import type { Session } from './session.ts'
import { totalLength } from './segments.ts'
import { isDirectory } from './session.ts'
import { dropFront } from './segments.ts'

/**
 * Tread fid[4] offset[8] count[4]: straight into `target` when the host has the data in memory, else the data arrives in private memory. A count
 * larger than the reply has room for is cut (a short read is legal).
 */
export function readFile(session: Session, target: readonly Uint8Array[]): number | Promise<Uint8Array | number> {
  const { reader, folder, fids } = session
  const fid = fids.get(reader.u32())
  const offset = reader.u64()
  const wanted = reader.u32()
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const room = Math.min(wanted, totalLength(target))
  if (fid.xattr !== undefined)
    return readXattr(fid.xattr.mode === 'read' ? fid.xattr.bytes : undefined, target, offset, room)
  if (fid.open === undefined) return -ERRNO.EBADF
  if (isDirectory(fid)) return -ERRNO.EISDIR
  if (offset > MAX_OFFSET) return -ERRNO.EINVAL
  if (room === 0) return 0
  const open = fid.open
  const done = folder.read(
    open.file,
    room < wanted || room < totalLength(target) ? dropFront(target, 0, room) : target,
    offset,
  )
  if (done !== undefined) return done
  fids.useFile(open)
  return folder.readLater(open.file, room, offset).finally(() => fids.releaseFile(open))
}

function readXattr(bytes: Uint8Array | undefined, target: readonly Uint8Array[], offset: number, room: number): number {
  if (bytes === undefined) return -ERRNO.EINVAL
  const part = bytes.subarray(Math.min(offset, bytes.length)).subarray(0, room)
  let done = 0
  for (const segment of target) {
    const piece = part.subarray(done, done + segment.length)
    segment.set(piece)
    done += piece.length
  }
  return part.length
}
