/**
 * A day with the window over the real process side; only the engine is exchanged, for a worker that echoes in capitals. The library's verbs, what the console can do
 * beside typing, the programs of the system that are opened, and all of it by the keyboard.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { defaultMachine } from '../../src-main/machine/config.ts'
import { echoWorker, eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { consoleLines, launchBrowser, ServedApp } from './browser.ts'

const scratch = scratchFolder('day')
const opened = path.join(scratch, 'opened')
let browser: Browser
const apps: ServedApp[] = []

/** A program that writes down what it was given, one word a line. */
function recorder(name: string): void {
  const file = path.join(scratch, 'bin', name)
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" >> '${opened}.new' && mv '${opened}.new' '${opened}'\n`)
  chmodSync(file, 0o755)
}

beforeAll(async () => {
  process.env.HOME = scratch
  mkdirSync(path.join(scratch, 'bin'))
  for (const name of ['xdg-open', 'my-editor']) recorder(name)
  process.env.PATH = `${path.join(scratch, 'bin')}:${process.env.PATH}`
  browser = await launchBrowser()
}, 120_000)
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})
afterAll(() => browser.close())

async function start() {
  const data = path.join(scratch, Math.random().toString(36).slice(2))
  const app = await ServedApp.start(browser, data, {
    worker: echoWorker,
    prepare: (config) => Promise.resolve(config),
  })
  apps.push(app)
  const window = await app.open()
  await window.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await window.page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
  return { ...window, library: app.application.library, data, settings: app.application.settings }
}

const clipboard = (page: Page) => page.evaluate<string>('navigator.clipboard.readText()')
const shows = (page: Page, text: string) =>
  eventually(async () => (await consoleLines(page)).some((line) => line.includes(text)))

it('makes, edits, copies, exports and deletes machines, by the keyboard alone', { timeout: 60_000 }, async () => {
  const { page, errors, library, data } = await start()
  const saved = () => readdirSync(path.join(data, 'machines')).filter((name) => name.endsWith('.json'))
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  /** Goes on with Tab until the control of that name has the keyboard, as somebody without a mouse does. */
  const reach = async (name: string) => {
    for (let n = 0; n < 80; n++) {
      const here = await page.evaluate<string>(
        `(() => { const e = document.activeElement; return (e.getAttribute('aria-label') ?? e.innerText ?? '').trim() })()`,
      )
      if (here === name) return
      await press('Tab')
    }
    throw new Error(`no Tab leads to ${name}`)
  }

  await press('Control+Shift+I')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type(
    'qemu-system-x86_64 -m 512M -nographic -kernel /nowhere/bzImage -append "console=ttyS0 quiet"',
  )
  await page.getByRole('button', { name: 'Create', exact: true }).waitFor()
  await reach('Create')
  await press('Enter')
  const first = await eventually(() => library.list()[0])
  await page.getByRole('heading', { name: first.config.name }).waitFor()

  // The console keeps Tab for the guest; a shortcut leads out of it.
  await page.locator('.xterm-helper-textarea').waitFor({ state: 'attached' })
  await press('Control+Shift+Digit6')
  await page.getByRole('textbox', { name: 'Name' }).waitFor()
  await page.getByRole('textbox', { name: 'Name' }).focus()
  await press('Control+A')
  await page.keyboard.type('My kernel')
  await reach('Save')
  await press('Enter')
  await eventually(() => library.get(first.id).config.name === 'My kernel')
  await eventually(() => readFileSync(path.join(data, 'machines', saved()[0]), 'utf8').includes('"name": "My kernel"'))

  await reach('Copy as a QEMU command line')
  await press('Enter')
  await page.getByText('The QEMU command line is on the clipboard.').waitFor()
  const line = await clipboard(page)
  expect(line).toMatch(/^qemu-system-x86_64 .*-kernel \/nowhere\/bzImage/s)
  await press('Control+Shift+I')
  await page.getByRole('dialog').waitFor()
  await press('Control+V')
  await page.getByRole('button', { name: 'Create', exact: true }).waitFor()
  await reach('Create')
  await press('Enter')
  const again = await eventually(() => library.list().at(1))
  const { name: _again, ...same } = again.config
  const { name: _first, ...original } = library.get(first.id).config
  expect(same).toEqual(original)

  await reach('Duplicate')
  await press('Enter')
  const copy = await eventually(() => library.list().at(2))
  expect(new Set(library.list().map(({ config }) => config.name)).size).toBe(3)
  await page.getByRole('heading', { name: copy.config.name }).waitFor()
  await reach('Delete')
  await press('Enter')
  await page.getByRole('dialog').waitFor()
  await press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(library.list()).toHaveLength(3)
  // The keyboard is back where it was.
  await press('Enter')
  await page.getByRole('dialog').waitFor()
  await reach('Delete')
  await press('Enter')
  await eventually(() => library.list().length === 2)
  expect(library.has(copy.id)).toBe(false)
  await eventually(() => saved().length === 2)
  expect(errors).toEqual([])
})

