/**
 * Linux error numbers (include/uapi/asm-generic/errno*.h): the guest is Linux, so these are the numbers in every Rlerror,
 * whatever the host is. A call that can fail returns the negative number; success is zero or more.
 */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EDQUOT: 122,
} as const

const names = new Map<number, string>(Object.entries(ERRNO).map(([name, value]) => [value, name]))

/** `ENOENT` for 2 or -2; `errno 200` for a number without a name here. */
export function errnoName(value: number): string {
  return names.get(Math.abs(value)) ?? `errno ${Math.abs(value)}`
}

const byName = new Map<string, number>(Object.entries(ERRNO))

/** The Linux number of an error code such as Node's `err.code`; EIO when Linux has no such name (a host-only failure). */
export function errnoFromCode(code: string | undefined): number {
  if (code === undefined) return ERRNO.EIO
  return byName.get(code === 'ENOTSUP' ? 'EOPNOTSUPP' : code) ?? ERRNO.EIO
}
