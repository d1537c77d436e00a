/**
 * Which objects of a build stay the same although headers that they include are newer than they are. Every doubt decides against keeping;
 * make then compiles the object as always.
 */
import type { BuiltObject } from '../build/dependencies.ts'
import { canPaste, closure, factsOf, partsOf, PASTE, type FileFacts } from './file-facts.ts'
import { headerChange, type Configuration, type HeaderChange } from './header-change.ts'
import { tokensOf } from './source-text.ts'

export interface StaleObject extends BuiltObject {
  /** Those of its dependencies that are newer than it. */
  readonly newer: readonly string[]
}

export interface Decision {
  readonly keep: readonly string[]
  /** Headers whose edit matters to everybody who includes them. */
  readonly reasons: readonly { readonly header: string; readonly reason: string }[]
}

export interface Texts {
  /** The file as it was when the objects were compiled; undefined when that is not known. */
  before(file: string): string | undefined
  now(file: string): string | undefined
}

/** Compilers put line numbers into the object for these, whatever the code says. */
const LINES_MATTER = /(?:^|\s)-(?:g(?!0\b|no-)\S*|fsanitize\S*|fprofile\S*|ftest-coverage|-coverage)(?=\s|$)/

/** What is included while assembling is no dependency that the preprocessor reports. */
const READS_OTHERS = /\.incbin\b|\bincbin\b/

/** A file that fewer than one in so many objects include is included by few. */
const FEW = 10

class Decider {
  readonly #texts: Texts
  readonly #facts = new Map<string, FileFacts | undefined>()
  /** Files that define CONFIG_ names: who includes one of them is left to make. */
  readonly #reconfiguring = new Set<string>()
  readonly #changes = new Map<string, HeaderChange>()
  readonly #isDefined: Configuration
  readonly #objects: readonly StaleObject[]
  constructor(objects: readonly StaleObject[], texts: Texts, isDefined: Configuration) {
    this.#objects = objects
    this.#texts = texts
    const depends = this.#namesThatDepend()
    this.#isDefined = (name) => (depends.has(name) ? undefined : isDefined(name))
  }

  /**
   * CONFIG_ names that files define themselves. A header that many include (linux/threads.h) makes its names undecided; who includes one of
   * the others is left to make.
   */
  #namesThatDepend(): Set<string> {
    const users = new Map<string, number>()
    for (const { dependencies } of this.#objects)
      for (const file of dependencies) users.set(file, (users.get(file) ?? 0) + 1)
    const names = new Set<string>()
    for (const [file, count] of users) {
      const own = [...(this.#texts.now(file) ?? '').matchAll(/^[ \t]*#[ \t]*(?:define|undef)[ \t]+(CONFIG_\w+)/gm)]
      if (own.length === 0) continue
      if (count * FEW > this.#objects.length) for (const [, name] of own) names.add(name)
      else this.#reconfiguring.add(file)
    }
    return names
  }

  decide(): Decision {
    const candidates = this.#objects.filter((object) =>
      object.newer.every((file) => this.#changeOf(file).all === undefined),
    )
    this.#readFiles(candidates)
    const changed = new Set([...this.#changes.values()].flatMap((change) => [...change.macros]))
    const reached = this.#reach(changed)
    const users = this.#filesUsing(reached, changed)
    const parts = new Set([...reached].flatMap((name) => [...partsOf(name)]))
    const pieces = new Map(
      [...this.#facts].map(([file, facts]) => [file, facts === undefined ? [] : piecesIn(facts, parts, reached)]),
    )
    // A name that is put together might be one that says __LINE__.
    const lineUsers = this.#reach(new Set(['__LINE__', PASTE]))
    const stays = (object: StaleObject) =>
      this.#isReadable(object) &&
      !this.#usesMacros(object, reached, users, pieces) &&
      !this.#showsLines(object, lineUsers)
    const keep = candidates.filter(stays).map(({ object }) => object)
    const reasons = [...this.#changes].flatMap(([header, { all }]) =>
      all === undefined ? [] : [{ header, reason: all }],
    )
    return { keep, reasons }
  }

  #changeOf(file: string): HeaderChange {
    const known = this.#changes.get(file)
    if (known !== undefined) return known
    const [before, now] = [this.#texts.before(file), this.#texts.now(file)]
    const none = { macros: new Set<string>(), moved: new Set<string>() }
    const change =
      before === undefined || now === undefined
        ? { ...none, all: 'what it was before is not known' }
        : headerChange(before, now, this.#isDefined)
    this.#changes.set(file, change)
    return change
  }

  #readFiles(objects: readonly StaleObject[]): void {
    for (const file of new Set(objects.flatMap(({ dependencies }) => dependencies))) {
      const text = this.#texts.now(file)
      const unreadable = text === undefined || READS_OTHERS.test(text)
      this.#facts.set(file, unreadable ? undefined : factsOf(text, this.#isDefined))
    }
  }

  #reach(names: ReadonlySet<string>): Set<string> {
    const known = [...this.#facts.values()].filter((facts) => facts !== undefined)
    return closure(names, known)
  }

  /** Files with code or a condition that one of the names reaches, or that define a changed macro too. */
  #filesUsing(reached: ReadonlySet<string>, changed: ReadonlySet<string>): Set<string> {
    const users = new Set<string>()
    for (const [file, facts] of this.#facts) {
      if (facts === undefined) continue
      const alsoDefines = !this.#changes.has(file) && [...changed].some((name) => facts.defines.has(name))
      if (alsoDefines || [...reached].some((name) => facts.used.has(name))) users.add(file)
    }
    return users
  }

  /** Are all its files known, and is it the configuration alone that says which groups exist? */
  #isReadable({ dependencies, command }: StaleObject): boolean {
    // The build's own programs do not see the configuration.
    const configured = dependencies.some((file) => file.endsWith('include/linux/kconfig.h'))
    if (!configured || /\s-[DU]\s*CONFIG_/.test(command)) return false
    return dependencies.every((file) => {
      return this.#facts.get(file) !== undefined && !this.#reconfiguring.has(file)
    })
  }

  #usesMacros(
    { dependencies, command, newer }: StaleObject,
    reached: ReadonlySet<string>,
    users: ReadonlySet<string>,
    pieces: ReadonlyMap<string, readonly string[]>,
  ): boolean {
    if (newer.every((file) => this.#changeOf(file).macros.size === 0)) return false
    if (dependencies.some((file) => users.has(file))) return true
    const commandTokens = tokensOf(command)
    if (commandTokens.some((token) => reached.has(token))) return true
    const available = new Set(commandTokens)
    for (const file of dependencies) for (const piece of pieces.get(file) ?? []) available.add(piece)
    return [...reached].some((name) => canPaste(name, (text) => available.has(text)))
  }

  #showsLines({ newer, command }: StaleObject, lineUsers: ReadonlySet<string>): boolean {
    const moved = newer.flatMap((file) => [...this.#changeOf(file).moved])
    return moved.length > 0 && (LINES_MATTER.test(command) || moved.some((token) => lineUsers.has(token)))
  }
}

/** Tokens of a file that are parts of a name in question. Definitions that are reached count only where they are used, and that is known. */
function piecesIn({ used, macros }: FileFacts, parts: ReadonlySet<string>, reached: ReadonlySet<string>): string[] {
  const bodies = [...macros].flatMap(([name, tokens]) => (reached.has(name) ? [] : [...tokens]))
  return [...new Set([...used, ...bodies].filter((token) => parts.has(token)))]
}

export function decide(objects: readonly StaleObject[], texts: Texts, isDefined: Configuration): Decision {
  return new Decider(objects, texts, isDefined).decide()
}
