/** Between the 80-bit format of the x87 registers and softfloat values (SDM vol. 1, 4.2.2 and 8.2.2). */
import { bitLength, DEFAULT_NAN, F80, finite, infinity, isSignaling, nan, type Value } from './core.ts'

/** An 80-bit value: sign and exponent (bias 16383) in the high 16 bits. */
export interface Extended {
  readonly signExponent: number
  readonly significand: bigint
}
const BIAS = 16383
const INTEGER = 1n << 63n

/**
 * What the encodings that the 387 and later refuse stand for (unnormals, pseudo-infinities, pseudo-NaNs): like a signaling NaN it makes every
 * operation invalid, and chooseExtendedNaN() answers the default NaN for it.
 */
export const UNSUPPORTED: Value = nan(1, 1n)

export function unpackExtended({ signExponent, significand }: Extended): Value {
  const sign = (signExponent >> 15) as 0 | 1
  const biased = signExponent & 0x7fff
  // pseudo-denormals have the integer bit set and count as denormals
  if (biased === 0) return finite(sign, significand, F80.minQuantum, significand !== 0n)
  if ((significand & INTEGER) === 0n) return UNSUPPORTED
  if (biased === 0x7fff) return significand === INTEGER ? infinity(sign) : nan(sign, significand)
  return finite(sign, significand, biased - BIAS - 63)
}

/** Of a value rounded to 64 bits. Exponents out of range after the wrap of an unmasked exception become infinity or zero. */
export function packExtended(v: Value): Extended {
  const top = v.sign << 15
  if (v.kind === 'nan') return { signExponent: top | 0x7fff, significand: v.sig }
  if (v.kind === 'zero') return { signExponent: top, significand: 0n }
  const lead = v.kind === 'inf' ? BIAS + 1 : v.exp + bitLength(v.sig) - 1
  if (lead > BIAS) return { signExponent: top | 0x7fff, significand: INTEGER }
  if (lead < F80.minQuantum) return { signExponent: top, significand: 0n }
  const quantum = Math.max(lead - 63, F80.minQuantum)
  const significand = v.exp >= quantum ? v.sig << BigInt(v.exp - quantum) : v.sig >> BigInt(quantum - v.exp)
  return { signExponent: top | (lead < F80.minExp ? 0 : lead + BIAS), significand }
}

/** The x87's choice (SDM vol. 1, table 4-7): quiet before signaling, then the larger significand, then the positive one. */
export function chooseExtendedNaN(a: Value, b: Value): Value {
  if (a === UNSUPPORTED || b === UNSUPPORTED) return DEFAULT_NAN
  if (b.kind !== 'nan') return a
  if (a.kind !== 'nan') return b
  if (isSignaling(a) !== isSignaling(b)) return isSignaling(a) ? b : a
  if (a.sig !== b.sig) return a.sig > b.sig ? a : b
  return a.sign === 0 ? a : b
}
