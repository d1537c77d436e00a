/**
 * QEMU's option lists: `local,id=fs1,path=/a,,b`. A comma separates, two commas are one comma of the value, the first element
 * may be a value without a key, and a later element without `=` is a switch that is on.
 */
import { FlagError } from './flag-error.ts'
import { parseBoolean } from './values.ts'

/** Splits at single commas; `,,` stands for one comma. */
function splitAtCommas(text: string): string[] {
  const parts = ['']
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ',') parts[parts.length - 1] += text[at]
    else if (text[at + 1] === ',') {
      parts[parts.length - 1] += ','
      at++
    } else parts.push('')
  }
  return parts
}

/** The keys of one option list; `take…` removes what it returns, so that `end` can name what nobody wanted. */
export class Options {
  readonly flag: string
  readonly #values = new Map<string, string>()

  /** `implied` is the key of a first element that has none. */
  constructor(flag: string, text: string, implied?: string) {
    this.flag = flag
    for (const [index, part] of splitAtCommas(text).entries()) {
      const equals = part.indexOf('=')
      if (equals > 0) this.#values.set(part.slice(0, equals), part.slice(equals + 1))
      else if (index === 0 && implied !== undefined && equals < 0) this.#values.set(implied, part)
      else if (part === '' || equals === 0) throw new FlagError(`${flag}: there is an empty element in "${text}"`)
      else this.#values.set(part, 'on')
    }
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  is(key: string, value: string): boolean {
    return this.#values.get(key) === value
  }

  take(key: string): string | undefined {
    const value = this.#values.get(key)
    this.#values.delete(key)
    return value
  }

  takeRequired(key: string, meaning: string): string {
    const value = this.take(key)
    if (value === undefined || value === '') throw new FlagError(`${this.flag}: ${key}= is missing (${meaning})`)
    return value
  }

  /** One of `allowed`, or `fallback` when the key is not given. */
  takeChoice<Choice extends string>(key: string, allowed: readonly Choice[], fallback?: Choice): Choice {
    const value = this.take(key) ?? fallback
    const found = allowed.find((choice) => choice === value)
    if (found !== undefined) return found
    const wanted = `${key}= must be ${listed(allowed)}`
    throw new FlagError(value === undefined ? `${this.flag}: ${wanted}` : `${this.flag}: ${wanted}, not "${value}"`)
  }

  takeBoolean(key: string): boolean {
    const value = this.take(key)
    return value === undefined ? false : parseBoolean(`${this.flag}: ${key}=`, value)
  }

  /** Must be called last: a key that is left over is an error. */
  end(known: readonly string[]): void {
    const [left] = this.#values.keys()
    if (left !== undefined) {
      throw new FlagError(
        `${this.flag}: ${left}= is not known here; there are ${known.map((key) => `${key}=`).join(', ')}`,
      )
    }
  }
}

/** `a, b or c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`
}
