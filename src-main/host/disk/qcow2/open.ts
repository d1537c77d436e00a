/** Opening a qcow2 image with the chain of files below it. */
import { closeSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { openDiskFileAs } from '../file.ts'
import { DiskError, type DiskImage } from '../image.ts'
import { HEAD_BYTES, parseHeader, type Qcow2Header } from './header.ts'
import { Qcow2Image } from './image.ts'

/** The first bytes of a file; fewer when it is shorter. Throws what node:fs throws. */
export function readHead(file: string): Uint8Array {
  const fd = openSync(file, 'r')
  try {
    const head = new Uint8Array(HEAD_BYTES)
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0))
  } finally {
    closeSync(fd)
  }
}

/** Where the backing file of an image is: its name is relative to the image. Throws DiskError for what is no file. */
export function backingPath(image: string, name: string): string {
  const plain = name.startsWith('file:') ? name.slice('file:'.length) : name
  if (/^[a-z][a-z0-9+.-]*:/i.test(plain) && !/^[a-z]:[\\/]/i.test(plain))
    throw new DiskError(`Disk image ${image} lies on top of ${name}, which is not a file.`)
  return path.resolve(path.dirname(image), plain)
}

/** Opens the file itself; `below` opens what it lies on. Throws DiskError. */
export function openQcow2(
  file: string,
  readOnly: boolean,
  below: (path: string, format: 'raw' | 'qcow2' | 'auto') => DiskImage,
  lock = true,
): Qcow2Image {
  return openDiskFileAs(file, readOnly, lock, (opened) => {
    const header = parseHeader(readHead(file), file)
    if (!readOnly) requireWritable(header, file)
    return new Qcow2Image(opened, header, openBelow(header, file, below), readOnly)
  })
}

/** The image without what it lies on: to see what it holds itself. */
export function openAlone(file: string, readOnly = true): Qcow2Image {
  return openDiskFileAs(
    file,
    readOnly,
    true,
    (opened) => new Qcow2Image(opened, parseHeader(readHead(file), file), undefined, readOnly),
  )
}

function openBelow(
  { backingFile, backingFormat }: Qcow2Header,
  file: string,
  below: (path: string, format: 'raw' | 'qcow2' | 'auto') => DiskImage,
): DiskImage | undefined {
  if (backingFile === undefined) return undefined
  const format = backingFormat ?? 'auto'
  if (format !== 'raw' && format !== 'qcow2' && format !== 'auto')
    throw new DiskError(
      `Disk image ${file} lies on top of an image in the format ${format}, which Longmode cannot read.`,
    )
  return below(backingPath(file, backingFile), format)
}

function requireWritable(header: Qcow2Header, file: string): void {
  if (header.corrupt)
    throw new DiskError(
      `Disk image ${file} is marked as damaged; repair it with "qemu-img check -r all", or open it read-only.`,
    )
  if (header.dirty)
    throw new DiskError(
      `Disk image ${file} was not closed properly; repair it with "qemu-img check -r all", or open it read-only.`,
    )
  if (header.bitmaps)
    throw new DiskError(
      `Disk image ${file} keeps dirty bitmaps, which Longmode cannot keep up to date; open it read-only.`,
    )
}
