/** Is the image what the sources say? Answered without make, from the dates of what the last build read. */
import { statSync } from 'node:fs'
import path from 'node:path'
import type { BuildState, KernelTree } from '../../contract/kernel-tree.ts'
import { builtObjects } from './dependencies.ts'

const MOST_SHOWN = 50

function modified(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs
}

/** Makefiles and tables decide too, though no compiler reads them. */
const alsoRead = [
  'Makefile',
  'Kbuild',
  'arch/x86/entry/syscalls/syscall_64.tbl',
  'arch/x86/entry/syscalls/syscall_32.tbl',
  'kernel/Makefile',
]

export function buildState(tree: KernelTree): BuildState {
  if (tree.config === undefined) return { state: 'unconfigured', changed: [] }
  if (tree.bzImage === undefined) return { state: 'unbuilt', changed: [] }
  const built = tree.bzImage.modified
  const read = new Set(alsoRead.map((file) => path.join(tree.folder, file)))
  for (const { dependencies } of builtObjects(tree.output)) {
    for (const file of dependencies) read.add(path.resolve(tree.output, file))
  }
  // What make generates is younger than its sources; they are asked instead.
  const sources = [...read].filter((file) => !/\/include\/(generated|config)\//.test(file))
  const newer = [...sources, tree.config.path].filter((file) => {
    const time = modified(file)
    return time === undefined || time > built
  })
  const changed = newer.map((file) => path.relative(tree.folder, file)).sort()
  return { state: changed.length === 0 ? 'current' : 'stale', changed: changed.slice(0, MOST_SHOWN) }
}
