/** Where the workbench keeps what belongs to a tree but must not lie in it: logs, undo records, the last build's headers. */
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** The user's state folder (XDG base directory specification, and the other systems' customs). */
function stateFolder(): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env
  if (XDG_STATE_HOME !== undefined && path.isAbsolute(XDG_STATE_HOME)) return path.join(XDG_STATE_HOME, 'longmode')
  if (process.platform === 'win32' && LOCALAPPDATA !== undefined) return path.join(LOCALAPPDATA, 'longmode')
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library/Application Support/longmode')
  return path.join(os.homedir(), '.local/state/longmode')
}

/** The folder for a tree (or for its output folder); made when it is not there. */
export function treeState(folder: string): string {
  const key = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  const made = path.join(stateFolder(), 'trees', `${path.basename(folder)}-${key}`)
  mkdirSync(made, { recursive: true })
  return made
}

/** All or nothing: a reader sees the old file or the new one. */
export function writeWhole(file: string, data: string | Uint8Array): void {
  const fresh = `${file}.${process.pid}.new`
  writeFileSync(fresh, data)
  renameSync(fresh, file)
}
