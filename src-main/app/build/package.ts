/**
 * `npm run package [-- options of electron-builder]`: packages of this system, in `out`. ELECTRON_DIST names a folder with Electron's program
 * for a computer that cannot download it.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { V8_FLAGS } from '../../base/v8-flags.mjs'
import { defaultGuest, RecipeError } from '../../host/default-guest/default-guest.ts'
import { appFolder, buildApp } from './app.ts'
import { buildWindow } from './window.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const isWindows = process.platform === 'win32'

interface Locked {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
}

/** Folders of the npm packages that the program needs when it runs, as the lock file says; those of other systems are not there. */
export function shippedPackages(): string[] {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(lock.packages)
    .filter(([place, { dev, devOptional }]) => place !== '' && dev !== true && devOptional !== true)
    .map(([place]) => place)
    .filter((place) => existsSync(path.join(root, place)))
}

function copyPackages(): void {
  rmSync(path.join(appFolder, 'node_modules'), { recursive: true, force: true })
  for (const place of shippedPackages())
    cpSync(path.join(root, place), path.join(appFolder, place), { recursive: true })
}

/** `longmode` with a Node of its own. */
export function writeCommandLine(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const node = isWindows ? 'node.exe' : 'node'
  copyFileSync(path.join(root, 'node_modules/node/bin', node), path.join(folder, node))
  const flags = V8_FLAGS.join(' ')
  const main = 'app.asar.unpacked/src-main/cli/main.js'
  if (isWindows) {
    writeFileSync(
      path.join(folder, 'longmode.cmd'),
      `@"%~dp0node.exe" ${flags} "%~dp0..\\${main.replaceAll('/', '\\')}" %*\r\n`,
    )
    return
  }
  // A link in /usr/bin leads here; the script's own place is where that ends.
  const script = `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/node" ${flags} "$here/../${main}" "$@"\n`
  writeFileSync(path.join(folder, 'longmode'), script)
  chmodSync(path.join(folder, 'longmode'), 0o755)
  chmodSync(path.join(folder, node), 0o755)
}

const GUEST_LICENCE = `The embedded guest (resources/default-guest/made) holds two programs of Debian, unchanged: the Linux kernel with its
modules and BusyBox, both under the GNU General Public License, version 2 (https://spdx.org/licenses/GPL-2.0-only.html).
recipe.json beside it names their packages; their sources are at https://snapshot.debian.org.
`

const isLicence = (name: string) => /^(licen[cs]e|copying|notice)/i.test(name)

/** The licences of all that is in the package, one file each; Electron brings its own. */
export function writeLicences(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'Longmode.txt'))
  for (const place of [...shippedPackages(), 'node_modules/node']) {
    const from = path.join(root, place)
    const { name, version, license } = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    const texts = readdirSync(from)
      .filter(isLicence)
      .map((file) => readFileSync(path.join(from, file), 'utf8'))
    const text =
      texts.length > 0
        ? texts.join('\n')
        : `${name} ${version}: ${license} licence (https://spdx.org/licenses/${license}.html)\n`
    writeFileSync(path.join(folder, `${name.replaceAll(/[@/]/g, '_')}.txt`), text)
  }
  writeFileSync(path.join(folder, 'embedded-guest.txt'), GUEST_LICENCE)
}

/** The guest as it starts, so that the first start needs no network. */
async function embedGuest(): Promise<void> {
  const guest = await defaultGuest((text) => process.stderr.write(`longmode: ${text}\n`))
  const folder = path.join(appFolder, 'resources/default-guest/made')
  mkdirSync(folder, { recursive: true })
  copyFileSync(guest.kernel, path.join(folder, 'vmlinuz'))
  copyFileSync(guest.initrd, path.join(folder, 'initramfs.gz'))
}

/** Everything that electron-builder packs. Gives a sentence when it cannot be made. */
export async function stage(): Promise<string | undefined> {
  const problem = await buildWindow((text) => process.stderr.write(`longmode: ${text}\n`))
  if (problem !== undefined) return problem
  buildApp()
  copyPackages()
  writeCommandLine(path.join(root, 'dist/bin'))
  writeLicences(path.join(root, 'dist/licences'))
  if (!isWindows) writeLink(path.join(root, 'dist/link'))
  try {
    await embedGuest()
  } catch (error) {
    if (error instanceof RecipeError) return error.message
    throw error
  }
  return undefined
}

/** The link that puts `longmode` on everybody's path, for packages that install into /usr. */
function writeLink(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  symlinkSync('/opt/Longmode/resources/bin/longmode', path.join(folder, 'longmode'))
}

const onPath = (program: string) =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file))

/** Programs of this computer in place of those that electron-builder would download. What the user set stays. */
export function builderEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const sevenZip = onPath('7za')
  const isDebian = process.platform === 'linux' && onPath('dpkg-deb') !== undefined
  return {
    ...(sevenZip === undefined ? {} : { ELECTRON_BUILDER_7ZIP_PATH: sevenZip }),
    ...(isDebian ? { CUSTOM_FPM_PATH: fileURLToPath(new URL('./fpm.mjs', import.meta.url)) } : {}),
    ...environment,
  }
}

/** electron-builder's words for this computer. */
export function builderArguments(given: readonly string[]): string[] {
  const { ELECTRON_DIST } = process.env
  const dist = ELECTRON_DIST === undefined ? [] : [`-c.electronDist=${ELECTRON_DIST}`]
  return ['build', '--config', 'electron-builder.yml', '--publish', 'never', ...dist, ...given]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await stage()
  if (problem === undefined) {
    const builder = path.join(root, 'node_modules/electron-builder/cli.js')
    const { status } = spawnSync(process.execPath, [builder, ...builderArguments(process.argv.slice(2))], {
      cwd: root,
      stdio: 'inherit',
      env: builderEnvironment(process.env),
    })
    process.exitCode = status ?? 1
  } else {
    process.stderr.write(`longmode: ${problem}\n`)
    process.exitCode = 1
  }
}
