import { ERRNO } from './errno.ts'
import { Fid } from './fids.ts'
import type { XattrValue } from './fids.ts'
import { MAX_XATTR_NAME, MAX_XATTR_SIZE } from './messages.ts'
import type { Session } from './session.ts'

const XATTR_CREATE = 1
const XATTR_REPLACE = 2

/**
 * Txattrwalk fid[4] newfid[4] name[s] -> size[8]: newfid then reads the value, or with an empty name the list of names. Values are taken at once (at most
 * 64 KiB each and a bounded sum), so that size and content agree.
 */
export function xattrwalk(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const newId = reader.u32()
  const name = text(reader.string())
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined || fid.xattr !== undefined) return -ERRNO.EBADF
  if (fids.has(newId)) return -ERRNO.EINVAL
  const full = fids.checkRoom()
  if (full !== 0) return full
  const value = name === '' ? list(session, fid) : get(session, fid, name)
  if (typeof value === 'number') return value
  if (fids.xattrBytes + value.length > session.limits.maxXattrBytes) return -ERRNO.ENOMEM
  fid.held.users++
  const made = new Fid(newId, fid.uid, fid.held, fid.mode, fid.isRoot)
  fids.add(made)
  fids.setXattr(made, { mode: 'read', name, flags: 0, bytes: value, filled: value.length })
  session.writer.u64(value.length)
  return 0
}

function get(session: Session, fid: Fid, name: string): Uint8Array | number {
  const hostName = checkedName(session, name)
  return typeof hostName === 'number' ? hostName : session.folder.getXattr(fid.held.node, hostName)
}

function checkedName(session: Session, name: string): string | number {
  if (name.length > MAX_XATTR_NAME) return -ERRNO.ERANGE
  return name.includes('\0') ? -ERRNO.EINVAL : session.owners.xattrName(name)
}

/** Names the guest may know of, each ended by a NUL. */
function list(session: Session, fid: Fid): Uint8Array | number {
  const all = session.folder.listXattr(fid.held.node)
  if (typeof all === 'number') return all
  const names = text(all)
    .split('\0')
    .filter((name) => name !== '')
    .map((name) => session.owners.guestXattrName(name))
    .filter((name) => name !== undefined)
  return bytes(names.map((name) => `${name}\0`).join(''))
}

/** Txattrcreate fid[4] name[s] attr_size[8] flags[4]: the fid takes the value by Twrite and sets it at Tclunk. */
export function xattrcreate(session: Session): number {
  const { reader, fids } = session
  const fid = fids.get(reader.u32())
  const name = text(reader.string())
  const size = reader.u64()
  const flags = reader.u32()
  if (reader.short) return -ERRNO.EINVAL
  if (fid === undefined) return -ERRNO.EBADF
  if (name === '') return -ERRNO.EINVAL
  if (fid.open !== undefined || fid.xattr !== undefined) return -ERRNO.EINVAL
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -ERRNO.EINVAL
  if (size > MAX_XATTR_SIZE) return -ERRNO.E2BIG
  const hostName = checkedName(session, name)
  if (typeof hostName === 'number') return hostName
  if (fids.xattrBytes + size > session.limits.maxXattrBytes) return -ERRNO.ENOMEM
  fids.setXattr(fid, { mode: 'create', name: hostName, flags, bytes: new Uint8Array(size), filled: 0 })
  return 0
}

/** At Tclunk. v9fs removes an attribute by "replacing" it with nothing. */
export function setValue(session: Session, fid: Fid, value: XattrValue): number {
  const { node } = fid.held
  if (value.filled < value.bytes.length) return -ERRNO.EINVAL
  const removes = value.bytes.length === 0 && value.flags === XATTR_REPLACE
  const failed = removes
    ? session.folder.removeXattr(node, value.name)
    : session.folder.setXattr(node, value.name, value.bytes, value.flags)
  if (failed === 0) session.touch?.('change', node, undefined)
  return failed
}

/** Attribute names are bytes; here each is one character. */
function text(value: Uint8Array): string {
  let result = ''
  for (const byte of value) result += String.fromCharCode(byte)
  return result
}

function bytes(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0))
}
