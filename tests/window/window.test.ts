/** The built window in Debian's chromium over a made-up process side: what a user does and sees. */
import type { Page } from 'playwright'
import { describe, expect, it } from 'vitest'
import { serious } from './axe.ts'
import { FakeHost } from './fake-host.ts'
import { tab, windows } from './open.ts'
import { difference } from './pictures.ts'

/** A loaded machine is slow, not wrong. */
const patience = { timeout: 20_000 }
const open = windows()

/** The window itself has heard of a machine's state: until then its keys mean something else. */
const shows = (page: Page, state: string) => page.locator('header').getByText(state, { exact: true }).waitFor()

describe('the first page', () => {
  it('boots the embedded machine by one press', async () => {
    const { fake, page, faults } = await open({ machines: [] })
    fake.machines.clear()
    const button = page.getByRole('button', { name: 'Boot the built-in Linux' })
    await button.waitFor()
    expect(await serious(page)).toEqual([])
    const [builtIn] = new FakeHost({ now: 0 }).machines.values()
    fake.machines.set('built-in', { ...builtIn, id: 'built-in' })
    await button.press('Enter')
    await expect.poll(() => fake.machines.get('built-in')?.status.state, patience).toBe('running')
    await page.getByText('running', { exact: true }).waitFor()
    expect(faults()).toEqual([])
  })
})

