import { ERRNO } from './errno.ts'
import type { HostFile, HostFolder, HostNode } from './host-folder.ts'

/** A host node shared by the fids that were cloned from each other; released with the last. */
export class HeldNode {
  readonly node: HostNode
  /** The open file whose descriptor the node borrows: clones of an open fid keep it open. */
  readonly file: HeldFile | undefined
  users = 1

  constructor(node: HostNode, file?: HeldFile) {
    this.node = node
    this.file = file
  }
}

/** An open file shared by its fid and the requests in flight on it; closed when the last lets go. */
export class HeldFile {
  readonly file: HostFile
  users = 1

  constructor(file: HostFile) {
    this.file = file
  }
}

/** The value behind a fid made by Txattrwalk (to read) or Txattrcreate (to write; set at Tclunk). */
export interface XattrValue {
  readonly mode: 'read' | 'create'
  readonly name: string
  readonly flags: number
  readonly bytes: Uint8Array
  /** Bytes written so far from the start, without a gap. */
  filled: number
}

/** What the guest refers to by a number. */
export class Fid {
  readonly id: number
  /** The guest user who attached; ~0 (4294967295) is nobody in particular. */
  readonly uid: number
  held: HeldNode
  open: HeldFile | undefined
  /** Flags of the open, when open. */
  flags = 0
  /** Guest-visible type and permission bits at walk or open: only the type is relied upon, it never changes. */
  mode: number
  xattr: XattrValue | undefined
  /** The folder itself: its `..` is itself, and it cannot be removed. */
  isRoot: boolean

  constructor(id: number, uid: number, held: HeldNode, mode: number, isRoot: boolean) {
    this.id = id
    this.uid = uid
    this.held = held
    this.mode = mode
    this.isRoot = isRoot
  }
}

/** The fid table of a session: bounded, and the one place that frees nodes and files. */
export class FidTable {
  private readonly fids = new Map<number, Fid>()
  private readonly folder: HostFolder
  private readonly maxFids: number
  /** Bytes held in xattr values, bounded by the session. */
  xattrBytes = 0

  constructor(folder: HostFolder, maxFids: number) {
    this.folder = folder
    this.maxFids = maxFids
  }

  get size(): number {
    return this.fids.size
  }

  get(id: number): Fid | undefined {
    return this.fids.get(id)
  }

  has(id: number): boolean {
    return this.fids.has(id)
  }

  /** 0, or -EMFILE when the table is full. Asked before the host does anything for a new fid. */
  checkRoom(): number {
    return this.fids.size < this.maxFids ? 0 : -ERRNO.EMFILE
  }

  /** The caller has checked that the id is free and that there is room. */
  add(fid: Fid): void {
    this.fids.set(fid.id, fid)
  }

  /** Replaces the fid's node (walk in place, create) and frees the old one. */
  moveTo(fid: Fid, held: HeldNode): void {
    const old = fid.held
    fid.held = held
    this.releaseNode(old)
  }

  /** The file is open: the fid's node is from now on the open file's. */
  setOpen(fid: Fid, file: HostFile, flags: number): void {
    const open = new HeldFile(file)
    open.users++
    fid.open = open
    fid.flags = flags
    this.moveTo(fid, new HeldNode(this.folder.nodeOf(file), open))
  }

  useFile(held: HeldFile): void {
    held.users++
  }

  releaseFile(held: HeldFile): void {
    if (--held.users === 0) this.folder.close(held.file)
  }

  releaseNode(held: HeldNode): void {
    if (--held.users > 0) return
    this.folder.release(held.node)
    if (held.file !== undefined) this.releaseFile(held.file)
  }

  setXattr(fid: Fid, value: XattrValue): void {
    fid.xattr = value
    this.xattrBytes += value.bytes.length
  }

  remove(fid: Fid): void {
    this.fids.delete(fid.id)
    if (fid.xattr !== undefined) this.xattrBytes -= fid.xattr.bytes.length
    fid.xattr = undefined
    this.releaseNode(fid.held)
    if (fid.open !== undefined) this.releaseFile(fid.open)
    fid.open = undefined
  }

  clear(): void {
    for (const fid of [...this.fids.values()]) this.remove(fid)
  }

  values(): IterableIterator<Fid> {
    return this.fids.values()
  }
}
