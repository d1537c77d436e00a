/** The command line: from words to a machine. */
import type { MachineConfig } from '../config.ts'
import { Draft } from './draft.ts'
import { FlagError } from './flag-error.ts'
import { flags, type Flag } from './flags-table.ts'

export type ParsedFlags =
  | {
      readonly kind: 'machine'
      readonly machine: MachineConfig
      /** Lines for the user that are no errors. */
      readonly notes: readonly string[]
      /** Names of the flags that were given, without dashes: what is not here has its default. */
      readonly given: ReadonlySet<string>
    }
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'error'; readonly sentence: string; readonly exitCode: 1 | 2 }

const byName = new Map<string, Flag>(
  flags.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])].map((name) => [name, flag])),
)
const helpWords = ['h', 'help', '?']

/** The flag nearest in spelling, for "did you mean". */
function nearest(name: string): string | undefined {
  const close = [...byName.keys()].filter((known) => known.length > 2 && distance(known, name) <= 2)
  return close.sort((a, b) => distance(a, name) - distance(b, name))[0]
}

/** Levenshtein distance of two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]
}

function unknown(word: string, name: string): FlagError {
  const close = nearest(name)
  const advice = close === undefined ? '-help lists them all' : `did you mean -${close}? -help lists them all`
  return new FlagError(`${word}: there is no such flag; ${advice}`)
}

function readInto(draft: Draft, words: readonly string[], given: Set<string>): 'help' | 'version' | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!/^--?[^-]/.test(word)) {
      throw new FlagError(
        `"${word}" is no flag; a disk image is given with -drive file=${word.slice(0, 60)},format=raw`,
      )
    }
    const name = word.replace(/^--?/, '')
    if (helpWords.includes(name)) return 'help'
    if (name === 'version') return 'version'
    const flag = byName.get(name)
    if (flag === undefined) throw unknown(word, name)
    const shown = `-${name}`
    given.add(flag.name)
    if (flag.argument === undefined) flag.apply(draft, '', shown)
    else {
      at++
      if (at >= words.length) throw new FlagError(`${shown}: something is missing after it: ${shown} ${flag.argument}`)
      flag.apply(draft, words[at], shown)
    }
  }
  return undefined
}

/** Reads `words` (without the program's name). Never throws for what the user wrote. */
export function parseFlags(words: readonly string[]): ParsedFlags {
  const draft = new Draft()
  try {
    const given = new Set<string>()
    const kind = readInto(draft, words, given)
    if (kind !== undefined) return { kind }
    return { kind: 'machine', machine: draft.finish(), notes: draft.notes, given }
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    return { kind: 'error', sentence: error.message, exitCode: error.exitCode }
  }
}
