import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeCpio, type CpioEntry } from '../../../src-main/host/default-guest/cpio.ts'
import { defaultGuest } from '../../../src-main/host/default-guest/default-guest.ts'

function program(scratch: string, source: string, name: string): CpioEntry {
  const file = path.join(scratch, `${name}-tool`)
  execFileSync('gcc', ['-O2', '-static', '-o', file, path.join(import.meta.dirname, source)])
  return { kind: 'file', name: `bench/${name}`, mode: 0o755, data: readFileSync(file) }
}

/** The share tool (tool.c) as an entry of an initramfs, at /bench/share. */
export const shareTool = (scratch: string): CpioEntry => program(scratch, 'tool.c', 'share')
/** The one for unusual files (corners.c), at /bench/corners. */
export const cornersTool = (scratch: string): CpioEntry => program(scratch, 'corners.c', 'corners')

/** Flags of the default guest with the share tool in it, for Longmode and QEMU. */
export async function shareGuestFlags(scratch: string, append = 'quiet', more: CpioEntry[] = []): Promise<string[]> {
  const guest = await defaultGuest((text) => console.log(text))
  const archive = writeCpio([{ kind: 'folder', name: 'bench' }, shareTool(scratch), ...more])
  const initrd = path.join(scratch, 'share-initramfs.gz')
  // The kernel unpacks archives that follow each other, each compressed on its own.
  writeFileSync(initrd, Buffer.concat([readFileSync(guest.initrd), gzipSync(archive)]))
  const words = `${guest.append} ${append}`
  return ['-nographic', '-m', '512M', '-cpu', 'max', '-kernel', guest.kernel, '-initrd', initrd, '-append', words]
}
