/** A C or assembler file as the preprocessor sees it: logical lines without comments, directives apart from code. */
import { withoutComments } from '../syscall/c-text.ts'

export interface Line {
  /** Of its first physical line, from 1. */
  readonly line: number
  /** One blank between tokens; literals as they are. */
  readonly text: string
  /** `define`, `ifdef` …; undefined for code. */
  readonly directive?: string
  /** What follows the directive's name. */
  readonly rest: string
}

const DIRECTIVE = /^\s*#\s*(\w+)\s*(.*)$/s

/**
 * Lines that are spliced by a backslash are one. A definition keeps no line number of its own below; of code that is spliced only
 * the first line counts, as for the compiler.
 */
export function logicalLines(text: string): Line[] {
  const found: Line[] = []
  const physical = withoutComments(text, false).split('\n')
  for (let at = 0; at < physical.length; at++) {
    const line = at + 1
    let joined = physical[at]
    while (joined.endsWith('\\') && at + 1 < physical.length) joined = joined.slice(0, -1) + physical[++at]
    const normal = joined.replaceAll(/\s+/g, ' ').trim()
    if (normal === '') continue
    const directive = DIRECTIVE.exec(joined)
    if (directive === null) found.push({ line, text: normal, rest: normal })
    else found.push({ line, text: normal, directive: directive[1], rest: directive[2].replaceAll(/\s+/g, ' ').trim() })
  }
  return found
}

/** Identifiers and numbers outside literals. */
export function tokensOf(text: string): string[] {
  return withoutComments(text).match(/[A-Za-z_$][\w$]*|\d[\w.]*/g) ?? []
}

/** Name and the rest (parameters and body) of a `#define`. */
export function macroOf(rest: string): { name: string; body: string } | undefined {
  const match = /^([A-Za-z_$][\w$]*)(.*)$/s.exec(rest)
  return match === null ? undefined : { name: match[1], body: match[2] }
}
