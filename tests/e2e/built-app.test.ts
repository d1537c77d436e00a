/** The program as JavaScript (dist/app), and what electron-builder is told about it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { appFolder, buildApp, MAIN_FILE, programSources } from '../../src-main/app/build/app.ts'
import { javaScriptName } from '../../src-main/app/build/javascript.ts'
import { shippedPackages, writeCommandLine, writeLicences } from '../../src-main/app/build/package.ts'
import { ELECTRON_V8_WORD } from '../../src-main/app/build/v8-flags.ts'
import { buildWindow } from '../../src-main/app/build/window.ts'
import { unpacked } from '../../src-main/base/unpacked.ts'
import { V8_FLAGS } from '../../src-main/base/v8-flags.mjs'
import { scratchFolder } from '../fixtures/scratch.ts'

const root = path.resolve(import.meta.dirname, '../..')
const scratch = scratchFolder('built')
const run = promisify(execFile)

beforeAll(async () => {
  expect(await buildWindow(() => undefined)).toBeUndefined()
  buildApp()
}, 120_000)

describe('the built program', () => {
  it('is every source as JavaScript, the window, and the resources', () => {
    for (const source of programSources())
      expect([source, existsSync(path.join(appFolder, javaScriptName(source)))]).toEqual([source, true])
    for (const file of [
      MAIN_FILE,
      'src-main/app/electron/preload.cjs',
      'dist/renderer/index.html',
      'resources/default-guest/recipe.json',
    ])
      expect([file, existsSync(path.join(appFolder, file))]).toEqual([file, true])
    const described = JSON.parse(readFileSync(path.join(appFolder, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(described).toMatchObject({ main: MAIN_FILE, type: 'module', name: 'longmode' })
    expect(described).not.toHaveProperty('devDependencies')
  })
  it('runs on plain Node: its command line answers, and starts a machine', async () => {
    const cli = path.join(appFolder, 'src-main/cli/main.js')
    const version = await run(process.execPath, [cli, '-version'])
    expect(version.stdout).toMatch(/^Longmode \d+\.\d+\.\d+\n$/)
    const missing = await run(process.execPath, [cli, '-kernel', '/nowhere/bzImage']).catch(
      (error: unknown) => error as { stderr: string },
    )
    expect(missing.stderr).toBe('longmode: -kernel /nowhere/bzImage: does not exist\n')
  })
  it('names no TypeScript file that a module is loaded from', () => {
    const left = programSources().filter((source) => {
      if (source.endsWith('.mjs')) return false
      const text = readFileSync(path.join(appFolder, javaScriptName(source)), 'utf8')
      return /(?:from|import\(|new URL\()\s*['"]\.[^'"]*\.ts['"]/.test(text)
    })
    expect(left).toEqual([])
  })
})

describe('the package', () => {
  it('has the licence of everything that is in it', () => {
    writeLicences(path.join(scratch, 'licences'))
    const texts = readdirSync(path.join(scratch, 'licences'))
    expect(texts).toContain('Longmode.txt')
    expect(texts).toContain('embedded-guest.txt')
    expect(texts.length).toBe(shippedPackages().length + 3)
    for (const text of texts)
      expect([text, statSync(path.join(scratch, 'licences', text)).size > 20]).toEqual([text, true])
  })
  it('ships what the program needs when it runs, and nothing of the workshop', () => {
    const shipped = shippedPackages().map((place) => place.replace('node_modules/', ''))
    const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      dependencies: object
    }
    for (const name of Object.keys(dependencies)) expect(shipped).toContain(name)
    for (const name of ['vite', 'typescript', 'electron', 'playwright', 'svelte']) expect(shipped).not.toContain(name)
  })
  it('is locked: the fuses of Electron are off, and the archive is checked', () => {
    const settings = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')
    const fuse = (name: string) => new RegExp(`^  ${name}: (\\w+)$`, 'm').exec(settings)?.[1]
    for (const name of ['runAsNode', 'enableNodeOptionsEnvironmentVariable', 'enableNodeCliInspectArguments'])
      expect([name, fuse(name)]).toEqual([name, 'false'])
    for (const name of ['enableEmbeddedAsarIntegrityValidation', 'onlyLoadAppFromAsar'])
      expect([name, fuse(name)]).toEqual([name, 'true'])
  })
  it('gives V8 its flags wherever it starts', () => {
    const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
    expect(read('src-main/cli/setup.mjs')).toContain('spawn(binary, [...V8_FLAGS, entry')
    expect(read('electron-builder.yml')).toContain(`executableArgs: ['${ELECTRON_V8_WORD}']`)
    writeCommandLine(path.join(scratch, 'bin'))
    expect(readFileSync(path.join(scratch, 'bin/longmode'), 'utf8')).toContain(`/node" ${V8_FLAGS.join(' ')} "`)
  })
  it('is a Debian package without fpm, by Debian itself', async () => {
    const shim = path.join(root, 'src-main/app/build/fpm.mjs')
    const content = path.join(scratch, 'content')
    mkdirSync(path.join(content, 'bin'), { recursive: true })
    writeFileSync(path.join(content, 'bin/longmode'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('/opt/Longmode/bin/longmode', path.join(scratch, 'longmode'))
    const deb = path.join(scratch, 'a.deb')
    const words = ['-s', 'dir', '--force', '-t', 'deb', '-d', 'libnss3', '-d', 'xdg-utils', '--architecture', 'amd64']
    const about = ['--description', 'A PC\n In words.', '--version', '1.2.3', '--name', 'longmode', '--package', deb]
    const who = ['--maintainer', 'The authors <a@longmode.example>', '--url', 'https://longmode.example/']
    const files = [`${content}/=/opt/Longmode`, `${path.join(scratch, 'longmode')}=/usr/bin/longmode`]
    await run(process.execPath, [shim, ...words, ...about, ...who, ...files])
    const { stdout: info } = await run('dpkg-deb', ['--field', deb])
    for (const line of ['Package: longmode', 'Version: 1.2.3', 'Depends: libnss3, xdg-utils', 'Description: A PC'])
      expect(info).toContain(`${line}\n`)
    const { stdout: list } = await run('dpkg-deb', ['--contents', deb])
    expect(list).toMatch(/-rwxr-xr-x root\/root .* \.\/opt\/Longmode\/bin\/longmode\n/)
    expect(list).toContain('./usr/bin/longmode -> /opt/Longmode/bin/longmode')
    await expect(run(process.execPath, [shim, '-t', 'rpm'])).rejects.toThrow('only packages of type deb')
    await expect(run(process.execPath, [shim, '--frobnicate'])).rejects.toThrow('--frobnicate of fpm is not known')
  })
  it('finds beside the archive what other threads open', () => {
    expect(unpacked('/opt/Longmode/resources/app.asar/src-main/a.js')).toBe(
      '/opt/Longmode/resources/app.asar.unpacked/src-main/a.js',
    )
    expect(unpacked('file:///C:/x/app.asar/a.js')).toBe('file:///C:/x/app.asar.unpacked/a.js')
    expect(unpacked('C:\\x\\app.asar\\a')).toBe('C:\\x\\app.asar.unpacked\\a')
    expect(unpacked('/home/ana/longmode/src-main/a.ts')).toBe('/home/ana/longmode/src-main/a.ts')
  })
})
