/** Options of the sub-commands (`longmode kernel …`, `longmode disk …`), read by a table; their help is made from the same table. */
import { KernelTreeError } from '../../contract/kernel-tree.ts'

export interface Option {
  readonly name: string
  /** What follows it; a switch when left out. */
  readonly value?: string
  readonly help: string
}

/** What was read: options by name, the other words, and what stood behind `--`. */
export interface Words {
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
  readonly behind: readonly string[]
}

export function readWords(words: readonly string[], known: readonly Option[]): Words {
  const options = new Map<string, string[]>()
  const rest: string[] = []
  const dashes = words.indexOf('--')
  const before = dashes < 0 ? words : words.slice(0, dashes)
  for (let at = 0; at < before.length; at++) {
    const word = before[at]
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    const [name, attached] = word.replace(/^--?/, '').split(/=(.*)/s, 2)
    const option = known.find((each) => each.name === name)
    if (option === undefined) throw new KernelTreeError(`${word}: there is no such option here; --help lists them`)
    if (option.value === undefined && attached !== undefined) throw new KernelTreeError(`--${name} takes no value`)
    const value = option.value === undefined ? '' : (attached ?? before[++at])
    if (value === undefined) throw new KernelTreeError(`--${name} needs a value: --${name} ${option.value ?? ''}`)
    options.set(name, [...(options.get(name) ?? []), value])
  }
  return { options, rest, behind: dashes < 0 ? [] : words.slice(dashes + 1) }
}

export const has = (words: Words, name: string): boolean => words.options.has(name)
/** The last one counts. */
export const valueOf = (words: Words, name: string): string | undefined => words.options.get(name)?.at(-1)
export const valuesOf = (words: Words, name: string): readonly string[] => words.options.get(name) ?? []

/** A whole number from 1 on. */
export function numberOf(words: Words, name: string): number | undefined {
  const text = valueOf(words, name)
  if (text === undefined) return undefined
  if (!/^[1-9]\d*$/.test(text)) throw new KernelTreeError(`--${name} ${text}: this is no number`)
  return Number(text)
}

/** `1.5G`, `512M` in bytes. */
export function sizeOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT])?$/i.exec(text)
  if (match === null) throw new KernelTreeError(`"${text}" is no size; write it like 1536M or 2G`)
  return Math.floor(Number(match[1]) * 1024 ** ' KMGT'.indexOf((match[2] ?? ' ').toUpperCase()))
}

export function optionHelp(options: readonly Option[]): string[] {
  const left = options.map(({ name, value }) => `  --${name}${value === undefined ? '' : ` ${value}`}`)
  const width = Math.max(0, ...left.map((text) => text.length)) + 2
  return options.map(({ help }, index) => left[index].padEnd(width) + help)
}
