import { constants } from 'node:fs'
import { ERRNO } from '../ninep/errno.ts'
import { HostStat } from '../ninep/host-folder.ts'
import type { Libc } from './folder-libc.ts'
import { Scratch } from './folder-linux-node.ts'
import type { Identity, LinuxNode } from './folder-linux-node.ts'
import { STATX_BASIC, decodeStatx } from './folder-linux-structs.ts'

const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_EMPTY_PATH = 0x1000
const RLIMIT_NOFILE = 7
const NO_NAME = Buffer.from([0])
const SLASH = 0x2f
/** So many descriptors are put aside at once when there are too many. */
const BATCH = 64

/**
 * Keeps the folder's descriptors within what the process may have. A guest with a large dentry cache (cache=loose) holds a fid for each of 50,000
 * files; the oldest nodes beyond the limit are put aside: closed, with their path and identity kept, and found again at their next use. What the
 * guest renames meanwhile is followed; what the host renames is answered with ESTALE.
 */
export class DescriptorBudget {
  private readonly libc: Libc
  private readonly root: LinuxNode
  private readonly max: number
  private readonly nodes = new Set<LinuxNode>()
  private readonly aside = new Set<LinuxNode>()
  private readonly scratch = new Scratch()
  private readonly stat = new HostStat()

  constructor(libc: Libc, root: LinuxNode, max?: number) {
    this.libc = libc
    this.root = root
    this.max = max ?? defaultMax(libc)
  }

  get held(): number {
    return this.nodes.size
  }

  /** Nodes whose descriptor is put aside. */
  get asideCount(): number {
    return this.aside.size
  }

  keep(node: LinuxNode): LinuxNode {
    this.nodes.add(node)
    if (this.nodes.size > this.max) this.putAside(this.nodes.size - this.max + BATCH)
    return node
  }

  /** False when open files alone are more than the limit. */
  makeRoom(openFiles: number): boolean {
    const over = openFiles + this.nodes.size - this.max
    if (over > 0) this.putAside(over + BATCH)
    return openFiles <= this.max
  }

  release(node: LinuxNode): void {
    if (node.borrowed) return
    if (node.fd >= 0) this.libc.close(node.fd)
    node.fd = -1
    node.aside = undefined
    this.nodes.delete(node)
    this.aside.delete(node)
  }

  releaseAll(): void {
    for (const node of [...this.nodes, ...this.aside]) this.release(node)
  }

  /** The descriptor of a node that was put aside. */
  fetch(node: LinuxNode): number {
    const { aside } = node
    if (aside === undefined) return -ERRNO.EBADF
    const found = this.openPath(aside.path)
    if (found < 0) return found === -ERRNO.EMFILE ? found : -ERRNO.ESTALE
    if (this.statAt(found, NO_NAME) !== 0 || !same(this.stat, aside.identity)) {
      this.libc.close(found)
      return -ERRNO.ESTALE
    }
    node.fd = found
    node.aside = undefined
    this.aside.delete(node)
    this.keep(node)
    return found
  }

  /** The node's path below the root now; undefined when it is outside, removed, or too long to say. */
  pathOf(node: LinuxNode): Buffer | undefined {
    if (node.fd < 0) return node.aside?.path
    const top = this.readProc(this.root.fd)
    const whole = this.readProc(node.fd)
    if (top === undefined || whole === undefined) return undefined
    if (whole.equals(top)) return Buffer.alloc(0)
    const below = top.length === 1 ? 1 : top.length + 1
    if (whole.length <= below || whole[below - 1] !== SLASH) return undefined
    return whole.subarray(0, top.length).equals(top) ? whole.subarray(below) : undefined
  }

  /** The directory (a fresh O_PATH descriptor) and name under which the node, whose `stat` is given, really is. */
  find(node: LinuxNode, stat: HostStat): { dirFd: number; name: Uint8Array; isRoot: boolean } | undefined {
    const path = this.pathOf(node)
    if (path === undefined || path.length === 0) return undefined
    const cut = path.lastIndexOf(SLASH)
    const name = Uint8Array.from(path.subarray(cut + 1))
    const dirFd = this.openPath(path.subarray(0, Math.max(cut, 0)))
    if (dirFd < 0) return undefined
    const text = this.scratch.string(name)
    if (text !== undefined && this.statAt(dirFd, text) === 0 && same(this.stat, stat)) {
      return { dirFd, name, isRoot: cut < 0 }
    }
    this.libc.close(dirFd)
    return undefined
  }

