/** The shell of a browser: it has no dialogs of ours and shows notes itself; the file manager is the system's. */
import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { Shell } from '../shell.ts'

const openers: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: 'open',
  linux: 'xdg-open',
  win32: 'explorer',
}

/** Starts the system's opener; the program itself ends at once. */
function openWith(target: string): Promise<void> {
  const opener = openers[process.platform]
  const failed = () => TroubleError.user(`there is no file manager to open here; the place is ${target}`)
  if (opener === undefined) return Promise.reject(failed())
  return new Promise((resolve, reject) => {
    const child = spawn(opener, [target], { stdio: 'ignore', detached: true })
    child.once('error', () => reject(failed()))
    child.once('exit', (code) => (code === 0 || process.platform === 'win32' ? resolve() : reject(failed())))
    child.unref()
  })
}

export const browserShell: Shell = {
  carrier: 'browser',
  choose: () =>
    Promise.reject(TroubleError.user('a browser has no file dialog for this computer; choose the file in the list')),
  openPage: (url) => openWith(url),
  reveal: async (place) => {
    const stats = await stat(place).catch(() => undefined)
    if (stats === undefined) throw TroubleError.user(`${place} does not exist any more`)
    await openWith(stats.isDirectory() ? place : path.dirname(place))
  },
  notify: () => undefined,
}
