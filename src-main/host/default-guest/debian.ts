/** Debian's packages through Debian's own tools: apt-get finds and checks them, dpkg-deb opens them. Nothing is installed. */
import { spawn } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

/** What stands in the way of making the guest, as a sentence for people. */
export class RecipeError extends Error {}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } })
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

async function dependsOf(name: string, cwd: string): Promise<string[] | undefined> {
  const { code, out } = await run('apt-cache', ['depends', '--important', name], cwd)
  if (code !== 0 || out === '') return undefined
  return [...out.matchAll(/^\s+Depends: (\S+)$/gm)].map((match) => match[1])
}

/** The package with the kernel itself, which `meta` (such as linux-image-amd64) depends on. Refreshes apt's lists when root may. */
export async function kernelPackageOf(meta: string, cwd: string): Promise<string> {
  let depends = await dependsOf(meta, cwd)
  if (depends === undefined && process.getuid?.() === 0) {
    await run('apt-get', ['update', '-q'], cwd)
    depends = await dependsOf(meta, cwd)
  }
  const found = depends?.find((name) => /^linux-image-\d/.test(name))
  if (found !== undefined) return found
  throw new RecipeError(
    `apt knows no package ${meta}; type: sudo apt-get update, then start again (Debian's package lists are needed)`,
  )
}

/** Downloads a package into `folder` and gives its file. */
export async function download(name: string, folder: string): Promise<string> {
  const attempt = () => run('apt-get', ['download', '-q', name], folder)
  let result = await attempt()
  // Lists that are too old name a version that the archive no longer has.
  if (result.code !== 0 && process.getuid?.() === 0) {
    await run('apt-get', ['update', '-q'], folder)
    result = await attempt()
  }
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'))
  if (result.code === 0 && file !== undefined) return path.join(folder, file)
  const reason =
    result.err.split('\n').find((line) => line.startsWith('E:')) ?? result.err.trim().split('\n').at(-1) ?? ''
  throw new RecipeError(`cannot download Debian's package ${name}: ${reason.replace(/^E: /, '')}`)
}

/** Unpacks what matches `patterns` (tar's wildcards, with the leading ./) of a package into `folder`. */
export async function unpack(file: string, folder: string, patterns: readonly string[]): Promise<void> {
  const script = 'dpkg-deb --fsys-tarfile "$1" | { shift; tar -x --wildcards --no-same-owner "$@"; }'
  const { code, err } = await run('sh', ['-c', script, 'sh', file, ...patterns], folder)
  if (code !== 0) throw new RecipeError(`cannot unpack ${path.basename(file)}: ${err.trim().split('\n').at(-1) ?? ''}`)
}
