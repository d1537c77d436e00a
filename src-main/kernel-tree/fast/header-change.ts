/**
 * What an edit of a header can change in the files that include it. The answer may be too large, never too small: `all` when in doubt.
 *
 * Blank lines, comments and whitespace change nothing but line numbers. A macro that is added, removed or changed matters only to who
 * uses it. Lines in a group that the configuration switches off do not exist. Everything else matters to everybody.
 */
import { logicalLines, macroOf, tokensOf, type Line } from './source-text.ts'

export interface HeaderChange {
  /** Set when everybody who includes it is affected: why. */
  readonly all?: string
  /** Macros whose definition differs. */
  readonly macros: ReadonlySet<string>
  /** Tokens of code that only moved to another line: they matter to debug information and to what uses __LINE__. */
  readonly moved: ReadonlySet<string>
}

/** CONFIG_X -> is it defined (include/generated/autoconf.h)? undefined: files define it themselves, so that it depends. */
export type Configuration = (name: string) => boolean | undefined

/** The value of a condition that only asks whether a CONFIG_ name is defined; undefined for all others. */
function valueOf(line: Line, isDefined: Configuration): boolean | undefined {
  const name = /^(?:(?:!\s*)?defined\s*\(?\s*)?(CONFIG_\w+)\s*\)?$/.exec(line.rest)?.[1]
  const asks = line.directive === 'if' ? line.rest.includes('defined') : /^\w+$/.test(line.rest)
  const defined = name === undefined || !asks ? undefined : isDefined(name)
  if (defined === undefined) return undefined
  return defined !== (line.directive === 'ifndef' || line.rest.startsWith('!'))
}

interface Group {
  /** undefined: not known, both branches count and the directives as well. */
  readonly known?: boolean
  on: boolean
}

/** Lines that exist for this configuration. Only for files in a compilation where nobody but the configuration defines CONFIG_ names. */
export function existing(lines: readonly Line[], isDefined: Configuration): Line[] {
  const kept: Line[] = []
  const groups: Group[] = []
  const visible = () => groups.every(({ on }) => on)
  const keep = (line: Line) => {
    if (visible()) kept.push(line)
  }
  for (const line of lines) {
    const { directive } = line
    if (directive === 'if' || directive === 'ifdef' || directive === 'ifndef') {
      const known = visible() ? valueOf(line, isDefined) : undefined
      if (known === undefined) keep(line)
      groups.push(known === undefined ? { on: true } : { known, on: known })
    } else if (directive === 'else' || directive === 'elif') {
      const group = groups.at(-1)
      if (group?.known === undefined) keep(line)
      // `#elif` behind a condition that is known is seldom; what is behind it is taken as not decided when the first was false.
      else if (directive === 'elif' && !group.known) groups[groups.length - 1] = { on: true }
      else group.on = directive === 'else' ? !group.known : false
    } else if (directive === 'endif') {
      const group = groups.pop()
      if (group?.known === undefined) keep(line)
    } else keep(line)
  }
  return kept
}

interface Shape {
  /** Code and directives that are no definitions, in order. */
  readonly raw: readonly Line[]
  /** Macro -> its definitions and undefinitions, each with its place among `raw`. */
  readonly macros: ReadonlyMap<string, string>
}

function shapeOf(lines: readonly Line[]): Shape {
  const raw: Line[] = []
  const macros = new Map<string, string>()
  for (const line of lines) {
    const macro = line.directive === 'define' || line.directive === 'undef' ? macroOf(line.rest) : undefined
    if (macro === undefined) raw.push(line)
    else {
      const before = macros.get(macro.name) ?? ''
      macros.set(macro.name, `${before}\n${raw.length} ${line.directive ?? ''}${macro.body}`)
    }
  }
  return { raw, macros }
}

const nothing: ReadonlySet<string> = new Set()

export function headerChange(before: string, after: string, isDefined: Configuration): HeaderChange {
  const [from, to] = [before, after].map((text) => shapeOf(existing(logicalLines(text), isDefined)))
  const differs = to.raw.findIndex((line, index) => line.text !== from.raw[index]?.text)
  if (differs >= 0 || from.raw.length !== to.raw.length) {
    const line = to.raw[differs] ?? from.raw[to.raw.length]
    return {
      all: `more than macros and comments changed, at "${line.text.slice(0, 60)}"`,
      macros: nothing,
      moved: nothing,
    }
  }
  const names = new Set([...from.macros.keys(), ...to.macros.keys()])
  const macros = new Set([...names].filter((name) => from.macros.get(name) !== to.macros.get(name)))
  const movedLines = to.raw.filter((line, index) => line.directive === undefined && line.line !== from.raw[index].line)
  return { macros, moved: new Set(movedLines.flatMap(({ text }) => tokensOf(text))) }
}
