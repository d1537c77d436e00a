/** Where the window was, for the next start. */
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Rectangle } from 'electron'
import * as v from 'valibot'
import { writeWhole } from '../machines/store.ts'

const schema = v.object({
  x: v.exactOptional(v.number()),
  y: v.exactOptional(v.number()),
  width: v.pipe(v.number(), v.minValue(400), v.maxValue(20000)),
  height: v.pipe(v.number(), v.minValue(300), v.maxValue(20000)),
  maximized: v.boolean(),
})
export type WindowState = v.InferOutput<typeof schema>

const first: WindowState = { width: 1180, height: 760, maximized: false }

/** A place that no screen shows any more is forgotten; the size is kept. */
export function readWindowState(file: string, screens: readonly Rectangle[]): WindowState {
  let read: unknown
  try {
    read = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return first
  }
  const parsed = v.safeParse(schema, read)
  if (!parsed.success) return first
  const { x, y, ...size } = parsed.output
  if (x === undefined || y === undefined) return size
  const isSeen = screens.some((screen) => {
    const across = Math.min(x + size.width, screen.x + screen.width) - Math.max(x, screen.x)
    const down = Math.min(y + size.height, screen.y + screen.height) - Math.max(y, screen.y)
    return across > 100 && down > 100
  })
  return isSeen ? parsed.output : size
}

export async function writeWindowState(file: string, bounds: Rectangle, maximized: boolean): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await writeWhole(file, `${JSON.stringify({ ...bounds, maximized })}\n`)
}
