/**
 * Every panel on a true guest, and when something is wrong: a folder or file that vanished, a disk of the host that is full, a worker
 * that died. What the window says is read in the window; one guest lives through all of it, in this order.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Worker } from 'node:worker_threads'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultMachine, MIB } from '../../src-main/machine/config.ts'
import { eventually } from '../fixtures/echo-library.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { chooseFile, launchBrowser, ServedApp } from './browser.ts'

const PATIENCE = 300_000
const scratch = scratchFolder('troubles')
/** A place of the host with room for 6 MiB; only root can make one. */
const small = path.join(scratch, 'small')
const canFill = process.getuid?.() === 0 && process.platform === 'linux'
const place = (...names: string[]) => path.join(scratch, ...names)
const image = path.join(small, 'disk.raw')
const tree = path.join(small, 'linux')

let browser: Browser
let app: ServedApp
let page: Page
let errors: string[]
let id: string
const workers: Worker[] = []
process.on('worker', (worker: Worker) => workers.push(worker))

/** The smallest folder that is a kernel tree; its build writes until there is no room. */
function makeTree(): void {
  for (const folder of ['scripts', 'arch/x86/entry/syscalls']) mkdirSync(path.join(tree, folder), { recursive: true })
  for (const file of ['Kbuild', 'scripts/Kbuild.include', 'arch/x86/entry/syscalls/syscall_64.tbl'])
    writeFileSync(path.join(tree, file), '')
  writeFileSync(path.join(tree, '.config'), 'CONFIG_X86_64=y\n')
  writeFileSync(path.join(tree, 'big.c'), 'char big[16 << 20] = {1};\n')
  const head = 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n'
  writeFileSync(path.join(tree, 'Makefile'), `${head}%:\n\t@echo "  CC      big.o"\n\t@gcc -c big.c -o big.o\n`)
}

beforeAll(async () => {
  mkdirSync(small)
  if (canFill) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', small])
  for (const folder of ['share', 'other']) mkdirSync(place(folder))
  mkdirSync(path.join(small, 'share'))
  writeFileSync(place('share', 'first.txt'), 'in the first folder\n')
  writeFileSync(place('other', 'second.txt'), 'in the second folder\n')
  writeFileSync(image, '')
  truncateSync(image, 32 * MIB)
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-L', 'small', image])
  makeTree()
  browser = await launchBrowser()
  app = await ServedApp.start(browser, path.join(small, 'data'))
  const share = { securityModel: 'none', readOnly: false } as const
  const machine = await app.application.library.add({
    ...defaultMachine,
    name: 'guest',
    memory: 512 * MIB,
    consoles: 1,
    disks: [
      { file: image, format: 'raw', media: 'disk', bus: 'ide', index: 0, readOnly: false, snapshot: false } as const,
    ],
    shares: [
      { ...share, path: place('share'), mountTag: 'shared_folder' },
      { ...share, path: path.join(small, 'share'), mountTag: 'small' },
    ],
  })
  ;({ id } = machine)
  ;({ page, errors } = await app.open())
  page.setDefaultTimeout(60_000)
}, PATIENCE)
afterAll(async () => {
  await app.close()
  await browser.close()
  // lazily: who was looked at with a dead worker may still be closing its files
  if (canFill) execFileSync('umount', ['--lazy', small])
})

const library = () => app.application.library
const said = () => new TextDecoder().decode(library().console(id).kept().bytes)
const tab = (name: string) => page.getByRole('tab', { name, exact: true }).click()
/** Sentences in the corner stay until they are read. */
async function dismissAll(): Promise<void> {
  const buttons = page.getByRole('button', { name: 'Dismiss' })
  while ((await buttons.count()) > 0) await buttons.first().click()
}
/** A note comes and goes in the corner; the machine's list of notes keeps it. */
const noted = (text: RegExp) =>
  eventually(() =>
    library()
      .notes(id)
      .some((note) => text.test(note.text)),
  )
