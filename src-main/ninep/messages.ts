/** 9P2000.L message types (the T-message; its R-message is one more), as Linux include/net/9p/9p.h numbers them. */
export const T = {
  LERROR: 6,
  STATFS: 8,
  LOPEN: 12,
  LCREATE: 14,
  SYMLINK: 16,
  MKNOD: 18,
  RENAME: 20,
  READLINK: 22,
  GETATTR: 24,
  SETATTR: 26,
  XATTRWALK: 30,
  XATTRCREATE: 32,
  READDIR: 40,
  FSYNC: 50,
  LOCK: 52,
  GETLOCK: 54,
  LINK: 70,
  MKDIR: 72,
  RENAMEAT: 74,
  UNLINKAT: 76,
  VERSION: 100,
  AUTH: 102,
  ATTACH: 104,
  ERROR: 106,
  FLUSH: 108,
  WALK: 110,
  OPEN: 112,
  CREATE: 114,
  READ: 116,
  WRITE: 118,
  CLUNK: 120,
  REMOVE: 122,
  STAT: 124,
  WSTAT: 126,
} as const

const names = new Map<number, string>(Object.entries(T).map(([name, type]) => [type, `T${name.toLowerCase()}`]))

/** `Twalk`, or `message 200` for a type nobody defined. */
export function messageName(type: number): string {
  return names.get(type) ?? `message ${type}`
}

export const RLERROR = T.LERROR + 1

/** size u32, type u8, tag u16. */
export const HEADER_SIZE = 7
/** Header, fid u32, offset u64, count u32: what stands before the data of a Twrite. */
export const WRITE_HEADER_SIZE = HEADER_SIZE + 16
/** Header, count u32: what stands before the data of an Rread or Rreaddir. */
export const READ_REPLY_HEADER_SIZE = HEADER_SIZE + 4
/** Rlerror: header and errno u32. */
export const ERROR_REPLY_SIZE = HEADER_SIZE + 4

export const NOTAG = 0xffff
export const NOFID = 0xffff_ffff
/** 9P2000: a walk has at most 16 names. */
export const MAX_WALK = 16
export const MIN_MSIZE = 4096
/** NAME_MAX of Linux. */
export const MAX_NAME_BYTES = 255

export const QID = { DIR: 0x80, SYMLINK: 0x02, FILE: 0x00 } as const

/** Tgetattr/Rgetattr masks. */
export const GETATTR_BASIC = 0x7ff

/** Tsetattr `valid` bits. */
export const SETATTR = {
  MODE: 0x1,
  UID: 0x2,
  GID: 0x4,
  SIZE: 0x8,
  ATIME: 0x10,
  MTIME: 0x20,
  CTIME: 0x40,
  ATIME_SET: 0x80,
  MTIME_SET: 0x100,
} as const

/** Tunlinkat flag: remove a directory. */
export const AT_REMOVEDIR = 0x200

/** Rlock status. */
export const LOCK_STATUS = { SUCCESS: 0, BLOCKED: 1, ERROR: 2, GRACE: 3 } as const

/** Offsets and sizes are doubles here: whole up to 2^53 - 1, more than any Linux file system has. */
export const MAX_OFFSET = Number.MAX_SAFE_INTEGER
/** XATTR_NAME_MAX and XATTR_SIZE_MAX of Linux. */
export const MAX_XATTR_NAME = 255
export const MAX_XATTR_SIZE = 65_536
