import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { layouts, makeTree } from './test-tree.ts'
import { openTree, versionOf } from './tree.ts'

const folders: string[] = []
const tree = (more: Readonly<Record<string, string>> = {}) => {
  const folder = makeTree(layouts['v6.1'], more)
  folders.push(folder)
  return folder
}
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })))

describe('a kernel tree', () => {
  it('is recognised with its version; nothing is configured or built', async () => {
    const folder = tree()
    const opened = await openTree(folder)
    expect(opened).toMatchObject({ folder, output: folder, nickname: 'Fixture', architecture: 'unconfigured' })
    expect(opened.version).toEqual({ text: '6.1.192', major: 6, minor: 1, patch: 192, extra: '' })
    expect(Object.keys(opened)).not.toContain('bzImage')
  })

  it('tells what was built in its output folder', async () => {
    const folder = tree()
    const output = path.join(folder, 'out')
    mkdirSync(path.join(output, 'arch/x86/boot'), { recursive: true })
    mkdirSync(path.join(output, 'include/config'), { recursive: true })
    writeFileSync(path.join(output, '.config'), 'CONFIG_X86_64=y\n')
    writeFileSync(path.join(output, 'include/config/kernel.release'), '6.1.192-mine\n')
    writeFileSync(path.join(output, 'arch/x86/boot/bzImage'), 'image')
    const opened = await openTree(folder, output)
    expect(opened).toMatchObject({ output, architecture: 'x86_64', release: '6.1.192-mine', bzImage: { bytes: 5 } })
    expect((await openTree(folder)).architecture).toBe('unconfigured')
  })

  it('tells branch and changed files under git', async () => {
    const folder = tree()
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args])
    git('init', '-q', '-b', 'syscall')
    git('add', '.')
    git('commit', '-q', '-m', 'all')
    writeFileSync(path.join(folder, 'kernel/sys.c'), 'int changed;\n')
    expect((await openTree(folder)).git).toMatchObject({ branch: 'syscall', changed: ['kernel/sys.c'] })
  })

  it('is not any other folder', async () => {
    await expect(openTree('/nonexistent')).rejects.toThrow('/nonexistent does not exist')
    const folder = tree()
    rmSync(path.join(folder, 'Kbuild'))
    await expect(openTree(folder)).rejects.toThrow(`${folder} is no Linux kernel tree (it has no Kbuild)`)
  })

  it('has a version with an extra part', () => {
    const makefile = 'VERSION = 7\nPATCHLEVEL = 0\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\nNAME = A name\n'
    expect(versionOf(makefile)).toMatchObject({ version: { text: '7.0.0-rc3', extra: '-rc3' }, nickname: 'A name' })
    expect(versionOf('all:\n')).toBeUndefined()
  })
})
