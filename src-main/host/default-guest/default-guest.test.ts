/** The making of the default guest, with tools in the place of apt-get that are slow in the way a network is. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { defaultGuest, RecipeError } from './default-guest.ts'

const scratch = scratchFolder('default-guest')
const bin = path.join(scratch, 'bin')
const temporary = path.join(scratch, 'tmp')
/** Each is asked of the package by name. */
const folders = [
  ...['arch', 'block', 'crypto', 'lib', 'net/9p', 'drivers/ata', 'drivers/block', 'drivers/cdrom'],
  ...['acpi', 'char', 'input', 'scsi', 'virtio'].map((name) => `drivers/${name}`),
]
const before = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] }

function script(name: string, text: string): void {
  writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}`, { mode: 0o755 })
}

/** A package of these files, as Debian's own tool makes it. */
function deb(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const tree = path.join(scratch, name)
  mkdirSync(path.join(tree, 'DEBIAN'), { recursive: true })
  const size = Object.values(files).reduce((sum, data) => sum + data.length, 0)
  const fields = [`Package: ${name}`, 'Version: 1', 'Architecture: amd64', 'Maintainer: a <a@example.org>']
  const control = [...fields, `Installed-Size: ${Math.ceil(size / 1024)}`, 'Description: a test'].join('\n')
  writeFileSync(path.join(tree, 'DEBIAN/control'), `${control}\n`)
  for (const [file, data] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, file)), { recursive: true })
    writeFileSync(path.join(tree, file), data)
  }
  const made = path.join(scratch, `${name}_1_amd64.deb`)
  expect(spawnSync('dpkg-deb', ['-Znone', '--build', tree, made]).status).toBe(0)
  return made
}

beforeAll(() => {
  for (const folder of [bin, temporary]) mkdirSync(folder)
  const { modules } = JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, '../../../resources/default-guest/recipe.json'), 'utf8'),
  ) as { modules: string[] }
  const release = 'lib/modules/6.1.0-test'
  const kernel = deb('linux-image-6.1.0-test', {
    'boot/vmlinuz-6.1.0-test': Buffer.alloc(3_000_000, 'kernel'),
    [`${release}/modules.builtin`]: '',
    ...Object.fromEntries(folders.map((folder) => [`${release}/kernel/${folder}/a.ko`, ''])),
    ...Object.fromEntries(modules.map((name) => [`${release}/kernel/fs/${name}.ko`, `\0depends=\0${name}`])),
  })
  const busybox = deb('busybox-static', { 'bin/busybox': 'busybox' })
  const bytes = readFileSync(kernel).length
  script('apt-cache', `echo ' Depends: linux-image-6.1.0-test'\n`)
  // The download stands still in the middle until the test says go.
  script(
    'apt-get',
    `case "$*" in
      *--print-uris*) echo "'http://deb.example.org/a.deb' a.deb ${bytes} SHA256:0" ;;
      *linux-image*) head -c ${Math.floor(bytes / 2)} ${kernel} > linux-image-6.1.0-test_1_amd64.deb
        until [ -e ${scratch}/go ]; do sleep 0.02; done
        cp ${kernel} . ;;
      *) cp ${busybox} . ;;
    esac\n`,
  )
  process.env['PATH'] = `${bin}:${before.PATH ?? ''}`
  process.env['TMPDIR'] = temporary
})
afterAll(() => void Object.assign(process.env, { PATH: before.PATH, TMPDIR: before.TMPDIR ?? os.tmpdir() }))

describe('making the default guest', () => {
  it('can be ended, and leaves nothing', async () => {
    const ending = new AbortController()
    const made = defaultGuest(
      (text) => {
        if (text.includes('downloading')) ending.abort()
      },
      { cache: path.join(scratch, 'none'), signal: ending.signal },
    )
    await expect(made).rejects.toThrow(RecipeError)
    expect(readdirSync(temporary)).toEqual([])
  })
  it('says what it does, and how far it is', async () => {
    const texts: string[] = []
    const parts: number[] = []
    const guest = await defaultGuest((text) => texts.push(text), {
      cache: path.join(scratch, 'cache'),
      part: (part) => {
        parts.push(part)
        if (part > 0.25) writeFileSync(path.join(scratch, 'go'), '')
      },
    })
    expect(texts).toEqual([
      "making the default guest, once: looking for Debian's kernel",
      'making the default guest, once: downloading linux-image-6.1.0-test (3 MB)',
      'making the default guest: downloading busybox-static',
      'making the default guest: unpacking',
      'making the default guest: packing its initramfs',
    ])
    expect(parts[0]).toBeCloseTo(0.3, 2)
    expect(parts).toEqual([...parts].sort((a, b) => a - b))
    expect(parts.filter((part) => part > 0.62 && part < 0.95).length).toBeGreaterThan(3)
    expect(parts.at(-1)).toBeCloseTo(0.95, 2)
    expect(readFileSync(guest.kernel).toString('latin1', 0, 6)).toBe('kernel')
    expect(gunzipSync(readFileSync(guest.initrd)).includes('lib/modules/virtio_pci.ko')).toBe(true)
    expect(readdirSync(temporary)).toEqual([])
  })
})
