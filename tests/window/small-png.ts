/** Pictures that are kept: 256 colours are enough to compare with, and take a quarter of the room. */
import { crc32, deflateSync } from 'node:zlib'
import type { Page } from 'playwright'

interface Indexed {
  readonly width: number
  readonly height: number
  /** Red, green, blue of each colour. */
  readonly palette: readonly number[]
  /** One letter a pixel: the number of its colour. */
  readonly pixels: string
}

/** Type, content and check of a PNG chunk (PNG specification, 5.3). */
function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** The same picture with 16 steps a channel, and of those the 256 colours that are met most; others become the nearest of them. */
export async function smallPng(page: Page, png: Uint8Array): Promise<Buffer> {
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
  // As text: the page's own types are not ours.
  const { width, height, palette, pixels } = await page.evaluate<Indexed>(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(source)}
    await image.decode()
    const { width, height } = image
    const context = new OffscreenCanvas(width, height).getContext('2d')
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    const keys = new Uint16Array(width * height)
    const counts = new Map()
    for (let at = 0; at < keys.length; at++) {
      const step = (channel) => Math.round(data[at * 4 + channel] / 17)
      const key = (step(0) << 8) | (step(1) << 4) | step(2)
      keys[at] = key
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const channels = (key) => [key >> 8, (key >> 4) & 15, key & 15]
    const chosen = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([key]) => key)
    const far = (a, b) => channels(a).reduce((sum, value, n) => sum + (value - channels(b)[n]) ** 2, 0)
    const nearest = (key) => chosen.reduce((best, other, n) => (far(key, other) < far(key, chosen[best]) ? n : best), 0)
    const numbers = new Map([...counts.keys()].map((key) => [key, nearest(key)]))
    const pixels = Array.from(keys, (key) => String.fromCharCode(numbers.get(key))).join('')
    return { width, height, palette: chosen.flatMap(channels).map((value) => value * 17), pixels }
  })()`)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits a pixel, colour type 3: a palette (11.2.2).
  header.set([8, 3, 0, 0, 0], 8)
  // Every line begins with its filter: 0, none.
  const lines = Buffer.alloc((width + 1) * height)
  for (let line = 0; line < height; line++)
    lines.write(pixels.slice(line * width, (line + 1) * width), line * (width + 1) + 1, 'latin1')
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('PLTE', Uint8Array.from(palette)),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', new Uint8Array()),
  ])
}