const says = (text: RegExp | string) => page.getByText(text).first().waitFor()

/** Types into the console as a user does; gives what the guest prints before a mark of its own. */
async function run(line: string): Promise<string> {
  await tab('Console')
  await page.locator('.xterm-helper-textarea').first().focus()
  const mark = `m${Math.random().toString(36).slice(2)}`
  const before = said().length
  await page.keyboard.type(`${line}; echo ${mark} | tr a-z A-Z\n`)
  return await eventually(() => said().slice(before).split(mark.toUpperCase()).slice(0, -1).join('') || undefined)
}

describe('on a running guest', () => {
  it(
    'the console runs what is typed',
    async () => {
      await page
        .getByRole('button', { name: /^Start/ })
        .first()
        .click()
      await eventually(() => /longmode:\S*# /.test(said()))
      expect(await run('echo $((6 * 7)); mount /dev/sda /mnt; ls /root/host_folder')).toMatch(/42[^]*first\.txt/)
    },
    PATIENCE,
  )
  it('the memory panel shows its registers, its bytes and a page walk', { timeout: PATIENCE }, async () => {
    await tab('Memory')
    const { registers } = await library().running(id).debug.ask('registers', {})
    const lstar = registers.find(({ name }) => name === 'lstar')!.value
    await page.getByRole('combobox', { name: 'Go to an address' }).fill('lstar')
    await page.keyboard.press('Enter')
    await says(new RegExp(lstar.toString(16).slice(-8), 'i'))
    await says(/PML4/)
    const walk = await library().running(id).debug.ask('walk', { address: lstar })
    if (walk.result.kind !== 'mapped') throw new Error(`the entry of system calls is ${walk.result.kind}`)
    // The same bytes in physical memory, and the way back.
    const cursor = (address: bigint) =>
      page.locator('.inspector .at', { hasText: address.toString(16).padStart(16, '0') })
    const space = page.getByRole('combobox', { name: 'Address space' })
    await space.selectOption('Physical')
    await cursor(walk.result.physical).waitFor()
    await space.selectOption('Virtual')
    await cursor(lstar).waitFor()
    // Page tables are in the direct map alone.
    await page.locator('li.cr3 button').click()
    await page.getByText('A physical address needs no walk.').waitFor()
    const table = BigInt(`0x${await page.locator('.inspector .at').innerText()}`)
    await space.selectOption('Virtual')
    await says(/PML4/)
    const address = BigInt(`0x${await page.locator('.inspector .at').innerText()}`)
    const { result } = await library().running(id).debug.ask('walk', { address })
    expect(result).toMatchObject({ kind: 'mapped', physical: table })
    expect(address).not.toBe(table)
  })
  it('the share panel lists what either side does', { timeout: PATIENCE }, async () => {
    await tab('Share')
    const card = page.getByRole('region', { name: 'shared_folder' })
    await card.getByText('Shared', { exact: false }).first().waitFor()
    writeFileSync(place('share', 'from-host'), 'x')
    await card.locator('li', { hasText: 'from-host' }).getByText('host', { exact: true }).waitFor()
    await library().running(id).send(new TextEncoder().encode('echo x > /root/host_folder/from-guest\n'))
    await card.locator('li', { hasText: 'from-guest' }).getByText('guest', { exact: true }).first().waitFor()
  })
  it('the disks panel shows the image, and that it is in use', { timeout: PATIENCE }, async () => {
    await tab('Disks')
    const card = page.getByRole('region', { name: '/dev/sda' })
    await card.getByText('ext4 · small').waitFor()
    await card.getByText('in use').waitFor()
    expect(await card.getByRole('button', { name: 'Protect' }).isDisabled()).toBe(true)
  })
  it('another folder takes the place of a share, and is mounted by one press', { timeout: PATIENCE }, async () => {
    await tab('Share')
    const card = page.getByRole('region', { name: 'shared_folder' })
    await card.getByRole('button', { name: 'Another folder…' }).click()
    await chooseFile(page, place('other'))
    await card.getByText('mounts the tag again').waitFor()
    expect(await run('ls /root/host_folder')).toContain('first.txt')
    await tab('Share')
    await card.getByRole('button', { name: 'Type it into the console' }).click()
    await eventually(() => !library().waitsForMount(id, 'shared_folder'))
    expect(await run('cat /root/host_folder/*')).toContain('in the second folder')
    await tab('Share')
    await card.getByText(place('other')).waitFor()
    await card.getByText('In the guest').waitFor()
    expect(library().get(id).config.shares[0].path).toBe(place('other'))
  })
})

describe('when something vanished', () => {
  it('the share panel says that the folder is gone, and takes another one', { timeout: PATIENCE }, async () => {
    await tab('Share')
    const card = page.getByRole('region', { name: 'shared_folder' })
    rmSync(place('other'), { recursive: true })
    await card.getByText('The folder is gone').waitFor()
    await card.getByRole('button', { name: 'Open the folder' }).click()
    await says(/does not exist any more/)
    await card.getByRole('button', { name: 'Another folder…' }).click()
    await chooseFile(page, place('share'))
    await card.getByRole('button', { name: 'Type it into the console' }).click()
    await eventually(() => !library().waitsForMount(id, 'shared_folder'))
    expect(await run('cat /root/host_folder/first.txt')).toContain('in the first folder')
    expect(library().get(id).status.state).toBe('running')
  })
  it(
    'the disks panel says that the image is gone, and the guest keeps what it has open',
    { timeout: PATIENCE },
    async () => {
      await tab('Console')
      renameSync(image, `${image}.away`)
      await tab('Disks')
      await page
        .getByRole('region', { name: '/dev/sda' })
        .getByText(/does not exist/)
        .waitFor()
      expect(await run('echo kept > /mnt/kept && sync && cat /mnt/kept')).toContain('kept')
      renameSync(`${image}.away`, image)
      await tab('Disks')
      await page.getByRole('region', { name: '/dev/sda' }).getByText('ext4 · small').waitFor()
    },
  )
  it('the kernel panel says that the tree is gone, and finds it again', { timeout: PATIENCE }, async () => {
    await app.application.settings.change({ kernelTree: tree })
    app.application.host.emit('application', 'settingsChanged', app.application.settings.current)
    await tab('Kernel')
    await page.getByRole('heading', { name: 'Linux 6.1.0' }).waitFor()
    renameSync(tree, `${tree}.away`)
    await page.getByRole('button', { name: 'Look again' }).click()
    await says(/linux does not exist/)
    renameSync(`${tree}.away`, tree)
    await page.getByRole('button', { name: 'Look again' }).click()
    await page.getByRole('heading', { name: 'Linux 6.1.0' }).waitFor()
  })
  it('the memory panel says that a symbol file is not there', { timeout: PATIENCE }, async () => {
    writeFileSync(place('vmlinux'), 'x')
    await tab('Memory')
    await page.getByRole('button', { name: 'Symbols…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Folder' }).fill(scratch)
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: /^vmlinux/ }).click()
    rmSync(place('vmlinux'))
    await dialog.getByRole('button', { name: 'Open', exact: true }).click()
    await says(/vmlinux cannot be opened/)
  })
  it('a machine whose kernel is gone says so before it starts', { timeout: PATIENCE }, async () => {
    const lost = await library().add({ ...defaultMachine, name: 'lost', kernel: place('bzImage') })
    await page.getByRole('button', { name: /^lost/ }).first().click()
    await page
      .getByRole('button', { name: /^Start/ })
      .first()
      .click()
    await says(/The kernel .*bzImage: does not exist/)
    expect(library().get(lost.id).status.state).toBe('failed')
    await library().remove(lost.id)
    await page
      .getByRole('button', { name: /^guest/ })
      .first()
      .click()
  })
})

