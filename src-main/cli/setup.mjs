/**
 * The first thing that every npm script runs, on whatever Node (20 or newer) the machine has: it installs what is missing,
 * then runs the script's real entry on the Node 24 that comes as a package. Plain JavaScript without dependencies, because
 * nothing else may exist yet. It prints nothing when there is nothing to do.
 *
 * Usage: node src-main/cli/setup.mjs <task> [arguments for the task]
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { V8_FLAGS } from '../base/v8-flags.mjs'

const NODE_MAJOR = 24
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const modules = path.join(root, 'node_modules')

/** A file that only gcc's 32-bit libraries bring. */
const GCC_FOR_32_BITS = '/usr/lib32/crt1.o'
/** What building a kernel needs beside programs. */
const LIBELF = '/usr/include/libelf.h'
const KERNEL_SOURCE = '/usr/src/linux-source-6.1.tar.xz'

/** npm script -> its entry, its first arguments and the programs that it runs beside Node. */
const tasks = {
  start: { entry: 'src-main/cli/start.ts', paths: 'of the caller', programs: [] },
  machine: { entry: 'src-main/cli/main.ts', paths: 'of the caller', programs: [] },
  package: { entry: 'src-main/app/build/package.ts', programs: [] },
  bench: {
    entry: 'tests/bench/main.ts',
    programs: [
      ...['gcc', 'qemu-system-x86_64', 'mke2fs', 'openssl', 'make', GCC_FOR_32_BITS],
      ...['mmdebstrap', 'bc', 'bison', 'flex', 'xz', LIBELF, KERNEL_SOURCE],
    ],
  },
  'test:boot': {
    entry: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--config', 'tests/boot/vitest.config.ts'],
    programs: ['qemu-system-x86_64', 'mke2fs', 'e2fsck', 'strace'],
  },
  'test:long': {
    entry: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--config', 'tests/long/vitest.config.ts'],
    programs: [
      ...['chromium', 'qemu-system-x86_64', 'qemu-img', 'mke2fs', 'e2fsck', 'gcc', 'git', 'make', GCC_FOR_32_BITS],
      ...['mmdebstrap', 'bc', 'bison', 'flex', 'xz', LIBELF, KERNEL_SOURCE, 'mkfs.btrfs'],
      // Packages.
      ...['7za', 'mksquashfs', 'unsquashfs', 'desktop-file-validate', 'dpkg-deb', 'unshare'],
    ],
  },
  test: {
    entry: 'tests/run.ts',
    programs: [
      ...[
        'busybox',
        'chromium',
        'e2fsck',
        'gcc',
        'gdb',
        'git',
        'iasl',
        'make',
        'mcopy',
        'mke2fs',
        'mkfs.vfat',
        'patch',
        'ps',
      ],
      ...['qemu-img', 'qemu-system-x86_64', 'script', 'sfdisk', 'xorriso'],
    ],
  },
}

/** Program, or path of a file -> the Debian/Ubuntu package that brings it. */
const debianPackages = {
  '7za': 'p7zip-full',
  'desktop-file-validate': 'desktop-file-utils',
  mksquashfs: 'squashfs-tools',
  unsquashfs: 'squashfs-tools',
  unshare: 'util-linux',
  bc: 'bc',
  bison: 'bison',
  busybox: 'busybox-static',
  chromium: 'chromium',
  e2fsck: 'e2fsprogs',
  flex: 'flex',
  gcc: 'gcc libc6-dev',
  git: 'git',
  patch: 'patch',
  ps: 'procps',
  gdb: 'gdb',
  iasl: 'acpica-tools',
  make: 'make',
  mcopy: 'mtools',
  mke2fs: 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  openssl: 'openssl',
  'mkfs.btrfs': 'btrfs-progs',
  'mkfs.vfat': 'dosfstools',
  script: 'bsdutils',
  sfdisk: 'fdisk',
  strace: 'strace',
  xorriso: 'xorriso',
  xz: 'xz-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'dpkg-deb': 'dpkg',
  [GCC_FOR_32_BITS]: 'gcc-multilib',
  [LIBELF]: 'libelf-dev',
  [KERNEL_SOURCE]: 'linux-source-6.1',
}

