/** Where Longmode keeps what belongs to the user: machines, settings, uploads. */
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** The user's data folder by each system's custom; LONGMODE_DATA names another. */
export function dataFolder(): string {
  const { LONGMODE_DATA, XDG_DATA_HOME, APPDATA } = process.env
  if (LONGMODE_DATA !== undefined && path.isAbsolute(LONGMODE_DATA)) return LONGMODE_DATA
  if (process.platform === 'win32' && APPDATA !== undefined) return path.join(APPDATA, 'longmode')
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library/Application Support/longmode')
  if (XDG_DATA_HOME !== undefined && path.isAbsolute(XDG_DATA_HOME)) return path.join(XDG_DATA_HOME, 'longmode')
  return path.join(os.homedir(), '.local/share/longmode')
}
