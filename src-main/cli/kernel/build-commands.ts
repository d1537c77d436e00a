/** `longmode kernel build`. */
import path from 'node:path'
import process from 'node:process'
import {
  KernelTreeError,
  type BuildEvent,
  type BuildRequest,
  type BuildResult,
  type Diagnostic,
} from '../../contract/kernel-tree.ts'
import { workbench } from '../../kernel-tree/index.ts'
import { requireTools, treeOf, treeOptions, type Command, type Context } from './command.ts'
import { buildOptions, makeOptionsOf } from './make-options.ts'
import { has, numberOf, valueOf, type Words } from './words.ts'

export function diagnosticLines({ severity, message, file, line, column, excerpt, explanation }: Diagnostic): string[] {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return [
    `${place === '' ? '' : `${place}: `}${severity}: ${message}`,
    ...excerpt,
    ...(explanation === undefined ? [] : [`  what it means: ${explanation}`]),
  ]
}

const countOf = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
const minutes = (seconds: number) => (seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`)

/** One line that is written over in a terminal, every hundredth step elsewhere. */
export function progressPrinter({ say, json, words }: Context): (event: BuildEvent) => void {
  const terminal = process.stderr.isTTY && !json
  // Who has the sources checked wants to read the warnings; from a compiler only errors stop anybody.
  const shown = has(words, 'sparse') ? ['error', 'warning'] : ['error']
  return (event) => {
    if (event.kind === 'phase' && event.phase !== 'done') {
      say(`${terminal ? '\r\x1b[K' : ''}${event.phase}: ${event.text}`)
    } else if (event.kind === 'diagnostic' && shown.includes(event.diagnostic.severity) && !json) {
      for (const line of diagnosticLines(event.diagnostic)) say(`${terminal ? '\r\x1b[K' : ''}${line}`)
    } else if (event.kind === 'progress') {
      const { done, percent, secondsLeft, step } = event
      const left = secondsLeft === undefined ? '' : `, ${minutes(secondsLeft)} left`
      const text = `${percent === undefined ? `${done} steps` : `${percent} %`}${left}  ${step}`
      if (terminal) process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
      else if (done % 100 === 0) say(text)
    }
  }
}

export const requestOptions = [
  ...buildOptions,
  { name: 'no-fast', help: 'compile everything that make would; do not leave out what an edited header cannot change' },
]

export function buildRequestOf(words: Words, targets: readonly string[]): BuildRequest {
  const module = valueOf(words, 'module')
  const sparse = numberOf(words, 'sparse')
  if (sparse !== undefined && sparse !== 1 && sparse !== 2)
    throw new KernelTreeError('--sparse is 1 (what is compiled) or 2 (everything)')
  return {
    ...makeOptionsOf(words),
    targets,
    ...(module === undefined ? {} : { module: path.resolve(module) }),
    ...(sparse === undefined ? {} : { sparse }),
    ...(has(words, 'no-fast') ? { fast: false } : {}),
  }
}

export function resultLines(result: BuildResult): string[] {
  const { outcome, seconds, steps, warnings, firstError, fast, image, log } = result
  const kept =
    fast === undefined || fast.kept === 0
      ? []
      : [
          `${fast.kept} objects were left as they are, because the edited headers cannot change them; ${fast.recompiled} were compiled`,
        ]
  return [
    ...kept,
    ...(fast?.reasons.map(({ header, reason }) => `every user of ${header} was compiled again: ${reason}`) ?? []),
    ...(warnings.length === 0
      ? []
      : [`${countOf(warnings.length, 'warning')}; the first: ${diagnosticLines(warnings[0])[0]}`]),
    ...(firstError === undefined ? [] : [`the first error: ${diagnosticLines(firstError)[0]}`]),
    `${outcome} in ${minutes(seconds)}, ${steps} steps; everything that make said is in ${log}`,
    ...(image === undefined ? [] : [`image: ${image.path}`]),
  ]
}

const build: Command = {
  name: 'build',
  operands: '[TARGET …]',
  summary: 'runs make with progress; the first error is explained, Ctrl-C leaves no process behind',
  options: [
    ...treeOptions,
    ...requestOptions,
    { name: 'module', value: 'DIR', help: "build the modules in this folder for the tree's kernel" },
    { name: 'sparse', value: 'N', help: 'check with sparse: 1 what is compiled, 2 everything' },
  ],
  run: async (context) => {
    const tree = await treeOf(context)
    await requireTools(tree, context)
    if (process.getuid?.() === 0)
      context.say('note: this builds as root; what it makes in the tree will belong to root')
    const request = buildRequestOf(context.words, context.words.rest)
    const result = await workbench.build(tree, request, progressPrinter(context), context.signal)
    return { json: result, text: resultLines(result), exitCode: result.outcome === 'built' ? 0 : 1 }
  },
}

export const buildCommands: readonly Command[] = [build]
