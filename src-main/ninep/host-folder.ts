/**
 * What the server needs from the host's file system. Names and link targets are bytes (no encoding is assumed), sizes and
 * offsets are whole numbers up to 2^53 - 1, errors are negative Linux errno numbers. Calls are synchronous unless they return a
 * promise: a cached look-up costs one or two microseconds, a thread hop costs twenty.
 *
 * The contract that keeps the guest inside the folder: an implementation never follows a symbolic link, resolves exactly one name
 * relative to a node, and never opens anything but regular files and directories. The server has checked that a name is not
 * empty, `.`, `..`, and holds no `/` and no NUL.
 */

/** One object of the folder, however it is called now (on Linux an O_PATH descriptor). Freed by `release`. */
export interface HostNode {
  readonly hostNode: true
}

/** An open file or directory. Freed by `close`. */
export interface HostFile {
  readonly hostFile: true
}

/** Filled by the host; one object is used again and again. Times: seconds (may be negative) and nanoseconds 0..999,999,999. */
export class HostStat {
  dev = 0
  inoLow = 0
  inoHigh = 0
  /** Type and permission bits as Linux has them. */
  mode = 0
  nlink = 0
  uid = 0
  gid = 0
  rdevMajor = 0
  rdevMinor = 0
  size = 0
  blksize = 4096
  /** In units of 512 bytes. */
  blocks = 0
  atime = 0
  atimeNsec = 0
  mtime = 0
  mtimeNsec = 0
  ctime = 0
  ctimeNsec = 0
}

export const S_IFMT = 0o170000
export const S_IFSOCK = 0o140000
export const S_IFLNK = 0o120000
export const S_IFREG = 0o100000
export const S_IFBLK = 0o060000
export const S_IFDIR = 0o040000
export const S_IFCHR = 0o020000
export const S_IFIFO = 0o010000
export const S_ISUID = 0o4000
export const S_ISGID = 0o2000
export const S_IXGRP = 0o0010

/** Open flags as 9P2000.L sends them (the generic Linux numbers); the host translates. */
export const OPEN = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  DSYNC: 0o10000,
  DIRECTORY: 0o200000,
  SYNC: 0o4000000,
} as const

/** As in struct timespec of utimensat(2). */
export const UTIME_NOW = 0x3fffffff
export const UTIME_OMIT = 0x3ffffffe

export interface DirEntry {
  readonly name: Uint8Array
  readonly inoLow: number
  readonly inoHigh: number
  /** DT_* of dirent.h; 0 is unknown. */
  readonly type: number
  /** Where to go on after this entry: opaque to everybody but the host. */
  readonly cookie: bigint
}

export interface HostStatFs {
  type: number
  bsize: number
  blocks: number
  bfree: number
  bavail: number
  files: number
  ffree: number
  fsid: bigint
  namelen: number
}

export const LOCK_TYPE = { READ: 0, WRITE: 1, UNLOCK: 2 } as const
export type LockType = (typeof LOCK_TYPE)[keyof typeof LOCK_TYPE]

export interface HostLock {
  readonly type: LockType
  readonly start: number
  /** 0 means to the end. */
  readonly length: number
}

export interface HostFolder {
  /** Whether extended attributes are kept at all. */
  readonly hasXattrs: boolean
  /** A fresh node of the folder itself. */
  root(stat: HostStat): HostNode | number
  /** Whether the node is the folder itself. */
  isRoot(node: HostNode): boolean
  /** The child `name` of `dir`, not followed when it is a link. */
  walk(dir: HostNode, name: Uint8Array, stat: HostStat): HostNode | number
  /** The directory above `dir`, never above the root; -ESTALE when `dir` is no longer inside the folder. */
  parent(dir: HostNode, stat: HostStat): HostNode | number
  /** Where the node is now: a fresh node of its directory and its name there; -ESTALE when it has left the folder or lost its name. */
  locate(node: HostNode): { dir: HostNode; name: Uint8Array } | number
  /** The node's path below the root as bytes with `/` (empty for the root), for people to read; undefined when it has none. */
  path(node: HostNode): Uint8Array | undefined
  release(node: HostNode): void

  stat(node: HostNode, stat: HostStat): number
  readlink(node: HostNode): Uint8Array | number
  chmod(node: HostNode, mode: number): number
  /** -1 leaves an id as it is. */
  chown(node: HostNode, uid: number, gid: number): number
  truncate(node: HostNode, size: number): number
  /** Nanoseconds may be UTIME_NOW or UTIME_OMIT. */
  utimes(node: HostNode, atime: number, atimeNsec: number, mtime: number, mtimeNsec: number): number
  statfs(node: HostNode): HostStatFs | number

  getXattr(node: HostNode, name: string): Uint8Array | number
  /** Of a directory's child that is not walked to: for listings. */
  getChildXattr(dir: HostFile, child: Uint8Array, name: string): Uint8Array | number
  /** Flags: 1 must be new, 2 must exist. */
  setXattr(node: HostNode, name: string, value: Uint8Array, flags: number): number
  removeXattr(node: HostNode, name: string): number
  /** Names, each ended by a NUL. */
  listXattr(node: HostNode): Uint8Array | number

  mkdir(dir: HostNode, name: Uint8Array, mode: number): number
  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array): number
  mknod(dir: HostNode, name: Uint8Array, mode: number, major: number, minor: number): number
  link(node: HostNode, dir: HostNode, name: Uint8Array): number
  rename(fromDir: HostNode, from: Uint8Array, toDir: HostNode, to: Uint8Array): number
  unlink(dir: HostNode, name: Uint8Array, directory: boolean): number

  /** Opens a regular file or a directory; -ELOOP for a link, -ENXIO for a special file. */
  open(node: HostNode, flags: number): HostFile | number
  /** Makes a new regular file and opens it; -EEXIST when the name is taken, by whatever. */
  create(dir: HostNode, name: Uint8Array, flags: number, mode: number): HostFile | number
  /** The node of an open file, for the calls that take nodes. Released by its own `release`. */
  nodeOf(file: HostFile): HostNode
  close(file: HostFile): void

  /** Bytes read at `offset`, 0 at the end; `undefined` when it could not be done without waiting for the disk: then use readLater. */
  read(file: HostFile, target: readonly Uint8Array[], offset: number): number | undefined
  /** Reads into private memory, off this thread. */
  readLater(file: HostFile, length: number, offset: number): Promise<Uint8Array | number>
  write(file: HostFile, source: readonly Uint8Array[], offset: number): number | Promise<number>
  /** As read and write, but waiting on this thread if need be: for a link's target, which is one block. */
  readWaiting(file: HostFile, target: Uint8Array, offset: number): number
  writeWaiting(file: HostFile, source: Uint8Array, offset: number): number
  /** Answers after the host's fsync or fdatasync succeeded. */
  sync(file: HostFile, dataOnly: boolean): Promise<number>
  /** Entries after `cookie` (0n: from the start), including `.` and `..`; empty at the end. Calls `take` until it returns false. */
  readDir(file: HostFile, cookie: bigint, take: (entry: DirEntry) => boolean): number

  /**
   * Advisory byte-range lock of the whole guest against the host's other programs, never waiting; length 0 means to the end.
   * -EAGAIN when somebody else holds it.
   */
  lock(file: HostFile, type: LockType, start: number, length: number): number
  /** The first lock of somebody else in the way of such a one; undefined when there is none or the host cannot say. */
  lockInWay(file: HostFile, type: LockType, start: number, length: number): HostLock | undefined

  /** Descriptors held now (for leak checks). */
  readonly openCount: number
  /** Frees everything. */
  dispose(): void
}
