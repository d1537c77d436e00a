import { constants, openSync } from 'node:fs'
import type { HostFolder } from '../ninep/host-folder.ts'
import { loadLibc } from './folder-libc.ts'
import { LinuxFolder, O_CLOEXEC, O_PATH } from './folder-linux.ts'

/**
 * Opens the host folder of a share. Throws Node's error when there is no such directory. On Linux with libc's calls at hand the folder is walked
 * by descriptor and nothing can lead outside; elsewhere PortableFolder does what node:fs can (see there what it cannot promise).
 */
export function openFolder(path: string): HostFolder {
  const fd = openSync(path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC)
  return new LinuxFolder(loadLibc(), fd)
}
