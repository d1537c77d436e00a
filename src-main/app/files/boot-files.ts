/**
 * What an image with a boot loader of its own would start, for a machine that has no firmware to start the boot loader with: its kernel and
 * initial RAM disk are copied out of it, into Longmode's own folder.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { BootChoice, BootFiles } from '../../contract/services/images.ts'
import { findBootEntries, readBootFiles } from '../../host/disk/files/boot-entries.ts'

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
    mkdirSync(own, { recursive: true })
    return {
      kernel: place(path.join(own, `vmlinuz-${version}`), kernel),
      ...(initrd === undefined ? {} : { initrd: place(path.join(own, `initrd-${version}`), initrd) }),
      append,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw TroubleError.user(`the kernel of ${path.basename(image)} could not be copied out: ${reason}`, reason)
  }
}

/** All or nothing: a machine may be reading the one before. */
function place(file: string, bytes: Uint8Array): string {
  const fresh = `${file}.new`
  try {
    writeFileSync(fresh, bytes)
    renameSync(fresh, file)
  } finally {
    rmSync(fresh, { force: true })
  }
  return file
}
