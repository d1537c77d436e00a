/**
 * Looks at what a command line names before a machine is started, so that the usual mistakes end in one plain sentence at once.
 * A sentence means: it cannot work (exit 1). What only the engine can find out (a locked image, say) it reports by itself.
 */
import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import net from 'node:net'
import { recognise, RECOGNISE_BYTES } from '../boot/recognise.ts'
import type { DiskConfig, MachineConfig } from '../machine/config.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist (a part of its path is a file)',
  EACCES: 'may not be opened by this user',
  EPERM: 'may not be opened by this user',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a symbolic link that leads back to itself',
  EROFS: 'lies on a read-only file system',
  ETXTBSY: 'is in use',
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return Object.hasOwn(reasons, code) ? reasons[code] : `cannot be opened (${code || String(error)})`
}

function statOf(flag: string, file: string): Stats | string {
  try {
    return statSync(file)
  } catch (error) {
    return `${flag} ${file}: ${reasonOf(error)}`
  }
}

/** The first bytes of a file and its size, or the sentence why not. */
function headOf(flag: string, file: string, mode: 'r' | 'r+'): { head: Uint8Array; size: number } | string {
  const stats = statOf(flag, file)
  if (typeof stats === 'string') return stats
  if (stats.isDirectory()) return `${flag} ${file}: ${reasons.EISDIR}`
  try {
    const fd = openSync(file, mode)
    try {
      const head = new Uint8Array(RECOGNISE_BYTES)
      return { head: head.subarray(0, readSync(fd, head)), size: stats.size }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return `${flag} ${file}: ${reasonOf(error)}`
  }
}

function checkKernel(file: string): string | undefined {
  const found = headOf('-kernel', file, 'r')
  if (typeof found === 'string') return found
  const { role, description } = recognise(found.head, found.size)
  if (role === 'kernel') return undefined
  return `-kernel ${file}: this is ${description}; give a bzImage, a vmlinux or a multiboot image`
}

function checkDisk(disk: DiskConfig): string | undefined {
  const found = headOf('-drive', disk.file, disk.readOnly || disk.snapshot ? 'r' : 'r+')
  if (typeof found === 'string') return found
  const isQcow2 = recognise(found.head, found.size).kind === 'qcow2'
  if (disk.format === 'qcow2' && !isQcow2) return `-drive ${disk.file}: this is no qcow2 image; give format=raw`
  return undefined
}

function portInUse(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}

/**
 * The first thing that stands in the way, as a sentence that names its flag; undefined when nothing does. `needsKernel` is false for a
 * machine whose kernel comes later.
 */
export async function checkFiles(machine: MachineConfig, needsKernel = true): Promise<string | undefined> {
  if (needsKernel && machine.kernel === undefined) {
    return 'there is nothing to start: give -kernel FILE (a disk alone does not start, for there is no BIOS here)'
  }
  const kernel = machine.kernel === undefined ? undefined : checkKernel(machine.kernel)
  if (kernel !== undefined) return kernel
  if (machine.initrd !== undefined) {
    const initrd = headOf('-initrd', machine.initrd, 'r')
    if (typeof initrd === 'string') return initrd
    if (initrd.size >= machine.memory) return `-m: the initrd alone (${initrd.size} bytes) is larger than the memory`
  }
  for (const disk of machine.disks) {
    const sentence = checkDisk(disk)
    if (sentence !== undefined) return sentence
  }
  for (const share of machine.shares) {
    const stats = statOf('shared folder', share.path)
    if (typeof stats === 'string') return stats
    if (!stats.isDirectory()) return `shared folder ${share.path}: is a file, not a folder`
  }
  if (machine.gdbPort !== undefined && (await portInUse(machine.gdbPort))) {
    return `-gdb: port ${machine.gdbPort} of 127.0.0.1 is in use; give another with -gdb tcp::PORT`
  }
  return undefined
}
