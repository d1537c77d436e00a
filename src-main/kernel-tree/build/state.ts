/** Is the image what the sources say? Answered without make, from the dates of what the last build read. */
import { statSync } from 'node:fs'
import path from 'node:path'
import type { BuildState, KernelTree } from '../../contract/kernel-tree.ts'
import { readText } from '../tree.ts'
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

/** Does include/generated/autoconf.h, which the compiler reads, say what .config says? */
function isSynchronised(tree: KernelTree): boolean {
  const config = readText(path.join(tree.output, '.config')) ?? ''
  const compiled = readText(path.join(tree.output, 'include/generated/autoconf.h')) ?? ''
  const wanted = [...config.matchAll(/^CONFIG_(\w+)=(.*)$/gm)].map(([, name, value]) => {
    if (value === 'm') return `${name}_MODULE 1`
    return `${name} ${value === 'y' ? '1' : value}`
  })
  const found = [...compiled.matchAll(/^#define CONFIG_(.*)$/gm)].map(([, text]) => text)
  return wanted.sort().join('\n') === found.sort().join('\n')
}

export function buildState(tree: KernelTree): BuildState {
  if (tree.config === undefined) return { state: 'unconfigured', changed: [] }
  if (tree.bzImage === undefined) return { state: 'unbuilt', changed: [] }
  const built = tree.bzImage.modified
  const options = new Set<string>()
  const read = new Set(alsoRead.map((file) => path.join(tree.folder, file)))
  for (const object of builtObjects(tree.output)) {
    for (const file of object.dependencies) read.add(path.resolve(tree.output, file))
    for (const file of object.options) options.add(path.resolve(tree.output, file))
  }
  // What make generates is younger than its sources; they are asked instead.
  const isMade = (file: string) =>
    /\/include\/(generated|config)\/|\.mod\.c$/.test(file) ||
    (tree.output !== tree.folder && file.startsWith(`${tree.output}/`))
  const sources = [...read].filter((file) => !isMade(file))
  const newer = sources.filter((file) => {
    const time = modified(file)
    return time === undefined || time > built
  })
  // make writes .config again without changing it; what counts is an option that is not what the objects were compiled with.
  const reconfigured = !isSynchronised(tree) || [...options].some((file) => (modified(file) ?? 0) > built)
  const changed = [
    ...newer.map((file) => path.relative(tree.folder, file)),
    ...(reconfigured ? ['.config'] : []),
  ].sort()
  return { state: changed.length === 0 ? 'current' : 'stale', changed: changed.slice(0, MOST_SHOWN) }
}
