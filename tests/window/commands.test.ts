/**
 * Every command of the window, chosen in the palette, by its key and from the menu: each does what its name says. A command that is not in `walks` fails
 * the test, and so does one that has no effect.
 */
import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import { windowCommands, type WindowCommand } from '../../src-main/contract/services/application.ts'
import type { MachineStatus } from '../../src-main/contract/services/machines.ts'
import { FakeHost } from './fake-host.ts'
import { windows, type OpenWindow } from './open.ts'

const open = windows()
/** A loaded machine is slow, not wrong. */
const patience = { timeout: 30_000 }
const KERNEL = '/home/ana/linux/vmlinux'

interface Walk {
  /** What is done before, from the console of a running machine. */
  readonly before?: (window: OpenWindow) => Promise<unknown>
  /** The state of the machine; running when it is not said. */
  readonly state?: MachineStatus['state']
  /** Waits for what the command does; fails when it does not come. */
  readonly effect: (window: OpenWindow) => Promise<unknown>
}

const dialog =
  (name: string) =>
  ({ page }: OpenWindow) =>
    page.getByRole('dialog', { name, exact: true }).waitFor(patience)
const panel = (tab: string, control: (page: Page) => ReturnType<Page['getByRole']>): Walk => ({
  effect: async ({ page }) => {
    await expect
      .poll(() => page.getByRole('tab', { name: tab, exact: true }).getAttribute('aria-selected'))
      .toBe('true')
    await control(page).first().waitFor(patience)
  },
})
const becomes =
  (state: MachineStatus['state']) =>
  ({ fake, page }: OpenWindow) =>
    Promise.all([
      expect.poll(() => fake.machines.get('tutorial')?.status.state, patience).toBe(state),
      page.locator('header').getByText(state, { exact: true }).waitFor(patience),
    ])
/** The question, and what comes of a yes. */
const asks = (action: string, done: Walk['effect']) => async (window: OpenWindow) => {
  await window.page.getByRole('dialog', { name: action }).getByRole('button', { name: action }).click(patience)
  await done(window)
}
const fontSize =
  (size: number) =>
  async ({ fake, page }: OpenWindow) => {
    await expect.poll(() => fake.settings.consoleFontSize, patience).toBe(size)
    await expect
      .poll(() => page.evaluate("getComputedStyle(document.querySelector('.xterm-rows')).fontSize"), patience)
      .toBe(`${String(size)}px`)
  }
const withFontSize =
  (size: number) =>
  async ({ fake, page }: OpenWindow) => {
    fake.host.emit('application', 'settingsChanged', Object.assign(fake.settings, { consoleFontSize: size }))
    await fontSize(size)({ fake, page, faults: () => [] })
  }
/** Of the console. The layer that hears the pointer lies over it. */
const line = (page: Page) => page.locator('.xterm-rows > div', { hasText: 'Installing 9P2000' })
const selection = (page: Page) => page.locator('.xterm-selection > div').count()
const clipboard = (page: Page) => page.evaluate<string>('navigator.clipboard.readText()')
const setClipboard = (page: Page, text: string) => page.evaluate(`navigator.clipboard.writeText('${text}')`)

const walks: Readonly<Record<WindowCommand, Walk>> = {
  'command-palette': { effect: dialog('Commands') },
  'new-machine': { effect: dialog('New machine') },
  'import-command': { effect: dialog('Paste a QEMU command line') },
  'open-files': { effect: dialog('Open files') },
  'open-kernel-tree': {
    effect: async ({ fake, page }) => {
      const picker = page.getByRole('dialog', { name: 'Choose a kernel tree' })
      await picker.getByRole('button', { name: 'Choose this folder' }).click(patience)
      await page.getByRole('heading', { name: /^Linux 6.1.119/ }).waitFor(patience)
      await expect.poll(() => fake.settings.kernelTree, patience).toBe('/home/ana')
    },
  },
  settings: { effect: dialog('Preferences') },
  about: { effect: dialog('About Longmode') },
  'show-console': {
    before: ({ page }) => page.getByRole('tab', { name: 'Disks', exact: true }).click(),
    ...panel('Console', (page) => page.getByRole('region', { name: 'Console ttyS0 of Tutorial 6.1' })),
  },
  'show-memory': panel('Memory', (page) => page.getByRole('application', { name: 'Bytes' })),
  'show-kernel': panel('Kernel', (page) => page.getByRole('heading', { name: /^Linux 6.1.119|^No kernel tree/ })),
  'show-share': panel('Share', (page) => page.getByRole('region', { name: 'shared_folder' })),
  'show-disks': panel('Disks', (page) => page.getByRole('heading', { name: '/dev/sda' })),
  'show-settings': panel('Settings', (page) => page.getByRole('textbox', { name: 'Name' })),
  find: {
    effect: async ({ page }) => {
      await page.getByRole('search').waitFor(patience)
      await page.keyboard.type('ttyS0')
      await page.getByRole('search').getByText('4 of 4').waitFor(patience)
    },
  },
  copy: {
    before: async ({ page }) => {
      await setClipboard(page, 'nothing yet')
      await line(page).dblclick({ force: true, position: { x: 60, y: 5 } })
      await expect.poll(() => selection(page), patience).toBeGreaterThan(0)
    },
    effect: ({ page }) => expect.poll(() => clipboard(page), patience).not.toBe('nothing yet'),
  },
  paste: {
    before: ({ page }) => setClipboard(page, 'pasted words'),
    effect: ({ fake }) => expect.poll(() => fake.typed, patience).toContain('pasted words'),
  },
  'select-all': {
    before: async ({ page }) => expect(await selection(page)).toBe(0),
    effect: ({ page }) => expect.poll(() => selection(page), patience).toBeGreaterThan(0),
  },
  'zoom-in': { before: withFontSize(13), effect: fontSize(14) },
  'zoom-out': { before: withFontSize(13), effect: fontSize(12) },
  'zoom-reset': { before: withFontSize(20), effect: fontSize(13) },
  'machine-start': { state: 'off', effect: becomes('running') },
  'machine-pause': { effect: becomes('paused') },
  'machine-restart': { effect: ({ page }) => page.getByText('starts again when it has').waitFor(patience) },
  'machine-power-off': { effect: becomes('off') },
  'machine-reset': { state: 'paused', effect: asks('Reset at once', becomes('running')) },
  'machine-kill': { effect: asks('End now', becomes('off')) },
}

