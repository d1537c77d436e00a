import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SyscallReport } from '../../contract/kernel-tree.ts'
import { layouts, makeTree } from '../../kernel-tree/test-tree.ts'
import { readWords, sizeOf } from './words.ts'

const main = path.resolve(import.meta.dirname, '../main.ts')
let tree: string
let state: string
beforeAll(() => {
  tree = makeTree(layouts['v6.1'])
  state = mkdtempSync(path.join(os.tmpdir(), 'longmode-state-'))
})
afterAll(() => [tree, state].forEach((folder) => rmSync(folder, { recursive: true, force: true })))

function longmode(...words: string[]) {
  return longmodeWith({}, ...words)
}

function longmodeWith(more: NodeJS.ProcessEnv, ...words: string[]) {
  const env = { ...process.env, XDG_STATE_HOME: state, ...more }
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8', cwd: tree, env })
  return { status, stdout, stderr }
}

describe('longmode kernel', () => {
  it('lists its commands, and tells unknown ones from known', () => {
    const help = longmode('kernel')
    expect(help).toMatchObject({ status: 0, stderr: '' })
    for (const name of ['info', 'doctor', 'config check', 'syscall add']) expect(help.stdout).toContain(`  ${name}`)
    expect(longmode('kernel', 'sycall')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('no command "sycall"') as string,
    })
    expect(longmode('kernel', 'info', '--nonsense')).toMatchObject({
      status: 1,
      stderr: 'longmode: --nonsense: there is no such option here; --help lists them\n',
    })
  })

  it('names the tools that are missing before it starts make', () => {
    for (const words of [['build'], ['config', 'recipe', 'tiny']]) {
      const { status, stderr } = longmodeWith({ PATH: '/nonexistent' }, 'kernel', ...words)
      expect(status).toBe(1)
      expect(stderr).toMatch(/^longmode: not installed, but needed for this: make, gcc, .*bison/)
    }
  })

  it('checks, adds and undoes a system call in the current folder', () => {
    const add = ['kernel', 'syscall', 'add', 'memcpy', 'void __user *src', 'unsigned long len']
    const before = longmode('kernel', 'syscall', 'check', 'memcpy', '--json')
    expect(before.status).toBe(1)
    expect((JSON.parse(before.stdout) as SyscallReport).number).toBe(451)
    expect(longmode(...add, '--dry-run').stdout).toContain('+451\tcommon\tmemcpy\t\t\tsys_memcpy')
    expect(longmode('kernel', 'syscall', 'undo').stderr).toContain('nothing was changed')
    expect(longmode(...add)).toMatchObject({ status: 0 })
    expect(longmode('kernel', 'syscall', 'check', 'memcpy')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('memcpy is complete, number 451') as string,
    })
    expect(longmode('kernel', 'syscall', 'undo').stdout).toContain('as before: kernel/sys_ni.c')
    expect(readFileSync(path.join(tree, 'kernel/sys_ni.c'), 'utf8')).not.toContain('memcpy')
  })

  it('checks a configuration against the machine behind --', () => {
    expect(longmode('kernel', 'config', 'check').stderr).toContain('has no .config yet')
    writeFileSync(path.join(tree, '.config'), 'CONFIG_64BIT=y\n')
    const check = longmode('kernel', 'config', 'check', '--userland', 'busybox', '--', '-append', 'console=ttyS0')
    expect(check.status).toBe(1)
    expect(check.stdout).toContain('CONFIG_SERIAL_8250_CONSOLE is n, has to be y for console=ttyS0')
    expect(check.stdout).not.toContain('ATA_PIIX')
    rmSync(path.join(tree, '.config'))
  })
})

describe('words', () => {
  it('are options, operands and what is behind --', () => {
    const words = readWords(
      ['a', '--jobs=2', '-tree', 'x', 'b', '--', '--jobs'],
      [
        { name: 'jobs', value: 'N', help: '' },
        { name: 'tree', value: 'D', help: '' },
      ],
    )
    expect([...words.options]).toEqual([
      ['jobs', ['2']],
      ['tree', ['x']],
    ])
    expect(words).toMatchObject({ rest: ['a', 'b'], behind: ['--jobs'] })
    expect(() => readWords(['--tree'], [{ name: 'tree', value: 'DIR', help: '' }])).toThrow(
      '--tree needs a value: --tree DIR',
    )
  })
  it('are sizes', () => {
    expect([sizeOf('512'), sizeOf('1.5G'), sizeOf('64m')]).toEqual([512, 1.5 * 2 ** 30, 64 * 2 ** 20])
    expect(() => sizeOf('big')).toThrow('is no size')
  })
})