it('copies, enlarges and keeps its size, and opens links of the console', { timeout: 60_000 }, async () => {
  const { page, errors, settings, data } = await start()
  await page.getByRole('button', { name: 'Boot the built-in Linux' }).click()
  await shows(page, 'ready')
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('see https://www.kernel.org/doc/ there')
  await shows(page, 'HTTPS://WWW.KERNEL.ORG/DOC/')
  await page.keyboard.press('Control+Shift+A')
  await page.keyboard.press('Control+Shift+C')
  expect(await eventually(async () => (await clipboard(page).catch(() => '')) || undefined)).toContain(
    'SEE HTTPS://WWW',
  )

  const width = async () => (await page.locator('.xterm-screen').boundingBox())!.width
  const columns = () => page.locator('footer .cells').first().innerText()
  const before = await columns()
  await page.keyboard.press('Control+Shift+Equal')
  await eventually(async () => (await columns()) !== before)
  expect(await width()).toBeGreaterThan(400)
  await eventually(() => settings.current.consoleFontSize === 14)
  await eventually(() => readFileSync(path.join(data, 'settings.json'), 'utf8').includes('"consoleFontSize": 14'))
  await page.keyboard.press('Control+Shift+Digit0')
  await eventually(async () => (await columns()) === before)

  const row = page.locator('.xterm-rows > div', { hasText: 'HTTPS://' }).first()
  const box = (await row.boundingBox())!
  const cell = (await width()) / Number.parseInt(before, 10)
  const at = (await row.innerText()).indexOf('HTTPS') + 10
  const popup = page.context().waitForEvent('page')
  await page.mouse.move(box.x + cell * at, box.y + box.height / 2)
  await page.locator('.xterm-cursor-pointer').waitFor()
  await page.mouse.click(box.x + cell * at, box.y + box.height / 2)
  const other = await popup
  expect(await other.evaluate('opener === null')).toBe(true)
  await other.close()
  expect(errors).toEqual([])
})

it('saves the log: the file holds all that the console printed, in order', { timeout: 60_000 }, async () => {
  const { page, errors, library } = await start()
  const sound = { ...defaultMachine, name: 'Ana / test: 1', kernel: '/nowhere/bzImage' }
  await library.start((await library.add(sound)).id)
  await page.getByRole('button', { name: /^Ana/ }).first().click()
  await shows(page, 'ready')
  await page.locator('.xterm-helper-textarea').focus()
  const type = async (text: string) => {
    await page.keyboard.type(text)
    await page.keyboard.press('Control+J')
  }
  const saved = async () => {
    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save the log' }).click()
    const download = await coming
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') }
  }
  await type('olá, \u20ac')
  await shows(page, 'OLÁ, €')
  expect(await saved()).toEqual({ name: 'Ana-test-1.log', text: 'ready\nOLÁ, €\n' })

  await page.locator('.xterm-helper-textarea').focus()
  await type('!burst 3000000')
  await type('the end')
  await shows(page, 'THE END')
  const { text } = await saved()
  // Compared by parts: a difference of megabytes is nothing to print.
  expect(text.length).toBe('ready\nOLÁ, €\n!BURST 3000000\nTHE END\n'.length + 3_000_000)
  expect(text === `ready\nOLÁ, €\n!BURST 3000000\n${'0123456789'.repeat(300_000)}THE END\n`).toBe(true)
  expect(errors).toEqual([])
})

it(
  "opens the line of a build's first error in the user's editor, and a folder in the file manager",
  { timeout: 60_000 },
  async () => {
    const { page, errors, library, settings } = await start()
    const tree = path.join(scratch, 'my linux')
    for (const folder of ['scripts', 'kernel', 'arch/x86/entry/syscalls'])
      mkdirSync(path.join(tree, folder), { recursive: true })
    for (const file of ['Kbuild', 'scripts/Kbuild.include', 'arch/x86/entry/syscalls/syscall_64.tbl'])
      writeFileSync(path.join(tree, file), '')
    writeFileSync(path.join(tree, '.config'), 'CONFIG_X86_64=y\n')
    writeFileSync(path.join(tree, 'kernel/memcpy.c'), '\nint f(void)\n{\n\treturn nothing;\n}\n')
    const head = 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n'
    const rule = '%:\n\t@echo "  CC      kernel/memcpy.o"\n\t@gcc -c kernel/memcpy.c -o /dev/null\n'
    writeFileSync(path.join(tree, 'Makefile'), head + rule)
    await settings.change({ kernelTree: tree, editorCommand: 'my-editor --wait {file} +{line}:{column}' })
    const share = path.join(scratch, 'shared')
    mkdirSync(share)
    await library.add({
      ...defaultMachine,
      name: 'sharing',
      shares: [{ path: share, mountTag: 'shared_folder', securityModel: 'none', readOnly: false }],
    })
    await page.reload()
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click()
    await page.getByRole('button', { name: 'Build', exact: true }).click()
    await page.getByRole('button', { name: 'kernel/memcpy.c:4:16' }).click()
    await eventually(() => existsSync(opened))
    expect(readFileSync(opened, 'utf8')).toBe(`--wait\n${tree}/kernel/memcpy.c\n+4:16\n`)
    await page.getByRole('tab', { name: 'Share', exact: true }).click()
    await page.getByRole('button', { name: 'Open the folder' }).click()
    await eventually(() => readFileSync(opened, 'utf8') === `${share}\n`)

    await settings.change({ editorCommand: '/nowhere/editor {file}' })
    await page.reload()
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click()
    await page.getByRole('button', { name: 'kernel/memcpy.c:4:16' }).click()
    await page.getByText(/The editor could not be started: .*; look at its command in the settings/).waitFor()
    expect(errors).toEqual([])
  },
)

it('moves nothing for whoever wants no motion', async () => {
  const { page } = await start()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.keyboard.press('Control+Shift+Comma')
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  const seconds = () =>
    page.evaluate<number>("Number.parseFloat(getComputedStyle(document.querySelector('dialog')).animationDuration)")
  expect(await seconds()).toBeLessThan(0.001)
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  expect(await seconds()).toBeGreaterThan(0.05)
})
