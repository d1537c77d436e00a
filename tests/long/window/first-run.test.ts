/** A newcomer's first minutes, with nothing exchanged: the served window in Chromium, and the embedded guest on the true engine. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright'
import { beforeAll, expect, it } from 'vitest'
import { chooseFile, consoleLines } from '../../e2e/browser.ts'
import { eventually } from '../../fixtures/echo-library.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { trueWindow } from './true-window.ts'

const GUEST_PATIENCE = 1_800_000
const here = trueWindow(scratchFolder('first-run'))
let page: Page
beforeAll(async () => {
  page = (await here.app.open()).page
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
    const [share] = here.app.application.library.get('default').config.shares
    const file = path.join(share.path, 'note')
    writeFileSync(file, 'from the host\n')
    await type('cd /root/host_folder; cat note; echo back > note; sync; echo done $?; cd')
    await shows(/^from the host/)
    await shows(/^done 0/)
    expect(readFileSync(file, 'utf8')).toBe('back\n')
  },
  GUEST_PATIENCE,
)

it("shows the memory of the running guest: its walk is the engine's own", async () => {
  const run = here.app.application.library.running('default')
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
  'goes to linux_banner by its name, walks there as the engine does, and finds the text in physical memory',
  async () => {
    const { library } = here.app.application
    const [share] = library.get('default').config.shares
    const file = path.join(share.path, 'kallsyms')
    await type('cat /proc/kallsyms > host_folder/kallsyms; echo all $((6 * 7))')
    await shows(/^all 42/)
    await page.getByRole('tab', { name: 'Memory', exact: true }).click()
    await page.getByRole('button', { name: 'Symbols…' }).click()
    await chooseFile(page, file)
    await page.getByRole('button', { name: /^kallsyms · / }).waitFor()
    await page.getByRole('combobox', { name: 'Go to an address' }).fill('linux_banner')
    await page.keyboard.press('Enter')
    await page.getByRole('application', { name: 'Bytes' }).getByText('Linux version 6.').first().waitFor()
    // The guest's own word for where it is.
    const said = /^([0-9a-f]{16}) [rRdD] linux_banner$/m.exec(readFileSync(file, 'utf8'))![1]
    const cursor = page.locator('#hex-cursor')
    await eventually(async () => (await cursor.innerText()).startsWith(said))

    const side = page.getByRole('complementary', { name: 'About the cursor' })
    const { debug } = library.running('default')
    const { result, levels } = await debug.ask('walk', { address: BigInt(`0x${said}`) })
    const physical = result.kind === 'mapped' ? result.physical : 0n
    await side.getByText(`0x${physical.toString(16)}`, { exact: true }).waitFor()
    for (const { name, value } of levels) {
      await side.getByText(name, { exact: true }).first().waitFor()
      await side
        .getByText(`0x${value!.toString(16)}`, { exact: true })
        .first()
        .waitFor()
    }

    await page.getByRole('combobox', { name: 'Address space' }).selectOption('physical')
    await page.getByRole('textbox', { name: 'Search in memory' }).fill('Linux version 6.')
    await page.keyboard.press('Enter')
    await eventually(async () => !(await cursor.innerText()).startsWith(said))
    const address = BigInt(`0x${(await cursor.innerText()).slice(0, 16)}`)
    const read = await debug.ask('readMemory', { space: 'physical', address, length: 16 })
    expect(new TextDecoder().decode(read.bytes)).toBe('Linux version 6.')
    await page.getByRole('tab', { name: 'Console', exact: true }).click()
  },
  GUEST_PATIENCE,
)

/** How often a console (0: ttyS0, 1: hvc0) has said something. */
const times = (console: number, words: string) =>
  new TextDecoder().decode(here.app.application.library.console('default', console).kept().bytes).split(words).length -
  1

/** What the guest on hvc0 says of its size, as the window writes it. */
async function sizeInGuest(): Promise<string> {
  const second = page.getByRole('region', { name: 'Console hvc0 of Longmode' })
  const text = async () =>
    (await second.locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ')
  await second.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('stty size; echo "<$((6 * 7))>"\n')
  const [, rows, columns] = await eventually(async () => /(\d+) (\d+)\s+<42>/.exec(await text()) ?? undefined)
  await page.keyboard.type('clear\n')
  await eventually(async () => !(await text()).includes('<42>'))
  return `${columns} × ${rows}`
}
const cells = () => page.locator('.cells').nth(1).innerText()

it(
  'has a second console that knows its size',
  async () => {
    await page.getByRole('tab', { name: 'hvc0' }).click()
    expect(await sizeInGuest()).toBe(await cells())
    const before = await cells()
    await page.setViewportSize({ width: 900, height: 560 })
    await eventually(async () => (await cells()) !== before)
    expect(await sizeInGuest()).toBe(await cells())
  },
  GUEST_PATIENCE,
)

it(
  'starts again when it is asked to',
  async () => {
    const { library } = here.app.application
    expect(times(0, 'Linux version')).toBe(1)
    await page.getByRole('button', { name: 'Restart' }).click()
    await eventually(() => times(0, 'Linux version') === 2)
    expect(library.get('default').status).toMatchObject({ state: 'running' })
    expect(library.get('default').status).not.toHaveProperty('asked')
    await eventually(() => times(1, 'BusyBox v') === 2)
    await eventually(() => times(1, 'longmode:/root# ') > 4)
    expect(await sizeInGuest()).toBe(await cells())
  },
  GUEST_PATIENCE,
)

it(
  'switches off when it is asked to',
  async () => {
    await page.getByRole('button', { name: 'Power off' }).click()
    await eventually(() => here.app.application.library.get('default').status.state === 'off')
    expect(here.app.application.library.get('default').status.end).toEqual({
      kind: 'exited',
      reason: 'power-off',
      code: 0,
    })
  },
  GUEST_PATIENCE,
)
