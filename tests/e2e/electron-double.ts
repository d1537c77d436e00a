/**
 * The part of Electron that our main process uses, over Playwright and Chromium, and as strict: nothing that needs the ready event works
 * before it, a scheme is registered before it, the preload script runs in the page with `require('electron')` alone. The page's own scheme
 * cannot be served to a stock browser; it stands at PAGE_ORIGIN, and everything that the main process sees of it says app://longmode.
 */
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Browser, BrowserContext, Frame, Page } from 'playwright'
import { toJavaScript } from '../../src-main/app/build/javascript.ts'

const PAGE_ORIGIN = 'https://longmode.invalid'
const toApp = (url: string) => url.replace(PAGE_ORIGIN, 'app://longmode')
const fromApp = (url: string) => url.replace(/^app:\/\/longmode/, PAGE_ORIGIN)

type Handler = (request: Request) => Promise<Response>

/** What tests set and look at. */
export const double = {
  browser: undefined as Browser | undefined,
  isFirstInstance: true,
  isReady: false,
  /** What a second start gave the first. */
  handedOver: undefined as unknown,
  quits: 0,
  /** Answers of dialogs, the next first. */
  dialogAnswers: [] as unknown[],
  dialogs: [] as unknown[],
  opened: [] as string[],
  notes: [] as unknown[],
  menu: [] as MenuItem[],
  /** What the page's files were dropped from: by name. */
  paths: {} as Record<string, string>,
  schemes: [] as string[],
  pages: new Map<string, Handler>(),
  becomeReady(): void {
    this.isReady = true
    readiness.resolve(undefined)
  },
}
const readiness = Promise.withResolvers<undefined>()

interface MenuItem {
  readonly id?: string
  readonly label?: string
  readonly accelerator?: string
  readonly registerAccelerator?: boolean
  readonly submenu?: readonly MenuItem[]
  click?(): void
}

function needReady(what: string): void {
  if (!double.isReady) throw new Error(`${what} cannot be used before app is ready`)
}

class Cancellable {
  defaultPrevented = false
  preventDefault(): void {
    this.defaultPrevented = true
  }
}

class App extends EventEmitter {
  readonly isPackaged = false
  setName(): void {
    // The name shows nowhere here.
  }
  setPath(): void {
    if (double.isReady) throw new Error('userData must be set before app is ready')
  }
  getLocale(): string {
    return 'en-US'
  }
  requestSingleInstanceLock(given: unknown): boolean {
    double.handedOver = given
    return double.isFirstInstance
  }
  whenReady(): Promise<unknown> {
    return readiness.promise
  }
  exit(code: number): void {
    throw new Error(`app.exit(${code})`)
  }
  quit(): void {
    const event = new Cancellable()
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    double.quits++
    for (const window of [...windows]) window.destroy()
  }
}
export const app = new App()

export const ipcMain = new EventEmitter()

export const protocol = {
  registerSchemesAsPrivileged(schemes: readonly { scheme: string }[]): void {
    if (double.isReady) throw new Error('schemes are registered before app is ready')
    double.schemes.push(...schemes.map(({ scheme }) => scheme))
  },
  handle(scheme: string, handler: Handler): void {
    needReady('protocol')
    double.pages.set(scheme, handler)
  },
}

type Answer = (allowed: boolean) => void
class Session {
  request: ((contents: unknown, permission: string, answer: Answer) => void) | undefined
  check: ((contents: unknown, permission: string, origin: string) => boolean) | undefined
  setPermissionRequestHandler(handler: typeof this.request): void {
    this.request = handler
  }
  setPermissionCheckHandler(handler: typeof this.check): void {
    this.check = handler
  }
}
export const session = { defaultSession: new Session() }

export const Menu = {
  buildFromTemplate: (template: MenuItem[]) => template,
  setApplicationMenu(menu: MenuItem[]): void {
    needReady('Menu')
    double.menu = menu
  },
}

const answerDialog = (...args: unknown[]) => {
  double.dialogs.push(args.at(-1))
  return Promise.resolve(double.dialogAnswers.shift())
}
export const dialog = { showOpenDialog: answerDialog, showSaveDialog: answerDialog, showMessageBox: answerDialog }

export const shell = {
  openExternal: (url: string) => Promise.resolve(void double.opened.push(url)),
  openPath: (place: string) => Promise.resolve((double.opened.push(place), '')),
  showItemInFolder: (place: string) => void double.opened.push(place),
}

export const screen = {
  getAllDisplays() {
    needReady('screen')
    return [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }]
  },
}

export class Notification {
  readonly #options: unknown
  constructor(options: unknown) {
    needReady('Notification')
    this.#options = options
  }
  show(): void {
    double.notes.push(this.#options)
  }
}

/** A frame as the main process sees it; one object for each, so that they can be compared. */
const frames = new WeakMap<Frame, { readonly url: string }>()
function frameOf(frame: Frame): { readonly url: string } {
  const known = frames.get(frame) ?? {
    get url() {
      return toApp(frame.url())
    },
  }
  frames.set(frame, known)
  return known
}

export class WebContents extends EventEmitter {
  page: Page | undefined
  openHandler: ((details: { url: string }) => { action: string }) | undefined
  readonly session = session.defaultSession
  #queue: Promise<unknown> = Promise.resolve()

