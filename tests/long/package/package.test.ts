/**
 * `npm run package` on a made-up Electron: what electron-builder packs of it is the real program, and what can be told without Electron's
 * own binary is told here. The command line inside starts the default guest on its own Node, without network and with an empty home.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { extractFile, listPackage } from '@electron/asar'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { beforeAll, describe, expect, it } from 'vitest'
import { scratchFolder } from '../../fixtures/scratch.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const scratch = scratchFolder('package')
const out = path.join(scratch, 'out')
const sh = (program: string, ...words: string[]) =>
  execFileSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 28 })
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }

/** Nine fuses, all on, behind the mark by which @electron/fuses finds them in Electron's program. */
function makeElectron(folder: string): void {
  mkdirSync(path.join(folder, 'locales'), { recursive: true })
  mkdirSync(path.join(folder, 'resources'))
  const wire = Buffer.concat([
    Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
    Buffer.from([1, 9]),
    Buffer.from('111111111'),
  ])
  const program = Buffer.concat([
    Buffer.from('\x7fELF\x02\x01\x01', 'latin1'),
    Buffer.alloc(1000),
    wire,
    Buffer.alloc(100),
  ])
  writeFileSync(path.join(folder, 'electron'), program, { mode: 0o755 })
  const { version: electron } = JSON.parse(
    readFileSync(path.join(root, 'node_modules/electron/package.json'), 'utf8'),
  ) as {
    version: string
  }
  const files = ['LICENSE', 'LICENSES.chromium.html', 'chrome-sandbox', 'chrome_crashpad_handler', 'icudtl.dat']
  for (const file of [...files, 'resources.pak', 'locales/en-US.pak']) writeFileSync(path.join(folder, file), 'x')
  writeFileSync(path.join(folder, 'version'), electron)
}

/** The tools that electron-builder would download; in front of the archive stands a stand-in for AppImage's own program. */
const RUNTIME = Buffer.alloc(4096, '#')
function makeAppImageTools(folder: string): void {
  const tools = path.join(folder, `linux-${process.arch}`)
  mkdirSync(tools, { recursive: true })
  for (const tool of ['mksquashfs', 'desktop-file-validate'])
    symlinkSync(sh('sh', '-c', `command -v ${tool}`).trim(), path.join(tools, tool))
  mkdirSync(path.join(folder, 'lib/x64'), { recursive: true })
  writeFileSync(path.join(folder, `runtime-${process.arch}`), RUNTIME)
}

/** How small it becomes is not in question here. */
const QUICK = ['-c.compression=store', '-c.deb.compression=gz']

beforeAll(() => {
  makeElectron(path.join(scratch, 'electron'))
  makeAppImageTools(path.join(scratch, 'appimage'))
  const { ELECTRON_OVERRIDE_DIST_PATH: _unused, ...environment } = process.env
  execFileSync(process.execPath, ['src-main/app/build/package.ts', `-c.directories.output=${out}`, ...QUICK], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...environment,
      ELECTRON_DIST: path.join(scratch, 'electron'),
      APPIMAGE_TOOLS_PATH: path.join(scratch, 'appimage'),
    },
  })
  mkdirSync(path.join(scratch, 'tar'))
  sh('tar', 'xf', only(/\.tar\.gz$/), '-C', path.join(scratch, 'tar'), '--strip-components=1')
  sh('dpkg-deb', '-x', only(/\.deb$/), path.join(scratch, 'deb'))
  sh('unsquashfs', '-q', '-n', '-o', String(RUNTIME.length), '-d', path.join(scratch, 'image'), only(/\.AppImage$/))
})

const only = (pattern: RegExp) => {
  const found = readdirSync(out).filter((name) => pattern.test(name))
  expect([pattern, found.length]).toEqual([pattern, 1])
  return path.join(out, found[0])
}
/** Where the program itself is in each of the three. */
const trees = { tar: 'tar', deb: 'deb/opt/Longmode', image: 'image' }
const inside = (tree: keyof typeof trees, ...names: string[]) => path.join(scratch, trees[tree], ...names)

