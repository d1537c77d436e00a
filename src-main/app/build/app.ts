/**
 * The program as Electron gets it, in dist/app: JavaScript, the built window, the resources, and for a package the npm packages and Node
 * for the command line. Made again when anything it is made of has changed.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { javaScriptName, toJavaScript } from './javascript.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
export const appFolder = path.join(root, 'dist/app')
/** `executableName` of electron-builder.yml, as a menu entry. */
export const DESKTOP_NAME = 'longmode-window.desktop'
export const MAIN_FILE = 'src-main/app/electron/main.js'

interface PackageJson {
  readonly name: string
  readonly productName: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly author: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** Our own sources without tests, relative to the checkout. */
export function programSources(): string[] {
  return readdirSync(path.join(root, 'src-main'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|cts|mjs)$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(path.join(root, file)))
  return hash.digest('hex')
}

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort()
}

/** Makes dist/app; the window must have been built before. */
export function buildApp(): void {
  const sources = programSources()
  const stamp = path.join(appFolder, '.sources')
  const hash = hashOf([
    ...sources,
    'package.json',
    'package-lock.json',
    ...filesBelow('resources'),
    ...filesBelow('dist/renderer'),
  ])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  for (const part of ['src-main', 'resources', 'dist', '.sources'])
    rmSync(path.join(appFolder, part), { recursive: true, force: true })
  for (const source of sources) {
    const target = path.join(appFolder, javaScriptName(source))
    mkdirSync(path.dirname(target), { recursive: true })
    const text = readFileSync(path.join(root, source), 'utf8')
    writeFileSync(target, source.endsWith('.mjs') ? text : toJavaScript(text))
  }
  cpSync(path.join(root, 'resources'), path.join(appFolder, 'resources'), { recursive: true })
  cpSync(path.join(root, 'dist/renderer'), path.join(appFolder, 'dist/renderer'), { recursive: true })
  writeFileSync(path.join(appFolder, 'package.json'), packageJson())
  writeFileSync(stamp, hash)
}

function packageJson(): string {
  const { name, productName, version, description, license, author, dependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as PackageJson
  const ours = {
    name,
    productName,
    version,
    description,
    license,
    author,
    type: 'module',
    main: MAIN_FILE,
    // What Electron calls its windows on Linux; the menu entry has the same name, so that the desktop joins the two.
    desktopName: DESKTOP_NAME,
    dependencies,
  }
  return `${JSON.stringify(ours, undefined, 2)}\n`
}
