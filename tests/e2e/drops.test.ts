/**
 * Real files of every kind, dropped on the window as the system drops them: each is known by its content, shown with what becomes of it, and
 * makes the machine that it should.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultGuest } from '../../src-main/host/default-guest/default-guest.ts'
import type { MachineConfig } from '../../src-main/machine/config.ts'
import { echoWorker, eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { chooseFile, dropFiles, launchBrowser, ServedApp } from './browser.ts'

const PATIENCE = 300_000
const scratch = scratchFolder('drops')
const place = (name: string) => path.join(scratch, name)
let browser: Browser
let app: ServedApp
let page: Page
let errors: string[]

/** An ELF kernel as the kernel's own link makes it: fixed addresses, nothing dynamic. */
function makeVmlinux(): void {
  const source = place('start.c')
  writeFileSync(source, 'void _start(void) { for (;;) __asm__("hlt"); }\n')
  const flags = ['-nostdlib', '-static', '-ffreestanding', '-no-pie', '-Wl,-Ttext=0x1000000,--build-id=none']
  execFileSync('gcc', [...flags, '-o', place('vmlinux'), source])
}

beforeAll(async () => {
  process.env.HOME = scratch
  const guest = await defaultGuest(() => undefined)
  copyFileSync(guest.kernel, place('bzImage'))
  copyFileSync(guest.initrd, place('initramfs.gz'))
  makeVmlinux()
  for (const [name, type] of [
    ['rootfs.raw', 'ext4'],
    ['old.img', 'ext2'],
  ]) {
    writeFileSync(place(name), '')
    truncateSync(place(name), 4 << 20)
    execFileSync('mke2fs', ['-q', '-t', type, '-L', 'tutorial', place(name)])
  }
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', place('debian.qcow2'), '1G'])
  mkdirSync(place('share'))
  writeFileSync(path.join(place('share'), 'hello.c'), 'int main(void) { return 0; }\n')
  execFileSync('xorriso', ['-as', 'mkisofs', '-quiet', '-V', 'COURSE', '-o', place('course.iso'), place('share')])
  execFileSync('gcc', ['-o', place('hello'), path.join(place('share'), 'hello.c')])
  writeFileSync(place('notes.txt'), 'what I wanted to do\n'.repeat(50))
  writeFileSync(place('empty'), '')
  execFileSync('tar', ['cf', place('sources.tar'), '-C', scratch, 'share'])
  browser = await launchBrowser()
}, PATIENCE)
afterAll(() => browser.close())
afterEach(async () => {
  expect(errors).toEqual([])
  await app.close()
})

let count = 0
/** A window of its own, and the files dropped on it. */
async function drop(...names: string[]) {
  app = await ServedApp.start(browser, place(`data${count++}`), {
    worker: echoWorker,
    prepare: (config) => Promise.resolve(config),
  })
  ;({ page, errors } = await app.open())
  await page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
  await dropFiles(page, names.map(place))
  return page.getByRole('dialog', { name: 'Dropped files' })
}

async function create(): Promise<MachineConfig> {
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click()
  return (await eventually(() => app.application.library.list()[0])).config
}
/** What was uploaded is the file, byte for byte. */
function same(file: string | undefined, name: string): void {
  expect(Buffer.compare(readFileSync(file ?? ''), readFileSync(place(name)))).toBe(0)
}