  /** The guest renamed something: nodes put aside at or below it are now elsewhere. */
  renamed(fromDir: LinuxNode, from: Uint8Array, toDir: LinuxNode, to: Uint8Array): void {
    if (this.aside.size === 0) return
    const fromParent = this.pathOf(fromDir)
    const toParent = this.pathOf(toDir)
    if (fromParent === undefined || toParent === undefined) return
    const before = join(fromParent, from)
    const after = join(toParent, to)
    for (const { aside } of this.aside) {
      if (aside === undefined || !aside.path.subarray(0, before.length).equals(before)) continue
      const rest = aside.path.subarray(before.length)
      if (rest.length === 0 || rest[0] === SLASH) aside.path = Buffer.concat([after, rest])
    }
  }

  private putAside(count: number): void {
    const oldest: LinuxNode[] = []
    for (const node of this.nodes) {
      if (oldest.length >= count) break
      oldest.push(node)
    }
    for (const node of oldest) {
      this.nodes.delete(node)
      const path = this.findablePath(node)
      // What cannot be found again (removed, outside) keeps its descriptor and is asked last next time.
      if (path === undefined) this.nodes.add(node)
      else this.setAside(node, path)
    }
  }

  private findablePath(node: LinuxNode): Buffer | undefined {
    if (node.isRoot) return undefined
    const found = this.find(node, this.identify(node.fd))
    if (found === undefined) return undefined
    this.libc.close(found.dirFd)
    return this.pathOf(node)
  }

  private setAside(node: LinuxNode, path: Buffer): void {
    const { dev, inoLow, inoHigh } = this.identify(node.fd)
    this.libc.close(node.fd)
    node.fd = -1
    node.aside = { path, identity: { dev, inoLow, inoHigh } }
    this.aside.add(node)
  }

  private identify(fd: number): HostStat {
    const stat = new HostStat()
    if (this.statAt(fd, NO_NAME) === 0) Object.assign(stat, this.stat)
    return stat
  }

  private statAt(fd: number, name: Buffer): number {
    const { struct } = this.scratch
    const failed = this.libc.statx(fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC, struct)
    if (failed === 0) decodeStatx(struct, this.stat)
    return failed
  }

  /** Opens each part of the path relative to the one before, following nothing. */
  private openPath(path: Uint8Array): number {
    const flags = O_PATH | constants.O_NOFOLLOW | O_CLOEXEC
    let fd = this.libc.openat(this.root.fd, Buffer.from('.\0'), flags, 0)
    for (const part of path.length === 0 ? [] : split(path)) {
      if (fd < 0) return fd
      const text = this.scratch.string(part)
      const next = text === undefined ? -ERRNO.ENAMETOOLONG : this.libc.openat(fd, text, flags, 0)
      this.libc.close(fd)
      fd = next
    }
    return fd
  }

  private readProc(fd: number): Buffer | undefined {
    const { large } = this.scratch
    const length = this.libc.readlinkat(-100, this.scratch.proc(fd), large, large.length)
    return length < 0 ? undefined : Buffer.from(large.subarray(0, length))
  }
}

function same(a: Identity, b: Identity): boolean {
  return a.inoLow === b.inoLow && a.inoHigh === b.inoHigh && a.dev === b.dev
}

function join(parent: Buffer, name: Uint8Array): Buffer {
  return parent.length === 0 ? Buffer.from(name) : Buffer.concat([parent, Buffer.from('/'), name])
}

function split(path: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue
    parts.push(path.subarray(start, at))
    start = at + 1
  }
  return parts
}

/** A third of what the process may open: other shares and disks live here too. */
function defaultMax(libc: Libc): number {
  const limit = Buffer.alloc(16)
  if (libc.getrlimit(RLIMIT_NOFILE, limit) < 0) return 256
  return Math.max(64, Math.floor(Math.min(Number(limit.readBigUInt64LE(0)), 1_000_000) / 3))
}
