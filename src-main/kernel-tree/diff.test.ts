import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { diffOf } from './diff.ts'

/** What patch makes of `before` with our diff. */
function patched(before: string, after: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-diff-'))
  try {
    writeFileSync(path.join(folder, 'file'), before)
    const diff = diffOf({ file: 'file', before, after })
    if (diff !== '') execFileSync('patch', ['-p1', '-s', '-d', folder], { input: diff })
    return readFileSync(path.join(folder, 'file'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A small generator with a fixed seed: the same texts in every run. */
function randomTexts(count: number): string[] {
  let seed = 1
  const next = (bound: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % bound
  }
  return Array.from({ length: count }, () => {
    const lines = Array.from({ length: next(30) }, () => 'abc'[next(3)])
    return lines.join('\n') + (next(4) > 0 && lines.length > 0 ? '\n' : '')
  })
}

it('patch turns one text into the other, whatever they are', () => {
  const texts = randomTexts(60)
  for (let index = 0; index + 1 < texts.length; index++)
    expect(patched(texts[index], texts[index + 1])).toBe(texts[index + 1])
})

it('names new and removed files as patch expects, and says nothing when nothing changes', () => {
  expect(diffOf({ file: 'a', after: 'x\n' })).toBe('--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n')
  expect(diffOf({ file: 'a', before: 'x\n' })).toBe('--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n')
  expect(diffOf({ file: 'a', before: 'x\n', after: 'x\n' })).toBe('')
})