/** The console of the running machine, with the keyboard, and nothing over it. */
async function begin({ fake, page }: OpenWindow, { state = 'running' }: Walk): Promise<void> {
  const others = page.getByRole('dialog')
  if ((await others.count()) > 0) await page.keyboard.press('Escape')
  await others.first().waitFor({ state: 'detached' })
  fake.change('tutorial', { status: { state, since: 0 } })
  await page.getByRole('tab', { name: 'Console', exact: true }).click()
  await page.locator('header').getByText(state, { exact: true }).waitFor()
  const search = page.getByRole('search')
  if ((await search.count()) > 0) await search.getByRole('button', { name: 'Close' }).click()
  fake.typed = ''
  await line(page).click({ force: true })
  await expect.poll(() => selection(page), patience).toBe(0)
}

/** Each command by `run`, which is false where there is no such way to it. */
async function walk(run: (window: OpenWindow, id: WindowCommand) => Promise<boolean>): Promise<WindowCommand[]> {
  const window = await open({ settings: { language: 'en', theme: 'light', recentFiles: [KERNEL] } })
  await line(window.page).waitFor()
  const walked: WindowCommand[] = []
  for (const id of windowCommands) {
    try {
      await begin(window, walks[id])
      await walks[id].before?.(window)
      if (!(await run(window, id))) continue
      await walks[id].effect(window)
      walked.push(id)
    } catch (error) {
      throw new Error(`${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  expect(window.faults()).toEqual([])
  return walked
}

/** What the palette offers now. */
const offered = (page: Page) =>
  page.evaluate<string[]>("[...document.querySelectorAll('[data-command]')].map((item) => item.dataset.command)")

/** Command -> its key in the words of the palette. */
const keys = new Map<string, string>()

it('does what it says when it is chosen in the palette', { timeout: 180_000 }, async () => {
  const unknown = new Set<string>()
  const walked = await walk(async ({ page }, id) => {
    await page.keyboard.press('Control+Shift+P')
    await page.getByRole('dialog', { name: 'Commands' }).waitFor()
    for (const other of await offered(page)) if (!/^(go|file)-/.test(other) && !(other in walks)) unknown.add(other)
    if (id === 'command-palette') return true
    const item = page.locator(`[data-command=${id}]`)
    const key = item.locator('kbd')
    if ((await key.count()) > 0) keys.set(id, await key.innerText())
    await item.click(patience)
    return true
  })
  expect(walked).toEqual(windowCommands)
  expect([...unknown]).toEqual([])
})

it('does it by its key', { timeout: 180_000 }, async () => {
  const names: Readonly<Record<string, string>> = {
    '+': 'Equal',
    '−': 'Minus',
    ',': 'Comma',
    '.': 'Period',
    '↵': 'Enter',
  }
  keys.set('command-palette', 'Ctrl+Shift+P')
  const walked = await walk(async ({ page }, id) => {
    const key = keys.get(id)
    if (key === undefined) return false
    const last = key.slice('Ctrl+Shift+'.length)
    expect(key).toBe(`Ctrl+Shift+${last}`)
    await page.keyboard.press(`Control+Shift+${names[last] ?? (/\d/.test(last) ? `Digit${last}` : last)}`)
    return true
  })
  expect(walked).toHaveLength(keys.size)
  // No two have the same, and none is one that a browser keeps for itself.
  expect(new Set(keys.values()).size).toBe(keys.size)
  expect([...keys.values()].filter((key) => /\+[NTW]$/.test(key))).toEqual([])
  // The rest asks a question first, or is rare.
  expect(windowCommands.filter((id) => !keys.has(id))).toEqual([
    'open-kernel-tree',
    'machine-restart',
    'machine-reset',
    'machine-power-off',
    'machine-kill',
    'about',
  ])
})

it('does it from the menu', { timeout: 180_000 }, async () => {
  const walked = await walk(({ fake }, id) => {
    fake.host.emit('application', 'command', id)
    return Promise.resolve(true)
  })
  expect(walked).toEqual(windowCommands)
})

it('opens a kernel tree also when there is no machine yet', async () => {
  const window = await open({ machines: [] })
  const { fake, page, faults } = window
  await page.getByRole('heading', { name: 'A PC for your kernel' }).waitFor()
  const [builtIn] = new FakeHost({ now: 0 }).machines.values()
  fake.machines.set('built-in', { ...builtIn, id: 'built-in' })
  await page.getByRole('button', { name: 'Open a kernel tree' }).click()
  await walks['open-kernel-tree'].effect(window)
  expect(faults()).toEqual([])
})
