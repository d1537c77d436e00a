/** The shell of Electron: the system's dialogs, browser, file manager and notifications. */
import { stat } from 'node:fs/promises'
import { BrowserWindow, dialog, Notification, shell, type FileFilter, type OpenDialogOptions } from 'electron'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { FilePurpose } from '../../contract/services/files.ts'
import { isKnownPage } from '../services/application.ts'
import type { ChooseOptions, Shell } from '../shell.ts'
import { dialogWords, type DialogWords } from './words.ts'

interface Dialog {
  readonly kind: 'file' | 'folder' | 'save'
  readonly filter?: 'images' | 'text'
}

const dialogs: Readonly<Record<FilePurpose, Dialog>> = {
  kernel: { kind: 'file' },
  initrd: { kind: 'file' },
  disk: { kind: 'file', filter: 'images' },
  folder: { kind: 'folder' },
  'kernel-tree': { kind: 'folder' },
  any: { kind: 'file' },
  symbols: { kind: 'file' },
  'save-log': { kind: 'save', filter: 'text' },
  'save-disk': { kind: 'save', filter: 'images' },
}
const extensions = { images: ['img', 'raw', 'qcow2', 'iso'], text: ['txt', 'log'] }

function filtersOf(filter: Dialog['filter'], words: DialogWords): FileFilter[] | undefined {
  if (filter === undefined) return undefined
  return [
    { name: words[filter], extensions: extensions[filter] },
    { name: words.all, extensions: ['*'] },
  ]
}

async function choose(
  { purpose, multiple, name }: ChooseOptions,
  words: DialogWords,
): Promise<readonly string[] | undefined> {
  const { kind, filter } = dialogs[purpose]
  const filters = filtersOf(filter, words)
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows().at(0)
  const common = { title: words.titles[purpose], ...(filters === undefined ? {} : { filters }) }
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

/** `language` is asked for at each dialog. */
export const electronShell = (language: () => string): Shell => ({
  carrier: 'electron',
  choose: (options) => choose(options, dialogWords(language())),
  openPage: (url) => shell.openExternal(url),
  reveal: async (place) => {
    const stats = await stat(place).catch(() => undefined)
    if (stats === undefined) throw TroubleError.user(`${place} does not exist any more`)
    if (!stats.isDirectory()) return shell.showItemInFolder(place)
    const problem = await shell.openPath(place)
    if (problem !== '') throw TroubleError.user(`${place} could not be opened: ${problem}`)
  },
  notify: (title, text) => new Notification({ title, body: text }).show(),
})
