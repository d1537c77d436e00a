/** Copies between images, whatever their formats, leaving out what is zeroes. */
import type { BlockStatus } from '../../devices/backends.ts'
import { DiskError, SECTOR, type DiskImage } from './image.ts'

/** A copy that takes a while. */
export interface CopyOptions {
  /** Called now and then with the bytes that are done of all bytes. */
  readonly progress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Somebody changed their mind. */
export class CopyCancelled extends DiskError {}

export const PIECE = 1 << 20
const GRAIN = 65536

const WORDS: Readonly<Record<Exclude<BlockStatus, 'ok'>, string>> = {
  'io-error': 'the host reports an input/output error',
  'no-space': 'the host has no more space',
  'read-only': 'it may not be written',
  'out-of-range': 'it is too small',
}
export function mustBeOk(status: BlockStatus, what: string): void {
  if (status !== 'ok') throw new DiskError(`${what}: ${WORDS[status]}.`)
}

export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CopyCancelled('The copy was cancelled.')
}

const isZero = (bytes: Uint8Array): boolean => {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
  return words.every((word) => word === 0n)
}

/** Writes what is not zeroes of `from` to `to`, which reads as zeroes so far and is at least as large. */
export async function copyImage(from: DiskImage, to: DiskImage, options: CopyOptions): Promise<void> {
  const total = from.sectors * SECTOR
  const buffer = new Uint8Array(PIECE)
  for (let at = 0; at < total; at += PIECE) {
    checkSignal(options.signal)
    const piece = buffer.subarray(0, Math.min(PIECE, total - at))
    mustBeOk(await from.read(at, [piece]), 'reading the image failed')
    await writeData(to, at, piece)
    options.progress?.(at + piece.length, total)
  }
}
async function writeData(to: DiskImage, position: number, piece: Uint8Array): Promise<void> {
  let start: number | undefined
  for (let at = 0; at <= piece.length; at += GRAIN) {
    const end = Math.min(at, piece.length)
    const data = at < piece.length && !isZero(piece.subarray(at, Math.min(at + GRAIN, piece.length)))
    if (data) start ??= at
    else if (start !== undefined) {
      mustBeOk(await to.write(position + start, [piece.subarray(start, end)]), 'writing the image failed')
      start = undefined
    }
  }
  if (start !== undefined)
    mustBeOk(await to.write(position + start, [piece.subarray(start)]), 'writing the image failed')
}
