import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = path.resolve(import.meta.dirname, '../main.ts')
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-disk-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function disk(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'disk', ...words], {
    encoding: 'utf8',
    cwd: folder,
  })
  return { status, stdout, stderr }
}

describe('longmode disk', () => {
  it('lists its commands and names what is wrong in one sentence', () => {
    const help = disk()
    expect(help).toMatchObject({ status: 0, stderr: '' })
    for (const name of ['info', 'create', 'convert', 'protect', 'commit', 'discard', 'check'])
      expect(help.stdout).toContain(`  ${name} `)
    expect(disk('info')).toMatchObject({ status: 1, stderr: 'longmode: the image is missing; --help says more\n' })
    expect(disk('info', 'none.img')).toMatchObject({
      status: 1,
      stderr: 'longmode: Disk image none.img does not exist.\n',
    })
    expect(disk('create', 'a.img', 'big')).toMatchObject({ status: 1, stdout: '' })
    expect(existsSync(path.join(folder, 'a.img'))).toBe(false)
  })

  it('makes, copies, protects and checks images', () => {
    expect(disk('create', 'a.img', '3M')).toMatchObject({ status: 0, stdout: 'a.img: 3 MiB, raw\n' })
    expect(disk('create', 'a.img', '3M')).toMatchObject({ status: 1, stderr: 'longmode: a.img exists already.\n' })
    expect(disk('convert', 'a.img', 'b.qcow2')).toMatchObject({ status: 0, stderr: '' })
    expect(disk('check', 'b.qcow2')).toMatchObject({ status: 0, stdout: 'no errors\n' })
    expect(disk('protect', 'b.qcow2')).toMatchObject({ status: 0, stdout: 'b.qcow2.overlay.qcow2\n' })
    const info = JSON.parse(disk('info', 'b.qcow2', '--json').stdout) as Record<string, unknown>
    expect(info).toMatchObject({ format: 'qcow2', size: 3 << 20, overlay: 'b.qcow2.overlay.qcow2' })
    expect(disk('commit', 'b.qcow2.overlay.qcow2')).toMatchObject({ status: 0, stderr: '' })
    expect(disk('commit', 'b.qcow2')).toMatchObject({ status: 1 })
  })
})
