import os from 'node:os'
import koffi from 'koffi'

/** Calls of the Linux C library that node:fs does not have: open-file-description locks and hole punching. */

/** struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid. */
const FLOCK_BYTES = 32
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const F_RDLCK = 0
const F_WRLCK = 1
const F_UNLCK = 2

/** How fcntl(2) says that another's lock is in the way: EACCES or EAGAIN. */
const HELD: ReadonlySet<number> = new Set([os.constants.errno.EACCES, os.constants.errno.EAGAIN])

const FALLOC_FL_KEEP_SIZE = 1
const FALLOC_FL_PUNCH_HOLE = 2

/**
 * QEMU's convention: a holder of permission p has byte 100+p locked for reading; a holder that cannot bear others having
 * it has byte 200+p locked. So a new opener sees who is there by asking whether it could write-lock those bytes.
 */
const PERMISSION_BASE = 100
const REFUSED_BASE = 200
const CONSISTENT_READ = 0
const WRITE = 1
const RESIZE = 3

interface Libc {
  fcntl: (fd: number, command: number, type: string, flock: Uint8Array) => number
  fallocate: { async: (...args: [number, number, number, number, (error: unknown, result: number) => void]) => void }
}

function loadLibc(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const library = koffi.load('libc.so.6')
    return {
      fcntl: library.func('int fcntl(int fd, int cmd, ...)') as unknown as Libc['fcntl'],
      fallocate: library.func('int fallocate(int fd, int mode, int64_t offset, int64_t len)'),
    }
  } catch {
    return undefined // another C library: the image is used without locks and without holes
  }
}

const libc = loadLibc()

function flock(type: number, byte: number): Uint8Array {
  const data = new Uint8Array(FLOCK_BYTES)
  const view = new DataView(data.buffer)
  view.setInt16(0, type, true)
  view.setBigInt64(8, BigInt(byte), true)
  view.setBigInt64(16, 1n, true)
  return data
}

/** Lock an open image; false when somebody else's use of it does not go together with ours. The lock ends with the descriptor. */
export function lockImage(fd: number, writing: boolean): boolean {
  if (libc === undefined) return true
  const { fcntl } = libc
  const mine = writing ? [CONSISTENT_READ, WRITE, RESIZE] : [CONSISTENT_READ]
  const refused = [WRITE, RESIZE]
  const bytes = [...mine.map((p) => PERMISSION_BASE + p), ...refused.map((p) => REFUSED_BASE + p)]
  for (const byte of bytes) {
    if (fcntl(fd, F_OFD_SETLK, 'void *', flock(F_RDLCK, byte)) === 0) continue
    // a program that does not know QEMU's bytes has locked them all; other failures come from file systems without locks
    return !HELD.has(koffi.errno())
  }
  const others = [...mine.map((p) => REFUSED_BASE + p), ...refused.map((p) => PERMISSION_BASE + p)]
  return others.every((byte) => {
    const probe = flock(F_WRLCK, byte)
    if (fcntl(fd, F_OFD_GETLK, 'void *', probe) !== 0) return true
    return new DataView(probe.buffer).getInt16(0, true) === F_UNLCK
  })
}

/** fallocate with PUNCH_HOLE; false when the host or the file system cannot. */
export function punchHole(fd: number, position: number, length: number): Promise<boolean> {
  if (libc === undefined) return Promise.resolve(false)
  const { fallocate } = libc
  return new Promise((resolve) => {
    fallocate.async(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, position, length, (error, result) => {
      resolve(error === null && result === 0)
    })
  })
}
