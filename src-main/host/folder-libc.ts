import { createRequire } from 'node:module'
import type koffiModule from 'koffi'

/** A negative errno, or the call's own result. */
type Call<A extends unknown[]> = (...args: A) => number
/** NUL-terminated bytes, or bytes to fill. */
type Bytes = Uint8Array

/** The calls of Linux's libc that node:fs has not got or gets wrong (no directory descriptors, no nanoseconds, no byte names, no locks). */
export interface Libc {
  openat: Call<[dir: number, name: Bytes, flags: number, mode: number]>
  close: Call<[fd: number]>
  statx: Call<[dir: number, name: Bytes, flags: number, mask: number, into: Bytes]>
  readlinkat: Call<[dir: number, name: Bytes, into: Bytes, size: number]>
  mkdirat: Call<[dir: number, name: Bytes, mode: number]>
  /** `device` as glibc's 64-bit dev_t. */
  mknodat: Call<[dir: number, name: Bytes, mode: number, device: number]>
  symlinkat: Call<[target: Bytes, dir: number, name: Bytes]>
  linkat: Call<[fromDir: number, from: Bytes, dir: number, name: Bytes, flags: number]>
  renameat: Call<[fromDir: number, from: Bytes, toDir: number, to: Bytes]>
  unlinkat: Call<[dir: number, name: Bytes, flags: number]>
  fchownat: Call<[dir: number, name: Bytes, uid: number, gid: number, flags: number]>
  chmod: Call<[path: Bytes, mode: number]>
  fchmod: Call<[fd: number, mode: number]>
  truncate: Call<[path: Bytes, size: number]>
  ftruncate: Call<[fd: number, size: number]>
  utimensat: Call<[dir: number, path: Bytes, times: Bytes, flags: number]>
  fstatfs: Call<[fd: number, into: Bytes]>
  getdents64: Call<[fd: number, into: Bytes, size: number]>
  lseek: Call<[fd: number, offset: bigint, whence: number]>
  getxattr: Call<[path: Bytes, name: Bytes, into: Bytes, size: number]>
  lgetxattr: Call<[path: Bytes, name: Bytes, into: Bytes, size: number]>
  setxattr: Call<[path: Bytes, name: Bytes, value: Bytes, size: number, flags: number]>
  removexattr: Call<[path: Bytes, name: Bytes]>
  listxattr: Call<[path: Bytes, into: Bytes, size: number]>
  /** `flags`: RWF_NOWAIT is 8. */
  preadv2: Call<[fd: number, iov: Uint32Array, count: number, offset: number, flags: number]>
  pwritev: Call<[fd: number, iov: Uint32Array, count: number, offset: number]>
  /** fcntl(F_OFD_SETLK) with a struct flock. */
  setlk: Call<[fd: number, flock: Bytes]>
  /** fcntl(F_OFD_GETLK) with a struct flock, which is overwritten. */
  getlk: Call<[fd: number, flock: Bytes]>
  getrlimit: Call<[resource: number, into: Bytes]>
  /** Where a typed array's buffer lies in memory, for an iovec. */
  address(buffer: ArrayBufferLike): number
}

const DECLARATIONS: { readonly [name in Exclude<keyof Libc, 'setlk' | 'getlk' | 'address'>]: string } = {
  openat: 'int openat(int, void *, int, uint)',
  close: 'int close(int)',
  statx: 'int statx(int, void *, int, uint, void *)',
  readlinkat: 'int64_t readlinkat(int, void *, void *, size_t)',
  mkdirat: 'int mkdirat(int, void *, uint)',
  mknodat: 'int mknodat(int, void *, uint, uint64_t)',
  symlinkat: 'int symlinkat(void *, int, void *)',
  linkat: 'int linkat(int, void *, int, void *, int)',
  renameat: 'int renameat(int, void *, int, void *)',
  unlinkat: 'int unlinkat(int, void *, int)',
  fchownat: 'int fchownat(int, void *, uint, uint, int)',
  chmod: 'int chmod(void *, uint)',
  fchmod: 'int fchmod(int, uint)',
  truncate: 'int truncate(void *, int64_t)',
  ftruncate: 'int ftruncate(int, int64_t)',
  utimensat: 'int utimensat(int, void *, void *, int)',
  fstatfs: 'int fstatfs(int, void *)',
  getdents64: 'int64_t getdents64(int, void *, size_t)',
  lseek: 'int64_t lseek(int, int64_t, int)',
  getxattr: 'int64_t getxattr(void *, void *, void *, size_t)',
  lgetxattr: 'int64_t lgetxattr(void *, void *, void *, size_t)',
  setxattr: 'int setxattr(void *, void *, void *, size_t, int)',
  removexattr: 'int removexattr(void *, void *)',
  listxattr: 'int64_t listxattr(void *, void *, size_t)',
  preadv2: 'int64_t preadv2(int, void *, int, int64_t, int)',
  pwritev: 'int64_t pwritev(int, void *, int, int64_t)',
  getrlimit: 'int getrlimit(int, void *)',
}

const EIO = 5
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37

/** The C library this process already runs on. Throws, naming what is missing, where there is none of these calls. */
export function loadLibc(): Libc {
  // Asked for here, not imported: where it has no binary for the machine only this fails.
  const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule
  const library = koffi.load('libc.so.6')
  const calls: Partial<Record<keyof Libc, unknown>> = {}
  for (const [name, declaration] of Object.entries(DECLARATIONS)) {
    calls[name as keyof typeof DECLARATIONS] = withErrno(library.func(declaration), koffi.errno)
  }
  const fcntl = library.func('int fcntl(int, int, ...)')
  calls.setlk = withErrno((fd, flock) => Number(fcntl(fd, F_OFD_SETLK, 'void *', flock)), koffi.errno)
  calls.getlk = withErrno((fd, flock) => Number(fcntl(fd, F_OFD_GETLK, 'void *', flock)), koffi.errno)
  calls.address = addressCache(koffi.address)
  return calls as Libc
}

function withErrno(call: Call<unknown[]>, errno: () => number): Call<unknown[]> {
  return (...args) => {
    const result = call(...args)
    return result >= 0 ? result : -(errno() || EIO)
  }
}

/** Guest memory is one buffer that never moves: its address is asked for once. */
function addressCache(find: (view: Uint8Array) => bigint): (buffer: ArrayBufferLike) => number {
  const known = new WeakMap<ArrayBufferLike, number>()
  return (buffer) => {
    let address = known.get(buffer)
    if (address === undefined) {
      address = Number(find(new Uint8Array(buffer)))
      known.set(buffer, address)
    }
    return address
  }
}
