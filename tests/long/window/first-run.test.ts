/** A newcomer's first minutes, with nothing exchanged: the served window in Chromium, and the embedded guest on the true engine. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { consoleLines, launchBrowser, ServedApp } from '../../e2e/browser.ts'
import { eventually } from '../../fixtures/echo-library.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const scratch = scratchFolder('first-run')
const GUEST_PATIENCE = 1_800_000
let browser: Browser
let app: ServedApp
let page: Page

beforeAll(async () => {
  browser = await launchBrowser()
  app = await ServedApp.start(browser, scratch)
  page = (await app.open()).page
})
afterAll(async () => {
  await app.close()
  await browser.close()
})

const shows = (text: RegExp) => eventually(async () => (await consoleLines(page)).some((line) => text.test(line)))
const type = async (line: string) => {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(`${line}\n`)
}

it(
  'boots with one click, and the guest runs what is typed',
  async () => {
    await page.getByRole('button', { name: 'Boot the built-in Linux' }).click()
    await shows(/longmode:\/root#\s*$/)
    await type('echo $((6 * 7)) answers')
    await shows(/^42 answers/)
  },
  GUEST_PATIENCE,
)

it(
  'shares a folder both ways',
  async () => {
    const [share] = app.application.library.get('default').config.shares
    // The embedded guest shares the user's own folder; this test leaves nothing in it.
    const name = `first-run-${Date.now()}`
    onTestFinished(() => rmSync(path.join(share.path, name), { force: true }))
    writeFileSync(path.join(share.path, name), 'from the host\n')
    await type(`cat /root/host_folder/${name}; echo back > /root/host_folder/${name}; sync; echo done $?`)
    await shows(/^from the host/)
    await shows(/^done 0/)
    expect(readFileSync(path.join(share.path, name), 'utf8')).toBe('back\n')
  },
  GUEST_PATIENCE,
)

it("shows the memory of the running guest: its walk is the engine's own", async () => {
  const run = app.application.library.running('default')
  const { registers } = await run.debug.ask('registers', {})
  const entry = registers.find(({ name }) => name === 'lstar')!.value
  const walk = await run.debug.ask('walk', { address: entry })
  expect(walk.result).toMatchObject({ kind: 'mapped', backing: 'ram', rights: { user: { read: false } } })
  const physical = walk.result.kind === 'mapped' ? walk.result.physical : 0n
  const [mapped, plain] = await Promise.all([
    run.debug.ask('readMemory', { space: 'virtual', address: entry, length: 64 }),
    run.debug.ask('readMemory', { space: 'physical', address: physical, length: 64 }),
  ])
  expect(mapped.bytes).toEqual(plain.bytes)
})

it(
  'has a second console that knows its size',
  async () => {
    await page.getByRole('tab', { name: 'hvc0' }).click()
    const second = page.getByRole('region', { name: 'Console hvc0 of Longmode' })
    const sizeSaid = async () => {
      await second.locator('.xterm-helper-textarea').focus()
      await page.keyboard.type('stty size; echo "<$((6 * 7))>"\n')
      const text = async () => (await second.locator('.xterm-rows > div').allInnerTexts()).join('\n')
      const said = async () => /(\d+) (\d+)\s+<42>\s+\S+#\s*$/.exec((await text()).replaceAll('\u00a0', ' '))
      const found = await eventually(async () => (await said()) ?? undefined)
      await page.keyboard.type('clear\n')
      await eventually(async () => !(await text()).includes('<42>'))
      return `${found[2]} × ${found[1]}`
    }
    const cells = () => page.locator('.cells').nth(1).innerText()
    expect(await sizeSaid()).toBe(await cells())
    const before = await cells()
    await page.setViewportSize({ width: 900, height: 560 })
    await eventually(async () => (await cells()) !== before)
    expect(await sizeSaid()).toBe(await cells())
    await page.getByRole('tab', { name: 'ttyS0' }).click()
  },
  GUEST_PATIENCE,
)

it(
  'starts again when it is asked to',
  async () => {
    const { library } = app.application
    await type('echo before the restart')
    await shows(/^before the restart/)
    await page.getByRole('button', { name: 'Restart' }).click()
    await eventually(() => library.get('default').status.asked === 'restart')
    await eventually(() => library.get('default').status.asked === undefined)
    expect(library.get('default').status.state).toBe('running')
    await shows(/Linux version/)
    await shows(/longmode:\/root#\s*$/)
  },
  GUEST_PATIENCE,
)

it(
  'switches off when it is asked to',
  async () => {
    await page.getByRole('button', { name: 'Power off' }).click()
    await eventually(() => app.application.library.get('default').status.state === 'off')
    expect(app.application.library.get('default').status.end).toEqual({ kind: 'exited', reason: 'power-off', code: 0 })
  },
  GUEST_PATIENCE,
)
