/** In a checkout the window is built when its sources are newer than what was built; an installed program brings it. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const sources = [
  'src-renderer',
  'src-main/contract',
  'src-main/machine/config.ts',
  'vite.config.ts',
  'package-lock.json',
]

function* filesBelow(place: string): Generator<string> {
  const full = path.join(root, place)
  if (!existsSync(full)) return
  if (!/\.\w+$/.test(place)) {
    const entries = readdirSync(full, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name } of entries) yield* filesBelow(path.join(place, name))
  } else if (!place.endsWith('.test.ts')) yield place
}

/** Of everything that the built window depends on: a checkout has no reliable times. */
function sourceHash(): string {
  const hash = createHash('sha256')
  for (const place of sources) {
    for (const file of filesBelow(place)) hash.update(`${file}\0`).update(readFileSync(path.join(root, file)))
  }
  return hash.digest('hex')
}

/** Builds `dist/renderer` when it is not there or old. Gives a sentence when it cannot be built. */
export async function buildWindow(say: (sentence: string) => void): Promise<string | undefined> {
  const vite = path.join(root, 'node_modules/vite/bin/vite.js')
  const stamp = path.join(root, 'dist/renderer/.sources')
  if (!existsSync(path.join(root, 'src-renderer/index.html'))) return undefined
  const hash = sourceHash()
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === hash
  if (isCurrent()) return undefined
  say('building the window ...')
  // Beside its place, then there in one step: another start of the program may be serving or building the same.
  const fresh = path.join(root, `dist/renderer.${process.pid}.${Date.now()}`)
  try {
    const { code, output } = await run(process.execPath, [vite, 'build', '--logLevel', 'warn', '--outDir', fresh])
    if (code !== 0) return `the window could not be built:\n${output.trimEnd()}`
    writeFileSync(path.join(fresh, '.sources'), hash)
    if (isCurrent()) return undefined
    rmSync(path.dirname(stamp), { recursive: true, force: true })
    renameSync(fresh, path.dirname(stamp))
    return undefined
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}
