/**
 * Electron's main process. Nothing waits at the top level: Electron is ready only after this module has been evaluated.
 * A second start hands its files and flags over to the first and ends.
 */
import path from 'node:path'
import process from 'node:process'
import { app, protocol } from 'electron'
import { ELECTRON_V8_WORD } from '../build/v8-flags.ts'
import { dataFolder } from '../data-folder.ts'
import { PAGE_SCHEME } from './channel.ts'
import { DesktopApp } from './desktop-app.ts'

app.setName('Longmode')
app.setPath('userData', path.join(dataFolder(), 'electron'))
protocol.registerSchemesAsPrivileged([
  { scheme: PAGE_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
])

/**
 * The words of our command line that are for us: without the program, the flags for V8 that the menu entry gives and, in a checkout, the
 * folder that Electron was given.
 */
function ownWords(): string[] {
  return process.argv.filter((word) => word !== ELECTRON_V8_WORD).slice(app.isPackaged ? 1 : 2)
}

interface HandedOver {
  readonly words: readonly string[]
  readonly folder: string
}

function start(): void {
  // Chromium puts a second start's words into another order and adds its own; what we give it arrives as it is.
  const handedOver: HandedOver = { words: ownWords(), folder: process.cwd() }
  if (!app.requestSingleInstanceLock(handedOver)) {
    app.quit()
    return
  }
  const desktop = new DesktopApp(dataFolder())
  app.on('second-instance', (_event, _words, _folder, given) => {
    const { words, folder } = given as HandedOver
    void desktop.handOver(words, folder)
  })
  app.on('open-file', (event, file) => {
    event.preventDefault()
    desktop.open([file])
  })
  app
    .whenReady()
    .then(() => desktop.start())
    .then(() => desktop.handOver(handedOver.words, handedOver.folder))
    .catch((error: unknown) => {
      process.stderr.write(`longmode: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      app.exit(1)
    })
}

start()
