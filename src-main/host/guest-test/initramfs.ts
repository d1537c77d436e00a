/** The initramfs of a guest that tests a kernel: the default guest's, and over it an init that loads no modules. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { unpacked } from '../../base/unpacked.ts'
import { writeCpio } from '../default-guest/cpio.ts'
import { defaultGuest } from '../default-guest/default-guest.ts'

const init = unpacked(path.resolve(import.meta.dirname, '../../../resources/guest-test/init'))

/**
 * Writes it to `file`. The kernel unpacks archives that stand one behind the other into the same root, later files over earlier ones
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Throws RecipeError when the default guest cannot be made.
 */
export async function writeTestInitramfs(file: string, progress: (text: string) => void): Promise<void> {
  const guest = await defaultGuest(progress)
  const over = writeCpio([{ kind: 'file', name: 'init', mode: 0o755, data: readFileSync(init) }])
  writeFileSync(file, Buffer.concat([readFileSync(guest.initrd), gzipSync(over)]))
}
