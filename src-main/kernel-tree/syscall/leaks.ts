/** Memory that a path through a function allocates and does not free: the classic mistake on an error path. */
import type { Statement } from './statements.ts'

const ALLOCATORS =
  'k[mzvc]?v?[mz]?alloc(?:_array|_node)?|kmalloc\\w*|kzalloc\\w*|kcalloc\\w*|kvmalloc\\w*|kvzalloc\\w*|vmalloc\\w*|vzalloc\\w*|v?memdup_user\\w*|kmemdup\\w*|strndup_user|kstrn?dup\\w*|__get_free_pages?'
const ALLOCATION = new RegExp(`(?<![.>\\w])(\\w+)\\s*=\\s*(?:\\([^()]*\\*\\s*\\)\\s*)?(${ALLOCATORS})\\s*\\(`)
const FREE = /\b(?:k|kv|v)free(?:_sensitive|_rcu)?\s*\(\s*(\w+)\s*[,)]|\bfree_pages?\s*\(\s*(?:\([\w\s*]*\)\s*)?(\w+)/g

/** Functions that only look at the memory they are given. */
const BORROWS =
  /^(?:_*(?:copy_(?:to|from)_\w+|strncpy_from_user|(?:mem|str|kstrto|sn?printf|vsn?printf|scn?printf|sscanf|print|pr_|kernel_(?:read|write)|get_random|crypto_|list_|is|to|IS_|PTR_|WARN|BUG|sizeof|typeof|likely|unlikely|min|max|clamp|swap|sort)\w*))$|^(?:if|while|switch|return)$/

export interface Leak {
  readonly variable: string
  /** Position of the return. */
  readonly at: number
}

/** Live allocations, sorted. */
type State = readonly string[]

const without = (state: State, name: string): State => state.filter((other) => other !== name)
const union = (states: readonly State[]): State[] => [...new Map(states.map((state) => [state.join(), state])).values()]

/** The variable of an allocation, also inside a condition (`if (!(p = kmalloc(…)))`). */
export function allocated(text: string): { variable: string; call: string } | undefined {
  const match = ALLOCATION.exec(text)
  return match === null ? undefined : { variable: match[1], call: match[2] }
}

class Walker {
  readonly leaks: Leak[] = []
  readonly #top: readonly Statement[]
  /** Label and state that were followed already. */
  readonly #followed = new Set<string>()

  /** Functions of the same file: they only borrow what they are given. */
  readonly #own: ReadonlySet<string>

  constructor(top: readonly Statement[], own: ReadonlySet<string>) {
    this.#top = top
    this.#own = own
  }

  list(statements: readonly Statement[], states: readonly State[]): State[] {
    let now = union(states)
    for (const statement of statements) {
      if (now.length === 0 && statement.kind !== 'label') continue
      now = union(now.flatMap((state) => this.#one(statement, state)))
    }
    return now
  }

  #one(statement: Statement, state: State): State[] {
    switch (statement.kind) {
      case 'block':
        return this.list(statement.body, [state])
      case 'if':
        return this.#branch(statement, this.#effects(statement.condition, state))
      case 'loop': {
        const entered = this.#effects(statement.condition, state)
        // Once round is enough: what a second round adds was live or freed in the first.
        return union([entered, ...this.#one(statement.body, entered)])
      }
      case 'return':
        this.#return(statement.value, statement.at, state)
        return []
      case 'goto':
        this.#goto(statement.label, state)
        return []
      case 'label':
      case 'leave':
        return [state]
      case 'expression':
        return [this.#effects(statement.text, state)]
    }
  }

  #branch(statement: Extract<Statement, { kind: 'if' }>, state: State): State[] {
    const failed = nullChecked(statement.condition)
    const then = failed?.whenTrue === true ? without(state, failed.variable) : state
    const otherwise = failed?.whenTrue === false ? without(state, failed.variable) : state
    const after = this.#one(statement.then, then)
    return union([
      ...after,
      ...(statement.otherwise === undefined ? [otherwise] : this.#one(statement.otherwise, otherwise)),
    ])
  }

  #effects(text: string, state: State): State {
    let now = state
    for (const match of text.matchAll(FREE)) now = without(now, match[1] ?? match[2])
    const made = allocated(text)
    if (made !== undefined) {
      // `void *p __free(kfree) = …` is freed by the compiler at the end of its scope.
      return /\b__free\s*\(/.test(text) ? now : [...without(now, made.variable), made.variable].sort()
    }
    // Stored somewhere, or handed to somebody by assignment: it is not ours alone any more.
    for (const name of now) {
      const stored = new RegExp(`(?:->|\\.|\\*|\\])\\s*\\w*\\s*=\\s*(?:\\([^()]*\\)\\s*)?${name}\\s*$`)
      if (stored.test(text) || this.#givenAway(text, name)) now = without(now, name)
    }
    return now
  }

  /** Passed to a function that may keep it: any but those of this file and those known to borrow. */
  #givenAway(text: string, name: string): boolean {
    return [...text.matchAll(new RegExp(`\\b(\\w+)\\s*\\((?:[^();]*,)?\\s*${name}\\s*[,)]`, 'g'))].some(
      ([, callee]) => !this.#own.has(callee) && !BORROWS.test(callee),
    )
  }

  #return(value: string, at: number, state: State): void {
    const after = this.#effects(value, state)
    for (const variable of after) {
      if (value === variable) continue
      if (!this.leaks.some((leak) => leak.at === at && leak.variable === variable)) this.leaks.push({ variable, at })
    }
  }

  #goto(label: string, state: State): void {
    const key = `${label}:${state.join()}`
    const from = this.#top.findIndex((statement) => statement.kind === 'label' && statement.label === label)
    if (from < 0 || this.#followed.has(key)) return
    this.#followed.add(key)
    this.list(this.#top.slice(from), [state])
  }
}

/** `if (!p)`, `if (p == NULL)`, `if (IS_ERR(p))`: in which branch there is nothing to free. */
export function nullChecked(condition: string): { variable: string; whenTrue: boolean } | undefined {
  const text = condition
    .replaceAll(/\b(?:un)?likely\b/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const inner = /^\((.*)\)$/.exec(text)?.[1] ?? text
  const assigned = /^!\s*\(\s*(\w+)\s*=/.exec(inner)
  const isNull = /^!\s*(\w+)$|^(\w+) == NULL$|^IS_ERR(?:_OR_NULL)?\s*\(\s*(\w+)\s*\)$/.exec(inner)
  const variable = assigned?.[1] ?? isNull?.[1] ?? isNull?.[2] ?? isNull?.[3]
  if (variable !== undefined) return { variable, whenTrue: true }
  const isThere = /^(\w+)$|^(\w+) != NULL$/.exec(inner)
  const there = isThere?.[1] ?? isThere?.[2]
  return there === undefined ? undefined : { variable: there, whenTrue: false }
}

/** `own`: the names of the functions that the same file defines. */
export function leaksIn(body: readonly Statement[], own: ReadonlySet<string>): Leak[] {
  const walker = new Walker(body, own)
  walker.list(body, [[]])
  return walker.leaks
}
