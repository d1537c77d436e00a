import { constants, openSync } from 'node:fs'
import { silentLog } from '../base/log.ts'
import type { Log } from '../base/log.ts'
import type { HostFolder } from '../ninep/host-folder.ts'
import { loadLibc } from './folder-libc.ts'
import { LinuxFolder, O_CLOEXEC, O_PATH } from './folder-linux.ts'
import { PortableFolder } from './folder-portable.ts'

/**
 * Opens the host folder of a share. Throws Node's error when there is no such directory. On Linux with libc's calls at hand the folder is walked
 * by descriptor and nothing can lead outside; elsewhere PortableFolder does what node:fs can (see there what it cannot promise).
 */
export function openFolder(path: string, log: Log = silentLog): HostFolder {
  if (process.platform !== 'linux') {
    return new PortableFolder(path, process.platform === 'win32' ? 'win32' : 'darwin')
  }
  const libc = tryLibc(log)
  if (libc === undefined) return new PortableFolder(path, 'linux')
  return new LinuxFolder(libc, openSync(path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC))
}

/** Undefined, with the reason in the log, where the C library lacks a call we need (musl) or koffi has no binary for this machine. */
function tryLibc(log: Log): ReturnType<typeof loadLibc> | undefined {
  try {
    return loadLibc()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(
      'host',
      `the share does without libc's calls (no special files, extended attributes, host locks): ${reason}`,
    )
    return undefined
  }
}
