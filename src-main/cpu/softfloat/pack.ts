/** Between bit patterns of binary32 and binary64 and softfloat values. */
import { bitLength, F32, F64, finite, infinity, nan, zero, type Format, type Value } from './core.ts'

/** Bits of an IEEE interchange format; `to.precision` tells which. Denormals are zero where `daz` is set (MXCSR.DAZ). */
export function unpack(from: Format, bits: bigint, daz: boolean): Value {
  const fractionBits = from.precision - 1
  const width = from === F32 ? 32 : 64
  const sign = Number((bits >> BigInt(width - 1)) & 1n) as 0 | 1
  const fraction = BigInt.asUintN(fractionBits, bits)
  const biased = Number(BigInt.asUintN(width - 1 - fractionBits, bits >> BigInt(fractionBits)))
  if (biased === 2 * from.maxExp + 1)
    return fraction === 0n ? infinity(sign) : nan(sign, fraction << BigInt(63 - fractionBits))
  if (biased === 0) return fraction === 0n || daz ? zero(sign) : finite(sign, fraction, from.minQuantum, true)
  return finite(sign, fraction | (1n << BigInt(fractionBits)), biased - from.maxExp - fractionBits)
}

/** A value that is representable in `to` (a result of rounding to it, or a NaN). */
export function pack(to: Format, v: Value): bigint {
  const fractionBits = BigInt(to.precision - 1)
  const sign = BigInt(v.sign) << (to === F32 ? 31n : 63n)
  const special = BigInt(2 * to.maxExp + 1) << fractionBits
  switch (v.kind) {
    case 'zero':
      return sign
    case 'inf':
      return sign | special
    case 'nan':
      return sign | special | BigInt.asUintN(to.precision - 1, v.sig >> (63n - fractionBits))
    default:
  }
  const lead = v.exp + bitLength(v.sig) - 1
  const quantum = Math.max(lead - to.precision + 1, to.minQuantum)
  const shift = BigInt(Math.abs(v.exp - quantum))
  const sig = v.exp >= quantum ? v.sig << shift : v.sig >> shift
  // a normal's integer bit adds one to the biased exponent
  const biased = lead < to.minExp ? 0n : BigInt(lead + to.maxExp - 1)
  return sign | ((biased << fractionBits) + sig)
}

const scratch = new DataView(new ArrayBuffer(8))
export function doubleBits(x: number): bigint {
  scratch.setFloat64(0, x)
  return scratch.getBigUint64(0)
}
export function floatBits(x: number): bigint {
  scratch.setFloat32(0, x)
  return BigInt(scratch.getUint32(0))
}
export const fromDouble = (x: number): Value => unpack(F64, doubleBits(x), false)
export function toDouble(v: Value): number {
  scratch.setBigUint64(0, pack(F64, v))
  return scratch.getFloat64(0)
}
