import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DebianDiskRequest } from '../../contract/kernel-tree.ts'
import { createDebianDisk } from './debian.ts'

let folder: string
const pathBefore = process.env.PATH
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-disk-'))
  // Programs that must never run here: everything below is refused before.
  for (const name of ['mmdebstrap', 'mke2fs', 'unshare', 'newuidmap']) {
    writeFileSync(path.join(folder, name), '#!/bin/sh\nexit 99\n', { mode: 0o755 })
  }
})
afterEach(() => {
  process.env.PATH = pathBefore
  rmSync(folder, { recursive: true, force: true })
})

const make = (more: Partial<DebianDiskRequest> = {}) =>
  createDebianDisk({ file: path.join(folder, 'disk.raw'), bytes: 2 ** 31, ...more }, () => undefined)

describe('a Debian disk', () => {
  it('is not made over a file, too small, or from names that are none', async () => {
    process.env.PATH = `${folder}:${pathBefore ?? ''}`
    writeFileSync(path.join(folder, 'there.raw'), 'precious')
    await expect(make({ file: path.join(folder, 'there.raw') })).rejects.toThrow('exists already; nothing was changed')
    await expect(make({ file: '/nonexistent/disk.raw' })).rejects.toThrow('/nonexistent does not exist')
    await expect(make({ bytes: 2 ** 28 })).rejects.toThrow('1 GiB at least')
    await expect(make({ bytes: 2 ** 31 + 1 })).rejects.toThrow('multiple of 4 KiB')
    await expect(make({ hostName: '"; rm' })).rejects.toThrow('is no host name')
    await expect(make({ packages: ['gdb;reboot'] })).rejects.toThrow('is no package name')
    expect(readdirSync(folder).filter((name) => name.includes('disk.raw'))).toEqual([])
  })

  it('names the packages of the programs that are missing', async () => {
    process.env.PATH = path.join(folder, 'nothing')
    await expect(make()).rejects.toThrow(/needs mmdebstrap.*apt-get install -y mmdebstrap/)
  })

  it('is set up by a script that needs no file of the user', async () => {
    process.env.PATH = `${folder}:${pathBefore ?? ''}`
    const args = path.join(folder, 'arguments')
    writeFileSync(path.join(folder, 'mmdebstrap'), `#!/bin/sh\nprintf '%s\\0' "$@" > '${args}'\nexit 99\n`)
    await expect(make({ hostName: 'pc', shareInFstab: true })).rejects.toThrow('mmdebstrap did not succeed')
    const hook = readFileSync(args, 'utf8')
      .split('\0')
      .find((each) => each.startsWith('--customize-hook='))
      ?.replace(/^[^=]*=/, '')
    const root = path.join(folder, 'system')
    for (const each of ['etc', 'root']) mkdirSync(path.join(root, each), { recursive: true })
    writeFileSync(path.join(root, 'etc/shadow'), 'root:*:1::::::\n')
    // As mmdebstrap runs what is no program: with the system's folder as $1.
    execFileSync('sh', ['-c', hook ?? 'exit 1', 'sh', root])
    const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
    expect([read('etc/hostname'), read('etc/fstab'), read('etc/shadow')]).toEqual([
      'pc\n',
      'shared_folder /root/host_folder 9p trans=virtio,nofail 0 0\n',
      'root::1::::::\n',
    ])
  })

  it('leaves nothing behind when the packages cannot be had', async () => {
    process.env.PATH = `${folder}:${pathBefore ?? ''}`
    await expect(make()).rejects.toThrow('mmdebstrap did not succeed')
    expect(readdirSync(folder).filter((name) => name.includes('disk.raw'))).toEqual([])
  })
})
