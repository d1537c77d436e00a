import type { BlockStatus } from '../../devices/backends.ts'

/** A disk image of any format. Positions and lengths are bytes, multiples of 512, inside the disk. */
export interface DiskImage {
  /** 512-byte sectors. */
  readonly sectors: number
  readonly readOnly: boolean
  /** Fill `buffers` one after the other from `position` on. */
  read(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus>
  write(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus>
  /** Every write that has completed before is on the disk when this completes. */
  flush(): Promise<BlockStatus>
  /** The contents are of no more use; they may read as anything afterwards. */
  discard(position: number, length: number): Promise<BlockStatus>
  writeZeroes(position: number, length: number): Promise<BlockStatus>
  close(): Promise<void>
}

export const SECTOR = 512

/** An image cannot be used: one sentence for the user, naming the file. */
export class DiskError extends Error {}

/** What an error of the host means for the guest. */
export function blockStatus(error: unknown): BlockStatus {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return 'no-space'
  if (code === 'EROFS' || code === 'EPERM' || code === 'EACCES') return 'read-only'
  return 'io-error'
}

/** The status of an operation that may throw. */
export async function statusOf(operation: Promise<unknown>): Promise<BlockStatus> {
  try {
    await operation
    return 'ok'
  } catch (error) {
    return blockStatus(error)
  }
}

export function totalLength(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0)
}

/** The part [start, start+length) of a list of buffers, as views. */
export function slice(buffers: readonly Uint8Array[], start: number, length: number): Uint8Array[] {
  const part: Uint8Array[] = []
  let at = 0
  for (const buffer of buffers) {
    const from = Math.max(start - at, 0)
    const to = Math.min(start + length - at, buffer.length)
    if (from < to) part.push(buffer.subarray(from, to))
    at += buffer.length
  }
  return part
}
