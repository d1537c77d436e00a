/** A copy of an image in another format, or in the same one without what it lies on. */
import { unlinkSync } from 'node:fs'
import { copyImage, mustBeOk, type CopyOptions } from './copy.ts'
import { createImage } from './create.ts'
import { SECTOR } from './image.ts'
import { openDisk } from './open.ts'

/** Makes `to`, which must not exist; it is gone again when the copy fails. Throws DiskError. */
export async function convertImage(
  from: string,
  to: string,
  format: 'raw' | 'qcow2',
  options: CopyOptions = {},
): Promise<void> {
  const source = openDisk({ file: from, format: 'auto', readOnly: true, snapshot: false })
  try {
    createImage({ file: to, format, size: source.sectors * SECTOR })
    try {
      const target = openDisk({ file: to, format, readOnly: false, snapshot: false })
      try {
        await copyImage(source, target, options)
        mustBeOk(await target.flush(), `writing ${to} failed`)
      } finally {
        await target.close()
      }
    } catch (error) {
      unlinkSync(to)
      throw error
    }
  } finally {
    await source.close()
  }
}
