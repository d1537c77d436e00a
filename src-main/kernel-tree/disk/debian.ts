/**
 * A disk for the tutorial: Debian with systemd, gcc, strace and gdb in a bare ext4 image, without a loop mount and without root. mmdebstrap makes
 * the files (in a user namespace for an ordinary user), mke2fs -d packs them.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { KernelTreeError, type DebianDiskRequest, type DiskProgress } from '../../contract/kernel-tree.ts'
import { run, type RunResult } from '../process.ts'
import { isIn } from '../toolchain/toolchain.ts'

/** What the tutorial uses in the guest, and what a machine with a serial console needs. */
const PACKAGES = [
  'systemd-sysv',
  'udev',
  'kmod',
  'login',
  'passwd',
  'procps',
  'gcc',
  'gcc-multilib',
  'libc6-dev',
  'make',
  'strace',
  'gdb',
  'nano',
]
/** mmdebstrap removes its unpacked system when it is told to end; how long that may take, in ms. */
const CLEANING_UP = 120_000
const SUITE = 'bookworm'
/** Fewer bytes do not hold the packages. */
export const LEAST_BYTES = 1024 * 2 ** 20
/** The share's line as the tutorial writes it, and nofail: without the share systemd would stop in its emergency shell. */
export const FSTAB_LINE = 'shared_folder /root/host_folder 9p trans=virtio,nofail 0 0'

/** Debian keeps mke2fs where an ordinary user's PATH does not lead. */
const folders = () => `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
const isRoot = () => process.getuid?.() === 0

function requirePrograms(): void {
  const wanted: Readonly<Record<string, string>> = {
    mmdebstrap: 'mmdebstrap',
    mke2fs: 'e2fsprogs',
    ...(isRoot() ? {} : { unshare: 'util-linux', newuidmap: 'uidmap' }),
  }
  const missing = [
    ...new Set(Object.entries(wanted).flatMap(([program, name]) => (isIn(folders(), program) ? [] : [name]))),
  ]
  if (missing.length === 0) return
  throw new KernelTreeError(
    `making a Debian disk needs ${missing.join(' and ')}; on Debian and Ubuntu type: ${isRoot() ? '' : 'sudo '}apt-get install -y ${missing.join(' ')}`,
  )
}

function requireNames(packages: readonly string[]): void {
  const odd = packages.find((name) => !/^[a-z0-9][a-z0-9+.:-]*$/.test(name))
  if (odd !== undefined) throw new KernelTreeError(`"${odd}" is no package name`)
}

function requireRoom({ file, bytes }: DebianDiskRequest): void {
  if (existsSync(file))
    throw new KernelTreeError(`${file} exists already; nothing was changed. Name another file, or remove that one`)
  const folder = path.dirname(path.resolve(file))
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new KernelTreeError(`the folder ${folder} does not exist`)
  if (bytes < LEAST_BYTES)
    throw new KernelTreeError('the disk has to have 1 GiB at least, or the compiler and gdb do not fit')
  if (bytes % 4096 !== 0)
    throw new KernelTreeError("the disk's size has to be a multiple of 4 KiB, the file system's block")
}

/** Run on the unpacked system, with its root folder as $1. */
function customise({ hostName = 'tutorial', shareInFstab = false }: DebianDiskRequest): string {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(hostName))
    throw new KernelTreeError(`"${hostName}" is no host name; use small letters, digits and -`)
  return [
    'set -e',
    `echo ${hostName} > "$1/etc/hostname"`,
    `printf '127.0.0.1 localhost ${hostName}\\n' > "$1/etc/hosts"`,
    // The console is the user's own machine: root without a password, as the tutorial has it.
    `sed -i 's/^root:[^:]*:/root::/' "$1/etc/shadow"`,
    'mkdir -p "$1/root/host_folder"',
    `printf '%s\\n' '${shareInFstab ? FSTAB_LINE : '# no file systems but the root'}' > "$1/etc/fstab"`,
    'rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*',
  ].join('\n')
}

