/** Constants of the x87 and its transcendental functions, to many more bits than any result has. */

/** Fraction bits of fixed-point numbers here and in transcendental.ts. */
export const FRACTION = 384
const ONE = 1n << BigInt(FRACTION)

/** Sum of z^(2k+1)/(2k+1) for z = 1/n, with alternating signs where `alternate`: atan or atanh. */
function inverseSeries(n: bigint, alternate: boolean): bigint {
  let power = (ONE << 32n) / n
  let sum = 0n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += alternate && k % 4n === 3n ? -power / k : power / k
    power /= n * n
  }
  return sum >> 32n
}
/** Machin: pi/4 = 4 atan(1/5) - atan(1/239). */
export const PI = 16n * inverseSeries(5n, true) - 4n * inverseSeries(239n, true)
/** ln 2 = 2 atanh(1/3), ln 10 = 3 ln 2 + 2 atanh(1/9). */
export const LN2 = 2n * inverseSeries(3n, false)
const LN10 = 3n * LN2 + 2n * inverseSeries(9n, false)

interface Constant {
  readonly sig: bigint
  readonly exp: number
  readonly isExact: boolean
}
const exact = (sig: bigint): Constant => ({ sig, exp: 0, isExact: true })
const fixed = (sig: bigint): Constant => ({ sig, exp: -FRACTION, isExact: false })

/** What the instructions of these names load. */
export const CONSTANTS = {
  fld1: exact(1n),
  fldl2t: fixed((LN10 * ONE) / LN2),
  fldl2e: fixed((ONE * ONE) / LN2),
  fldpi: fixed(PI),
  fldlg2: fixed((LN2 * ONE) / LN10),
  fldln2: fixed(LN2),
  fldz: exact(0n),
} as const satisfies Record<string, Constant>
export type ConstantName = keyof typeof CONSTANTS
