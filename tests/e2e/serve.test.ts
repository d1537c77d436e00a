/**
 * The window over the real process side, in a browser: only the engine is exchanged, for a worker that echoes in capitals and dies when it is
 * told to. The same with a true guest is in tests/long.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ApplicationOptions } from '../../src-main/app/application.ts'
import type { Progress } from '../../src-main/contract/services/common.ts'
import { defaultMachine } from '../../src-main/machine/config.ts'
import { echoWorker, eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { consoleLines, dropFiles, launchBrowser, ServedApp } from './browser.ts'

const scratch = scratchFolder('e2e')
let browser: Browser
const open: ServedApp[] = []
beforeAll(async () => {
  // The built-in machine shares a folder of the home folder; this is not the user's.
  process.env.HOME = scratch
  browser = await launchBrowser()
}, 120_000)
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()))
})
afterAll(() => browser.close())

async function start(prepare: ApplicationOptions['prepare'] = (config) => Promise.resolve(config)) {
  const app = await ServedApp.start(browser, path.join(scratch, Math.random().toString(36).slice(2)), {
    worker: echoWorker,
    prepare,
  })
  open.push(app)
  return { app, ...(await app.open()), library: app.application.library }
}

const showsLine = (page: Page, text: string) =>
  eventually(async () => (await consoleLines(page)).some((line) => line.includes(text)))

/** First run: one click to a console. */
async function boot(page: Page) {
  await page.getByRole('button', { name: 'Boot the built-in Linux' }).click()
  await showsLine(page, 'ready')
  await page.locator('.xterm-helper-textarea').focus()
}

