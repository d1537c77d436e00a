/** The shell of Electron: the system's dialogs, browser, file manager and notifications. */
import { stat } from 'node:fs/promises'
import { BrowserWindow, dialog, Notification, shell, type FileFilter, type OpenDialogOptions } from 'electron'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { FilePurpose } from '../../contract/services/files.ts'
import { isKnownPage } from '../services/application.ts'
import type { ChooseOptions, Shell } from '../shell.ts'

interface Dialog {
  readonly title: string
  readonly kind: 'file' | 'folder' | 'save'
  readonly filters?: readonly FileFilter[]
}

const images: FileFilter = { name: 'Disk images', extensions: ['img', 'raw', 'qcow2', 'iso'] }
const all: FileFilter = { name: 'All files', extensions: ['*'] }

const dialogs: Readonly<Record<FilePurpose, Dialog>> = {
  kernel: { title: 'Choose a kernel', kind: 'file' },
  initrd: { title: 'Choose an initramfs', kind: 'file' },
  disk: { title: 'Choose a disk image', kind: 'file', filters: [images, all] },
  folder: { title: 'Choose a folder to share', kind: 'folder' },
  'kernel-tree': { title: 'Choose a kernel tree', kind: 'folder' },
  any: { title: 'Open files', kind: 'file' },
  symbols: { title: 'Choose a vmlinux or System.map', kind: 'file' },
  'save-log': { title: 'Save the console', kind: 'save', filters: [{ name: 'Text', extensions: ['txt', 'log'] }, all] },
  'save-disk': { title: 'New disk image', kind: 'save', filters: [images, all] },
}

async function choose({ purpose, multiple, name }: ChooseOptions): Promise<readonly string[] | undefined> {
  const { title, kind, filters } = dialogs[purpose]
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows().at(0)
  const common = { title, ...(filters === undefined ? {} : { filters: [...filters] }) }
  if (kind === 'save') {
    const options = { ...common, ...(name === undefined ? {} : { defaultPath: name }) }
    const { canceled, filePath } = await (window === undefined
      ? dialog.showSaveDialog(options)
      : dialog.showSaveDialog(window, options))
    return canceled ? undefined : [filePath]
  }
  const properties: OpenDialogOptions['properties'] = [kind === 'folder' ? 'openDirectory' : 'openFile']
  if (multiple) properties.push('multiSelections')
  const options = { ...common, properties }
  const { canceled, filePaths } = await (window === undefined
    ? dialog.showOpenDialog(options)
    : dialog.showOpenDialog(window, options))
  return canceled ? undefined : filePaths
}

/** Opens a page in the user's browser when it is one that the program knows; anything else is dropped. */
export function openKnownPage(url: string): void {
  if (isKnownPage(url)) void shell.openExternal(url)
}

export const electronShell: Shell = {
  carrier: 'electron',
  choose,
  openPage: (url) => shell.openExternal(url),
  reveal: async (place) => {
    const stats = await stat(place).catch(() => undefined)
    if (stats === undefined) throw TroubleError.user(`${place} does not exist any more`)
    if (!stats.isDirectory()) return shell.showItemInFolder(place)
    const problem = await shell.openPath(place)
    if (problem !== '') throw TroubleError.user(`${place} could not be opened: ${problem}`)
  },
  notify: (title, text) => new Notification({ title, body: text }).show(),
}
