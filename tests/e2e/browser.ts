/** The served app in Debian's Chromium: pages, real drops, and what a test may look at. */
import { statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright'
import { Application, type ApplicationOptions } from '../../src-main/app/application.ts'
import { buildWindow } from '../../src-main/app/build/window.ts'
import { browserShell } from '../../src-main/app/serve/browser-shell.ts'
import { serve, type Served } from '../../src-main/app/serve/server.ts'
import { rendererFolder } from '../../src-main/app/static-files.ts'

/** The system's Chromium; its sandbox needs another user than root. */
export function launchBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  // Without WebGL xterm draws its lines as text, which a test can read; the window falls back by itself.
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: [...args, '--disable-3d-apis'] })
}

export class ServedApp {
  readonly application: Application
  readonly served: Served
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []

  private constructor(application: Application, served: Served, browser: Browser) {
    this.application = application
    this.served = served
    this.#browser = browser
  }

  static async start(browser: Browser, folder: string, options: Omit<ApplicationOptions, 'shell' | 'folder'> = {}) {
    const problem = await buildWindow(() => undefined)
    if (problem !== undefined) throw new Error(problem)
    const application = new Application({ shell: browserShell, folder, ...options })
    await application.load()
    const served = await serve({ folder: rendererFolder, port: 0, connect: (send) => application.host.connect(send) })
    return new ServedApp(application, served, browser)
  }

  /** A new window. What it reports as an error fails the test that closes it. */
  async open(): Promise<{ page: Page; errors: string[] }> {
    const context = await this.#browser.newContext({ viewport: { width: 1200, height: 780 }, locale: 'en-US' })
    this.#contexts.push(context)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    await page.goto(this.served.url)
    return { page, errors }
  }

  async close(): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()))
    await this.served.close()
    await this.application.close()
  }
}

/** Drags real files over the middle of the page and drops them, as the system would. */
export async function dropFiles(page: Page, files: readonly string[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  const data = { items: [], files: files.map((file) => path.resolve(file)), dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  }
  await devtools.detach()
}

/** The lines that the first console shows now. */
export const consoleLines = (page: Page) => page.locator('.xterm-rows').first().locator('> div').allInnerTexts()

/** Chooses a file or folder in the window's own picker. */
export async function chooseFile(page: Page, file: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  const isFolder = statSync(file).isDirectory()
  const folder = dialog.getByRole('textbox', { name: 'Folder' })
  await folder.fill(isFolder ? file : path.dirname(file))
  await folder.press('Enter')
  if (isFolder) {
    await dialog.getByRole('button', { name: 'Choose this folder' }).click()
    return
  }
  await dialog.getByRole('button', { name: path.basename(file) }).click()
  await dialog.getByRole('button', { name: 'Open', exact: true }).click()
}
