import { ERRNO } from './errno.ts'
import type { DirEntry } from './host-folder.ts'
import type { Session } from './session.ts'
import { isDirectory, isDotDot } from './session.ts'

/** qid 13, offset 8, type 1, length of the name 2. */
const ENTRY_OVERHEAD = 24

/**
 * Treaddir fid[4] offset[8] count[4] -> count[4] and whole entries qid[13] offset[8] type[1] name[s]. Offsets are the host's own cookies, so a listing
 * goes on rightly while the directory changes. A count too small for the first entry is EINVAL (as getdents(2)), never a false end.
 */
export function readdir(session: Session): number {
  const { reader, writer, fids, folder } = session
  const fid = fids.get(reader.u32())
  const offset = reader.u64Exact()
  const wanted = reader.u32()
  if (reader.short) return -ERRNO.EINVAL
  if (fid?.open === undefined) return -ERRNO.EBADF
  if (!isDirectory(fid)) return -ERRNO.ENOTDIR
  const dir = fid.open.file
  const { stat } = session
  const failed = folder.stat(fid.held.node, stat)
  if (failed !== 0) return failed
  const { dev, inoLow, inoHigh } = stat
  const countAt = writer.position
  writer.u32(0)
  const start = writer.position
  const end = start + Math.min(wanted, writer.room)
  let tooSmall = false
  const outcome = folder.readDir(dir, offset, (entry: DirEntry): boolean => {
    if (writer.position + ENTRY_OVERHEAD + entry.name.length > end) {
      tooSmall = writer.position === start
      return false
    }
    // The root's `..` is the root: nothing outside has a number here.
    const outside = fid.isRoot && isDotDot(entry.name)
    const type = session.owners.entryType(dir, entry.name, entry.type)
    writer.u8(type === DT_DIR ? 0x80 : type === DT_LNK ? 0x02 : 0)
    writer.u32(0)
    session.putPath(dev, outside ? inoLow : entry.inoLow, outside ? inoHigh : entry.inoHigh)
    writer.u64Exact(entry.cookie)
    writer.u8(type)
    writer.string(entry.name)
    return true
  })
  if (outcome < 0) return outcome
  if (tooSmall) return -ERRNO.EINVAL
  patchU32(writer.bytes, countAt, writer.position - start)
  return 0
}

const DT_DIR = 4
const DT_LNK = 10

function patchU32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true)
}
