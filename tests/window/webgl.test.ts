/** The console drawn by WebGL, as it is nearly everywhere; the other tests of the window draw it by the DOM. */
import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import { windows } from './open.ts'

const patience = { timeout: 20_000 }
const open = windows('software')

const canvases = (page: Page) => page.locator('.xterm-screen canvas').count()
const byDom = (page: Page) => page.locator('.xterm-rows > div').allTextContents()

/** The letters that stand on the screen, line by line, whoever draws them: 'x' where the middle of a cell is not of the background's colour. */
async function cells(page: Page): Promise<string[]> {
  const clip = (await page.locator('.xterm-screen').boundingBox())!
  const png = await page.screenshot({ clip, animations: 'disabled', caret: 'hide' })
  const [columns, rows] = (await page.locator('footer .cells').first().innerText()).match(/\d+/g)!.map(Number)
  // As text: the page's own types are not ours.
  return await page.evaluate<string[]>(`(async () => {
    const image = new Image()
    image.src = 'data:image/png;base64,${png.toString('base64')}'
    await image.decode()
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
    context.drawImage(image, 0, 0)
    const { data, width, height } = context.getImageData(0, 0, image.width, image.height)
    const [columns, rows] = [${columns}, ${rows}]
    const isInk = (x, y) => [0, 1, 2].some((n) => Math.abs(data[(y * width + x) * 4 + n] - data[n + 4 * (width - 1)]) > 90)
    const has = (row, column) => {
      for (let y = Math.ceil((row * height) / rows) + 1; y < Math.floor(((row + 1) * height) / rows) - 1; y++)
        for (let x = Math.round(((column + 0.2) * width) / columns); x < ((column + 0.8) * width) / columns; x++)
          if (isInk(x, y)) return true
      return false
    }
    return Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, n) => (has(row, n) ? 'x' : ' ')).join(''))
  })()`)
}

it('draws letters where they belong, and goes on by the DOM when its context is lost', async () => {
  const { page, faults } = await open()
  await page.locator('.xterm-screen canvas').first().waitFor({ state: 'attached' })
  await expect.poll(() => cells(page).then((lines) => lines.join('').includes('x')), patience).toBe(true)
  const drawn = await cells(page)
  expect(await byDom(page)).toEqual([])
  await page.evaluate(`{
    const canvas = [...document.querySelectorAll('.xterm-screen canvas')].find((one) => one.getContext('webgl2') !== null)
    canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()
  }`)
  // xterm waits some seconds for the context to come back.
  await expect.poll(async () => (await byDom(page)).join('\n'), patience).toContain('tutorial login: root')
  expect(await canvases(page)).toBe(0)
  const text = await byDom(page)
  // The last line has the cursor.
  const last = text.findLastIndex((line) => line.trim() !== '')
  const shape = (lines: readonly string[]) => lines.slice(0, last).map((line) => line.replaceAll(/\S/g, 'x').trimEnd())
  expect(shape(drawn)).toEqual(shape(text.map((line) => line.replaceAll('\u00a0', ' '))))
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('still here')
  await expect.poll(async () => (await byDom(page)).join('\n'), patience).toContain('still here')
  expect(faults()).toEqual([])
})

it('takes 5 MB at once and shows the end of it', async () => {
  const { fake, page } = await open()
  await page.locator('.xterm-screen canvas').first().waitFor({ state: 'attached' })
  const before = fake.confirmed
  const text = `${'0123456789abcdef'.repeat(4)}\r\n`.repeat(1000)
  for (let piece = 0; piece < 80; piece++) fake.say('tutorial', text)
  fake.say('tutorial', '\r\n\r\n end\r\n')
  await expect.poll(() => fake.confirmed - before, patience).toBeGreaterThanOrEqual(80 * text.length)
  const lines = () => cells(page).then((all) => all.map((line) => line.trimEnd()))
  await expect.poll(async () => (await lines()).slice(-5, -1), patience).toEqual(['x'.repeat(64), '', '', ' xxx'])
})
