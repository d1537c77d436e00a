import { getattr, readlink, setattr, statfs } from './attributes.ts'
import { link, mkdir, mknod, remove, rename, renameat, symlink, unlinkat } from './change.ts'
import { readdir } from './listing.ts'
import { getlock, lock } from './locks.ts'
import { T } from './messages.ts'
import { create, fsync, lcreate, lopen, open } from './opening.ts'
import type { Session } from './session.ts'
import { attach, clunk, walk } from './walking.ts'
import { xattrcreate, xattrwalk } from './xattrs.ts'

/** Answers one message: reads the body, writes the reply's body; a negative errno when it fails. */
export type Handler = (session: Session) => number | Promise<number>

export interface HandlerRow {
  readonly handler: Handler
  /** Refused with EROFS on a read-only share. (What opens files looks at its flags instead.) */
  readonly changes: boolean
}

function row(type: number, handler: Handler, changes = false): [number, HandlerRow] {
  return [type, { handler, changes }]
}

/**
 * By T-message type. Tversion, Tflush, Tread and Twrite are the server's own; what is not here (Tauth, Tstat, Twstat: v9fs never sends
 * them in this dialect) is answered with ENOTSUP, by name in the log.
 */
export const HANDLERS: ReadonlyMap<number, HandlerRow> = new Map([
  row(T.STATFS, statfs),
  row(T.LOPEN, lopen),
  row(T.LCREATE, lcreate, true),
  row(T.SYMLINK, symlink, true),
  row(T.MKNOD, mknod, true),
  row(T.RENAME, rename, true),
  row(T.READLINK, readlink),
  row(T.GETATTR, getattr),
  row(T.SETATTR, setattr, true),
  row(T.XATTRWALK, xattrwalk),
  row(T.XATTRCREATE, xattrcreate, true),
  row(T.READDIR, readdir),
  row(T.FSYNC, fsync),
  row(T.LOCK, lock),
  row(T.GETLOCK, getlock),
  row(T.LINK, link, true),
  row(T.MKDIR, mkdir, true),
  row(T.RENAMEAT, renameat, true),
  row(T.UNLINKAT, unlinkat, true),
  row(T.ATTACH, attach),
  row(T.WALK, walk),
  row(T.OPEN, open),
  row(T.CREATE, create, true),
  row(T.CLUNK, clunk),
  row(T.REMOVE, remove),
])
