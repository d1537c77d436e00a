import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeArguments } from './make.ts'

function outputWith(config: string) {
  const output = mkdtempSync(path.join(os.tmpdir(), 'longmode-make-'))
  onTestFinished(() => rmSync(output, { recursive: true }))
  writeFileSync(path.join(output, '.config'), config)
  return { folder: '/linux', output }
}

it('takes the folders, the jobs and the compiler', () => {
  const tree = { folder: '/linux', output: '/linux' }
  expect(makeArguments(tree, { jobs: 3 })).toEqual(['-C', '/linux', 'ARCH=x86_64', '-j3'])
  expect(makeArguments({ ...tree, output: '/objects' }, { jobs: 1, llvm: true, compilerWrapper: 'ccache' })).toEqual([
    ...['-C', '/linux', 'O=/objects', 'ARCH=x86_64', 'LLVM=1', 'CC=ccache clang', '-j1'],
  ])
})

it('goes on with clang where the configuration was made for it, unless told otherwise', () => {
  const clang = outputWith('CONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y\n')
  expect(makeArguments(clang)).toContain('LLVM=1')
  expect(makeArguments(clang, { llvm: false })).not.toContain('LLVM=1')
  expect(makeArguments(outputWith('CONFIG_CC_IS_GCC=y\n'))).not.toContain('LLVM=1')
})
