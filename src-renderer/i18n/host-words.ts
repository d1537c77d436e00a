/**
 * Sentences of the process side in the window's language. They come as English text; a table gives their translations by the English one with
 * holes, and what stands in a hole is looked up in the same way: a reason in a sentence is a sentence.
 */

interface Phrase {
  readonly pattern: RegExp
  /** The text around the holes. */
  readonly parts: readonly string[]
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
/** Sentences that were looked up are kept, up to so many: the same list is drawn again and again. */
const KEPT = 2000

export class HostWords {
  readonly #exact = new Map<string, string>()
  /** The most specific first. */
  readonly #phrases: readonly Phrase[]
  readonly #known = new Map<string, string | undefined>()

  constructor(table: Readonly<Record<string, string>>) {
    const withHoles = Object.entries(table).filter(([english, text]) => {
      if (english.includes('{}')) return true
      this.#exact.set(english, text)
      return false
    })
    const literal = ([english]: readonly [string, string]) => english.replaceAll('{}', '').length
    this.#phrases = withHoles
      .toSorted((a, b) => literal(b) - literal(a))
      .map(([english, text]) => ({
        pattern: new RegExp(`^${english.split('{}').map(escaped).join('([^]*?)')}$`),
        parts: text.split('{}'),
      }))
  }

  /** The translation; text without one stays as it is. Sentences may begin with a capital or a small letter. */
  say(text: string): string {
    return this.find(text) ?? text
  }

  /** undefined: the table has no such sentence. */
  find(text: string): string | undefined {
    if (this.#known.has(text)) return this.#known.get(text)
    if (this.#known.size > KEPT) this.#known.clear()
    const found = this.#whole(text) ?? this.#capital(text) ?? this.#joined(text)
    this.#known.set(text, found)
    return found
  }

  #whole(text: string): string | undefined {
    const exact = this.#exact.get(text)
    if (exact !== undefined) return exact
    for (const { pattern, parts } of this.#phrases) {
      const match = pattern.exec(text)
      if (match === null) continue
      return parts.reduce((sum, part, index) => sum + this.say(match[index] ?? '') + part)
    }
    return undefined
  }

  #capital(text: string): string | undefined {
    const first = text.charAt(0)
    if (first.toLowerCase() === first) return undefined
    const found = this.#whole(first.toLowerCase() + text.slice(1))
    return found === undefined ? undefined : found.charAt(0).toUpperCase() + found.slice(1)
  }

  /** Sentences that were put together: `what: why`, `this; that`, one after the other. */
  #joined(text: string): string | undefined {
    for (const joint of ['; ', ': ', '. ', '\n', ', ']) {
      const parts = text.split(joint)
      if (parts.length < 2 || parts.length > 20) continue
      for (let at = 1; at < parts.length; at++) {
        const [before, after] = [parts.slice(0, at).join(joint), parts.slice(at).join(joint)]
        const [left, right] = [this.#whole(before) ?? this.#capital(before), this.find(after)]
        if (left !== undefined || right !== undefined) return (left ?? before) + joint + (right ?? after)
      }
    }
    return undefined
  }
}
