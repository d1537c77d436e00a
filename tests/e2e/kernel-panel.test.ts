/**
 * The kernel panel over the real workbench and the real make, on a tree whose Makefile makes nothing but the lines and files of a kernel's. A whole Linux is built
 * in tests/long/window.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { DEFAULT_MACHINE_ID, defaultMachineConfig } from '../../src-main/app/machines/prepare.ts'
import { treeState } from '../../src-main/kernel-tree/state.ts'
import { echoWorker, eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { consoleLines, launchBrowser, ServedApp } from './browser.ts'

const OBJECTS = 40
const scratch = scratchFolder('kernel-panel')
const tree = path.join(scratch, 'linux')
const data = path.join(scratch, 'data')
const inTree = (file: string) => path.join(tree, file)
let browser: Browser
const apps: ServedApp[] = []

/** Its objects come one by one; the 20th waits for a file named go, and a source that is there is compiled. */
const makefile = `VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 0
.NOTPARALLEL:
objects := $(foreach n,$(shell seq ${OBJECTS}),kernel/o$(n).o)
all bzImage modules: arch/x86/boot/bzImage
prepare: ;
arch/x86/boot/bzImage: $(objects)
\t@mkdir -p arch/x86/boot include/generated
\t@echo '#define CONFIG_X86_64 1' > include/generated/autoconf.h
\t@echo an image > $@
\t@echo "  BUILD   $@"
kernel/%.o:
\t@echo "  CC      $@"
\t@if [ -e kernel/$*.c ]; then gcc -c kernel/$*.c -o $@; else touch $@; fi
\t@[ $* != o20 ] || until [ -e go ]; do sleep 0.05; done
`

beforeAll(async () => {
  process.env.HOME = scratch
  process.env.XDG_STATE_HOME = path.join(scratch, 'state')
  for (const folder of ['scripts', 'kernel', 'arch/x86/entry/syscalls']) mkdirSync(inTree(folder), { recursive: true })
  const tables = [64, 32].map((bits) => `arch/x86/entry/syscalls/syscall_${bits}.tbl`)
  for (const file of ['Kbuild', 'scripts/Kbuild.include', 'kernel/Makefile', ...tables]) writeFileSync(inTree(file), '')
  writeFileSync(inTree('.config'), 'CONFIG_X86_64=y\n')
  writeFileSync(inTree('Makefile'), makefile)
  // A kernel of this size was built before: its steps are known.
  const past = path.join(treeState('past-builds'), 'full-builds.json')
  mkdirSync(path.dirname(past), { recursive: true })
  writeFileSync(past, JSON.stringify([{ options: 1, steps: OBJECTS + 1 }]))
  browser = await launchBrowser()
}, 120_000)
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
})
afterAll(() => browser.close())

async function start() {
  const app = await ServedApp.start(browser, data, { worker: echoWorker, prepare: (config) => Promise.resolve(config) })
  apps.push(app)
  const { library, settings } = app.application
  await settings.change({ kernelTree: tree })
  if (!library.has(DEFAULT_MACHINE_ID)) await library.add(defaultMachineConfig(), DEFAULT_MACHINE_ID)
  const { page, errors } = await app.open()
  await page.getByRole('tab', { name: 'Kernel', exact: true }).click()
  await page.getByRole('heading', { name: 'Linux 6.1.0' }).waitFor()
  return { app, page, errors, library }
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const history = (page: Page) =>
  page.getByRole('list', { name: 'Builds and boots' }).getByRole('listitem').allInnerTexts()
/** Words of an entry, without its time; none of one that is not there yet. */
const words = (entry: string | undefined) => (entry ?? '').replace(/^\s*\d+:\d+:\d+\s*/, '').replaceAll(/\s+/g, ' ')

it('shows a build as it goes, its first error, and can cancel it', { timeout: 120_000 }, async () => {
  const { page, errors } = await start()
  await page.getByText('Not built in this session.').waitFor()
  // What is chosen stays while other panels are looked at.
  const wrapper = page.getByRole('combobox', { name: 'In front of it' })
  await wrapper.selectOption('distcc')
  await page.getByRole('tab', { name: 'Disks', exact: true }).click()
  await page.getByRole('tab', { name: 'Kernel', exact: true }).click()
  await eventually(async () => (await wrapper.inputValue()) === 'distcc')
  await wrapper.selectOption('')
  writeFileSync(inTree('kernel/o9.c'), '\nint f(void)\n{\n\treturn nothing;\n}\n')
  await button(page, 'Build').click()
  const error = page.locator('.diagnostic.error')
  await error.getByText("'nothing' undeclared (first use in this function)").waitFor()
  await error.getByText('Is it spelled right', { exact: false }).waitFor()
  await button(page, 'kernel/o9.c:4:16').waitFor()
  await page.locator('.now').getByText('Failed').waitFor()
  // It stands above the log.
  const [upper, lower] = await Promise.all([error.boundingBox(), page.locator('pre[tabindex]').boundingBox()])
  expect(upper!.y).toBeLessThan(lower!.y)

  rmSync(inTree('kernel/o9.c'))
  await button(page, 'Build').click()
  const bar = page
    .getByRole('progressbar', { name: 'make bzImage' })
    .or(page.getByRole('progressbar', { name: 'make all' }))
  await eventually(async () => Number(await bar.getAttribute('value')) > 20)
  await page.getByText(/\d+ %\s*· \d+:\d\d left/).waitFor()
  await page.locator('pre[tabindex]', { hasText: 'CC      kernel/o19.o' }).waitFor()
  // Another one of the same tree has to wait.
  expect(await button(page, 'Build').isDisabled()).toBe(true)
  await button(page, 'Cancel').click()
  await page.locator('.now').getByText('Cancelled').waitFor()
  const [newest, older] = (await history(page)).map(words)
  expect(newest).toMatch(/^Cancelled \d:\d\d$/)
  expect(older).toMatch(/^Failed \d:\d\d .*undeclared/)
  expect(errors).toEqual([])
})

it(
  'boots what was built in one click; builds and boots are still known in the next session',
  { timeout: 120_000 },
  async () => {
    writeFileSync(inTree('go'), '')
    const { app, page, errors, library } = await start()
    await button(page, 'Build').click()
    await page.locator('.state.current').waitFor()
    await button(page, 'Boot').click()
    await eventually(async () => (await consoleLines(page)).some((line) => line.includes('ready')))
    expect(library.get(DEFAULT_MACHINE_ID).config.kernel).toBe(inTree('arch/x86/boot/bzImage'))
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click()
    await eventually(async () => words((await history(page))[0]) === 'Booted in Longmode runs now')
    await library.running(DEFAULT_MACHINE_ID).send(new TextEncoder().encode('!off\n'))
    await eventually(async () => /ran 0:\d\d The guest switched itself off/.test(words((await history(page))[0])))
    expect(errors).toEqual([])
    await page.close()
    apps.length = 0
    await app.close()

    const next = await start()
    const kept = (
      await eventually(async () => {
        const list = await history(next.page)
        return list.length >= 4 && list
      })
    ).map(words)
    expect(kept[0]).toMatch(/^Booted in Longmode ran/)
    expect(kept.slice(1, 4).map((entry) => entry.split(' ')[0])).toEqual(['Built', 'Cancelled', 'Failed'])
    expect(readFileSync(path.join(data, 'kernel-history.json'), 'utf8')).toContain('"machine": "Longmode"')
    expect(next.errors).toEqual([])
  },
)
