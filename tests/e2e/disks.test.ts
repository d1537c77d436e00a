/** The disks panel on real images; QEMU's tools say whether what it made and changed is right. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { defaultMachine } from '../../src-main/machine/config.ts'
import { echoWorker, eventually } from '../fixtures/echo-library.ts'
import { rawDisk } from '../fixtures/raw-disk.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { launchBrowser, ServedApp } from './browser.ts'

const scratch = scratchFolder('disks')
const image = path.join(scratch, 'my_disk.raw')
const MIB = 2 ** 20
let browser: Browser
let app: ServedApp

beforeAll(async () => {
  process.env.HOME = scratch
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-L', 'tutorial', image, '16M'])
  browser = await launchBrowser()
  app = await ServedApp.start(browser, path.join(scratch, 'data'), {
    worker: echoWorker,
    prepare: (config) => Promise.resolve(config),
  })
}, 120_000)
afterAll(async () => {
  await app.close()
  await browser.close()
})

const qemu = (...args: string[]) => spawnSync('qemu-img', args, { encoding: 'utf8' })
/** As a guest does that runs on it: 64 KiB of one byte at 4 MiB. */
const write = (file: string, byte: string) =>
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${byte} 4M 64k`, file])
const at4M = () => readFileSync(image)[4 * MIB]

it(
  'looks into an image, protects it, takes changes back or keeps them, copies, checks and creates',
  { timeout: 120_000 },
  async () => {
    const { library } = app.application
    const { id } = await library.add({
      ...defaultMachine,
      name: 'Disks',
      kernel: '/boot/vmlinuz',
      disks: [rawDisk(image)],
    })
    const { page, errors } = await app.open()
    await page.getByRole('tab', { name: 'Disks', exact: true }).click()
    const card = page.getByRole('region', { name: '/dev/sda' })
    await card.getByText('ext4 · tutorial').waitFor()
    expect(await card.locator('dd').allInnerTexts()).toMatchObject([
      'raw',
      '16 MiB',
      expect.any(String),
      'ext4 · tutorial',
    ])
    const untouched = readFileSync(image)

    await card.getByRole('button', { name: 'Protect' }).click()
    await card.getByText('protected', { exact: true }).waitFor()
    const overlay = library.get(id).config.disks[0].file
    expect(overlay).not.toBe(image)
    expect(JSON.parse(qemu('info', '--output=json', overlay).stdout)).toMatchObject({
      format: 'qcow2',
      'full-backing-filename': image,
      'virtual-size': 16 * MIB,
    })
    await card.getByText(image, { exact: true }).waitFor()

    write(overlay, '0x5a')
    expect(qemu('compare', overlay, image).status).toBe(1)
    await card.getByRole('button', { name: 'Discard the changes' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Discard the changes' }).click()
    await eventually(() => qemu('compare', overlay, image).status === 0)
    expect(readFileSync(image).equals(untouched)).toBe(true)

    write(overlay, '0xa5')
    await card.getByRole('button', { name: 'Keep the changes' }).click()
    await page.getByRole('dialog').getByText(`The changes are written into ${image}`).waitFor()
    expect(at4M()).toBe(untouched[4 * MIB])
    await page.getByRole('dialog').getByRole('button', { name: 'Keep the changes' }).click()
    await page.getByText('The changes are in the image now.').waitFor()
    expect(at4M()).toBe(0xa5)
    expect(qemu('check', overlay).status).toBe(0)

    await card.getByRole('button', { name: 'Check' }).click()
    await page.getByText('The image is sound.').waitFor()

    const copy = path.join(scratch, 'copy.raw')
    await card.getByRole('button', { name: 'Convert to raw…' }).click()
    const picker = page.getByRole('dialog', { name: 'Save the disk image as' })
    await picker.getByRole('textbox', { name: 'Folder' }).fill(scratch)
    await picker.getByRole('textbox', { name: 'Folder' }).press('Enter')
    await picker.getByRole('textbox', { name: 'File name' }).fill('copy.raw')
    await picker.getByRole('button', { name: 'Save' }).click()
    await page.getByText(`The copy is ${copy}.`).waitFor()
    expect(qemu('compare', '-f', 'raw', copy, image).status).toBe(0)

    const fresh = path.join(scratch, 'fresh.qcow2')
    await page.getByRole('button', { name: 'New image…' }).click()
    const dialog = page.getByRole('dialog', { name: 'New image…' })
    await dialog.getByRole('textbox', { name: 'File', exact: true }).fill(fresh)
    await dialog.getByRole('spinbutton', { name: 'Size in GiB' }).fill('3')
    await dialog.getByRole('button', { name: 'Create and attach' }).click()
    await page.getByRole('region', { name: '/dev/sdb' }).getByText('3 GiB').waitFor()
    expect(library.get(id).config.disks[1].file).toBe(fresh)
    expect(JSON.parse(qemu('info', '--output=json', fresh).stdout)).toMatchObject({ 'virtual-size': 3 * 2 ** 30 })
    expect([qemu('check', fresh).status, statSync(fresh).size < MIB]).toEqual([0, true])
    expect(errors).toEqual([])
  },
)
