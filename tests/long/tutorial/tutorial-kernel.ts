/** The student's kernel: Debian's linux-source-6.1 with the options of the recipe `tutorial`. Built once, kept in the cache folder. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { cacheFolder } from '../../../src-main/host/cache-folder.ts'

const SOURCE = '/usr/src/linux-source-6.1.tar.xz'
/** The tutorial recipe stands on the tiny one. */
const fragments = ['tiny', 'tutorial'].map((name) =>
  path.resolve(import.meta.dirname, `../../../resources/kernel/${name}.config`),
)

/** The path of its bzImage; LONGMODE_TUTORIAL_KERNEL names one that is there already. */
export function tutorialKernel(): string {
  const given = process.env.LONGMODE_TUTORIAL_KERNEL
  if (given !== undefined) return given
  const { size, mtimeMs } = statSync(SOURCE)
  const hash = createHash('sha256')
    .update(fragments.map((file) => readFileSync(file, 'utf8')).join(''))
    .update(`${size} ${mtimeMs}`)
    .digest('hex')
  const image = path.join(cacheFolder(), 'test-kernels', `tutorial-${hash.slice(0, 16)}`)
  if (existsSync(image)) return image
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-kernel-'))
  try {
    const run = (command: string, args: readonly string[], cwd: string): void =>
      void execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] })
    run('tar', ['-xf', SOURCE], scratch)
    const tree = path.join(scratch, 'linux-source-6.1')
    run('make', ['-s', 'tinyconfig'], tree)
    run('scripts/kconfig/merge_config.sh', ['-m', '.config', ...fragments], tree)
    run('make', ['-s', 'olddefconfig'], tree)
    run('make', ['-s', `-j${os.availableParallelism()}`, 'bzImage'], tree)
    mkdirSync(path.dirname(image), { recursive: true })
    copyFileSync(path.join(tree, 'arch/x86/boot/bzImage'), `${image}.new`)
    renameSync(`${image}.new`, image)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return image
}
