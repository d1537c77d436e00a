/** What each file of a build says with its identifiers, and which files a set of macros can reach. */
import { existing, type Configuration } from './header-change.ts'
import { logicalLines, macroOf, tokensOf } from './source-text.ts'

export interface FileFacts {
  /** Tokens outside definitions: code and conditions. */
  readonly used: ReadonlySet<string>
  /** Macro -> the tokens of its definitions. */
  readonly macros: ReadonlyMap<string, ReadonlySet<string>>
  /** Names that it defines or undefines, also in groups that the configuration switches off. */
  readonly defines: ReadonlySet<string>
}

export function factsOf(text: string, isDefined: Configuration): FileFacts {
  const lines = logicalLines(text)
  const used = new Set<string>()
  const macros = new Map<string, Set<string>>()
  for (const { directive, rest } of existing(lines, isDefined)) {
    const macro = directive === 'define' || directive === 'undef' ? macroOf(rest) : undefined
    if (macro === undefined) {
      for (const token of tokensOf(rest)) used.add(token)
      continue
    }
    const tokens = macros.get(macro.name) ?? new Set()
    // A parameter's own name is never left standing.
    const parameters = new Set(/^\(([^)]*)\)/.exec(macro.body)?.[1].split(/[\s,]+/))
    for (const token of tokensOf(macro.body)) if (!parameters.has(token)) tokens.add(token)
    if (macro.body.includes(PASTE)) tokens.add(PASTE)
    macros.set(macro.name, tokens)
  }
  const defines = lines.flatMap(({ directive, rest }) => {
    const name = directive === 'define' || directive === 'undef' ? macroOf(rest)?.name : undefined
    return name === undefined ? [] : [name]
  })
  return { used, macros, defines: new Set(defines) }
}

/** Stands among a macro's tokens when it puts names together. */
export const PASTE = '##'

/** The macros and every macro whose definition mentions one of them, however indirectly. */
export function closure(names: Iterable<string>, files: Iterable<FileFacts>): Set<string> {
  const mentionedBy = new Map<string, string[]>()
  for (const { macros } of files) {
    for (const [macro, tokens] of macros) {
      for (const token of tokens) {
        const list = mentionedBy.get(token)
        if (list === undefined) mentionedBy.set(token, [macro])
        else list.push(macro)
      }
    }
  }
  const reached = new Set(names)
  const pending = [...reached]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const macro of mentionedBy.get(name) ?? []) {
      if (reached.has(macro)) continue
      reached.add(macro)
      pending.push(macro)
    }
  }
  return reached
}

/** Can `name` be put together with `##` from two or more of these tokens? */
export function canPaste(name: string, isToken: (text: string) => boolean): boolean {
  /** Can the part in front of a place be made of tokens? */
  const front = [true]
  for (let to = 1; to <= name.length; to++) {
    front[to] = front.some((made, from) => made && to - from < name.length && isToken(name.slice(from, to)))
  }
  return front[name.length]
}

/** Every part of the name, the whole apart. */
export function partsOf(name: string): Set<string> {
  const parts = new Set<string>()
  for (let from = 0; from < name.length; from++) {
    for (let to = from + 1; to <= name.length; to++) if (to - from < name.length) parts.add(name.slice(from, to))
  }
  return parts
}
