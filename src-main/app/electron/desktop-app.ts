/** The application in a window of Electron: one window, its menu, its carrier, and the way to a quiet end. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, session } from 'electron'
import type { Connection } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import { Application } from '../application.ts'
import { importFlags } from '../machines/command-line.ts'
import { contentSecurityPolicy, rendererFolder, staticFile } from '../static-files.ts'
import { MESSAGE_CHANNEL, OPEN_CHANNEL, PAGE_SCHEME, PAGE_URL } from './channel.ts'
import { menuTemplate } from './menu.ts'
import { isOurPage, isTrustedSender, restrictContents, restrictSession } from './security.ts'
import { electronShell, openKnownPage } from './shell.ts'
import { dialogWords } from './words.ts'
import { readWindowState, writeWindowState } from './window-state.ts'

const preload = fileURLToPath(new URL('./preload.cjs', import.meta.url))

export class DesktopApp {
  readonly #application: Application
  readonly #stateFile: string
  #window: BrowserWindow | undefined
  #connection: Connection | undefined
  #stateWritten: Promise<void> = Promise.resolve()
  /** No machine runs any more and everything is saved: the program may end. */
  #closed = false
  /** It is being asked whether to end, or it is ending. */
  #quitting = false

  constructor(folder: string) {
    this.#application = new Application({
      shell: electronShell(() => this.#language()),
      folder,
      settingsChanged: () => this.#setMenu(),
    })
    this.#stateFile = path.join(folder, 'window.json')
  }

  /** Electron is ready: loads the library and opens the window. */
  async start(): Promise<void> {
    restrictSession(session.defaultSession)
    restrictContents(app, openKnownPage)
    protocol.handle(PAGE_SCHEME, (request) => this.#page(request))
    this.#carry()
    app.on('before-quit', (event) => this.#beforeQuit(event))
    app.on('window-all-closed', () => app.quit())
    app.on('activate', () => {
      if (this.#window === undefined) this.#openWindow()
    })
    await this.#application.load()
    this.#setMenu()
    this.#openWindow()
  }

  /** Shows files in the window: what they are, and what machine they make. */
  open(paths: readonly string[]): void {
    this.#application.openLater({ paths })
    this.#focus()
  }

  /** What a start of the program was given: flags make a machine, anything else is a file. */
  async handOver(words: readonly string[], folder: string): Promise<void> {
    if (words.length === 0) return this.#focus()
    if (!words[0].startsWith('-')) return this.open(words.map((word) => path.resolve(folder, word)))
    try {
      const { config, notes } = importFlags(words, folder)
      const { id } = await this.#application.library.add(config)
      this.#application.openLater({ paths: [], machine: id })
      for (const sentence of notes) this.#application.tell({ cause: 'user', sentence })
    } catch (error) {
      if (!(error instanceof TroubleError)) throw error
      this.#application.tell(error.trouble)
    }
    this.#focus()
  }

  #focus(): void {
    if (this.#window?.isMinimized() === true) this.#window.restore()
    this.#window?.focus()
  }

  async #page(request: Request): Promise<Response> {
    // The page needs no connection but Electron's own.
    const policy = contentSecurityPolicy("'none'")
    if (!isOurPage(request.url)) return new Response(null, { status: 403 })
    // The URL is taken as it stands: `new URL` would resolve the dots that are to be refused.
    const urlPath = /^\w+:\/\/[^/]+(\/.*)$/s.exec(request.url)?.[1] ?? '/'
    const { status, headers, body } = await staticFile(rendererFolder, urlPath, policy)
    return new Response(new Uint8Array(body), { status, headers: { ...headers } })
  }

  /** Each load of the page is a new connection; the one before has ended with its page. */
  #carry(): void {
    ipcMain.on(OPEN_CHANNEL, (event) => {
      if (!isTrustedSender(event)) return
      this.#connection?.end()
      const { sender } = event
      this.#connection = this.#application.host.connect((message) => {
        if (!sender.isDestroyed()) sender.send(MESSAGE_CHANNEL, message)
      })
    })
    ipcMain.on(MESSAGE_CHANNEL, (event, message: unknown) => {
      if (isTrustedSender(event)) this.#connection?.receive(message)
    })
  }

  #language(): string {
    const { language } = this.#application.settings.current
    return language === 'system' ? app.getLocale() : language
  }

  #setMenu(): void {
    const template = menuTemplate(
      (command) => this.#application.host.emit('application', 'command', command),
      this.#language(),
    )
    Menu.setApplicationMenu(Menu.buildFromTemplate(template))
  }

  #openWindow(): void {
    const state = readWindowState(
      this.#stateFile,
      screen.getAllDisplays().map(({ workArea }) => workArea),
    )
    const { maximized, ...bounds } = state
    const window = new BrowserWindow({
      ...bounds,
      minWidth: 640,
      minHeight: 420,
      show: false,
      title: 'Longmode',
      webPreferences: { preload, contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true },
    })
    this.#window = window
    if (maximized) window.maximize()
    window.once('ready-to-show', () => window.show())
    window.on('close', () => {
      // Losing the place is no reason to complain.
      const written = writeWindowState(this.#stateFile, window.getNormalBounds(), window.isMaximized())
      this.#stateWritten = written.catch(() => undefined)
    })
    window.on('closed', () => {
      this.#window = undefined
      this.#connection?.end()
      this.#connection = undefined
    })
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason === 'clean-exit') return
      this.#connection?.end()
      this.#connection = undefined
      this.#application.tell({
        cause: 'bug',
        sentence: `the window crashed (${reason}) and was loaded again; the machines went on`,
      })
      window.webContents.reload()
    })
    void window.loadURL(PAGE_URL)
  }

  #beforeQuit(event: { preventDefault(): void }): void {
    if (this.#closed) return
    event.preventDefault()
    if (this.#quitting) return
    this.#quitting = true
    void this.#quit().finally(() => (this.#quitting = false))
  }

  /** Asks when machines run, ends them with their disks flushed, and then quits. */
  async #quit(): Promise<void> {
    const running = this.#application.library
      .list()
      .filter(({ status }) => status.state === 'running' || status.state === 'paused')
    if (running.length > 0) {
      const words = dialogWords(this.#language())
      const { response } = await dialog.showMessageBox({
        type: 'question',
        message: words.running(running.map(({ config }) => config.name)),
        detail: words.quitDetail,
        buttons: [words.quit, words.stay],
        defaultId: 1,
        cancelId: 1,
      })
      if (response === 1) {
        if (this.#window === undefined) this.#openWindow()
        return
      }
    }
    await Promise.all([this.#application.close(), this.#stateWritten])
    this.#closed = true
    app.quit()
  }
}
