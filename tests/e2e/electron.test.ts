/** Electron's main process, its preload script and the built window, over the double of Electron: everything but Electron itself. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { cacheFolder } from '../../src-main/host/cache-folder.ts'
import { buildWindow } from '../../src-main/app/build/window.ts'
import { MESSAGE_CHANNEL, PAGE_URL } from '../../src-main/app/electron/channel.ts'
import { eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { consoleLines, dropFiles, launchBrowser } from './browser.ts'
import * as electron from './electron-double.ts'

vi.mock('electron', () => import('./electron-double.ts'))

const scratch = scratchFolder('electron')
const { app, BrowserWindow, double, ipcMain, session } = electron
let browser: Browser
let page: Page

const window = () => BrowserWindow.getAllWindows()[0]

beforeAll(async () => {
  expect(await buildWindow(() => undefined)).toBeUndefined()
  browser = await launchBrowser()
  double.browser = browser
  process.env.LONGMODE_DATA = scratch
  process.argv = ['electron', 'dist/app']
  double.paths = { 'a.img': path.join(scratch, 'a.img') }
  process.env.XDG_CACHE_HOME = path.dirname(cacheFolder())
  process.env.HOME = scratch
}, 120_000)
afterAll(() => browser.close())

describe('the main process', () => {
  it('of a second start hands its words over and ends', async () => {
    double.isFirstInstance = false
    const again = '../../src-main/app/electron/main.ts?second'
    await import(/* @vite-ignore */ again)
    expect([double.quits, BrowserWindow.getAllWindows()]).toEqual([1, []])
    expect(double.handedOver).toMatchObject({ words: [], folder: process.cwd() })
    double.isFirstInstance = true
    double.quits = 0
  })
  it('waits for nothing while it is evaluated, and opens its window when Electron is ready', async () => {
    double.schemes.length = 0
    await import('../../src-main/app/electron/main.ts')
    expect(BrowserWindow.getAllWindows()).toEqual([])
    expect(double.schemes).toEqual(['app'])
    double.becomeReady()
    await eventually(() => BrowserWindow.getAllWindows().length === 1)
    await eventually(() => window().isShown)
    page = window().webContents.page!
  })
  it('isolates the page', () => {
    expect(window().options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    })
  })
  it('answers the page over the bridge, and the page shows itself', async () => {
    await page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
    expect(await page.evaluate("typeof require + ' ' + typeof process + ' ' + Object.keys(longmode).sort()")).toBe(
      'undefined undefined onMessage,pathOfFile,send',
    )
  })
  it('serves the page with its policy, and nothing outside its folder', async () => {
    const get = (url: string) => double.pages.get('app')!({ url } as unknown as Request)
    const index = await get(PAGE_URL)
    expect(index.headers.get('content-security-policy')).toContain("connect-src 'none'")
    for (const outside of ['/../package.json', '/..%2fpackage.json', '/%2e%2e/package.json', '/..%5cpackage.json'])
      expect([outside, (await get(`app://longmode${outside}`)).status]).toEqual([outside, 403])
    expect((await get('app://evil/index.html')).status).toBe(403)
    expect((await get('app://longmode/package.json')).status).toBe(404)
  })
  it('hears the page alone: no frame in it, no other page', async () => {
    const sent = vi.spyOn(window().webContents, 'send')
    const { webContents } = window()
    const call = { type: 'call', id: 990, service: 'machines', method: 'list', args: [] }
    const others = [null, { url: PAGE_URL }, { url: 'https://evil.example/' }]
    for (const senderFrame of others) ipcMain.emit(MESSAGE_CHANNEL, { sender: webContents, senderFrame }, call)
    ipcMain.emit(MESSAGE_CHANNEL, { sender: webContents, senderFrame: webContents.mainFrame }, { ...call, id: 991 })
    await eventually(() => sent.mock.calls.some(([, message]) => (message as { id?: number }).id === 991))
    expect(sent.mock.calls.some(([, message]) => (message as { id?: number }).id === 990)).toBe(false)
    sent.mockRestore()
  })
  it('gives no permission but the clipboard, and that to its own page', () => {
    const { check, request } = session.defaultSession
    const asked = (permission: string) => {
      let answered: boolean | undefined
      request!(window().webContents, permission, (allowed) => (answered = allowed))
      return answered
    }
    expect(['clipboard-read', 'media', 'geolocation', 'openExternal', 'fullscreen'].map(asked)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    expect(check!(null, 'clipboard-read', 'https://evil.example')).toBe(false)
    expect(check!(null, 'midi', 'app://longmode')).toBe(false)
  })
  it('lets the page go nowhere, and opens only pages that it knows', () => {
    const { webContents } = window()
    const prevented = (name: string, url: string) => {
      const event = { url, defaultPrevented: false, preventDefault: () => (event.defaultPrevented = true) }
      webContents.emit(name, event)
      return event.defaultPrevented
    }
    expect(prevented('will-navigate', 'https://evil.example/')).toBe(true)
    expect(prevented('will-navigate', PAGE_URL)).toBe(false)
    expect(prevented('will-redirect', PAGE_URL)).toBe(true)
    expect(prevented('will-attach-webview', '')).toBe(true)
    for (const url of ['https://evil.example/', 'file:///etc/passwd', 'https://docs.kernel.org/process/']) {
      expect(webContents.openHandler!({ url })).toEqual({ action: 'deny' })
    }
    expect(double.opened).toEqual(['https://docs.kernel.org/process/'])
  })
  it('does not trust the page with an address, or with a call that fits no schema', async () => {
    const refused = (await page.evaluate(`new Promise((resolve) => {
      const answers = []
      longmode.onMessage((message) => {
        if ([981, 982, 983].includes(message.id)) answers.push(message)
        if (answers.length === 3) resolve(answers)
      })
      const call = (id, method, ...args) => longmode.send({ type: 'call', id, service: 'application', method, args })
      call(981, 'openPage', 'https://evil.example/')
      call(982, 'openPage', 'javascript:alert(1)', 'and more')
      call(983, 'reveal', { path: 3 })
    })`)) as { type: string; trouble: { sentence: string } }[]
    expect(refused.map(({ type }) => type)).toEqual(['failure', 'failure', 'failure'])
    expect(refused.map(({ trouble }) => trouble.sentence).toSorted()[0]).toContain('Longmode opens only pages')
    expect(double.opened).toEqual(['https://docs.kernel.org/process/'])
  })
  it("chooses in the system's own dialogs: what they show, and what is done with the answer", async () => {
    const ask = async (command: string, answer: unknown) => {
      double.dialogAnswers.push(answer)
      double.menu.flatMap(({ submenu }) => submenu ?? []).find(({ id }) => id === command)!.click!()
      return await eventually(() => double.dialogs.pop())
    }
    const properties = ['openFile', 'multiSelections']
    expect(await ask('open-files', { canceled: true, filePaths: [] })).toEqual({ title: 'Open files', properties })
    const file = path.join(scratch, 'chosen.img')
    writeFileSync(file, new Uint8Array(1 << 16))
    await ask('open-files', { canceled: false, filePaths: [file] })
    await page.getByRole('dialog', { name: 'Dropped files' }).getByText('chosen.img').first().waitFor()
    await page.keyboard.press('Escape')
    const tree = { title: 'Choose a kernel tree', properties: ['openDirectory'] }
    expect(await ask('open-kernel-tree', { canceled: true, filePaths: [] })).toEqual(tree)
    expect(await page.getByRole('button', { name: 'Boot the built-in Linux' }).count()).toBe(1)
  })
  it('shows a file that the system opens with it', async () => {
    const event = { prevented: false, preventDefault: () => (event.prevented = true) }
    app.emit('open-file', event, path.join(scratch, 'chosen.img'))
    expect(event.prevented).toBe(true)
    await page.getByRole('dialog', { name: 'Dropped files' }).getByText('chosen.img').first().waitFor()
    await page.keyboard.press('Escape')
  })
  it('carries the menu to the window', async () => {
    const items = double.menu.flatMap(({ submenu }) => submenu ?? [])
    items.find(({ id }) => id === 'import-command')!.click!()
    await page.getByRole('dialog', { name: 'Paste a QEMU command line' }).waitFor()
    await page.keyboard.press('Escape')
  })
  it('shows the keys that the window hears, and leaves them to it', async () => {
    const items = double.menu
      .flatMap(({ submenu }) => submenu ?? [])
      .filter(({ accelerator }) => accelerator !== undefined)
    const shown = items.map(({ accelerator }) =>
      accelerator!.replace('CmdOrCtrl', 'Ctrl').replace('Plus', '+').replace(/\+-$/, '+−').replace('Enter', '↵'),
    )
    items.find(({ id }) => id === 'settings')!.click!()
    const dialog = page.getByRole('dialog', { name: 'Preferences' })
    await dialog.waitFor()
    expect(shown.toSorted()).toEqual((await dialog.locator('kbd').allInnerTexts()).toSorted())
    expect(items.filter(({ registerAccelerator }) => registerAccelerator !== false)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    double.menu.flatMap(({ submenu }) => submenu ?? []).find(({ id }) => id === 'about')!.click!()
    await page.getByRole('dialog', { name: 'About Longmode' }).getByText('0.1.0').waitFor()
    await page.keyboard.press('Escape')
  })
  it('shows files that were dropped on the window, by their own paths', async () => {
    const image = new Uint8Array(1 << 20)
    image.set([0x51, 0x46, 0x49, 0xfb])
    writeFileSync(path.join(scratch, 'a.img'), image)
    await dropFiles(page, [path.join(scratch, 'a.img')])
    const dialog = page.getByRole('dialog')
    await dialog.getByText('qcow2 disk image').waitFor()
    await page.keyboard.press('Escape')
  })
  it('takes over what a second start was given: flags as a machine', async () => {
    const words = ['-m', '1G', '-name', 'handed', '-kernel', 'bzImage']
    // The words that Electron gives besides are in Chromium's order.
    app.emit('second-instance', {}, ['electron', '-kernel', '-m'], '/', { words, folder: scratch })
    await page.getByText('handed').first().waitFor()
    const { machines } = (await page.evaluate(`new Promise((resolve) => {
      longmode.onMessage((message) => { if (message.id === 995) resolve({ machines: message.value }) })
      longmode.send({ type: 'call', id: 995, service: 'machines', method: 'list', args: [] })
    })`)) as { machines: { config: { name: string; kernel: string; memory: number } }[] }
    expect(machines.map(({ config }) => config)).toMatchObject([
      { name: 'handed', kernel: path.join(scratch, 'bzImage'), memory: 2 ** 30 },
    ])
  })
  it('says what is wrong with flags that it was given', async () => {
    app.emit('second-instance', {}, [], '/', { words: ['-frobnicate'], folder: scratch })
    await page
      .getByText(/there is no such flag/)
      .first()
      .waitFor()
  })
  it("tells what the page wants told in the system's own messages", async () => {
    await page.evaluate(`longmode.send({
      type: 'call', id: 996, service: 'application', method: 'notify', args: [{ title: 'Built', text: '/home/ana/linux' }],
    })`)
    await eventually(() => double.notes.length > 0)
    expect(double.notes).toEqual([{ title: 'Built', body: '/home/ana/linux' }])
  })
  it('loads a page that crashed again, and tells it', async () => {
    window().webContents.emit('render-process-gone', {}, { reason: 'crashed' })
    await page
      .getByText(/the window crashed/i)
      .first()
      .waitFor()
  })
  const call = (id: number, method: string, ...args: string[]) =>
    page.evaluate(`new Promise((resolve) => {
      longmode.onMessage((message) => { if (message.id === ${id}) resolve(message) })
      longmode.send(${JSON.stringify({ type: 'call', id, service: 'machines', method, args })})
    })`)
  it('saves the console where the dialog says, or says why that cannot be', { timeout: 60_000 }, async () => {
    await page.getByText('handed').first().waitFor()
    await call(970, 'embedded')
    await call(971, 'start', 'default')
    await page
      .getByText(/^running/)
      .first()
      .click()
    // A tab of the guest is spaces on the screen.
    const bare = (text: string) => text.replace(/\s/g, '')
    const shown = async () => (await consoleLines(page)).map(bare).filter((line) => line !== '')
    await eventually(async () => (await shown()).length > 2)
    const save = async (answer: unknown) => {
      double.dialogAnswers.push(answer)
      await page.getByRole('button', { name: 'Save the log' }).click()
      return await eventually(() => double.dialogs.pop())
    }
    const gone = path.join(scratch, 'gone', 'a.log')
    expect(await save({ canceled: false, filePath: gone })).toMatchObject({ title: 'Save the console' })
    await page
      .getByText(`${gone} could not be written: the folder does not exist; choose another one`)
      .first()
      .waitFor()
    expect(existsSync(path.dirname(gone))).toBe(false)
    const good = path.join(scratch, 'a.log')
    await save({ canceled: true })
    expect(existsSync(good)).toBe(false)
    const before = await shown()
    await save({ canceled: false, filePath: good })
    await eventually(() => existsSync(good))
    const text = bare(readFileSync(good, 'utf8'))
    expect(before.filter((line) => !text.includes(line))).toEqual([])
  })
  it('asks before it ends a machine that runs', { timeout: 120_000 }, async () => {
    double.dialogAnswers.push({ response: 1 }, { response: 0 })
    app.quit()
    app.quit()
    await eventually(() => double.dialogs.length > 0)
    expect(double.dialogs.splice(0)).toMatchObject([
      { message: 'Longmode is running.', buttons: ['Quit', 'Go on'], cancelId: 1 },
    ])
    expect(double.quits).toBe(0)
    expect(await page.getByText(/^running/).count()).toBeGreaterThan(0)
    await call(972, 'kill', 'default')
    await page
      .getByText(/^running/)
      .first()
      .waitFor({ state: 'detached' })
    double.dialogAnswers.length = 0
  })
  it('keeps the place of the window, and quits when it is closed', async () => {
    window().close()
    await eventually(() => double.quits === 1)
    const saved = JSON.parse(readFileSync(path.join(scratch, 'window.json'), 'utf8')) as unknown
    expect(saved).toEqual({ x: 5, y: 6, width: 1000, height: 700, maximized: false })
  })
})
