/**
 * The tutorial's main path in the window, with nothing exchanged: a Linux 6.1 is opened, its configuration mended, built, and booted; a
 * system call is added, the kernel built again and booted; a program on the share calls it.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Page } from 'playwright'
import { beforeAll, expect, it } from 'vitest'
import { DEFAULT_MACHINE_ID, defaultMachineConfig } from '../../../src-main/app/machines/prepare.ts'
import { workbench } from '../../../src-main/kernel-tree/index.ts'
import { consoleLines } from '../../e2e/browser.ts'
import { eventually } from '../../fixtures/echo-library.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { trueWindow } from './true-window.ts'

const SOURCE = '/usr/src/linux-source-6.1.tar.xz'
const calls = path.resolve(import.meta.dirname, '../workbench/calls')
/** Less than the recipe has: what a shell on an initramfs and a share need. */
const LESS = ['EXT4_FS', 'OVERLAY_FS', 'IA32_EMULATION', 'IKCONFIG', 'MODULES', 'PARTITION_ADVANCED', 'RTC_CLASS']

const scratch = scratchFolder('kernel-panel')
const folder = path.join(scratch, 'linux-source-6.1')
const share = path.join(scratch, 'Longmode/shared')
const fragment = path.join(scratch, 'less.config')
const here = trueWindow(scratch, () => {
  mkdirSync(share, { recursive: true })
  execFileSync('tar', ['-C', scratch, '-xf', SOURCE])
  execFileSync('gcc', ['-static', '-o', path.join(share, 'call'), path.join(calls, 'call-memcpy.c')])
  writeFileSync(fragment, LESS.map((option) => `CONFIG_${option}=n\n`).join(''))
})
let page: Page
beforeAll(async () => {
  page = (await here.app.open()).page
  page.setDefaultTimeout(3_000_000)
})

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' })
const tab = (name: string) => page.getByRole('tab', { name, exact: true })
const shows = (text: RegExp) => eventually(async () => (await consoleLines(page)).some((line) => text.test(line)))
const type = async (line: string) => {
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type(`${line}\n`)
}
/** Builds and boots, the newest first. */
const history = () => page.getByRole('list', { name: 'Builds and boots' }).getByRole('listitem').allInnerTexts()

/** Waits for the prompt of the kernel with this build number, as it says at its start. */
const boots = (number: string) =>
  eventually(() => {
    const said = new TextDecoder().decode(here.app.application.library.console('default', 0).kept().bytes)
    const [, ...runs] = said.split('Linux version')
    const last = runs.at(-1)
    return last?.split('\n')[0].includes(number) === true && last.includes('longmode:/root# ')
  })

/** LONGMODE_CCACHE=1 builds through ccache, as a second run of this file wants it. */
const throughCcache = async () => {
  if (process.env['LONGMODE_CCACHE'] === '1')
    await page.getByRole('combobox', { name: 'In front of it' }).selectOption('ccache')
}

async function build(): Promise<void> {
  await button('Build').click()
  await button('Cancel').waitFor()
  await button('Cancel').waitFor({ state: 'detached' })
  await page.locator('.state.current').waitFor()
}

it('opens the tree, and a recipe and one click more give it a configuration that boots', async () => {
  await button('Boot the built-in Linux').waitFor()
  // The machine of the first run, without its run.
  await here.app.application.library.add(defaultMachineConfig(), DEFAULT_MACHINE_ID)
  await page
    .getByRole('button', { name: /^Longmode/ })
    .first()
    .click()
  await tab('Kernel').click()
  await button('Open a kernel tree…').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(folder)
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'init', exact: false }).first().waitFor()
  await dialog.getByRole('button', { name: 'Choose this folder' }).click()
  await page.getByRole('heading', { name: /^Linux 6\.1\./ }).waitFor()
  await page.locator('.state.unconfigured').waitFor()

  await tab('Configuration').click()
  await page.getByRole('radio', { name: /^Tiny/ }).check()
  await button('Apply the recipe').click()
  await page.getByText('This configuration has all that “Longmode” needs.').waitFor()
  // A student's mishap: the share's file system is off, and the console.
  await workbench.applyRecipes(await workbench.openTree(folder), { recipes: [], own: [fragment], keep: true })
  const config = path.join(folder, '.config')
  execFileSync(path.join(folder, 'scripts/config'), ['--file', config, '-d', '9P_FS', '-d', 'SERIAL_8250_CONSOLE'])
  await tab('Build').click()
  await tab('Configuration').click()
  await page.getByText("unknown filesystem type '9p'").waitFor()
  await page.getByText('CONFIG_SERIAL_8250_CONSOLE').first().waitFor()
  await button('Fix all').click()
  await page.getByText('This configuration has all that “Longmode” needs.').waitFor()
  expect(readFileSync(config, 'utf8')).toContain('CONFIG_9P_FS=y\n')
})

it('shows the first error with its line while it builds, and how far it is; a build can be cancelled', async () => {
  await tab('Build').click()
  await throughCcache()
  const source = path.join(folder, 'init/calibrate.c')
  const right = readFileSync(source, 'utf8')
  writeFileSync(source, right.replace('#include <linux/jiffies.h>', '#include <linux/jiffys.h>'))
  await button('Build').click()
  await page.locator('.diagnostic.error').getByText('linux/jiffys.h: No such file or directory').waitFor()
  await button(/^init\/calibrate\.c:\d+:\d+$/).waitFor()
  await page.locator('.now').getByText('Failed').waitFor()
  writeFileSync(source, right)
  await button('Build').click()
  await page.locator('pre[tabindex]', { hasText: /CC +kernel\// }).waitFor()
  await button('Cancel').click()
  await page.locator('.now').getByText('Cancelled').waitFor()
})

it('builds and boots it in one click each; the call is not there yet', async () => {
  await build()
  await button('Boot').click()
  await boots('#1 ')
  await type('./host_folder/call 451')
  await shows(/^good: -1, errno 38/)
})

it('adds the call, builds again and boots: the console shows its results', async () => {
  await tab('Kernel').click()
  await tab('System calls').click()
  copyFileSync(path.join(calls, 'memcpy.c'), path.join(folder, 'kernel/memcpy.c'))
  await page.getByRole('textbox', { name: 'Name' }).fill('memcpy')
  await button('Show what is missing as a diff').click()
  await page.getByText('+obj-y').first().waitFor()
  await button('Write these changes').click()
  await page.getByText('number 451').waitFor()
  await page.locator('.state.stale').waitFor()
  await page
    .getByText(/is not freed|leak/)
    .first()
    .waitFor()
  await build()
  const kinds = ['Built', 'Booted in Longmode', 'Built', 'Cancelled', 'Failed']
  await eventually(async () => {
    const list = await history()
    return list.length === kinds.length && list.every((entry, at) => entry.includes(kinds[at]))
  })

  await button('Boot').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Restart with this kernel' }).click()
  await boots('#2 ')
  await type('./host_folder/call 451')
  await shows(/^good: 0, errno 0/)
  await shows(/^equal: 1/)
  await shows(/^null: -1, errno 14/)
})
