import { FlagError } from './flag-error.ts'

const booleans: Readonly<Record<string, boolean>> = {
  on: true,
  yes: true,
  true: true,
  y: true,
  off: false,
  no: false,
  false: false,
  n: false,
}

export function parseBoolean(what: string, text: string): boolean {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined
  if (value === undefined) throw new FlagError(`${what}${text} must be on or off`)
  return value
}

const unitBytes: Readonly<Record<string, number>> = {
  '': 2 ** 20,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}

/** A size as `-m` takes it: MiB without a unit, else B, K, M, G or T; a fraction is allowed. Bytes. */
export function parseSize(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)$/i.exec(text)
  if (match === null) {
    throw new FlagError(`${flag}: "${text}" is no size; give a number of MiB, or one with K, M or G such as 2G`)
  }
  return Math.round(Number(match[1]) * unitBytes[match[2].toLowerCase()])
}

/** Decimal or 0x…, within [least, most]. */
export function parseWhole(what: string, text: string, least: number, most: number): number {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : NaN
  if (!(value >= least && value <= most)) {
    throw new FlagError(`${what}: "${text}" must be a whole number from ${least} to ${most}`)
  }
  return value
}

/** `tcp::PORT`, `tcp:localhost:PORT` or `tcp:127.0.0.1:PORT`. */
export function parseGdbPort(flag: string, text: string): number {
  const match = /^tcp:(localhost|127\.0\.0\.1)?:(\d+)(,server(=on)?|,nowait|,wait=off)*$/.exec(text)
  if (match === null)
    throw new FlagError(`${flag}: "${text}" must be tcp::PORT (the debugger listens on this computer only)`)
  return parseWhole(flag, match[2], 1, 65535)
}
