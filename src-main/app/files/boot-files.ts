/**
 * What an image with a boot loader of its own would start, for a machine that has no firmware to start the boot loader with: its kernel and
 * initial RAM disk are copied out of it, into Longmode's own folder.
 */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { BootChoice, BootFiles } from '../../contract/services/images.ts'
import { findBootEntries, readBootFiles } from '../../host/disk/files/boot-entries.ts'
import { writeWhole } from '../machines/store.ts'

/** Without it a Linux of a disk that was made for a screen shows nothing. */
const CONSOLE = 'console=ttyS0'

/** The image's entries, its boot loader's default first. Throws DiskError. */
export async function bootChoices(image: string): Promise<BootChoice[]> {
  const entries = await findBootEntries(image)
  return entries.map(({ title, source, kernel, append }) => ({ title, source, kernel, append }))
}

/** Copies the files of an entry to `folder`; taking them again (the guest has a newer kernel) replaces them. Throws DiskError and TroubleError. */
export async function takeBootFiles(image: string, index: number, folder: string): Promise<BootFiles> {
  const entry = (await findBootEntries(image)).at(index)
  if (entry === undefined) throw TroubleError.user(`${path.basename(image)} has no such kernel any more; look again`)
  const { kernel, initrd } = await readBootFiles(image, entry)
  const mark = createHash('sha256').update(image).digest('hex').slice(0, 8)
  const own = path.join(folder, `${path.basename(image).replaceAll(/[^\w.-]+/g, '_')}-${mark}`)
  const version = path.basename(entry.kernel).replace(/^(vmlinuz|bzImage)-?/, '') || 'kernel'
  const append = /(^|\s)console=/.test(entry.append) ? entry.append : `${entry.append} ${CONSOLE}`.trim()
  try {
    await mkdir(own, { recursive: true })
    return {
      kernel: await place(path.join(own, `vmlinuz-${version}`), kernel),
      ...(initrd === undefined ? {} : { initrd: await place(path.join(own, `initrd-${version}`), initrd) }),
      append,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw TroubleError.user(`the kernel of ${path.basename(image)} could not be copied out: ${reason}`, reason)
  }
}

/** A machine may be reading the one before. */
async function place(file: string, bytes: Uint8Array): Promise<string> {
  await writeWhole(file, bytes)
  return file
}
