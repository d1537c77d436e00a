/** Addresses as people type and read them. All are bigint, 0 to 2^64-1. */

export const SPACE_END = 1n << 64n
export const PAGE = 4096n
/** Bytes of a row of the viewer: as many as there is room for. */
export type RowBytes = 8 | 16

/** Wraps around as the processor does. */
export const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)

export const pageOf = (address: bigint): bigint => address & ~(PAGE - 1n)
export const rowOf = (address: bigint, bytes: RowBytes): bigint => address & ~(BigInt(bytes) - 1n)

/** `ffffffff81000000`, without 0x, 16 digits. */
export const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0')

/** For reading: `ffffffff 81000000`. */
export function spaced(value: bigint): string {
  const digits = hex(value)
  return `${digits.slice(0, 8)} ${digits.slice(8)}`
}

/** `0x1000` short form. */
export const short = (value: bigint): string => `0x${value.toString(16)}`

export type Term =
  | { readonly kind: 'number'; readonly value: bigint; readonly sign: 1n | -1n }
  | { readonly kind: 'name'; readonly name: string; readonly sign: 1n | -1n }

/**
 * `rsp+8`, `linux_banner`, `ffffffff81000000`, `0x10 - 4`: terms with signs, undefined when it is none. A word of hexadecimal digits alone is
 * a number only when it begins with a digit or 0x or has eight digits or more; else it is a name first (`add`, `cafe`), see `asNumber`.
 */
export function parseExpression(text: string): readonly Term[] | undefined {
  const terms: Term[] = []
  const pattern = /\s*([+-]?)\s*([%\w.$`']+)\s*/gy
  let at = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [, signText, raw] = match
    if (terms.length > 0 && signText === '') return undefined
    const sign = signText === '-' ? -1n : 1n
    const word = raw.replace(/[`']/g, '')
    const isNumber = /^0x[0-9a-f]+$/i.test(word) || /^\d[0-9a-f]*$/i.test(word) || /^[0-9a-f]{8,16}$/i.test(word)
    terms.push(
      isNumber
        ? { kind: 'number', value: BigInt(`0x${word.replace(/^0x/i, '')}`), sign }
        : { kind: 'name', name: word.replace(/^%/, ''), sign },
    )
    at = pattern.lastIndex
  }
  return terms.length > 0 && at === text.length && terms.every(fits) ? terms : undefined
}

const fits = (term: Term): boolean => (term.kind === 'name' ? /^[a-z_.$]/i.test(term.name) : term.value < SPACE_END)

/** A name that could be meant as a number. */
export const asNumber = (name: string): bigint | undefined =>
  /^[0-9a-f]{1,16}$/i.test(name) ? BigInt(`0x${name}`) : undefined

/** What is searched for: `"text"` or text, or bytes as `de ad be ef` / `0xdeadbeef` (in this order). undefined: nothing to search. */
export function parsePattern(text: string): Uint8Array | undefined {
  const quoted = /^"(.*)"$/s.exec(text.trim())
  if (quoted !== null) return nonEmpty(new TextEncoder().encode(quoted[1]))
  const plain = text.trim()
  const digits = plain.replace(/^0x/i, '').replace(/\s+/g, '')
  const looksLikeBytes = /^0x/i.test(plain) || /^([0-9a-f]{2}\s)+[0-9a-f]{2}$/i.test(plain)
  if (looksLikeBytes && digits.length % 2 === 0 && /^[0-9a-f]+$/i.test(digits)) {
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  return nonEmpty(new TextEncoder().encode(text))
}

const nonEmpty = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes.length > 0 && bytes.length <= 256 ? bytes : undefined
