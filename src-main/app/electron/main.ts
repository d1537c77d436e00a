/**
 * Electron's main process. Nothing waits at the top level: Electron is ready only after this module has been evaluated.
 * A second start hands its files and flags over to the first and ends.
 */
import path from 'node:path'
import process from 'node:process'
import { app, protocol } from 'electron'
import { dataFolder } from '../data-folder.ts'
import { PAGE_SCHEME } from './channel.ts'
import { DesktopApp } from './desktop-app.ts'

app.setName('Longmode')
app.setPath('userData', path.join(dataFolder(), 'electron'))
protocol.registerSchemesAsPrivileged([
  { scheme: PAGE_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
])

/** The words of a command line that are for us: without the program and, in a checkout, the folder that Electron was given. */
const ownWords = (words: readonly string[]) => words.slice(app.isPackaged ? 1 : 2)

function start(): void {
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }
  const desktop = new DesktopApp(dataFolder())
  app.on('second-instance', (_event, words, folder) => void desktop.handOver(ownWords(words), folder))
  app.on('open-file', (event, file) => {
    event.preventDefault()
    desktop.open([file])
  })
  app
    .whenReady()
    .then(() => desktop.start())
    .then(() => desktop.handOver(ownWords(process.argv), process.cwd()))
    .catch((error: unknown) => {
      process.stderr.write(`longmode: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      app.exit(1)
    })
}

start()