describe.runIf(canFill)('when the disk of the host is full', () => {
  it('the kernel panel explains the build that failed', { timeout: PATIENCE }, async () => {
    await tab('Kernel')
    await page.getByRole('button', { name: 'Build', exact: true }).click()
    await says(/the disk is full: a kernel/i)
    await says('Failed')
  })
  it('the share panel and the guest are told', { timeout: PATIENCE }, async () => {
    expect(await run('dd if=/dev/zero of=/root/small/big bs=1M count=64')).toContain('No space left on device')
    await noted(/shared folder .*small\/share: the disk is full/)
    await tab('Share')
    await page.getByRole('region', { name: 'small' }).locator('li', { hasText: 'big' }).first().waitFor()
  })
  it(
    'the disk of the guest gets errors, the user a sentence, and nothing else is harmed',
    { timeout: PATIENCE },
    async () => {
      expect(await run('dd if=/dev/urandom of=/mnt/big bs=1M count=20 conv=fsync')).toMatch(/error|No space/i)
      await noted(/the disk .*disk\.raw: the place where the image lies is full/)
      await page.getByRole('button', { name: /notes? of this machine/ }).click()
      await page
        .getByRole('dialog')
        .getByText(/The disk .*disk\.raw: the place where the image lies is full/)
        .waitFor()
      await page.keyboard.press('Escape')
      expect(library().get(id).status.state).toBe('running')
      expect(await run('echo still alive')).toContain('still alive')
    },
  )
  it('a change of the machine that cannot be saved is not lost without a word', { timeout: PATIENCE }, async () => {
    const file = path.join(small, 'data/machines', `${id}.json`)
    const saved = readFileSync(file, 'utf8')
    const { config } = library().get(id)
    await page.getByRole('tab', { name: 'Settings', exact: true }).click()
    await dismissAll()
    await page.getByRole('textbox', { name: 'Name' }).fill('x'.repeat(90))
    await page.getByRole('button', { name: 'Save' }).click()
    await says(/could not be saved in .*: the disk is full/i)
    expect(readFileSync(file, 'utf8')).toBe(saved)
    expect(library().get(id).config).toEqual(config)
  })
  it('a new image finds no room, and leaves no file', { timeout: PATIENCE }, async () => {
    const { createImage } = await import('../../src-main/host/disk/create.ts')
    expect(() => createImage({ file: path.join(small, 'new.qcow2'), format: 'qcow2', size: 1024 * MIB })).toThrow()
    expect(existsSync(path.join(small, 'new.qcow2'))).toBe(false)
  })
})

