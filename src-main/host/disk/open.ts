import { openDiskFile, openTemporaryFile } from './file.ts'
import { SECTOR, type DiskImage } from './image.ts'
import { OverlayImage } from './overlay.ts'
import { RawImage } from './raw.ts'

export interface DiskOptions {
  readonly path: string
  readonly format: 'raw'
  readonly readOnly: boolean
  /** Keep all writes in a temporary file and leave the image alone. */
  readonly snapshot: boolean
}

/** Open a disk image as the options say. Throws DiskError with one sentence for the user. */
export function openDisk({ path, readOnly, snapshot }: DiskOptions): DiskImage {
  const image = new RawImage(openDiskFile(path, readOnly || snapshot), readOnly || snapshot)
  return snapshot && !readOnly ? new OverlayImage(image, openTemporaryFile(image.sectors * SECTOR)) : image
}