  get mainFrame(): { readonly url: string } | undefined {
    return this.page === undefined ? undefined : frameOf(this.page.mainFrame())
  }
  getURL(): string {
    return this.mainFrame?.url ?? ''
  }
  isDestroyed(): boolean {
    return this.page?.isClosed() ?? true
  }
  setWindowOpenHandler(handler: typeof this.openHandler): void {
    this.openHandler = handler
  }
  /** In order; what is sent to a page that has gone is lost. */
  send(channel: string, message: unknown): void {
    const { page } = this
    const deliver = () =>
      page?.evaluate(([to, what]) => (globalThis as never as PageSide).doubleReceive(to, what), [
        channel,
        message,
      ] as const)
    this.#queue = this.#queue.then(deliver).catch(() => undefined)
  }
  reload(): void {
    void this.page?.reload()
  }
}

interface PageSide {
  doubleReceive(channel: string, message: unknown): void
}

/** What stands around the preload script in the page. */
const around = (preload: string, paths: Readonly<Record<string, string>>) => `{
  const listeners = new Map()
  globalThis.doubleReceive = (channel, message) => { for (const listener of listeners.get(channel) ?? []) listener({}, message) }
  const electron = {
    contextBridge: { exposeInMainWorld: (name, api) => Object.defineProperty(globalThis, name, { value: Object.freeze(api) }) },
    ipcRenderer: {
      send: (channel, message) => void globalThis.doubleSend(channel, message),
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
    },
    webUtils: { getPathForFile: (file) => (${JSON.stringify(paths)})[file.name] ?? '' },
  }
  const require = (name) => { if (name === 'electron') return electron; throw new Error('a sandboxed preload cannot load ' + name) }
  void ((require) => { ${preload} })(require)
}`

interface WindowOptions {
  readonly webPreferences: { readonly preload: string; readonly [name: string]: unknown }
  readonly [name: string]: unknown
}

const windows = new Set<BrowserWindow>()

export class BrowserWindow extends EventEmitter {
  readonly options: WindowOptions
  readonly webContents = new WebContents()
  isShown = false
  #context: BrowserContext | undefined

  constructor(options: WindowOptions) {
    super()
    needReady('BrowserWindow')
    this.options = options
    windows.add(this)
    app.emit('web-contents-created', {}, this.webContents)
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows]
  }
  static getFocusedWindow(): BrowserWindow | null {
    return [...windows].at(-1) ?? null
  }

  async loadURL(url: string): Promise<void> {
    this.#context = await double.browser!.newContext({ viewport: { width: 1200, height: 780 }, locale: 'en-US' })
    const page = await this.#context.newPage()
    this.webContents.page = page
    await page.exposeBinding('doubleSend', ({ frame }: { frame: Frame }, channel: string, message: unknown) => {
      ipcMain.emit(channel, { sender: this.webContents, senderFrame: frameOf(frame) }, message)
    })
    const { preload } = this.options.webPreferences
    const script = toJavaScript(readFileSync(preload.replace(/\.cjs$/, '.cts'), 'utf8'))
    await page.addInitScript({ content: around(script, double.paths) })
    await page.route(`${PAGE_ORIGIN}/**`, async (route) => {
      const response = await double.pages.get('app')!(new Request(toApp(route.request().url())))
      await route.fulfill({
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      })
    })
    await page.goto(fromApp(url))
    this.emit('ready-to-show')
  }

  show(): void {
    this.isShown = true
  }
  focus(): void {
    // Which window has the keyboard shows nowhere here.
  }
  isMinimized(): boolean {
    return false
  }
  isMaximized(): boolean {
    return false
  }
  getNormalBounds() {
    return { x: 5, y: 6, width: 1000, height: 700 }
  }
  /** As when the user closes it. */
  close(): void {
    this.emit('close')
    this.destroy()
    if (windows.size === 0) app.emit('window-all-closed')
  }
  destroy(): void {
    if (!windows.delete(this)) return
    // The browser may be closing as well.
    this.#context?.close().catch(() => undefined)
    this.emit('closed')
  }
}

/** The compiler refuses a member of the double that Electron itself does not have; what tests look at is named. */
type Known<Members extends never> = Members
export type OnlyElectron = [
  Known<Exclude<keyof App, keyof Electron.App>>,
  Known<Exclude<keyof typeof protocol, keyof Electron.Protocol>>,
  Known<Exclude<keyof Session, keyof Electron.Session | 'request' | 'check'>>,
  Known<Exclude<keyof typeof Menu, keyof typeof Electron.Menu>>,
  Known<Exclude<keyof typeof dialog, keyof Electron.Dialog>>,
  Known<Exclude<keyof typeof shell, keyof Electron.Shell>>,
  Known<Exclude<keyof typeof screen, keyof Electron.Screen>>,
  Known<Exclude<keyof Notification, keyof Electron.Notification>>,
  Known<Exclude<keyof WebContents, keyof Electron.WebContents | 'page' | 'openHandler'>>,
  Known<Exclude<keyof BrowserWindow, keyof Electron.BrowserWindow | 'options' | 'isShown'>>,
  Known<Exclude<keyof typeof BrowserWindow, keyof typeof Electron.BrowserWindow>>,
]
