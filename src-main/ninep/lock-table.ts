import { ERRNO } from './errno.ts'
import { LOCK_TYPE } from './host-folder.ts'
import type { LockType } from './host-folder.ts'

/** A held byte range [start, end); `end` is Infinity for "to the end of the file". */
export interface HeldLock {
  readonly owner: string
  readonly type: LockType
  readonly start: number
  readonly end: number
  /** The guest's process, for Tgetlock. */
  readonly pid: number
  readonly clientId: Uint8Array
}

/**
 * POSIX byte-range locks (fcntl(2)) of the guest's processes. A new lock replaces what its owner held of the range, and what it conflicts with:
 * v9fs asks its own kernel before it asks us (v9fs_file_do_lock), so what stands in the way has been given up already and its unlock is still
 * on the way, or came from another process (flock(2) with a descriptor that was inherited). To answer BLOCKED would cost 30 seconds.
 */
export class LockTable {
  private readonly files = new Map<string, HeldLock[]>()
  private readonly maxLocks: number
  private total = 0

  constructor(maxLocks: number) {
    this.maxLocks = maxLocks
  }

  get size(): number {
    return this.total
  }

  /** The first lock of somebody else that keeps `wanted` from being granted. */
  conflict(file: string, wanted: HeldLock): HeldLock | undefined {
    return this.files
      .get(file)
      ?.find(
        (held) =>
          held.owner !== wanted.owner &&
          held.start < wanted.end &&
          wanted.start < held.end &&
          (held.type === LOCK_TYPE.WRITE || wanted.type === LOCK_TYPE.WRITE),
      )
  }

  /** Grants or, for UNLOCK, frees a range. -ENOLCK when the table is full. */
  apply(file: string, wanted: HeldLock): number {
    const before = this.files.get(file) ?? []
    // A lock can split each that it replaces in two and add itself.
    if (wanted.type !== LOCK_TYPE.UNLOCK && this.total + before.length + 1 > this.maxLocks) return -ERRNO.ENOLCK
    const after: HeldLock[] = []
    for (const held of before) {
      if (!gives(held, wanted) || held.end <= wanted.start || wanted.end <= held.start) {
        after.push(held)
        continue
      }
      if (held.start < wanted.start) after.push({ ...held, end: wanted.start })
      if (wanted.end < held.end) after.push({ ...held, start: wanted.end })
    }
    if (wanted.type !== LOCK_TYPE.UNLOCK) after.push(wanted)
    this.total += after.length - before.length
    if (after.length === 0) this.files.delete(file)
    else this.files.set(file, after)
    return 0
  }

  /** The locks held on a file, by anybody. */
  of(file: string): readonly HeldLock[] {
    return this.files.get(file) ?? []
  }

  /** Forget every lock of a file (its last fid is gone). */
  drop(file: string): void {
    this.total -= this.files.get(file)?.length ?? 0
    this.files.delete(file)
  }

  clear(): void {
    this.files.clear()
    this.total = 0
  }
}

/** Whether `held` makes way for `wanted` where they meet. */
function gives(held: HeldLock, wanted: HeldLock): boolean {
  if (held.owner === wanted.owner) return true
  const { WRITE, UNLOCK } = LOCK_TYPE
  return wanted.type !== UNLOCK && (held.type === WRITE || wanted.type === WRITE)
}
