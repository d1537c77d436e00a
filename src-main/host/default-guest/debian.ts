/** Debian's packages through Debian's own tools: apt-get finds and checks them, dpkg-deb opens them. Nothing is installed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

/** What stands in the way of making the guest, as a sentence for people. */
export class RecipeError extends Error {}

export interface Work {
  /** Ends it: the programs that run are stopped, and it fails. */
  readonly signal?: AbortSignal | undefined
  /** Hears how much of it is done, 0..1. */
  readonly part?: (part: number) => void
}

/** A growing file is looked at so often, in ms. */
const LOOK_PAUSE = 100
const KIB = 1024
const environment = () => ({ ...process.env, LC_ALL: 'C' })

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  signal?: AbortSignal,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: environment(), signal })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', (error) => resolve({ code: -1, out: '', err: error.message }))
    child.on('close', (code) => {
      resolve({ code: code ?? -1, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() })
    })
  })
}

const isThere = (program: string) =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

export function requireDebianTools(): void {
  const missing = ['apt-get', 'apt-cache', 'dpkg-deb', 'tar'].filter((program) => !isThere(program))
  if (missing.length === 0) return
  throw new RecipeError(
    `the default guest is made with Debian's tools, and this computer has no ${missing[0]}; give a kernel of your own with -kernel`,
  )
}

async function dependsOf(name: string, cwd: string, signal?: AbortSignal): Promise<string[] | undefined> {
  const { code, out } = await run('apt-cache', ['depends', '--important', name], cwd, signal)
  if (code !== 0 || out === '') return undefined
  return [...out.matchAll(/^\s+Depends: (\S+)$/gm)].map((match) => match[1])
}

/** The package with the kernel itself, which `meta` (such as linux-image-amd64) depends on. Refreshes apt's lists when root may. */
export async function kernelPackageOf(meta: string, cwd: string, signal?: AbortSignal): Promise<string> {
  let depends = await dependsOf(meta, cwd, signal)
  if (depends === undefined && process.getuid?.() === 0) {
    await run('apt-get', ['update', '-q'], cwd, signal)
    depends = await dependsOf(meta, cwd, signal)
  }
  const found = depends?.find((name) => /^linux-image-\d/.test(name))
  if (found !== undefined) return found
  throw new RecipeError(
    `apt knows no package ${meta}; type: sudo apt-get update, then start again (Debian's package lists are needed)`,
  )
}

/** What `download` will fetch, in bytes; 0 when apt does not say. */
export async function downloadSize(name: string, cwd: string, signal?: AbortSignal): Promise<number> {
  // 'ADDRESS' FILE BYTES HASH
  const { out } = await run('apt-get', ['download', '--print-uris', '-q', name], cwd, signal)
  return Number(/^'\S+' \S+ (\d+)/m.exec(out)?.[1] ?? 0)
}

const packageIn = (folder: string, name: string) => {
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'))
  return file === undefined ? undefined : path.join(folder, file)
}

/** Downloads a package into `folder` and gives its file. `bytes`: its downloadSize, for whoever wants to hear a part. */
export async function download(name: string, folder: string, work: Work & { bytes?: number } = {}): Promise<string> {
  const { signal, part, bytes = 0 } = work
  const attempt = () => run('apt-get', ['download', '-q', name], folder, signal)
  const look = () => {
    const file = packageIn(folder, name)
    const there = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
    if (there !== undefined && bytes > 0) part?.(Math.min(1, there.size / bytes))
  }
  const timer = setInterval(look, LOOK_PAUSE)
  try {
    let result = await attempt()
    // Lists that are too old name a version that the archive no longer has.
    if (result.code !== 0 && process.getuid?.() === 0 && signal?.aborted !== true) {
      await run('apt-get', ['update', '-q'], folder, signal)
      result = await attempt()
    }
    const file = packageIn(folder, name)
    if (result.code === 0 && file !== undefined) return file
    const reason =
      result.err.split('\n').find((line) => line.startsWith('E:')) ?? result.err.trim().split('\n').at(-1) ?? ''
    throw new RecipeError(`cannot download Debian's package ${name}: ${reason.replace(/^E: /, '')}`)
  } finally {
    clearInterval(timer)
  }
}

/** Unpacks what matches `patterns` (tar's wildcards, with the leading ./) of a package into `folder`. */
export async function unpack(
  file: string,
  folder: string,
  patterns: readonly string[],
  { signal, part }: Work = {},
): Promise<void> {
  const size = await run('dpkg-deb', ['--field', file, 'Installed-Size'], folder, signal)
  const total = Number(size.out.trim()) * KIB
  const options = { cwd: folder, env: environment(), signal }
  const source = spawn('dpkg-deb', ['--fsys-tarfile', file], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const tar = spawn('tar', ['-x', '--wildcards', '--no-same-owner', ...patterns], {
    ...options,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let done = 0
  let said = ''
  source.stdout.on('data', (chunk: Buffer) => {
    done += chunk.length
    if (total > 0) part?.(Math.min(1, done / total))
  })
  for (const program of [source, tar]) {
    program.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    program.on('error', (error) => (said += error.message))
  }
  // Its own exit code says why it no longer reads.
  tar.stdin.on('error', () => source.stdout.resume())
  source.stdout.pipe(tar.stdin)
  const ends = await Promise.all([source, tar].map((program) => once(program, 'close').catch(() => [-1])))
  if (ends.some(([code]) => code !== 0))
    throw new RecipeError(`cannot unpack ${path.basename(file)}: ${said.trim().split('\n', 1)[0]}`)
}
