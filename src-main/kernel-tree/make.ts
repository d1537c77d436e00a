/** How make is called for a tree: the folders, the compiler, the jobs. */
import os from 'node:os'
import path from 'node:path'
import type { KernelTree, MakeOptions } from '../contract/kernel-tree.ts'
import { DotConfig } from './config/dot-config.ts'
import { readText } from './tree.ts'

/** Was this .config made by make LLVM=1? A make without it would quietly configure for gcc. */
export function isForLlvm(config: DotConfig): boolean {
  return config.get('CC_IS_CLANG') === 'y' && config.get('LD_IS_LLD') === 'y'
}

function wantsLlvm({ output }: Pick<KernelTree, 'output'>): boolean {
  const config = readText(path.join(output, '.config'))
  return config !== undefined && isForLlvm(new DotConfig(config))
}

/** Arguments in front of the targets. */
export function makeArguments(tree: Pick<KernelTree, 'folder' | 'output'>, options: MakeOptions = {}): string[] {
  const { llvm = wantsLlvm(tree), compilerWrapper, jobs = os.availableParallelism() } = options
  const compiler = compilerWrapper === undefined ? [] : [`CC=${compilerWrapper} ${llvm ? 'clang' : 'gcc'}`]
  return [
    '-C',
    tree.folder,
    ...(tree.output === tree.folder ? [] : [`O=${tree.output}`]),
    // A cross build in the user's environment is not meant for a machine of this kind.
    'ARCH=x86_64',
    ...(llvm ? ['LLVM=1'] : []),
    ...compiler,
    `-j${jobs}`,
  ]
}
