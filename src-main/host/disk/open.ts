import { closeSync, openSync, readSync } from 'node:fs'
import { openDiskFile, openTemporaryFile } from './file.ts'
import { DiskError, SECTOR, type DiskImage } from './image.ts'
import { OverlayImage } from './overlay.ts'
import { openQcow2 } from './qcow2/open.ts'
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

/** Images that lie on top of each other, at most: a loop ends here. */
const MOST_LAYERS = 32

function openImage(
  file: string,
  format: DiskOptions['format'],
  readOnly: boolean,
  layer: number,
  lock = true,
): DiskImage {
  if (layer > MOST_LAYERS) throw new DiskError(`Disk image ${file} lies on top of more than ${MOST_LAYERS} others.`)
  if ((format === 'auto' ? probeFormat(file) : format) === 'raw')
    return new RawImage(openDiskFile(file, readOnly, lock), readOnly)
  return openQcow2(file, readOnly, (path, below) => openImage(path, below, true, layer + 1, lock), lock)
}

/** Opens an image to look at it while others may be using it: what it shows may be about to change. */
export const openToLook = (file: string): DiskImage => openImage(file, 'auto', true, 0, false)

/** Open a disk image as the options say. Throws DiskError with one sentence for the user. */
export function openDisk({ file, format, readOnly, snapshot }: DiskOptions): DiskImage {
  const image = openImage(file, format, readOnly || snapshot, 0)
  return snapshot && !readOnly ? new OverlayImage(image, openTemporaryFile(image.sectors * SECTOR)) : image
}
