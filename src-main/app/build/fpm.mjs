#!/usr/bin/env node
/**
 * Makes Debian packages for electron-builder in place of fpm, which it would download: the options that it gives to fpm, carried out by
 * Debian's own dpkg-deb. An option that is not known here is refused, never ignored.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** Option -> how many words follow it. */
const known = {
  '-s': 1,
  '-t': 1,
  '-d': 1,
  '--force': 0,
  '--deb-recommends': 1,
  '--deb-compression': 1,
  '--deb-priority': 1,
  '--architecture': 1,
  '--after-install': 1,
  '--after-remove': 1,
  '--description': 1,
  '--version': 1,
  '--package': 1,
  '--name': 1,
  '--maintainer': 1,
  '--vendor': 1,
  '--url': 1,
  '--license': 1,
  '--category': 1,
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

function read(words) {
  const options = new Map()
  const files = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!word.startsWith('-')) {
      const [from, to] = word.split(/=(?=[^=]*$)/)
      if (to === undefined) fail(`"${word}" names no place in the package`)
      files.push({ from, to })
      continue
    }
    if (!Object.hasOwn(known, word)) fail(`the option ${word} of fpm is not known to fpm.mjs`)
    const value = known[word] === 0 ? '' : words[++at]
    options.set(word, [...(options.get(word) ?? []), value])
  }
  return { options, files }
}

function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0)
}

/** Policy manual, 5.3: the fields of a binary package's control file. */
function control(options, root) {
  const one = (name) => options.get(name)?.[0]
  const all = (name) => (options.get(name) ?? []).join(', ')
  const [summary, ...rest] = (one('--description') ?? '').split('\n')
  const fields = {
    Package: one('--name'),
    Version: one('--version'),
    Architecture: one('--architecture'),
    Maintainer: one('--maintainer'),
    'Installed-Size': String(Math.ceil(bytesBelow(root) / 1024)),
    Depends: all('-d'),
    Recommends: all('--deb-recommends'),
    Section: one('--category') ?? 'devel',
    Priority: one('--deb-priority') ?? 'optional',
    Homepage: one('--url'),
    Description: [summary, ...rest.map((line) => (line.trim() === '' ? ' .' : ` ${line.trim()}`))].join('\n'),
  }
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}

const { options, files } = read(process.argv.slice(2))
if (options.get('-t')?.[0] !== 'deb') fail(`only packages of type deb can be made here, not ${options.get('-t')?.[0]}`)
const root = mkdtempSync(path.join(os.tmpdir(), 'longmode-deb-'))
try {
  for (const { from, to } of files) {
    const target = path.join(root, to)
    mkdirSync(path.dirname(target), { recursive: true })
    // A link may lead to where the package will be, so it is never followed.
    if (lstatSync(from).isSymbolicLink()) symlinkSync(readlinkSync(from), target)
    else cpSync(from, target, { recursive: true, verbatimSymlinks: true })
  }
  const text = control(options, root)
  mkdirSync(path.join(root, 'DEBIAN'))
  writeFileSync(path.join(root, 'DEBIAN/control'), text)
  for (const [option, name] of [
    ['--after-install', 'postinst'],
    ['--after-remove', 'postrm'],
  ]) {
    const script = options.get(option)?.[0]
    if (script === undefined) continue
    copyFileSync(script, path.join(root, 'DEBIAN', name))
    chmodSync(path.join(root, 'DEBIAN', name), 0o755)
  }
  chmodSync(root, 0o755)
  // dpkg-deb writes the name out.
  const compression = (options.get('--deb-compression')?.[0] ?? 'xz').replace(/^gz$/, 'gzip')
  const out = options.get('--package')?.[0]
  execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', root, out], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
} finally {
  rmSync(root, { recursive: true, force: true })
}
