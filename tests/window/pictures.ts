/** Compares a picture of the window with the one that was looked at and kept. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { Page } from 'playwright'
import { smallPng } from './small-png.ts'

const folder = path.join(import.meta.dirname, 'pictures')

/** A channel may differ by so much (of 255): edges of letters are smoothed in many ways. */
const SMOOTHING = 72
/** Pixels that may differ by more, in a thousand. A word of 13-pixel text is one or two. */
const PER_THOUSAND = 0.5

/**
 * Pixels that differ, in a thousand of all; 1000 when the pictures are not of one size. The browser decodes both: it is the one that made them.
 */
export async function difference(page: Page, first: Uint8Array, second: Uint8Array): Promise<number> {
  const sources = [first, second].map((png) => `data:image/png;base64,${Buffer.from(png).toString('base64')}`)
  // As text: the page's own types are not ours.
  return await page.evaluate<number>(`(async () => {
    const [a, b] = await Promise.all(${JSON.stringify(sources)}.map(async (source) => {
      const image = new Image()
      image.src = source
      await image.decode()
      const canvas = new OffscreenCanvas(image.width, image.height)
      const context = canvas.getContext('2d')
      context.drawImage(image, 0, 0)
      return context.getImageData(0, 0, image.width, image.height)
    }))
    if (a.width !== b.width || a.height !== b.height) return 1000
    let count = 0
    for (let at = 0; at < a.data.length; at += 4) {
      const far = [0, 1, 2].some((channel) => Math.abs(a.data[at + channel] - b.data[at + channel]) > ${SMOOTHING})
      if (far) count++
    }
    return (count * 4000) / a.data.length
  })()`)
}

const LOOK = { animations: 'disabled', caret: 'hide' } as const

/** A picture of what stands still: two in a row are the same. */
async function still(page: Page): Promise<Buffer> {
  let last = await page.screenshot(LOOK)
  for (let tries = 0; tries < 50; tries++) {
    await page.waitForTimeout(200)
    const now = await page.screenshot(LOOK)
    if (now.equals(last)) break
    last = now
  }
  return last
}

/**
 * undefined: the page looks as the kept picture `name`, or does soon. Else a sentence that says where the new picture lies. With LONGMODE_PICTURES=write the new
 * one is kept instead, to be looked at before it is committed.
 */
export async function looksAs(page: Page, name: string): Promise<string | undefined> {
  await page.evaluate('document.fonts.ready')
  const file = path.join(folder, `${name}.png`)
  if (process.env['LONGMODE_PICTURES'] === 'write') {
    mkdirSync(folder, { recursive: true })
    // What was asked for has come.
    await page.waitForLoadState('networkidle')
    await page.waitForTimeout(400)
    writeFileSync(file, await smallPng(page, await still(page)))
    return undefined
  }
  const kept = existsSync(file) ? readFileSync(file) : undefined
  let differs = 1000
  let now: Buffer
  // What it shows may still be on its way.
  for (let tries = 0; ; tries++) {
    now = await page.screenshot(LOOK)
    if (kept !== undefined) differs = await difference(page, kept, now)
    if (differs <= PER_THOUSAND) return undefined
    if (kept === undefined || tries === 20) break
    await page.waitForTimeout(200)
  }
  const seen = path.join(os.tmpdir(), `longmode-${name}.png`)
  writeFileSync(seen, now)
  return `${name}: ${differs.toFixed(2)} pixels in a thousand differ from the kept picture; the new one is ${seen}`
}
