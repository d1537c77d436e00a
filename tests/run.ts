/**
 * `npm test`: types, lint, format, then vitest. Every step runs even when an earlier one failed, so that one run shows all;
 * the last line gives vitest's counts, and the exit code is 0 only when everything passed.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

const root = path.resolve(import.meta.dirname, '..')
const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-test-'))
const report = path.join(scratch, 'vitest.json')

/** Name -> the package's own program, run on this very Node. */
const checks: readonly (readonly [name: string, script: string, args: readonly string[]])[] = [
  ['types', 'node_modules/typescript/bin/tsc', ['-p', '.']],
  [
    'types of the window',
    'node_modules/svelte-check/bin/svelte-check',
    ['--tsconfig', 'src-renderer/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  ],
  ['lint', 'node_modules/eslint/bin/eslint.js', ['.']],
  ['format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
]

function run(name: string, script: string, args: readonly string[]): boolean {
  const begun = performance.now()
  const result = spawnSync(process.execPath, [path.join(root, script), ...args], { cwd: root, stdio: 'inherit' })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const good = result.status === 0
  console.log(`${name}: ${good ? 'ok' : 'FAILED'} (${seconds} s)`)
  return good
}

function counts(): { passed: number; failed: number } {
  try {
    const parsed = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numFailedTestSuites: number
      testResults: readonly { status: string; assertionResults: readonly unknown[] }[]
    }
    // A file that could not even be loaded has no tests of its own; it counts as one failure.
    const broken = parsed.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
    return { passed: parsed.numPassedTests, failed: parsed.numFailedTests + broken.length }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const extra = process.argv.slice(2)
const failures = checks.filter(([name, script, args]) => !run(name, script, args)).map(([name]) => name)
const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...extra]
if (!run('tests', 'node_modules/vitest/vitest.mjs', vitest)) failures.push('tests')
const { passed, failed } = counts()
rmSync(scratch, { recursive: true, force: true })
if (failures.length > 0) console.log(`not ok: ${failures.join(', ')}`)
console.log(`${String(passed)} passed, ${String(failed)} failed`)
process.exitCode = failures.length > 0 || failed > 0 ? 1 : 0
