/** Pictures that are kept: 256 colours are enough to compare with, and take a third of the room. */
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

/**
 * The same picture in 256 colours, the 192 that it has most of and 64 that are farthest from all others (a small dot of green, a red word); another becomes the
 * nearest of them.
 */
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
    const keys = new Uint32Array(width * height)
    const counts = new Map()
    for (let at = 0; at < keys.length; at++) {
      const key = (data[at * 4] << 16) | (data[at * 4 + 1] << 8) | data[at * 4 + 2]
      keys[at] = key
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const channels = (key) => [key >> 16, (key >> 8) & 255, key & 255]
    const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([key]) => key)
    const chosen = colours.slice(0, 192)
    const distance = (a, b) => channels(a).reduce((sum, value, n) => sum + (value - channels(b)[n]) ** 2, 0)
    const rest = colours.slice(192).map((key) => [key, Math.min(...chosen.map((other) => distance(key, other)))])
    while (chosen.length < 256 && rest.length > 0) {
      const [next] = rest.reduce((far, one) => (one[1] > far[1] ? one : far))
      chosen.push(next)
      for (const one of rest) one[1] = Math.min(one[1], distance(one[0], next))
    }
    const parts = chosen.map(channels)
    const nearest = (key) => {
      const [red, green, blue] = channels(key)
      let [best, least] = [0, Infinity]
      for (let n = 0; n < parts.length; n++) {
        const far = (parts[n][0] - red) ** 2 + (parts[n][1] - green) ** 2 + (parts[n][2] - blue) ** 2
        if (far < least) [best, least] = [n, far]
      }
      return best
    }
    const numbers = new Map([...counts.keys()].map((key) => [key, nearest(key)]))
    const pixels = Array.from(keys, (key) => String.fromCharCode(numbers.get(key))).join('')
    return { width, height, palette: chosen.flatMap(channels), pixels }
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