const shown = /^(?:I: (.*)|(Setting up \S+).*|(Unpacking \S+).*|(E: .*))$/

function progressOf(line: string): DiskProgress | undefined {
  const match = shown.exec(line)
  if (match === null) return undefined
  const text = match.slice(1).find((part) => part !== undefined) ?? line
  return { step: text.startsWith('Setting up') ? 'configure' : 'packages', text }
}

function failure(what: string, { err, out, cancelled }: RunResult): KernelTreeError {
  if (cancelled) return new KernelTreeError('making the disk was cancelled; nothing is left of it')
  const lines = `${out}\n${err}`.split('\n').filter((line) => /^E: |error|cannot|failed/i.test(line))
  const why = (lines.length > 0 ? lines : err.trim().split('\n')).slice(-2).join(' ')
  return new KernelTreeError(`${what} did not succeed: ${why}`)
}

/** In a user namespace where this user is root, with the further ids that /etc/subuid gives him. */
const asRoot = (words: readonly string[]): readonly [string, readonly string[]] =>
  isRoot()
    ? [words[0], words.slice(1)]
    : ['unshare', ['--map-root-user', '--map-auto', '--setuid', '0', '--setgid', '0', '--', ...words]]

export async function createDebianDisk(
  request: DebianDiskRequest,
  onProgress: (progress: DiskProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  requirePrograms()
  requireRoom(request)
  const script = customise(request)
  requireNames(request.packages ?? [])
  const target = path.resolve(request.file)
  // Beside the image: there is room for it there, and the system's scratch folder may be small.
  const scratch = mkdtempSync(`${target}.making-`)
  const tar = path.join(scratch, 'root.tar')
  const tree = path.join(scratch, 'root')
  const image = path.join(scratch, 'disk')
  try {
    mkdirSync(tree)
    await makeTar(request, script, tar, onProgress, signal)
    onProgress({ step: 'image', text: `packing the files into ${target}` })
    writeFileSync(image, '')
    truncateSync(image, request.bytes)
    // Names with a quote are passed as arguments, never inside the script. Device nodes are root's alone to make; the kernel fills /dev.
    const pack =
      'set -e; tar -C "$1" --numeric-owner --exclude="./dev/*" -xpf "$2"; mke2fs -q -F -t ext4 -L debian -d "$1" "$3"'
    const [program, args] = asRoot(['sh', '-c', pack, 'sh', tree, tar, image])
    const packed = await run(program, args, { signal, env: { PATH: folders() } })
    if (packed.code !== 0 || packed.cancelled) throw failure('packing the image', packed)
    // All or nothing, and never over a file that appeared meanwhile.
    const moved = await run('mv', ['-n', image, target])
    if (moved.code !== 0 || existsSync(image))
      throw new KernelTreeError(`${target} could not be written: ${moved.err.trim() || 'it exists already'}`)
  } finally {
    // The files belong to ids of the namespace.
    const [program, args] = asRoot(['rm', '-rf', tree])
    await run(program, args)
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function makeTar(
  request: DebianDiskRequest,
  script: string,
  tar: string,
  onProgress: (progress: DiskProgress) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { suite = SUITE, mirror, packages = [] } = request
  const args = [
    '--variant=minbase',
    `--mode=${isRoot() ? 'root' : 'unshare'}`,
    `--include=${[...PACKAGES, ...packages].join(',')}`,
    // The text and not a file: in an ordinary user's namespace root is somebody else, who may not read that user's folders.
    `--customize-hook=${script}`,
    '--verbose',
    suite,
    tar,
    ...(mirror === undefined ? [] : [mirror]),
  ]
  const onLine = (line: string) => {
    const progress = progressOf(line)
    if (progress !== undefined && signal?.aborted !== true) onProgress(progress)
  }
  const options = { signal, onLine, env: { PATH: folders() }, patience: CLEANING_UP }
  const made = await run('mmdebstrap', args, options)
  if (made.code !== 0 || made.cancelled) throw failure('mmdebstrap', made)
}
