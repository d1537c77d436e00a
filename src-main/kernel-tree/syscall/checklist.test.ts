import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SyscallReport, SyscallRequest } from '../../contract/kernel-tree.ts'
import { layouts, makeTree, type TreeLayout } from '../test-tree.ts'
import { applyPlan, undoLast } from './apply.ts'
import { checklist, planAddition, planRemoval } from './checklist.ts'
import { TABLE_32, TABLE_64 } from './table.ts'

const memcpy: SyscallRequest = {
  name: 'memcpy',
  parameters: ['void __user *src', 'void __user *dst', 'unsigned long len'],
}

const folders: string[] = []
const tree = (layout: TreeLayout) => {
  const folder = makeTree(layout)
  folders.push(folder)
  return folder
}
let state: string
beforeEach(() => {
  state = mkdtempSync(path.join(os.tmpdir(), 'longmode-state-'))
  process.env.XDG_STATE_HOME = state
})
afterEach(() => {
  delete process.env.XDG_STATE_HOME
  for (const folder of [state, ...folders.splice(0)]) rmSync(folder, { recursive: true, force: true })
})

const statusOf = (report: SyscallReport) => Object.fromEntries(report.places.map(({ id, status }) => [id, status]))
const place = (report: SyscallReport, id: string) => report.places.find((found) => found.id === id)!
const read = (folder: string, file: string) => readFileSync(path.join(folder, file), 'utf8')
const replace = (folder: string, file: string, from: string | RegExp, to: string) => {
  const before = read(folder, file)
  const after = before.replace(from, to)
  expect(after).not.toBe(before)
  writeFileSync(path.join(folder, file), after)
}

describe.each(Object.entries(layouts))('a tree like %s', (_, layout: TreeLayout) => {
  const free = Math.max(...Object.values(layout.calls)) + 1

  it('lacks the call, knows the next free number and says what to add', () => {
    const report = checklist(tree(layout), memcpy)
    expect(report).toMatchObject({ number: free, nextFree: free, complete: false })
    expect(statusOf(report)).toEqual({
      table: 'missing',
      table32: 'not-needed',
      unistd: 'missing',
      'unistd-count': 'missing',
      prototype: 'missing',
      'compat-prototype': 'not-needed',
      fallback: 'missing',
      'compat-fallback': 'not-needed',
      source: 'missing',
      'compat-source': 'not-needed',
      makefile: 'missing',
    })
    expect(place(report, 'table').sentence).toContain(`${free} common memcpy ${layout.stubs ? '__x64_' : ''}sys_memcpy`)
  })

  it('is complete after the scaffold, and as before after undo', () => {
    const folder = tree(layout)
    const before = execFileSync('tar', ['-C', folder, '--sort=name', '--mtime=@0', '-cf', '-', '.'])
    const plan = planAddition(folder, { ...memcpy, i386: true, compat: true })
    applyPlan(folder, 'memcpy', plan)
    const report = checklist(folder, memcpy)
    expect(report.places.filter(({ status }) => status !== 'done')).toEqual([])
    expect(report.complete).toBe(true)
    undoLast(folder)
    expect(execFileSync('tar', ['-C', folder, '--sort=name', '--mtime=@0', '-cf', '-', '.']).equals(before)).toBe(true)
  })

  it('gives a diff that patch takes and that makes the same files', () => {
    const folder = tree(layout)
    const other = tree(layout)
    const plan = planAddition(folder, memcpy)
    expect(read(folder, TABLE_64)).not.toContain('memcpy')
    applyPlan(folder, 'memcpy', plan)
    execFileSync('patch', ['-p1', '-s', '-d', other], { input: plan.diff })
    for (const { file } of plan.edits) expect(read(other, file)).toBe(read(folder, file))
  })

  it('puts the row behind the last one of the first part', () => {
    const folder = tree(layout)
    applyPlan(folder, 'memcpy', planAddition(folder, memcpy))
    const lines = read(folder, TABLE_64).split('\n')
    const at = lines.findIndex((line) => line.includes('memcpy'))
    expect(lines[at - 1]).toMatch(new RegExp(`^${free - 1}\\t`))
    expect(lines[at + 1]).toBe('')
  })

  it('takes the call out again, with its own lines only', () => {
    const folder = tree(layout)
    const pristine = tree(layout)
    applyPlan(folder, 'memcpy', planAddition(folder, { ...memcpy, compat: true }))
    const plan = planRemoval(folder, 'memcpy')
    applyPlan(folder, 'memcpy', plan)
    for (const { file } of plan.edits) expect(read(folder, file), file).toBe(read(pristine, file))
    expect(read(folder, 'kernel/memcpy.c')).toContain('SYSCALL_DEFINE3')
  })
})

