/**
 * The embedded default guest: Debian's stock kernel and an initramfs with busybox and the modules that the machine's devices need.
 * Made once from Debian's packages by the recipe in resources/default-guest, then kept in the user's cache folder.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { cacheFolder } from '../cache-folder.ts'
import { unpacked } from '../../base/unpacked.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { download, downloadSize, kernelPackageOf, requireDebianTools, unpack } from './debian.ts'
import { ModuleTree, type ModuleFile } from './modules.ts'

export { RecipeError } from './debian.ts'

interface Recipe {
  readonly kernelPackage: string
  readonly busyboxPackage: string
  readonly modules: readonly string[]
}

export interface DefaultGuest {
  readonly kernel: string
  readonly initrd: string
  /** What the kernel must be told; the user's own words come after it. */
  readonly append: string
}

const recipeFolder = unpacked(path.resolve(import.meta.dirname, '../../../resources/default-guest'))
/** In a package the guest comes made. */
const shippedFolder = path.join(recipeFolder, 'made')
const recipeFiles = ['recipe.json', 'init', 'inittab', 'profile']
/** Counts up when the code that follows the recipe makes something else of it. */
const FORMAT = 1
/** Where in the kernel package the modules of the recipe and their dependencies can be. */
const moduleFolders = [
  'arch',
  'block',
  'crypto',
  'lib',
  'net/9p',
  'fs',
  'drivers/ata',
  'drivers/block',
  'drivers/cdrom',
]
const moreModuleFolders = ['drivers/acpi', 'drivers/char', 'drivers/input', 'drivers/scsi', 'drivers/virtio']

/** The folder that the default guest shares when the user names none. Made when it is not there. */
export function defaultShareFolder(): string {
  const folder = path.join(os.homedir(), 'Longmode/shared')
  mkdirSync(folder, { recursive: true })
  return folder
}

function recipeHash(): string {
  const hash = createHash('sha256').update(`format ${FORMAT}\n`)
  for (const file of recipeFiles) hash.update(file).update(readFileSync(path.join(recipeFolder, file)))
  return hash.digest('hex').slice(0, 16)
}

function initramfs(busybox: Uint8Array, release: string, modules: readonly ModuleFile[]): Uint8Array {
  const text = (file: string) => readFileSync(path.join(recipeFolder, file))
  const order = modules.map(({ name }) => `${name}\n`).join('')
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'etc', 'lib', 'lib/modules', 'root', 'sbin'].map((name) => ({ kind: 'folder' as const, name })),
    // The kernel opens it for init before devtmpfs is mounted.
    { kind: 'device', name: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', name: 'bin/busybox', mode: 0o755, data: busybox },
    { kind: 'file', name: 'init', mode: 0o755, data: text('init') },
    { kind: 'file', name: 'etc/inittab', mode: 0o644, data: text('inittab') },
    { kind: 'file', name: 'etc/profile', mode: 0o644, data: text('profile') },
    { kind: 'file', name: 'etc/passwd', mode: 0o644, data: Buffer.from('root::0:0:root:/root:/bin/sh\n') },
    { kind: 'file', name: 'etc/group', mode: 0o644, data: Buffer.from('root:x:0:\n') },
    { kind: 'file', name: 'lib/modules/release', mode: 0o644, data: Buffer.from(`${release}\n`) },
    { kind: 'file', name: 'lib/modules/order', mode: 0o644, data: Buffer.from(order) },
    ...modules.map(({ name, data }) => ({ kind: 'file' as const, name: `lib/modules/${name}`, mode: 0o644, data })),
  ]
  return writeCpio(entries)
}

function onlyEntry(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).find((name) => pattern.test(name))
  if (found === undefined) throw new Error(`${folder} holds nothing like ${String(pattern)}`)
  return path.join(folder, found)
}

export interface GuestOptions {
  readonly cache?: string
  /** Ends the making; what was made so far is removed, and it rejects with RecipeError. */
  readonly signal?: AbortSignal | undefined
  /** Hears how much of all the making is done, 0..1, in between what `progress` hears. */
  readonly part?: (part: number) => void
}

