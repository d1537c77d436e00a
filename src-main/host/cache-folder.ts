import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** The user's cache folder, as the XDG base directory specification and the other systems' customs name it. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env
  if (XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME)) return path.join(XDG_CACHE_HOME, 'longmode')
  if (process.platform === 'win32' && LOCALAPPDATA !== undefined) return path.join(LOCALAPPDATA, 'longmode')
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library/Caches/longmode')
  return path.join(os.homedir(), '.cache/longmode')
}
