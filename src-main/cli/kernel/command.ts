import { KernelTreeError, type KernelTree } from '../../contract/kernel-tree.ts'
import { workbench } from '../../kernel-tree/index.ts'
import { makeOptionsOf } from './make-options.ts'
import { valueOf, type Option, type Words } from './words.ts'

export interface Context {
  readonly words: Words
  readonly signal: AbortSignal
  readonly json: boolean
  /** To standard output. */
  readonly print: (line: string) => void
  /** For people, to standard error. */
  readonly say: (sentence: string) => void
}

/** What a command found; the answer is printed as JSON with --json, else `text` is. */
export interface Answer {
  readonly json: unknown
  readonly text: readonly string[]
  readonly exitCode: number
}

export interface Command {
  /** `syscall add`. */
  readonly name: string
  /** What follows the name: `NAME [PARAMETER …]`. */
  readonly operands: string
  readonly summary: string
  readonly options: readonly Option[]
  readonly run: (context: Context) => Promise<Answer>
}

export const treeOptions: readonly Option[] = [
  {
    name: 'tree',
    value: 'DIR',
    help: 'the kernel tree, or the output folder of its make O=; the current folder when left out',
  },
  { name: 'output', value: 'DIR', help: 'the output folder, for trees that are built with make O=DIR' },
]

export function treeOf({ words }: Context): Promise<KernelTree> {
  return workbench.openTree(valueOf(words, 'tree') ?? '.', valueOf(words, 'output'))
}

/** Kconfig and compilers say little when a program of theirs is missing; it is told before they start. */
export async function requireTools(tree: KernelTree, { words }: Context): Promise<void> {
  const { ready, advice, missing, install } = await workbench.checkToolchain(tree, makeOptionsOf(words))
  if (ready) return
  const how = install === undefined ? '' : `; to install what is missing: ${install}`
  throw new KernelTreeError(advice ?? `not installed, but needed for this: ${missing.join(', ')}${how}`)
}

export function mark(good: boolean): string {
  return good ? 'ok     ' : 'MISSING'
}