describe('a dropped file', () => {
  it('raw image with a file system: a disk that is the root', { timeout: PATIENCE }, async () => {
    const dialog = await drop('rootfs.raw')
    await dialog.getByText('this is an ext4 file system image', { exact: false }).waitFor()
    const { disks, append } = await create()
    expect(disks).toMatchObject([{ format: 'raw', media: 'disk', bus: 'ide', index: 0, readOnly: false }])
    expect(append).toBe('root=/dev/sda rw')
    same(disks[0].file, 'rootfs.raw')
  })
  it('qcow2 image: a disk of that format', { timeout: PATIENCE }, async () => {
    const dialog = await drop('debian.qcow2')
    await dialog.getByText('a qcow2 disk image').waitFor()
    const { disks, name } = await create()
    expect(disks).toMatchObject([{ format: 'qcow2', media: 'disk' }])
    expect(name).toBe('debian')
  })
  it('ISO image: a CD-ROM that is only read', { timeout: PATIENCE }, async () => {
    const dialog = await drop('course.iso')
    await dialog.getByText('a CD or DVD image').waitFor()
    expect((await create()).disks).toMatchObject([{ format: 'raw', media: 'cdrom', index: 2, readOnly: true }])
  })
  it('bzImage: the kernel', { timeout: PATIENCE }, async () => {
    const dialog = await drop('bzImage')
    await dialog
      .getByText(/this is .*Linux.*kernel|this is Linux/i)
      .first()
      .waitFor()
    const { kernel, append } = await create()
    same(kernel, 'bzImage')
    expect(append).toBe('console=ttyS0')
  })
  it('vmlinux: the kernel', { timeout: PATIENCE }, async () => {
    const dialog = await drop('vmlinux')
    await dialog.getByText('a 64-bit ELF kernel (vmlinux)').waitFor()
    same((await create()).kernel, 'vmlinux')
  })
  it('initramfs: the initrd', { timeout: PATIENCE }, async () => {
    const dialog = await drop('initramfs.gz')
    await dialog.getByText('as an initrd it can be used as it is').waitFor()
    same((await create()).initrd, 'initramfs.gz')
  })
  it('folder: a share, by the picker, for a browser does not say where it is', { timeout: PATIENCE }, async () => {
    await drop('share')
    await page.getByText('does not say where the folder “share” is').waitFor()
    await chooseFile(page, place('share'))
    await page.getByRole('dialog').getByText('a folder, to be shared with the guest').waitFor()
    expect((await create()).shares).toEqual([
      { path: place('share'), mountTag: 'shared_folder', securityModel: 'none', readOnly: false },
    ])
  })
  it(
    'disk image that shall not be written: its role is changed to a read-only disk',
    { timeout: PATIENCE },
    async () => {
      const dialog = await drop('old.img')
      await dialog.getByText('an ext2 file system image').waitFor()
      const roles = dialog.getByRole('combobox', { name: 'Use as' })
      const values = await roles.locator('option').allInnerTexts()
      expect(values).toContain('Read-only disk')
      await roles.selectOption({ label: 'Read-only disk' })
      expect(await create()).toMatchObject({ disks: [{ media: 'disk', readOnly: true }], append: 'root=/dev/sda ro' })
    },
  )
})

describe('several files at once', () => {
  it('make one machine', { timeout: PATIENCE }, async () => {
    const dialog = await drop('rootfs.raw', 'bzImage', 'initramfs.gz', 'course.iso')
    await dialog.getByText('a CD or DVD image').waitFor()
    const { kernel, initrd, disks } = await create()
    same(kernel, 'bzImage')
    same(initrd, 'initramfs.gz')
    expect(disks).toMatchObject([
      { media: 'disk', index: 0 },
      { media: 'cdrom', index: 2 },
    ])
  })
  it('two kernels: one is used, and it says which is not', { timeout: PATIENCE }, async () => {
    const dialog = await drop('bzImage', 'vmlinux')
    await dialog.getByText(/vmlinux is not used: bzImage is the kernel already/).waitFor()
    same((await create()).kernel, 'bzImage')
  })
})

describe('what Longmode cannot use', () => {
  it.each([
    ['notes.txt', 'a file of no kind that Longmode knows'],
    ['empty', 'an empty file'],
    ['sources.tar', 'a tar archive; unpack it first'],
    ['hello', 'a Linux program, not a kernel'],
  ])('%s: it says what it is, and offers no machine', { timeout: PATIENCE }, async (name, words) => {
    expect(statSync(place(name)).isFile()).toBe(true)
    const dialog = await drop(name)
    await dialog.getByText(words).first().waitFor()
    await dialog.getByText(/Longmode cannot use it/).waitFor()
    expect(await dialog.getByRole('button', { name: 'Create', exact: true }).count()).toBe(0)
    expect(app.application.library.list()).toEqual([])
  })
})