describe('when the worker died', () => {
  it('the window says so with details, and every panel is there', { timeout: PATIENCE }, async () => {
    if (canFill) rmSync(path.join(small, 'share/big'), { force: true })
    const vcpu = workers.find((worker) => worker.threadName?.startsWith('vcpu guest'))!
    await tab('Console')
    await vcpu.terminate()
    await says(/The machine stopped without saying why/)
    expect(library().get(id).status.state).toBe('failed')
    await page.locator('.xterm-helper-textarea').first().focus()
    await page.keyboard.type('x')
    await tab('Memory')
    await says('The machine is off')
    await tab('Share')
    await page.getByRole('region', { name: 'shared_folder' }).getByText('Shared').first().waitFor()
    expect(await page.getByRole('button', { name: 'Type it into the console' }).first().isDisabled()).toBe(true)
    await tab('Disks')
    const card = page.getByRole('region', { name: '/dev/sda' })
    await card.getByText('ext4 · small').waitFor()
    expect(await card.getByText('in use').count()).toBe(0)
    await tab('Kernel')
    await page.getByRole('heading', { name: 'Linux 6.1.0' }).waitFor()
  })
  it('the machine starts again', { timeout: PATIENCE }, async () => {
    await page.getByRole('button', { name: 'Start again' }).click()
    const before = said().length
    await eventually(() => library().get(id).status.state === 'running')
    await eventually(() => /longmode:\S*# /.test(said().slice(before)))
    expect(errors).toEqual([])
  })
})
