import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { DiskError, slice, totalLength } from './image.ts'
import { lockImage, punchHole } from './native.ts'

/** The host calls an image is made of. Rejections carry the host's error code. Tests wrap it to watch and to fail. */
export interface DiskFile {
  /** Bytes. */
  readonly size: number
  /** Fill the buffers; what lies beyond the end of the file reads as zeroes. */
  read(position: number, buffers: readonly Uint8Array[]): Promise<void>
  write(position: number, buffers: readonly Uint8Array[]): Promise<void>
  /** fdatasync. */
  sync(): Promise<void>
  /** Make a hole that reads as zeroes; false when the host cannot. */
  punch(position: number, length: number): Promise<boolean>
  close(): Promise<void>
}

type VectorCall = (
  fd: number,
  buffers: readonly NodeJS.ArrayBufferView[],
  position: number,
  callback: (error: Error | null, bytes: number) => void,
) => void

/** Most buffers in one call (IOV_MAX). */
const MAX_VECTOR = 1024

/** Repeat a readv or writev until everything is transferred; returns what was. 0 bytes at a time means the end of the file. */
async function transfer(call: VectorCall, fd: number, buffers: readonly Uint8Array[], start: number): Promise<number> {
  const total = totalLength(buffers)
  let done = 0
  let rest = buffers
  while (done < total) {
    const bytes = await new Promise<number>((resolve, reject) => {
      call(fd, rest.length > MAX_VECTOR ? rest.slice(0, MAX_VECTOR) : rest, start + done, (error, count) => {
        if (error) reject(error)
        else resolve(count)
      })
    })
    if (bytes === 0) break
    done += bytes
    if (done < total) rest = slice(buffers, done, total - done)
  }
  return done
}

class NodeDiskFile implements DiskFile {
  readonly size: number
  readonly #fd: number

  constructor(fd: number, size: number) {
    this.#fd = fd
    this.size = size
  }

  async read(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const done = await transfer(fs.readv, this.#fd, buffers, position)
    for (const beyond of slice(buffers, done, totalLength(buffers) - done)) beyond.fill(0)
  }

  async write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const done = await transfer(fs.writev, this.#fd, buffers, position)
    if (done < totalLength(buffers)) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())))
  }

  punch(position: number, length: number): Promise<boolean> {
    return punchHole(this.#fd, position, length)
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => fs.close(this.#fd, (error) => (error ? reject(error) : resolve())))
  }
}

/** Size of a regular file or block device. */
function sizeOf(path: string, stat: fs.Stats): number {
  if (stat.isFile()) return stat.size
  if (!stat.isBlockDevice()) throw new DiskError(`${path} is neither a file nor a block device.`)
  const [major, minor] = [(stat.rdev >> 8) & 0xfff, (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00)]
  return Number(fs.readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8')) * 512
}

const OPEN_ERRORS: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be opened by you',
  EPERM: 'may not be opened by you',
  EROFS: 'is on a read-only file system',
  EISDIR: 'is a folder, not a disk image',
}

/** Somebody has the image open in a way that does not go together with ours. */
export class ImageInUse extends DiskError {}

/**
 * Open an image, lock it as QEMU does (several readers, or one writer), and make of it what `make` makes. Throws DiskError with one sentence,
 * and what `make` throws; the file is closed and its lock gone by then. Where the host has no such locks the image is opened without one.
 * `lock` false looks on at an image that others use.
 */
export function openDiskFileAs<T>(path: string, readOnly: boolean, lock: boolean, make: (file: DiskFile) => T): T {
  let fd: number
  try {
    fd = fs.openSync(path, readOnly ? 'r' : 'r+')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new DiskError(`Disk image ${path} ${OPEN_ERRORS[code] ?? `cannot be opened (${code})`}.`)
  }
  try {
    const size = sizeOf(path, fs.fstatSync(fd))
    if (lock && !lockImage(fd, !readOnly)) {
      throw new ImageInUse(`Disk image ${path} is in use by another virtual machine or program.`)
    }
    return make(new NodeDiskFile(fd, size))
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

/** The file of an image, as it is. */
export const openDiskFile = (path: string, readOnly: boolean, lock = true): DiskFile =>
  openDiskFileAs(path, readOnly, lock, (file) => file)

/** A sparse file without a name, gone when it is closed. */
export function openTemporaryFile(size: number): DiskFile {
  const path = join(tmpdir(), `longmode-overlay-${randomBytes(8).toString('hex')}`)
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL, 0o600)
  fs.unlinkSync(path)
  fs.ftruncateSync(fd, size)
  return new NodeDiskFile(fd, size)
}
