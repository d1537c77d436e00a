import { closeSync, openSync, readSync } from 'node:fs'
import { openDiskFile, openTemporaryFile } from './file.ts'
import { DiskError, SECTOR, type DiskImage } from './image.ts'
import { OverlayImage } from './overlay.ts'
import { RawImage } from './raw.ts'

export interface DiskOptions {
  readonly file: string
  readonly format: 'raw' | 'qcow2' | 'auto'
  readonly readOnly: boolean
  /** Keep all writes in a temporary file and leave the image alone. */
  readonly snapshot: boolean
}

const QCOW2_MAGIC = 'QFI\u00fb'

/** The format that the first bytes of a file tell. A file that cannot be read counts as raw: opening it will say why. */
export function probeFormat(file: string): 'raw' | 'qcow2' {
  const head = new Uint8Array(4)
  try {
    const fd = openSync(file, 'r')
    try {
      readSync(fd, head, 0, 4, 0)
    } finally {
      closeSync(fd)
    }
  } catch {
    return 'raw'
  }
  return String.fromCharCode(...head) === QCOW2_MAGIC ? 'qcow2' : 'raw'
}

/** Open a disk image as the options say. Throws DiskError with one sentence for the user. */
export function openDisk({ file, format, readOnly, snapshot }: DiskOptions): DiskImage {
  if ((format === 'auto' ? probeFormat(file) : format) === 'qcow2') {
    throw new DiskError(`Disk image ${file} is in the qcow2 format, which this version cannot use.`)
  }
  const image = new RawImage(openDiskFile(file, readOnly || snapshot), readOnly || snapshot)
  return snapshot && !readOnly ? new OverlayImage(image, openTemporaryFile(image.sectors * SECTOR)) : image
}
