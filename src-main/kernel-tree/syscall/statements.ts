/** The body of a C function as statements: just enough to follow its paths. Input is text without comments and literals. */
import { matching } from './c-text.ts'

export type Statement =
  | { readonly kind: 'block'; readonly at: number; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if'
      readonly at: number
      readonly condition: string
      readonly then: Statement
      readonly otherwise?: Statement
    }
  | { readonly kind: 'loop'; readonly at: number; readonly condition: string; readonly body: Statement }
  | { readonly kind: 'return'; readonly at: number; readonly value: string }
  | { readonly kind: 'goto'; readonly at: number; readonly label: string }
  | { readonly kind: 'label'; readonly at: number; readonly label: string }
  /** A jump inside a loop or switch. */
  | { readonly kind: 'leave'; readonly at: number }
  | { readonly kind: 'expression'; readonly at: number; readonly text: string }

class Parser {
  readonly #text: string
  readonly #end: number
  #at: number

  constructor(text: string, from: number, to: number) {
    this.#text = text
    this.#at = from
    this.#end = to
  }

  list(): Statement[] {
    const found: Statement[] = []
    for (;;) {
      this.#blanks()
      if (this.#at >= this.#end) return found
      found.push(this.#statement())
    }
  }

  #blanks(): void {
    // Preprocessor lines inside a function are passed over: both branches of an #if are looked at.
    const pattern = /(?:\s|^[ \t]*#(?:\\\n|[^\n])*)*/my
    pattern.lastIndex = this.#at
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0
  }

  #word(pattern: string): RegExpExecArray | null {
    const sticky = new RegExp(pattern, 'y')
    sticky.lastIndex = this.#at
    const match = sticky.exec(this.#text)
    if (match !== null) this.#at += match[0].length
    return match
  }

  #parenthesised(): string {
    this.#blanks()
    const close = this.#text[this.#at] === '(' ? matching(this.#text, this.#at) : -1
    if (close < 0) return ''
    const inside = this.#text.slice(this.#at + 1, close)
    this.#at = close + 1
    this.#blanks()
    return inside
  }

  #statement(): Statement {
    const at = this.#at
    if (this.#text[at] === '{') {
      const close = matching(this.#text, at)
      const end = close < 0 ? this.#end : close
      const body = new Parser(this.#text, at + 1, end).list()
      this.#at = end + 1
      return { kind: 'block', at, body }
    }
    if (this.#word('if\\b') !== null) return this.#if(at)
    if (this.#word('(?:for|while|switch|list_for_\\w+|for_each_\\w+)\\b') !== null) {
      const condition = this.#parenthesised()
      return { kind: 'loop', at, condition, body: this.#statement() }
    }
    if (this.#word('do\\b') !== null) {
      this.#blanks()
      const body = this.#statement()
      this.#blanks()
      this.#word('while\\b')
      const condition = this.#parenthesised()
      this.#word(';')
      return { kind: 'loop', at, condition, body }
    }
    const label = this.#word('(?:case\\b[^:]*|\\w+)\\s*:(?!:)')
    if (label !== null) return { kind: 'label', at, label: label[0].slice(0, -1).trim() }
    return this.#simple(at)
  }

  #if(at: number): Statement {
    const condition = this.#parenthesised()
    const then = this.#statement()
    this.#blanks()
    if (this.#word('else\\b') === null) return { kind: 'if', at, condition, then }
    this.#blanks()
    return { kind: 'if', at, condition, then, otherwise: this.#statement() }
  }

  /** Up to the semicolon outside brackets. */
  #simple(at: number): Statement {
    while (this.#at < this.#end && this.#text[this.#at] !== ';') {
      const char = this.#text[this.#at]
      const close = char === '(' || char === '{' || char === '[' ? matching(this.#text, this.#at) : -1
      this.#at = close < 0 ? this.#at + 1 : close + 1
    }
    const text = this.#text.slice(at, this.#at).trim()
    this.#at++
    const jump = /^(?:return\b([\s\S]*)|goto\s+(\w+)|break|continue)$/.exec(text)
    if (jump === null) return { kind: 'expression', at, text }
    if (text.startsWith('return')) return { kind: 'return', at, value: (jump[1] ?? '').trim() }
    return jump[2] === undefined ? { kind: 'leave', at } : { kind: 'goto', at, label: jump[2] }
  }
}

/** Statements between the braces at `open` and `close`. */
export function statementsOf(text: string, open: number, close: number): Statement[] {
  return new Parser(text, open + 1, close).list()
}

/** Every statement, the inner ones too, in the order of the text. */
export function* allStatements(list: readonly Statement[]): Generator<Statement> {
  for (const statement of list) {
    yield statement
    if (statement.kind === 'block') yield* allStatements(statement.body)
    else if (statement.kind === 'loop') yield* allStatements([statement.body])
    else if (statement.kind === 'if') {
      yield* allStatements([statement.then, ...(statement.otherwise === undefined ? [] : [statement.otherwise])])
    }
  }
}
