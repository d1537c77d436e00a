/** Enough of C to find system calls in a source file: comments and strings blanked, parentheses matched. */

/** The same text, every character inside comments (and, when asked, literals) a blank; line ends stay, so positions do too. */
export function withoutComments(text: string, literals = true): string {
  const pattern = /\/\*[\s\S]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g
  return text.replace(pattern, (found) => {
    if (found.startsWith('/')) return found.replaceAll(/[^\n]/g, ' ')
    return literals ? found[0] + found.slice(1, -1).replaceAll(/[^\n]/g, ' ') + found[0] : found
  })
}

export function lineAt(text: string, position: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++
  return line
}

const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' }

/** Position of the bracket that closes the one at `open`; -1 when it is never closed. */
export function matching(text: string, open: number): number {
  const expected: string[] = []
  for (let at = open; at < text.length; at++) {
    const char = text[at]
    if (char in closing) expected.push(closing[char])
    else if (char === expected.at(-1)) {
      expected.pop()
      if (expected.length === 0) return at
    }
  }
  return -1
}

/** Splits at commas that stand in no brackets. */
export function splitArguments(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    const char = text[at]
    if (char === '(' || char === '[' || char === '{') depth++
    else if (char === ')' || char === ']' || char === '}') depth--
    else if (at === text.length || (char === ',' && depth === 0)) {
      parts.push(text.slice(from, at).replaceAll(/\s+/g, ' ').trim())
      from = at + 1
    }
  }
  return parts.length === 1 && parts[0] === '' ? [] : parts
}

export interface Parameter {
  /** Blanks as in `void __user *`. */
  readonly type: string
  /** Empty in a prototype that leaves it out. */
  readonly name: string
}

/** One spelling of a type, so that two can be compared. */
export function normalType(type: string): string {
  return type
    .replaceAll('*', ' * ')
    .replaceAll(/\bunsigned (long|short|char) int\b/g, 'unsigned $1')
    .replaceAll(/\b(unsigned|signed)\b(?!\s+(int|long|short|char)\b)/g, '$1 int')
    .replaceAll(/\blong int\b/g, 'long')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\* (?=\*)/g, '*')
    .trim()
}

const bareTypes = new Set(['int', 'long', 'char', 'short', 'unsigned', 'signed', 'void'])

/** `void __user *src` -> type and name. */
export function parameterOf(declaration: string): Parameter {
  const array = /^(.*?)(\w+)\s*\[\s*\w*\s*\]$/.exec(declaration)
  if (array !== null) return { type: normalType(`${array[1]} *`), name: array[2] }
  const match = /^(.*[\s*])(\w+)$/.exec(declaration.trim())
  if (match === null || bareTypes.has(match[2]) || /^(struct|union|enum|const)\s*$/.test(match[1].trim())) {
    return { type: normalType(declaration), name: '' }
  }
  return { type: normalType(match[1]), name: match[2] }
}

/** Macros that stand for a 64-bit parameter in two registers. */
const SPLIT_ARGUMENT = /^(?:SC_ARG64|SC_VAL64|compat_arg_u64\w*)\s*\(/

export interface Definition {
  readonly name: string
  readonly compat: boolean
  /** What the macro's name says: SYSCALL_DEFINE3. */
  readonly declared: number
  readonly parameters: readonly Parameter[]
  /** Has 64-bit parameters in two registers, written by macros that are not looked into; `parameters` is not to be relied on. */
  readonly split: boolean
  /** Words between the parentheses that do not come in pairs of type and name. */
  readonly odd: boolean
  readonly line: number
  /** Positions of the braces of the body in the file. */
  readonly open: number
  readonly close: number
}

/** All system calls that a source file defines. `text` may be the file as it is. */
export function definitionsIn(text: string): Definition[] {
  const code = withoutComments(text)
  return [...code.matchAll(/\b(COMPAT_)?SYSCALL_DEFINE(\d)\s*\(/g)].flatMap((match) => {
    const paren = match.index + match[0].length - 1
    const end = matching(code, paren)
    if (end < 0) return []
    const [name = '', ...words] = splitArguments(code.slice(paren + 1, end))
    const open = code.indexOf('{', end)
    const close = open < 0 || code.slice(end + 1, open).trim() !== '' ? -1 : matching(code, open)
    const split = words.some((word) => SPLIT_ARGUMENT.test(word))
    const pairs = Array.from({ length: Math.floor(words.length / 2) }, (_, index) => ({
      type: normalType(words[2 * index]),
      name: words[2 * index + 1],
    }))
    const definition = { name, compat: match[1] !== undefined, declared: Number(match[2]), parameters: pairs }
    return [
      {
        ...definition,
        split,
        odd: words.length % 2 === 1 && !split,
        line: lineAt(code, match.index),
        open: close < 0 ? -1 : open,
        close,
      },
    ]
  })
}

export interface Prototype {
  readonly parameters: readonly Parameter[]
  readonly line: number
  /** Positions of the whole declaration in the text, from `asmlinkage` to behind the semicolon. */
  readonly from: number
  readonly to: number
}

/** The declaration `asmlinkage long FUNCTION(…);`. */
export function prototypeOf(text: string, functionName: string): Prototype | undefined {
  const code = withoutComments(text)
  const match = new RegExp(`\\basmlinkage\\s+long\\s+${functionName}\\s*\\(`).exec(code)
  if (match === null) return undefined
  const paren = match.index + match[0].length - 1
  const end = matching(code, paren)
  const semicolon = code.indexOf(';', end)
  if (end < 0 || semicolon < 0) return undefined
  const inside = splitArguments(code.slice(paren + 1, end))
  const parameters = inside.length === 1 && inside[0] === 'void' ? [] : inside.map(parameterOf)
  return { parameters, line: lineAt(code, match.index), from: match.index, to: semicolon + 1 }
}