describe('mistakes', () => {
  const layout = layouts['v6.1']
  /** A tree with the complete call. */
  const withCall = (more: Partial<SyscallRequest> = {}) => {
    const folder = tree(layout)
    applyPlan(folder, 'memcpy', planAddition(folder, { ...memcpy, ...more }))
    return folder
  }
  const check = (folder: string, id: string) => {
    const report = checklist(folder, memcpy)
    const { status, sentence, line } = place(report, id)
    return { status, sentence, line, complete: report.complete }
  }

  it.each([
    [
      'the number of another call',
      TABLE_64,
      /^451/m,
      '450',
      'table',
      /450 is taken by set_mempolicy_home_node \(line 5\)/,
    ],
    ['a number of the x32 range', TABLE_64, /^451/m, '520', 'table', /x32's range/],
    [
      'the stub as entry point',
      TABLE_64,
      'sys_memcpy',
      '__x64_sys_memcpy',
      'table',
      /in this tree it has to be sys_memcpy/,
    ],
    ['the ABI x32', TABLE_64, '451\tcommon', '451\tx32', 'table', /ABI is x32/],
    ['no entry point', TABLE_64, /\s*sys_memcpy/, '', 'table', /third column is missing/],
    [
      'another number in unistd.h',
      'include/uapi/asm-generic/unistd.h',
      'memcpy 451',
      'memcpy 439',
      'unistd',
      /439 here and 451 in the table/,
    ],
    [
      'no __SYSCALL',
      'include/uapi/asm-generic/unistd.h',
      /__SYSCALL\(__NR_memcpy.*\n/,
      '',
      'unistd',
      /__SYSCALL\(__NR_memcpy, sys_memcpy\) is missing/,
    ],
    [
      'the old count',
      'include/uapi/asm-generic/unistd.h',
      'syscalls 452',
      'syscalls 451',
      'unistd-count',
      /from 451 to 452/,
    ],
    [
      'a count too high',
      'include/uapi/asm-generic/unistd.h',
      'syscalls 452',
      'syscalls 460',
      'unistd-count',
      /has to be 452/,
    ],
    [
      'a prototype of other types',
      'include/linux/syscalls.h',
      'void __user *src',
      'unsigned long __user *src',
      'prototype',
      /parameter 1 is "unsigned long __user \*" here/,
    ],
    [
      'a prototype with a parameter less',
      'include/linux/syscalls.h',
      /,\s+unsigned long len/,
      '',
      'prototype',
      /2 parameters, the definition \(line 4\) has 3/,
    ],
    [
      'no asmlinkage',
      'include/linux/syscalls.h',
      'asmlinkage long sys_memcpy',
      'long sys_memcpy',
      'prototype',
      /write it as "asmlinkage/,
    ],
    ['no semicolon', 'kernel/sys_ni.c', 'COND_SYSCALL(memcpy);', 'COND_SYSCALL(memcpy)', 'fallback', /semicolon/],
    [
      'the wrong number in the macro',
      'kernel/memcpy.c',
      'SYSCALL_DEFINE3',
      'SYSCALL_DEFINE2',
      'source',
      /write SYSCALL_DEFINE3/,
    ],
    [
      'a forgotten comma',
      'kernel/memcpy.c',
      'unsigned long, len',
      'unsigned long len',
      'source',
      /separated by a comma/,
    ],
    ['an open brace', 'kernel/memcpy.c', /\}\n$/, '', 'source', /braces do not match/],
    ['a module', 'kernel/Makefile', 'obj-y += memcpy.o', 'obj-m += memcpy.o', 'makefile', /cannot be in a module/],
  ] as const)('%s', (_, file, from, to, id, sentence) => {
    const folder = withCall()
    replace(folder, file, from, to)
    const found = check(folder, id)
    expect(found.sentence).toMatch(sentence)
    expect(found.status).toMatch(/inconsistent|missing/)
    expect(found.line).toBeGreaterThan(0)
    expect(found.complete).toBe(false)
  })

  it.each([
    ['another number', /^451/m, '440', /number 440 here, 451 in the 64-bit table/],
    ['the ABI common', '451\ti386', '451\tcommon', /always i386/],
    ['no compat entry', /\s*compat_sys_memcpy/, '', /has to be compat_sys_memcpy/],
  ] as const)('in the 32-bit table: %s', (_, from, to, sentence) => {
    const folder = withCall({ compat: true })
    replace(folder, TABLE_32, from, to)
    expect(check(folder, 'table32')).toMatchObject({
      status: 'inconsistent',
      sentence: expect.stringMatching(sentence) as string,
    })
  })

  it('a source that is not compiled, a folder that make does not enter', () => {
    const folder = tree(layout)
    const request = { ...memcpy, file: 'copying/memcpy.c' }
    const plan = planAddition(folder, request)
    expect(plan.edits.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['copying/Makefile', 'Kbuild', 'copying/memcpy.c']),
    )
    applyPlan(folder, 'memcpy', plan)
    expect(checklist(folder, request).complete).toBe(true)
    replace(folder, 'Kbuild', /.*copying.*\n/, '')
    expect(place(checklist(folder, request), 'makefile').sentence).toContain('make does not enter copying/')
  })

  it('a call inside a source that was there before is compiled by a continued line', () => {
    const folder = tree(layout)
    const report = checklist(folder, { ...memcpy, file: 'kernel/sys.c' })
    expect(place(report, 'makefile')).toMatchObject({ status: 'done', line: 1 })
    expect(place(report, 'source').sentence).toContain('kernel/sys.c does not define it')
    applyPlan(folder, 'memcpy', planAddition(folder, { ...memcpy, file: 'kernel/sys.c' }))
    expect(checklist(folder, memcpy)).toMatchObject({ complete: true })
    expect(read(folder, 'kernel/sys.c')).toContain('SYSCALL_DEFINE1(umask')
  })

  it('input that cannot be', () => {
    const folder = tree(layout)
    const plan = (more: Partial<SyscallRequest>) => () => planAddition(folder, { ...memcpy, ...more })
    expect(plan({ name: 'sys_memcpy' })).toThrow('give the call\'s bare name: "memcpy"')
    expect(plan({ name: 'mem-cpy' })).toThrow('cannot be a system call')
    expect(plan({ number: 450 })).toThrow("450 is set_mempolicy_home_node's; the next free one is 451")
    expect(plan({ file: '../memcpy.c' })).toThrow('inside the tree')
    expect(plan({ parameters: ['int'] })).toThrow('has no name')
    expect(plan({ parameters: Array.from({ length: 7 }, (_, index) => `int a${index}`) })).toThrow('at most 6')
    expect(() => planRemoval(folder, 'memcpy')).toThrow('nothing to remove')
  })

  it('undo keeps what the user wrote since, a plan does not overwrite it', () => {
    const folder = tree(layout)
    const plan = planAddition(folder, memcpy)
    replace(folder, 'kernel/Makefile', 'exit.o', 'exit.o panic.o')
    expect(() => applyPlan(folder, 'memcpy', plan)).toThrow('kernel/Makefile was changed since')
    applyPlan(folder, 'memcpy', planAddition(folder, memcpy))
    replace(folder, 'kernel/memcpy.c', 'return -ENOSYS', 'return 0')
    expect(() => undoLast(folder)).toThrow('kernel/memcpy.c was changed since')
    expect(read(folder, 'kernel/memcpy.c')).toContain('return 0')
  })
})
