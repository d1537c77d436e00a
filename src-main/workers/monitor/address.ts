/** Addresses and formats as QEMU's monitor takes them: numbers, registers ($rip), sums of both; /COUNT FORMAT SIZE. */
import type { RegisterFile } from '../../contract/debug.ts'

/** Something in a line cannot be understood; the message says what. */
export class MonitorError extends Error {}

export function parseAddress(text: string, file: RegisterFile): bigint {
  const terms = text.replaceAll(/\s+/g, '').match(/[+-]?[^+-]+/g)
  if (terms === null || terms.join('') !== text.replaceAll(/\s+/g, '')) throw new MonitorError(`bad address '${text}'`)
  const sum = terms.reduce((total, term) => {
    const value = parseTerm(term.replace(/^[+-]/, ''), file)
    return term.startsWith('-') ? total - value : total + value
  }, 0n)
  return BigInt.asUintN(64, sum)
}

function parseTerm(text: string, { registers }: RegisterFile): bigint {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text)
  if (!text.startsWith('$')) throw new MonitorError(`bad number '${text}'; registers are written $rip`)
  const name = text.slice(1).toLowerCase()
  const names: Readonly<Record<string, string>> = { pc: 'rip', sp: 'rsp', eflags: 'rflags' }
  const found = registers.find((register) => register.name === (names[name] ?? name))
  if (found === undefined) throw new MonitorError(`unknown register '${text}'`)
  return found.value
}

export interface Format {
  readonly count: number
  /** `i`: instructions. */
  readonly letter: 'x' | 'd' | 'u' | 'o' | 'c' | 'i'
  /** Bytes of one value; of no meaning for instructions. */
  readonly size: 1 | 2 | 4 | 8
}

const SIZES = { b: 1, h: 2, w: 4, g: 8 } as const
/** One answer at most; a screenful is what it is for. */
const MOST_VALUES = 4096

/** What stands between the slash and the address: `8xg`, `x`, `16`. Without a size: 4 bytes, 1 for characters. */
export function parseFormat(text: string): Format {
  const match = /^(\d*)([a-z]*)$/.exec(text)
  if (match === null) throw new MonitorError(`invalid format '/${text}'`)
  const count = match[1] === '' ? 1 : Number(match[1])
  if (!(count >= 1 && count <= MOST_VALUES)) throw new MonitorError(`the count is 1 to ${MOST_VALUES}`)
  let letter: Format['letter'] = 'x'
  let size: Format['size'] | undefined
  for (const char of match[2]!) {
    if (Object.hasOwn(SIZES, char)) size = SIZES[char as keyof typeof SIZES]
    else if ('xduoci'.includes(char)) letter = char as Format['letter']
    else throw new MonitorError(`invalid char '${char}' in format '/${text}'`)
  }
  return { count, letter, size: size ?? (letter === 'c' ? 1 : 4) }
}
