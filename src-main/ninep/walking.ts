import { ERRNO } from './errno.ts'
import { Fid, HeldNode } from './fids.ts'
import { S_IFDIR, S_IFMT } from './host-folder.ts'
import type { HostNode } from './host-folder.ts'
import { MAX_NAME_BYTES, MAX_WALK } from './messages.ts'
import type { Session } from './session.ts'
import { isDot, isDotDot } from './session.ts'
import { setValue } from './xattrs.ts'

/** Tattach fid[4] afid[4] uname[s] aname[s] n_uname[4] -> qid. The one tree is the folder, whatever aname says (as QEMU). */
export function attach(session: Session): number {
  const { reader, fids, folder, stat } = session
  const id = reader.u32()
  reader.u32()
  reader.string()
  reader.string()
  const uid = reader.u32()
  if (reader.short || fids.has(id)) return -ERRNO.EINVAL
  const full = fids.checkRoom()
  if (full !== 0) return full
  const node = folder.root(stat)
  if (typeof node === 'number') return node
  const failed = session.owners.translate(node, stat)
  if (failed !== 0) {
    folder.release(node)
    return failed
  }
  fids.add(new Fid(id, uid, new HeldNode(node), stat.mode, true))
  session.putQid(stat)
  return 0
}

interface Step {
  held: HeldNode
  mode: number
  isRoot: boolean
}

/**
 * Twalk fid[4] newfid[4] nwname[2] nwname*(wname[s]) -> nwqid[2] nwqid*(qid). When a later name is missing the qids so far are the answer and newfid
 * is not made; a walk of no names clones the fid and asks the host nothing.
 */
export function walk(session: Session): number {
  const { reader, writer, fids } = session
  const from = fids.get(reader.u32())
  const newId = reader.u32()
  const count = reader.u16()
  if (reader.short || count > MAX_WALK) return -ERRNO.EINVAL
  if (from === undefined) return -ERRNO.EBADF
  if (from.xattr !== undefined || (count > 0 && from.open !== undefined)) return -ERRNO.EINVAL
  const inPlace = newId === from.id
  if (!inPlace) {
    if (fids.has(newId)) return -ERRNO.EINVAL
    const full = fids.checkRoom()
    if (full !== 0) return full
  }
  from.held.users++
  const step: Step = { held: from.held, mode: from.mode, isRoot: from.isRoot }
  const countAt = writer.position
  writer.u16(count)
  for (let done = 0; done < count; done++) {
    const failed = walkOne(session, step)
    if (failed === 0) continue
    fids.releaseNode(step.held)
    if (done === 0 || reader.short) return failed
    writer.bytes[countAt] = done
    return 0
  }
  if (!inPlace) fids.add(new Fid(newId, from.uid, step.held, step.mode, step.isRoot))
  else {
    fids.moveTo(from, step.held)
    from.mode = step.mode
    from.isRoot = step.isRoot
  }
  return 0
}

/** Moves `step` down (or up) by the reader's next name and writes the qid. */
function walkOne(session: Session, step: Step): number {
  const { folder, stat, fids } = session
  const name = session.reader.string()
  if (session.reader.short) return -ERRNO.EINVAL
  if ((step.mode & S_IFMT) !== S_IFDIR) return -ERRNO.ENOTDIR
  if (name.length === 0 || name.includes(0x2f) || name.includes(0)) return -ERRNO.ENOENT
  if (name.length > MAX_NAME_BYTES) return -ERRNO.ENAMETOOLONG
  const here = step.held.node
  let node: HostNode | number
  if (isDot(name) || (isDotDot(name) && step.isRoot)) return stayHere(session, here)
  if (isDotDot(name)) node = folder.parent(here, stat)
  else node = folder.walk(here, name, stat)
  if (typeof node === 'number') return node
  const failed = session.owners.translate(node, stat)
  if (failed !== 0) {
    folder.release(node)
    return failed
  }
  fids.releaseNode(step.held)
  step.held = new HeldNode(node)
  step.mode = stat.mode
  step.isRoot = folder.isRoot(node)
  session.putQid(stat)
  return 0
}

function stayHere(session: Session, node: HostNode): number {
  const { stat } = session
  const failed = session.folder.stat(node, stat)
  if (failed === 0) session.putQid(stat)
  return failed
}

/** Tclunk fid[4]. The fid is gone even when setting the extended attribute it carried fails. */
export function clunk(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  const outcome = fid.xattr?.mode === 'create' ? setValue(session, fid, fid.xattr) : 0
  fids.remove(fid)
  return outcome
}
