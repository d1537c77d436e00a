/** Folders of the host for a picker in a window that has no dialogs of the system. */
import { readdir, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { FolderEntry, FolderListing } from '../../contract/services/files.ts'

/** Entries of one listing; a folder with more is searched by typing its path. */
const MOST_ENTRIES = 2000

export async function listFolder(wanted: string, hidden: boolean): Promise<FolderListing> {
  const folder = wanted === '' ? os.homedir() : path.resolve(os.homedir(), wanted)
  let found
  try {
    found = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    const why: Readonly<Record<string, string>> = {
      ENOENT: 'does not exist',
      ENOTDIR: 'is a file, not a folder',
      EACCES: 'may not be opened by this user',
    }
    throw TroubleError.user(`${folder} ${why[code] ?? `cannot be listed (${code})`}; choose another folder`)
  }
  const shown = found.filter(({ name }) => hidden || !name.startsWith('.'))
  const looked = await Promise.all(shown.slice(0, MOST_ENTRIES).map(({ name }) => entryOf(folder, name)))
  const entries = looked.filter((entry) => entry !== undefined)
  entries.sort((a, b) => (a.kind === b.kind ? a.name.localeCompare(b.name) : a.kind === 'folder' ? -1 : 1))
  const parent = path.dirname(folder)
  return {
    path: folder,
    ...(parent === folder ? {} : { parent }),
    entries,
    more: Math.max(0, shown.length - MOST_ENTRIES),
  }
}

/** undefined: a link to nowhere, or gone meanwhile. */
async function entryOf(folder: string, name: string): Promise<FolderEntry | undefined> {
  const place = path.join(folder, name)
  const stats = await stat(place).catch(() => undefined)
  if (stats === undefined) return undefined
  const isFolder = stats.isDirectory()
  return {
    name,
    path: place,
    kind: isFolder ? 'folder' : 'file',
    size: isFolder ? 0 : stats.size,
    changed: stats.mtimeMs,
  }
}
