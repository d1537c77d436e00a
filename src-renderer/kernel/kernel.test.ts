import { describe, expect, it } from 'vitest'
import type { Build } from '../../src-main/contract/services/kernel.ts'
import { isRunning } from './build-state.ts'
import { diffLines, splitParameters } from './diff-lines.ts'
import { advance } from './workbench.svelte.ts'

describe('a diff', () => {
  it('is read line by line', () => {
    const diff =
      '--- a/kernel/Makefile\n+++ b/kernel/Makefile\n@@ -1,2 +1,3 @@\n obj-y = fork.o\n-a\n+obj-y += memcpy.o\n'
    expect(diffLines(diff)).toEqual([
      { kind: 'file', text: 'kernel/Makefile' },
      { kind: 'hunk', text: '@@ -1,2 +1,3 @@' },
      { kind: 'same', text: 'obj-y = fork.o' },
      { kind: 'remove', text: 'a' },
      { kind: 'add', text: 'obj-y += memcpy.o' },
    ])
  })
  it('has a line for a new file', () => {
    expect(diffLines('--- /dev/null\n+++ b/kernel/memcpy.c\n').map((line) => line.kind)).toEqual(['hunk', 'file'])
  })
})

describe('parameters', () => {
  it('are parted at commas that are not inside parentheses', () => {
    expect(splitParameters('void __user *src, unsigned long len')).toEqual(['void __user *src', 'unsigned long len'])
    expect(splitParameters('void (*f)(int, int), int a,')).toEqual(['void (*f)(int, int)', 'int a'])
    expect(splitParameters('void')).toEqual([])
  })
})

describe('a build', () => {
  const begun: Build = { job: 1, folder: '/linux', begun: 0, lines: [] }
  const error = (message: string) => ({ severity: 'error', message, excerpt: [] }) as const
  it('keeps the first error and the last lines', () => {
    let build = advance(begun, { kind: 'diagnostic', diagnostic: { ...error('w'), severity: 'warning' } })
    expect(build.firstError).toBeUndefined()
    build = advance(build, { kind: 'diagnostic', diagnostic: error('one') })
    build = advance(build, { kind: 'diagnostic', diagnostic: error('two') })
    expect(build.firstError?.diagnostic.message).toBe('one')
    for (let n = 0; n < 600; n++) build = advance(build, { kind: 'line', text: String(n) })
    expect([build.lines.length, build.lines.at(-1)]).toEqual([500, '599'])
  })
  it('runs until it has a result or a sentence', () => {
    expect(isRunning(begun)).toBe(true)
    expect(isRunning({ ...begun, sentence: 'there is no make' })).toBe(false)
  })
})