/** A smaller difference is not worth telling. */
const LEAST_PART = 0.005
/** How far the whole is when a step begins, and when it ends: about as the time goes over an ordinary line. */
const steps = { kernel: [0, 0.6], busybox: [0.6, 0.62], unpack: [0.62, 0.95], pack: [0.95, 1] } as const

async function build(target: string, progress: (text: string) => void, options: GuestOptions): Promise<void> {
  requireDebianTools()
  const { signal } = options
  let told = 0
  const tell = (part: number) => {
    if (part - told >= LEAST_PART) options.part?.((told = part))
  }
  const within = ([from, to]: readonly [number, number]) => ({
    signal,
    part: (part: number) => tell(from + part * (to - from)),
  })
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-guest-'))
  try {
    progress("making the default guest, once: looking for Debian's kernel")
    const recipe = JSON.parse(readFileSync(path.join(recipeFolder, 'recipe.json'), 'utf8')) as Recipe
    const kernelName = await kernelPackageOf(recipe.kernelPackage, scratch, signal)
    const bytes = await downloadSize(kernelName, scratch, signal)
    progress(`making the default guest, once: downloading ${kernelName} (${(bytes / 1e6).toFixed(0)} MB)`)
    const kernelDeb = await download(kernelName, scratch, { ...within(steps.kernel), bytes })
    progress(`making the default guest: downloading ${recipe.busyboxPackage}`)
    tell(steps.busybox[0])
    const busyboxDeb = await download(recipe.busyboxPackage, scratch, { signal })
    progress('making the default guest: unpacking')
    tell(steps.unpack[0])
    const folders = [...moduleFolders, ...moreModuleFolders].map((folder) => `./lib/modules/*/kernel/${folder}/*`)
    const wanted = ['./boot/vmlinuz-*', './lib/modules/*/modules.builtin', ...folders]
    await unpack(kernelDeb, scratch, wanted, within(steps.unpack))
    await unpack(busyboxDeb, scratch, ['./bin/busybox'], { signal })
    progress('making the default guest: packing its initramfs')
    tell(steps.pack[0])
    const modules = onlyEntry(path.join(scratch, 'lib/modules'), /^\d/)
    const tree = new ModuleTree(modules)
    const busybox = readFileSync(path.join(scratch, 'bin/busybox'))
    const archive = initramfs(busybox, path.basename(modules), tree.inLoadOrder(recipe.modules))
    place(target, readFileSync(onlyEntry(path.join(scratch, 'boot'), /^vmlinuz-/)), await promisify(gzip)(archive))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** All or nothing: the folder appears under its name only when it is complete, also when two programs make it at once. */
function place(target: string, kernel: Uint8Array, initrd: Uint8Array): void {
  mkdirSync(path.dirname(target), { recursive: true })
  const fresh = mkdtempSync(`${target}.`)
  writeFileSync(path.join(fresh, 'vmlinuz'), kernel)
  writeFileSync(path.join(fresh, 'initramfs.gz'), initrd)
  try {
    renameSync(fresh, target)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}

function filesIn(folder: string): DefaultGuest {
  return {
    kernel: path.join(folder, 'vmlinuz'),
    initrd: path.join(folder, 'initramfs.gz'),
    append: 'console=ttyS0',
  }
}

/** The default guest's files, made first when the cache has none. Throws RecipeError with a sentence when that cannot be. */
export async function defaultGuest(
  progress: (text: string) => void,
  options: GuestOptions = {},
): Promise<DefaultGuest> {
  const guest = defaultGuestPlace(options.cache ?? cacheFolder())
  const folder = path.dirname(guest.kernel)
  if (!existsSync(folder)) await build(folder, progress, options)
  return guest
}

/** Where the default guest's files are or will be. */
export function defaultGuestPlace(cache = cacheFolder()): DefaultGuest {
  return filesIn(existsSync(shippedFolder) ? shippedFolder : path.join(cache, `default-guest-${recipeHash()}`))
}

/** Is it the initramfs of the default guest, this version's or another's? */
export function isDefaultInitrd(file: string, cache = cacheFolder()): boolean {
  const { dir, base } = path.parse(file)
  if (base !== 'initramfs.gz') return false
  return dir === shippedFolder || (path.dirname(dir) === cache && path.basename(dir).startsWith('default-guest-'))
}