describe('a machine', () => {
  it('is started, and found, by the keyboard alone', async () => {
    const { fake, page } = await open()
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('go debian')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Debian 12, stock kernel' }).waitFor()
    await expect.poll(() => fake.settings.selectedMachine, patience).toBe('debian')
    await page.keyboard.press('Control+Shift+Enter')
    await shows(page, 'running')
    expect(fake.machines.get('debian')?.status.state).toBe('running')
    await page.keyboard.press('Control+Shift+Period')
    await expect.poll(() => fake.machines.get('debian')?.status.state, patience).toBe('paused')
  })
  it('that failed says why, with details to copy', async () => {
    const { page } = await open({ settings: { selectedMachine: 'crashed' } })
    const alert = page.getByRole('alert').filter({ hasText: 'no handler for opcode' })
    await alert.waitFor()
    await alert.getByRole('button', { name: 'Copy details' }).click()
    const text = await page.evaluate<string>('navigator.clipboard.readText()')
    expect(text).toContain('at decode (decode.ts:120:11)')
  })
  it('is ended only after a question', async () => {
    const { fake, page } = await open()
    await page.getByRole('button', { name: 'End now' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect(fake.machines.get('tutorial')?.status.state).toBe('running')
    await page.getByRole('button', { name: 'End now' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click()
    await expect.poll(() => fake.machines.get('tutorial')?.status.state, patience).toBe('off')
  })
  it('is asked to restart; one that does not listen is reset after a question', async () => {
    const { fake, page } = await open()
    await page.getByRole('button', { name: 'Restart' }).click()
    await page.getByText('Not every guest listens.').waitFor()
    await page.getByRole('button', { name: 'Reset at once' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset at once' }).click()
    await page.getByText('Not every guest listens.').waitFor({ state: 'detached' })
    expect(fake.machines.get('tutorial')?.status).not.toHaveProperty('asked')
  })
  it('comes of a pasted QEMU line, or a sentence does', async () => {
    const { fake, page, faults } = await open()
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    await page.keyboard.press('Control+Shift+I')
    const field = page.getByRole('textbox', { name: 'Command line' })
    await field.fill('qemu-system-x86_64 -frobnicate')
    await page.getByText('There is no flag -frobnicate').waitFor()
    await field.fill('qemu-system-x86_64 -kernel bzImage --enable-kvm')
    await page.getByText('there is no KVM here').waitFor()
    await page.getByRole('button', { name: 'Create and start' }).click()
    await expect.poll(() => fake.machines.get('m5')?.status.state, patience).toBe('running')
    expect(faults()).toEqual([])
  })
  it('comes of dropped files; what is of no use says so', async () => {
    const { fake, page } = await open()
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    const transfer = await page.evaluateHandle(`(() => {
      const data = new DataTransfer()
      data.items.add(new File(['bytes of a disk'], 'my_disk.raw'))
      data.items.add(new File(['the same again'], 'my_disk.raw'))
      return data
    })()`)
    await page.dispatchEvent('main', 'dragenter', { dataTransfer: transfer })
    await page.getByText('Drop it here').waitFor()
    await page.dispatchEvent('main', 'drop', { dataTransfer: transfer })
    await page.getByText('This is an ext4 file system image named "tutorial".').waitFor()
    const starts = page.getByRole('combobox', { name: 'Starts with' })
    await expect.poll(() => starts.locator('option:checked').textContent(), patience).toContain('6.1.0-28')
    await starts.selectOption({ index: 1 })
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await expect
      .poll(() => fake.machines.get('m5')?.config, patience)
      .toMatchObject({
        name: 'my_disk',
        kernel: expect.stringContaining('vmlinuz-6.1.0-26-amd64') as string,
        append: 'root=UUID=1-2 ro console=ttyS0',
      })
  })
})

describe('the memory viewer', () => {
  it('goes to a symbol, walks its page tables, searches, edits when paused', async () => {
    const { page, faults } = await open()
    await tab(page, 'Memory')
    const goTo = page.getByRole('combobox', { name: 'Go to an address' })
    await goTo.fill('linux_banner')
    await goTo.press('Enter')
    const bytes = page.getByRole('application', { name: 'Bytes' })
    await expect.poll(() => bytes.textContent(), patience).toContain('Linux version 6.')
    const side = page.getByRole('complementary', { name: 'About the cursor' })
    await side.getByText('2 MiB page in memory').waitFor()
    for (const name of ['CR3', 'PML4E', 'PDPTE', 'PDE']) await side.getByText(name, { exact: true }).waitFor()
    const space = page.getByRole('combobox', { name: 'Address space' })
    const cursor = (address: string) => page.locator('.inspector .at', { hasText: address })
    await space.selectOption('Physical')
    await cursor('0000000002000180').waitFor()
    await expect.poll(() => bytes.textContent(), patience).toContain('Linux version 6.')
    await space.selectOption('Virtual')
    await cursor('ffffffff82000180').waitFor()
    await goTo.fill('1008')
    await goTo.press('Enter')
    await space.selectOption('Physical')
    await page.getByText('Virtual address 0x1008 is not mapped: the same number is shown').waitFor()
    expect(await space.inputValue()).toBe('physical')
    await cursor('0000000000001008').waitFor()
    // It did not come from there; the direct map has all of memory.
    await space.selectOption('Virtual')
    await cursor('ffff888000001008').waitFor()
    await goTo.fill('linux_banner')
    await goTo.press('Enter')
    await goTo.fill('no_such_thing')
    await goTo.press('Enter')
    await page.getByText('There is no symbol or register “no_such_thing”.').waitFor()
    await bytes.focus()
    await page.keyboard.press('4')
    await page.getByText('pause it first').waitFor()
    await page.getByRole('toolbar', { name: 'Run and find' }).getByRole('button', { name: 'Pause' }).click()
    await shows(page, 'paused')
    await bytes.focus()
    await page.keyboard.type('4d')
    await expect.poll(() => bytes.textContent(), patience).toContain('Minux version 6.')
    expect(faults()).toEqual([])
  })
})

/** Windows from the least that the program allows, and how many bytes a row has then. */
describe.each([
  [640, 8],
  [820, 8],
  [900, 8],
  [1024, 8],
  [1180, 16],
  [1600, 16],
] as const)('the memory viewer %i pixels wide', (width, count) => {
  it(`shows ${String(count)} bytes a row, and all of their text`, async () => {
    const { page, faults } = await open()
    await page.setViewportSize({ width, height: 700 })
    await tab(page, 'Memory')
    const goTo = page.getByRole('combobox', { name: 'Go to an address' })
    await goTo.fill('linux_banner')
    await goTo.press('Enter')
    const bytes = page.getByRole('application', { name: 'Bytes' })
    const banner = bytes.locator('.line', { hasText: 'Linux version 6.'.slice(0, count) })
    await banner.waitFor(patience)
    const text = banner.locator('[data-column=text]')
    expect(await text.innerText()).toHaveLength(count)
    const [inner, outer] = await Promise.all([text.boundingBox(), bytes.boundingBox()])
    expect(inner!.x + inner!.width).toBeLessThanOrEqual(outer!.x + outer!.width)
    // The pointer finds the byte that it points to, in both columns.
    await text.click({ position: { x: inner!.width - 2, y: 8 } })
    await page.getByText(new RegExp(`^ffffffff[0-9a-f]{7}${(count - 1).toString(16)}: `)).waitFor(patience)
    await banner.locator('[data-column=hex]').click({ position: { x: 4, y: 8 } })
    await page.getByText(/^ffffffff[0-9a-f]{7}0: /).waitFor(patience)
    const side = (await page.getByRole('complementary', { name: 'About the cursor' }).boundingBox())!
    expect(side.width).toBeGreaterThanOrEqual(249)
    expect(side.x + side.width).toBeLessThanOrEqual(width)
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    expect(faults()).toEqual([])
  })
})

describe('a shared folder', () => {
  it('shows how it is mounted, and types that into the console', async () => {
    const { fake, page } = await open()
    const command = 'mkdir -p /root/host_folder && mount -t 9p -o trans=virtio shared_folder /root/host_folder'
    await tab(page, 'Share')
    const card = page.getByRole('region', { name: 'shared_folder' })
    await card.getByText(command).waitFor()
    await card.getByText('shared_folder /root/host_folder 9p trans=virtio 0 0').waitFor()
    await card.getByRole('button', { name: 'Type it into the console' }).click()
    await page.getByRole('region', { name: 'Console ttyS0 of Tutorial 6.1' }).waitFor()
    await expect.poll(() => fake.typed, patience).toBe(`${command}\r`)
  })
})

describe('a panel', () => {
  it('whose program cannot be loaded says so instead of staying empty', async () => {
    const { page } = await open()
    await page.route('**/MemoryPanel*.js', (route) => route.abort())
    await tab(page, 'Memory')
    await page.getByRole('alert').getByText('This panel could not be loaded.').waitFor()
    await page.getByRole('alert').getByRole('button', { name: 'Reload' }).waitFor()
    await tab(page, 'Console')
    await page.getByRole('region', { name: 'Console ttyS0 of Tutorial 6.1' }).waitFor()
  })
})

describe('a build that has ended', () => {
  it('is told to whoever looks at something else', async () => {
    const { fake, page } = await open()
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    const build = { job: 7, folder: '/home/ana/linux', begun: 0, lines: [] }
    fake.host.emit('kernel', 'buildChanged', build)
    const sentence = 'the disk is full: a kernel needs 3 GiB'
    fake.host.emit('kernel', 'buildChanged', { ...build, sentence })
    await page.getByText(`Failed: ${sentence}`).waitFor()
    // The page is behind another one.
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`)
    const title = () => page.title()
    const before = await title()
    fake.host.emit('kernel', 'buildChanged', { ...build, job: 8, sentence: 'conflicting types for ‘sys_memcpy’' })
    await expect.poll(title, patience).toBe(`Failed · ${before}`)
    await page.evaluate(`{
      delete document.hidden
      document.dispatchEvent(new Event('visibilitychange'))
    }`)
    expect(await title()).toBe(before)
    // The kernel panel itself shows it.
    await tab(page, 'Kernel')
    fake.host.emit('kernel', 'buildChanged', { ...build, job: 9, sentence: 'not to be seen in the corner' })
    await page.waitForTimeout(300)
    expect(await page.locator('.toasts').getByText('not to be seen').count()).toBe(0)
  })
})

describe('messages in the corner', () => {
  it('never lie over the buttons of a panel', async () => {
    const { fake, page } = await open()
    await page.setViewportSize({ width: 900, height: 560 })
    await tab(page, 'Settings')
    await page.getByRole('textbox', { name: 'Name' }).fill('Another name')
    for (let n = 0; n < 3; n++) fake.trouble(`trouble number ${n}, which stays until somebody reads it`)
    await page.getByText('Trouble number 2').waitFor()
    await page.getByRole('button', { name: 'Save' }).click({ timeout: 5000 })
    await page.getByText('Saved').first().waitFor()
    expect(fake.machines.get('tutorial')?.config.name).toBe('Another name')
  })
  it('are seen before a dialog that is open', async () => {
    const { fake, page } = await open()
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    await page.keyboard.press('Control+Shift+I')
    await page.getByRole('dialog').waitFor()
    fake.trouble('the machine could not be saved')
    await page.getByText('The machine could not be saved').waitFor()
    // The message's picture is its own with and without the backdrop that a dialog lays over the window.
    const clip = (await page.locator('.toasts .trouble').boundingBox())!
    const behind = await page.screenshot({ clip, animations: 'disabled' })
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const alone = await page.screenshot({ clip, animations: 'disabled' })
    expect(await difference(page, behind, alone)).toBeLessThan(5)
  })
})

describe('the preferences', () => {
  it('change language and theme at once and are kept', async () => {
    const { fake, page } = await open({ settings: { language: 'en', theme: 'light' } })
    await page.getByRole('button', { name: 'Preferences' }).click()
    await page.getByRole('combobox', { name: 'Language' }).selectOption('pt-BR')
    await page.getByRole('combobox', { name: 'Cores' }).selectOption('dark')
    expect(await page.locator('html').getAttribute('lang')).toBe('pt-BR')
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
    await expect.poll(() => [fake.settings.language, fake.settings.theme], patience).toEqual(['pt-BR', 'dark'])
  })
})