describe.each(['tar', 'deb', 'image'] as const)('the program in the %s', (tree) => {
  it('has its fuses set', async () => {
    const wire = await getCurrentFuseWire(inside(tree, 'longmode-window'))
    const state = (fuse: FuseV1Options) => wire[fuse]
    expect(state(FuseV1Options.RunAsNode)).toBe('0'.charCodeAt(0))
    expect(state(FuseV1Options.EnableNodeOptionsEnvironmentVariable)).toBe('0'.charCodeAt(0))
    expect(state(FuseV1Options.EnableNodeCliInspectArguments)).toBe('0'.charCodeAt(0))
    expect(state(FuseV1Options.GrantFileProtocolExtraPrivileges)).toBe('0'.charCodeAt(0))
    expect(state(FuseV1Options.EnableEmbeddedAsarIntegrityValidation)).toBe('1'.charCodeAt(0))
    expect(state(FuseV1Options.OnlyLoadAppFromAsar)).toBe('1'.charCodeAt(0))
  })
  it('is JavaScript in an archive, beside it what threads and other programs open', () => {
    const archive = inside(tree, 'resources/app.asar')
    const files = listPackage(archive, { isPack: false })
    for (const file of [
      '/package.json',
      '/dist/renderer/index.html',
      '/src-main/app/electron/main.js',
      '/src-main/app/electron/preload.cjs',
    ])
      expect(files).toContain(file)
    expect(files.filter((file) => /^\/src-(main|renderer).*\.(ts|svelte)$|\.test\./.test(file))).toEqual([])
    expect(
      files.filter((file) => /^\/node_modules\/(electron|vite|typescript|svelte|playwright)\//.test(file)),
    ).toEqual([])
    const described = JSON.parse(
      extractFile(archive, 'dist/renderer/index.html').toString().length > 0
        ? readFileSync(inside(tree, 'resources/app.asar.unpacked/package.json'), 'utf8')
        : '',
    ) as Record<string, string>
    expect(described).toMatchObject({
      version,
      main: 'src-main/app/electron/main.js',
      desktopName: 'longmode-window.desktop',
    })
    for (const file of [
      'src-main/workers/vcpu.js',
      'src-main/workers/io/entry.js',
      'src-main/cli/main.js',
      'node_modules/koffi/package.json',
      'resources/default-guest/made/vmlinuz',
    ])
      expect([file, existsSync(inside(tree, 'resources/app.asar.unpacked', file))]).toEqual([file, true])
  })
  it('brings the licences of what is in it', () => {
    const licences = readdirSync(inside(tree, 'resources/licences'))
    for (const name of ['Longmode.txt', 'koffi.txt', 'iced-x86.txt', 'node.txt', 'embedded-guest.txt'])
      expect(licences).toContain(name)
    expect(existsSync(inside(tree, 'LICENSES.chromium.html'))).toBe(true)
  })
  it('has a command line with a Node of its own', () => {
    const cli = inside(tree, 'resources/bin/longmode')
    expect(statSync(cli).mode & 0o111).toBe(0o111)
    // Nothing of this checkout, no Node on the path.
    const said = execFileSync(cli, ['-version'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' }, cwd: '/' })
    expect(said).toBe(`Longmode ${version}\n`)
  })
})

describe('the menu entry', () => {
  it.each(['deb', 'image'] as const)('of the %s is valid, and opens disk images', (tree) => {
    const file =
      tree === 'deb'
        ? path.join(scratch, 'deb/usr/share/applications/longmode-window.desktop')
        : inside('image', 'longmode-window.desktop')
    sh('desktop-file-validate', file)
    const entry = readFileSync(file, 'utf8')
    expect(entry).toMatch(/^StartupWMClass=longmode-window$/m)
    expect(entry).toMatch(/^Exec=.*--js-flags=--no-wasm-inlining,--experimental-wasm-branch-hinting.* %U$/m)
    expect(entry).toMatch(/^MimeType=.*application\/x-qemu-disk;/m)
    expect(entry).toMatch(/^Categories=Development;$/m)
  })
  it('has icons', () => {
    const icons = path.join(scratch, 'deb/usr/share/icons/hicolor')
    const sizes = readdirSync(icons)
    expect(sizes.length).toBeGreaterThan(0)
    for (const size of sizes) {
      const [picture] = readdirSync(path.join(icons, size, 'apps'))
      expect(picture).toBe('longmode-window.png')
      const bytes = readFileSync(path.join(icons, size, 'apps', picture))
      expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`).toBe(size)
    }
  })
})

describe('the Debian package', () => {
  it('says what it is, and puts the command line on the path', () => {
    const field = (name: string) => sh('dpkg-deb', '-f', only(/\.deb$/), name).trim()
    expect(field('Package')).toBe('longmode')
    expect(field('Version')).toBe(version)
    expect(field('Architecture')).toBe('amd64')
    expect(field('Depends')).toContain('libnss3')
    expect(sh('dpkg-deb', '-c', only(/\.deb$/))).toContain('./usr/bin/longmode -> /opt/Longmode/resources/bin/longmode')
  })
})

describe('the AppImage', () => {
  it('is one program with the archive behind AppImage’s own', () => {
    const head = readFileSync(only(/\.AppImage$/)).subarray(0, RUNTIME.length + 4)
    expect(head.subarray(0, RUNTIME.length)).toEqual(RUNTIME)
    expect(head.subarray(RUNTIME.length).toString()).toBe('hsqs')
    expect(statSync(only(/\.AppImage$/)).mode & 0o111).toBe(0o111)
    expect(statSync(inside('image', 'AppRun')).mode & 0o111).toBe(0o111)
    expect(existsSync(inside('image', '.DirIcon'))).toBe(true)
  })
})

it('the command line of the package boots the default guest, with an empty home and without network', async () => {
  const home = path.join(scratch, 'home')
  mkdirSync(home)
  // No network: a name space of its own, when there may be one.
  const isRoot = process.getuid?.() === 0
  const [program, ...words] = [
    ...(isRoot ? ['unshare', '--net'] : []),
    inside('tar', 'resources/bin/longmode'),
    '-nographic',
    '-m',
    '512M',
  ]
  const guest = spawn(program, words, { cwd: home, env: { PATH: '/usr/bin:/bin', HOME: home, TERM: 'dumb' } })
  let said = ''
  const ended = new Promise<number | null>((resolve) => guest.on('close', resolve))
  let asked = false
  guest.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    if (asked || !/longmode:\S*# /.test(said)) return
    asked = true
    guest.stdin.write('echo $((6 * 7)) answers; poweroff\n')
  })
  guest.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  expect(await ended).toBe(0)
  expect(said).toContain('42 answers')
})
