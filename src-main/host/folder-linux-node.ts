import type { HostFile, HostNode } from '../ninep/host-folder.ts'

export interface Identity {
  readonly dev: number
  readonly inoLow: number
  readonly inoHigh: number
}

/** Where a node was when its descriptor was put aside, and what must be found there again. */
export interface Aside {
  path: Buffer
  readonly identity: Identity
}

/** An object of the folder, held by a descriptor: O_PATH, or (`borrowed`) that of an open file. */
export class LinuxNode implements HostNode {
  readonly hostNode = true
  /** -1 while put aside or released. */
  fd: number
  /** S_IFMT part of the mode: an inode never changes it. */
  readonly type: number
  readonly isRoot: boolean
  readonly borrowed: boolean
  aside: Aside | undefined

  constructor(fd: number, type: number, isRoot: boolean, borrowed: boolean) {
    this.fd = fd
    this.type = type
    this.isRoot = isRoot
    this.borrowed = borrowed
  }
}

/** Directory entries read from the host but not yet given out: [at, end) of `bytes`, which follow `cookie`. */
export interface Listing {
  readonly bytes: Buffer
  at: number
  end: number
  cookie: bigint
}

/** An open file or directory. */
export class LinuxFile implements HostFile {
  readonly hostFile = true
  fd: number
  readonly type: number
  readonly isRoot: boolean
  listing: Listing | undefined

  constructor(fd: number, type: number, isRoot: boolean) {
    this.fd = fd
    this.type = type
    this.isRoot = isRoot
  }
}

/** Memory for the C strings and structures of one call at a time. */
export class Scratch {
  readonly first = Buffer.alloc(4200)
  readonly second = Buffer.alloc(4200)
  readonly struct = Buffer.alloc(256)
  readonly large = Buffer.alloc(65_536)
  private readonly procPath = Buffer.alloc(4400)
  private readonly prefixLength = this.procPath.write('/proc/self/fd/', 'latin1')

  /** `bytes` with a NUL in `target`, or undefined when it does not fit (longer than PATH_MAX). */
  string(bytes: Uint8Array, target: Buffer = this.first): Buffer | undefined {
    const { length } = bytes
    if (length >= target.length) return undefined
    if (length < 40) for (let i = 0; i < length; i++) target[i] = bytes[i]
    else target.set(bytes)
    target[length] = 0
    return target
  }

  /** `/proc/self/fd/N`: a path that leads to the very object of a descriptor, link or not, for calls that take no O_PATH descriptor. */
  proc(fd: number): Buffer {
    this.procPath[this.digits(fd)] = 0
    return this.procPath
  }

  /** `/proc/self/fd/N/child`: only for calls that do not follow a last link. */
  procChild(fd: number, child: Uint8Array): Buffer {
    const at = this.digits(fd)
    this.procPath[at] = 0x2f
    this.procPath.set(child, at + 1)
    this.procPath[at + 1 + child.length] = 0
    return this.procPath
  }

  private digits(fd: number): number {
    let end = this.prefixLength + 1
    for (let rest = fd; rest >= 10; rest = Math.floor(rest / 10)) end++
    for (let at = end - 1, rest = fd; at >= this.prefixLength; at--, rest = Math.floor(rest / 10)) {
      this.procPath[at] = 0x30 + (rest % 10)
    }
    return end
  }
}

/** struct iovec[] over byte ranges, wherever they lie. */
export class IoVector {
  /** IOV_MAX. */
  private static readonly MAX = 1024
  readonly words = new Uint32Array(IoVector.MAX * 4)
  private readonly address: (buffer: ArrayBufferLike) => number

  constructor(address: (buffer: ArrayBufferLike) => number) {
    this.address = address
  }

  /** Returns how many ranges were taken: at most 1024, the rest is for the next call. */
  set(segments: readonly Uint8Array[]): number {
    const count = Math.min(segments.length, IoVector.MAX)
    for (let i = 0; i < count; i++) {
      const segment = segments[i]
      const at = this.address(segment.buffer) + segment.byteOffset
      this.words[i * 4] = at >>> 0
      this.words[i * 4 + 1] = at / 0x1_0000_0000
      this.words[i * 4 + 2] = segment.length
      this.words[i * 4 + 3] = 0
    }
    return count
  }
}
