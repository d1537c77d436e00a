/** The console of the built window over a made-up guest: what it shows, what reaches the guest, and how it is used without a pointer. */
import type { Page } from 'playwright'
import { describe, expect, it } from 'vitest'
import { tab, windows } from './open.ts'

/** A loaded machine is slow, not wrong. */
const patience = { timeout: 20_000 }
const open = windows()

describe('the console', () => {
  const textOf = async (page: Page) =>
    (await page.locator('.xterm-rows').first().locator('> div').allTextContents()).join('\n')

  it('shows what was said, and every key reaches the guest', async () => {
    const { fake, page } = await open()
    await page.locator('.xterm-helper-textarea').focus()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    await page.keyboard.type('ls')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Control+C')
    await page.keyboard.press('Control+W')
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => fake.typed, patience).toBe('ls\r\x03\x17\x1b[A')
  })
  it('pastes a long text whole', async () => {
    const { fake, page } = await open()
    const text = Array.from({ length: 4000 }, (_, index) => `echo line ${String(index)}`).join('\n')
    await page.locator('.xterm-helper-textarea').focus()
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`)
    await page.keyboard.press('Control+Shift+V')
    await expect.poll(() => fake.typed.length, patience).toBe(text.length)
    expect(fake.typed).toBe(text.replaceAll('\n', '\r'))
  })
  it('answers what the guest asks only when it is its turn, and never what is old', async () => {
    // DA1, DA2, status, cursor (twice), DECRQM (twice), DECRQSS, four colours, focus.
    const controls = ['c', '>c', '5n', '6n', '?6n', '20$p', '?25$p', '?1004h'].map((text) => `\x1b[${text}`)
    const strings = ['P$qm', ']4;1;?', ']10;?', ']11;?', ']12;?'].map((text) => `\x1b${text}\x1b\\`)
    const questions = [...controls, ...strings].join('')
    const { fake, page } = await open({ said: `${questions}\r\nthe old end` })
    await expect.poll(() => textOf(page), patience).toContain('the old end')
    fake.turn('tutorial', false)
    fake.say('tutorial', `\x1b[?1004l${questions}\r\nthe new end`)
    await expect.poll(() => textOf(page), patience).toContain('the new end')
    await page.keyboard.press('a')
    // The keyboard's own reports may stand between; an answer of the terminal's would have digits.
    await expect.poll(() => fake.typed, patience).toMatch(/a$/)
    expect(fake.typed).not.toMatch(/\d/)
    fake.turn('tutorial', true)
    fake.say('tutorial', '\x1b[6n')
    // eslint-disable-next-line no-control-regex -- the answer is an escape sequence
    await expect.poll(() => fake.typed, patience).toMatch(/\x1b\[\d+;\d+R$/)
  })
  it('takes 5 MB at once and confirms all of it', async () => {
    const { fake, page } = await open()
    await page.locator('.xterm-helper-textarea').focus()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    const before = fake.confirmed
    let sent = 0
    for (let piece = 0; piece < 80; piece++) {
      const text = `${'0123456789abcdef'.repeat(4)}\r\n`.repeat(1000)
      sent += text.length
      fake.say('tutorial', text)
    }
    fake.say('tutorial', 'the end of it')
    await expect.poll(() => fake.confirmed - before, patience).toBeGreaterThanOrEqual(sent)
    await expect.poll(() => textOf(page), patience).toContain('the end of it')
  }, 60_000)
  it('has tabs when the machine has more of them; the guest hears the size of a virtio console', async () => {
    const { fake, page, faults } = await open()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    await tab(page, 'hvc0')
    const second = page.getByRole('region', { name: 'Console hvc0 of Tutorial 6.1' })
    await second.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type('hello')
    await expect.poll(() => second.locator('.xterm-rows').textContent(), patience).toContain('hello')
    await expect.poll(() => fake.sizes.length, patience).toBeGreaterThan(0)
    const before = fake.sizes.at(-1)!
    await page.setViewportSize({ width: 900, height: 600 })
    await expect.poll(() => fake.sizes.at(-1)?.columns, patience).toBeLessThan(before.columns)
    expect(new Set(fake.sizes.map(({ console }) => console))).toEqual(new Set([1]))
    await tab(page, 'ttyS0')
    await page.getByRole('region', { name: 'Console ttyS0 of Tutorial 6.1' }).waitFor()
    expect(await textOf(page)).not.toContain('hello')
    expect(faults()).toEqual([])
  })
  it('that has said nothing tells why', async () => {
    const { fake, page } = await open({ settings: { selectedMachine: 'debian' } })
    await page.getByText('The machine is off; Ctrl+Shift+↵ starts it.').waitFor()
    await page.keyboard.press('Control+Shift+Enter')
    await page.getByText('A kernel unpacks itself before its first line.').waitFor()
    fake.say('debian', 'Linux version 6.1')
    await page.getByText('A kernel unpacks itself').waitFor({ state: 'detached' })
    await expect.poll(() => textOf(page), patience).toContain('Linux version 6.1')
  })
  it('can be left by the keyboard, and all its tools be reached', async () => {
    const { fake, page } = await open()
    await page.locator('.xterm-helper-textarea').focus()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    await page.keyboard.press('Tab')
    await expect.poll(() => fake.typed, patience).toBe('\t')
    await page.keyboard.press('Control+Shift+1')
    const reached: string[] = []
    for (let n = 0; n < 20 && !reached.includes('Terminal input'); n++) {
      reached.push(
        await page.evaluate<string>(
          '(({ ariaLabel, innerText }) => ariaLabel ?? innerText.trim())(document.activeElement)',
        ),
      )
      await page.keyboard.press('Tab')
    }
    expect(reached[0]).toBe('Console')
    const tools = ['ttyS0', 'Find', 'Copy', 'Paste', 'Save the log', 'Smaller text', 'Larger text', 'Terminal input']
    expect(reached.filter((name) => tools.includes(name))).toEqual(tools)
  })
  it('keeps 10,000 lines', async () => {
    const { fake, page } = await open()
    await page.locator('.xterm-helper-textarea').focus()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    await page.keyboard.press('Control+Shift+F')
    const search = page.getByRole('search')
    await search.waitFor()
    const rows = await page.locator('.xterm-rows').first().locator('> div').count()
    fake.say('tutorial', Array.from({ length: 12_000 }, (_, index) => `\r\nline ${String(index)};`).join(''))
    await expect.poll(() => textOf(page), patience).toContain('line 11999;')
    const first = 12_000 - 10_000 - rows
    await search.getByRole('textbox').fill(`line ${String(first)};`)
    await search.getByText('1 of 1').waitFor()
    expect(await textOf(page)).toContain(`line ${String(first + 1)};`)
    await search.getByRole('textbox').fill(`line ${String(first - 1)};`)
    await search.getByText('0 of 0').waitFor()
  })
  it('finds text', async () => {
    const { page } = await open()
    await page.locator('.xterm-helper-textarea').focus()
    await expect.poll(() => textOf(page), patience).toContain('tutorial login: root')
    await page.keyboard.press('Control+Shift+F')
    await page.keyboard.type('ttyS0')
    await page.getByText('4 of 4').waitFor()
  })
})