/** One plain sentence, then the end. */
function fail(sentence) {
  process.stderr.write(`longmode: ${sentence}\n`)
  process.exit(1)
}

function isThere(program) {
  if (path.isAbsolute(program)) return existsSync(program)
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Does node_modules hold what the lock file asks for? npm keeps its own record of what it installed. */
function modulesAreCurrent() {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages ?? {}
  const installed = readJson(path.join(modules, '.package-lock.json'))?.packages
  if (installed === undefined) return false
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === '') return true
    const found = installed[place]
    if (found === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true
    return found.version === entry.version
  })
}

/** npm as the running script knows it, else the one on PATH. */
function npm(args) {
  const viaScript = process.env.npm_execpath
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  return viaScript !== undefined && /\.[cm]?js$/.test(viaScript)
    ? spawnSync(process.execPath, [viaScript, ...args], options).status
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' }).status
}

function installModules() {
  if (modulesAreCurrent()) return
  if (existsSync(modules) && lstatSync(modules).isSymbolicLink()) {
    process.stderr.write(
      'longmode: node_modules is a link and not what package-lock.json asks for; it is left as it is.\n',
    )
    return
  }
  process.stderr.write('longmode: installing npm packages (npm ci) ...\n')
  if (npm(['ci', '--loglevel=error']) !== 0) {
    fail('npm ci did not succeed; its messages above say why (it needs the network the first time).')
  }
}

/** The package `node` makes this in its install script. */
function nodeBinary() {
  return path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

function versionOf(binary) {
  const result = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim() : undefined
}

function isRightNode(version) {
  return version !== undefined && version.startsWith(`v${NODE_MAJOR}.`)
}

/** Packages of the system: installed when we are root on Debian or Ubuntu, else the command to type is shown. */
function installPrograms(programs) {
  const missing = programs.filter((program) => !isThere(program))
  const packages = [...new Set(missing.map((program) => debianPackages[program]))]
  if (packages.length === 0) return
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (!isThere('apt-get')) fail(`these programs are needed and missing; on Debian they come with: ${command}`)
  if (process.getuid?.() !== 0) fail(`some programs are missing; type: sudo ${command}`)
  process.stderr.write(`longmode: ${command}\n`)
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  const install = () => spawnSync('sh', ['-c', command], options).status
  if (install() !== 0) {
    spawnSync('apt-get', ['update', '-q'], options)
    if (install() !== 0) fail(`could not install ${packages.join(', ')}; type: ${command}`)
  }
}

/** Runs the entry on `binary` and becomes its exit code; the terminal and its signals belong to the child. */
function runOn(binary, entry, args) {
  const child = spawn(binary, [...V8_FLAGS, entry, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`cannot start ${binary}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

async function main() {
  // Where Debian keeps mke2fs and its like; an ordinary user's PATH lacks it.
  if (process.platform === 'linux') process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  const [name = '', ...given] = process.argv.slice(2)
  const task = tasks[name]
  if (task === undefined) fail(`no task named "${name}"; there are: ${Object.keys(tasks).join(', ')}`)
  const args = [...(task.args ?? []), ...given]
  installModules()
  installPrograms(task.programs)
  // npm runs scripts in the checkout; file names on the command line are meant from where the user typed them.
  if (task.paths !== undefined && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)
  const entry = path.join(root, task.entry)
  if (isRightNode(process.version)) return runOn(process.execPath, entry, args)
  if (!isRightNode(versionOf(nodeBinary()))) npm(['rebuild', 'node', '--loglevel=error'])
  const version = versionOf(nodeBinary())
  if (!isRightNode(version)) {
    fail(
      `Node ${NODE_MAJOR} is needed, this is ${process.version} and the npm package "node" ${
        version === undefined ? 'did not install its binary (are install scripts switched off?)' : `is ${version}`
      }; type: npm rebuild node`,
    )
  }
  runOn(nodeBinary(), entry, args)
}

await main()