describe('the window in a browser', () => {
  it('boots the built-in guest with one click, and types into it', async () => {
    const { page, errors, library } = await start()
    await boot(page)
    await page.keyboard.type('hello there')
    await showsLine(page, 'HELLO THERE')
    expect(library.get('default').status.state).toBe('running')
    // The token is out of the address bar once it was read.
    expect(new URL(page.url()).hash).toBe('')
    expect(errors).toEqual([])
  })
  it('shows what the first start makes and how far it is, and can end it', async () => {
    let tell: (progress: Progress) => void = () => undefined
    let done = () => undefined as void
    const { page, library } = await start((config, progress, signal) => {
      tell = progress
      return new Promise((resolve, reject) => {
        done = () => resolve(config)
        signal?.addEventListener('abort', () => reject(new Error('told to end')))
      })
    })
    await page.getByRole('button', { name: 'Boot the built-in Linux' }).click()
    await page.getByText('preparing', { exact: true }).first().waitFor()
    const bar = page.getByRole('progressbar', { name: 'Making the default guest: unpacking' })
    tell({ text: 'making the default guest: unpacking', part: 0.62 })
    await page.getByRole('status').getByText('Making the default guest: unpacking').waitFor()
    expect(await bar.getAttribute('value')).toBe('0.62')
    tell({ text: 'making the default guest: unpacking', part: 0.9 })
    await eventually(async () => (await bar.getAttribute('value')) === '0.9')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await bar.waitFor({ state: 'detached' })
    expect(library.get('default').status).toMatchObject({ state: 'off', end: { kind: 'exited', reason: 'quit' } })
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByText('preparing', { exact: true }).first().waitFor()
    done()
    await showsLine(page, 'ready')
  })
  it('makes a machine of a pasted QEMU command', async () => {
    const { page, errors, library } = await start()
    await page.getByRole('button', { name: /Paste a QEMU line/ }).click()
    const folder = path.join(scratch, 'paste')
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'bzImage'), 'x')
    await page.getByRole('textbox', { name: 'Command line' }).fill(
      `qemu-system-x86_64 -drive file=${folder}/my_disk.raw,format=raw,index=0,media=disk -m 2G -nographic \\
        -kernel ${folder}/bzImage -append "root=/dev/sda rw console=ttyS0 loglevel=6" \\
        -fsdev local,id=fs1,path=${folder},security_model=none -device virtio-9p-pci,fsdev=fs1,mount_tag=shared_folder \\
        --enable-kvm`,
    )
    await page.getByText(`${folder}/my_disk.raw does not exist on this computer`).waitFor()
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    const { config } = await eventually(() => library.list()[0])
    expect(config).toMatchObject({
      name: 'my_disk',
      kernel: `${folder}/bzImage`,
      append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
      memory: 2 * 2 ** 30,
      disks: [{ file: `${folder}/my_disk.raw`, format: 'raw', bus: 'ide', index: 0 }],
      shares: [{ path: folder, mountTag: 'shared_folder', securityModel: 'none' }],
    })
    await page.getByRole('heading', { name: 'my_disk' }).waitFor()
    expect(errors).toEqual([])
  })
  it('knows dropped files by their content, and makes a machine of them', async () => {
    const { page, errors, library } = await start()
    await page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
    const disk = path.join(scratch, 'rootfs.raw')
    const image = new Uint8Array(3 << 20).map((_, n) => n >> 12)
    // The superblock's magic and the extents feature make it an ext4 (fs/ext4/ext4.h).
    image.set([0x53, 0xef], 0x438)
    image[0x460] = 0x40
    writeFileSync(disk, image)
    const picture = path.join(scratch, 'cat.png')
    writeFileSync(picture, Buffer.from('89504e470d0a1a0a0000', 'hex'))
    await dropFiles(page, [disk, picture])
    await page.getByRole('dialog').getByText('ext4 file system image').waitFor()
    await page
      .getByRole('dialog')
      .getByText(/cat\.png/)
      .first()
      .waitFor()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Create|Open in the editor|Edit/ })
      .first()
      .click()
    const made = await eventually(() => library.list()[0])
    expect(made.config.disks).toMatchObject([{ format: 'raw', media: 'disk', index: 0 }])
    // A browser has no path of the file: what was uploaded must be the same, byte for byte.
    expect(Buffer.compare(readFileSync(made.config.disks[0].file), Buffer.from(image))).toBe(0)
    expect(errors).toEqual([])
  })
  it('runs several machines, each with its own console', async () => {
    const { page, library } = await start()
    await boot(page)
    const second = await library.duplicate('default')
    await library.start(second.id)
    await library.running(second.id).send(new TextEncoder().encode('second'))
    await page
      .getByRole('button', { name: new RegExp(second.config.name.replace(/[()]/g, '\\$&')) })
      .first()
      .click()
    await showsLine(page, 'SECOND')
    expect((await consoleLines(page)).join('')).not.toContain('FIRST')
    expect(library.list().map(({ status }) => status.state)).toEqual(['running', 'running'])
  })
  it('survives a machine that crashes, and says why', async () => {
    const { page, errors, library } = await start()
    await boot(page)
    await page.keyboard.type('!throw')
    await page.keyboard.press('Control+J')
    await page.getByText('thrown on purpose').first().waitFor()
    expect(library.get('default').status.state).toBe('failed')
    await page.getByRole('button', { name: 'Copy details' }).first().waitFor()
    await page
      .getByRole('button', { name: /^Start/ })
      .first()
      .click()
    await eventually(() => library.get('default').status.state === 'running')
    expect(errors).toEqual([])
  })
  it('shows what a machine has to say, also in a window that opens later', async () => {
    const { app, page, library } = await start()
    await boot(page)
    await page.keyboard.type('!note the disk of this computer is full; the guest waits')
    await page.keyboard.press('Control+J')
    await page.getByText('the disk of this computer is full').first().waitFor()
    const later = await app.open()
    await later.page.getByRole('button', { name: '1 note of this machine' }).click()
    await later.page.getByRole('dialog').getByText('The disk of this computer is full; the guest waits').waitFor()
    expect(library.get('default').status.state).toBe('running')
  })
  it('tells of a shared folder that went away', async () => {
    const { page, library } = await start()
    const folder = path.join(scratch, 'vanishing')
    mkdirSync(folder)
    const share = { path: folder, mountTag: 'shared_folder', securityModel: 'none', readOnly: false } as const
    await library.add({ ...defaultMachine, name: 'sharing', shares: [share] })
    rmSync(folder, { recursive: true })
    await page
      .getByRole('button', { name: /^sharing/ })
      .first()
      .click()
    await page.getByRole('tab', { name: 'Share' }).click()
    await page.getByText('The folder is gone').first().waitFor()
    await page.getByRole('tab', { name: 'Settings' }).click()
    await page
      .getByText(/vanishing.*(not|no such)/i)
      .first()
      .waitFor()
  })
  it('lets the tag of a shared folder be chosen, and says how that is mounted', async () => {
    const { page, library } = await start()
    const share = { path: scratch, mountTag: 'shared_folder', securityModel: 'none', readOnly: false } as const
    const { id } = await library.add({ ...defaultMachine, name: 'tagged', shares: [share] })
    await page
      .getByRole('button', { name: /^tagged/ })
      .first()
      .click()
    await page.getByRole('tab', { name: 'Settings' }).click()
    await page.getByRole('textbox', { name: 'Mount tag' }).fill('my files')
    await page.getByText('A mount tag has 1 to 31 bytes and no blanks; choose another one').waitFor()
    await page.getByRole('textbox', { name: 'Mount tag' }).fill('my_files')
    await page.getByRole('combobox', { name: /security model/ }).selectOption('mapped-xattr')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await eventually(() => library.get(id).config.shares[0].mountTag === 'my_files')
    expect(library.get(id).config.shares).toEqual([{ ...share, mountTag: 'my_files', securityModel: 'mapped-xattr' }])
    await page.getByRole('tab', { name: 'Share' }).click()
    const card = page.getByRole('region', { name: 'my_files' })
    await card.getByText(/mount -t 9p -o \S+ my_files \/root\/host_folder/).waitFor()
  })
  it('speaks Portuguese, also where the process side says it', async () => {
    const { app, page, library } = await start()
    await library.add({ ...defaultMachine, name: 'sem kernel', kernel: path.join(scratch, 'bzImage') })
    await app.application.settings.change({ language: 'pt-BR' })
    await page.reload()
    await page
      .getByRole('button', { name: /^sem kernel/ })
      .first()
      .click()
    await page.getByRole('tab', { name: 'Ajustes' }).click()
    await page
      .getByText(/O kernel .*bzImage: não existe/)
      .first()
      .waitFor()
  })
  it('loses nothing of a burst of 5 MB, and shows its end', async () => {
    const { page, library } = await start()
    await boot(page)
    await page.keyboard.type('!burst 5000000')
    await page.keyboard.press('Control+J')
    await eventually(() => library.console('default').end > 5_000_000)
    await page.keyboard.type('the end')
    await showsLine(page, 'THE END')
  })
  it('gives the guest all of a long paste, in order', async () => {
    const { page, library } = await start()
    await boot(page)
    const text = Array.from({ length: 20_000 }, (_, n) => `${n}`).join(' ')
    // As text: the page's own types are not ours.
    await page.evaluate(`{
      const data = new DataTransfer()
      data.setData('text/plain', ${JSON.stringify(text)})
      const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
      document.querySelector('.xterm-helper-textarea').dispatchEvent(paste)
    }`)
    const seen = () => new TextDecoder().decode(library.console('default').kept().bytes)
    await eventually(() => seen().includes('19999'))
    expect(seen()).toContain(text)
  })
  it('shows in every window the same, also after a reload', { timeout: 90_000 }, async () => {
    const { app, page } = await start()
    await boot(page)
    await page.keyboard.type('shared words')
    await showsLine(page, 'SHARED WORDS')
    const other = await app.open()
    await other.page.getByText('Longmode').first().waitFor()
    await other.page
      .getByRole('button', { name: /Longmode/ })
      .first()
      .click()
    await showsLine(other.page, 'SHARED WORDS')
    await page.reload()
    await page
      .getByRole('button', { name: /Longmode/ })
      .first()
      .click()
    await showsLine(page, 'SHARED WORDS')
  })
  it('has no serious accessibility fault', async () => {
    const { page } = await start()
    await page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
    const serious = async () => {
      const { violations } = await new AxeBuilder({ page }).analyze()
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => [id, nodes[0]?.html])
    }
    expect(await serious()).toEqual([])
    await boot(page)
    expect(await serious()).toEqual([])
  })
})
