/** How make is called for a tree: the folders, the compiler, the jobs. */
import os from 'node:os'
import type { KernelTree, MakeOptions } from '../contract/kernel-tree.ts'

/** Arguments in front of the targets. */
export function makeArguments(tree: Pick<KernelTree, 'folder' | 'output'>, options: MakeOptions = {}): string[] {
  const { llvm = false, compilerWrapper, jobs = os.availableParallelism() } = options
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
