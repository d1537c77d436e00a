// RCPPS and RSQRTPS give any result within 1.5 * 2^-12 of the exact one (SDM vol. 2B): results inside the bound are replaced
// by one value, so that only results outside it differ.
import type { GeneratedCase } from '../generate.ts'
import type { Mask } from '../form.ts'
import { FX, STATE, VECTOR } from '../layout.ts'

const BOUND = 1.5 * 2 ** -12
const SMALLEST_NORMAL = 2 ** -126
const INFINITY = 0x7f800000

function bitsOf(value: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return view.getUint32(0)
}

function numberOf(bits: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, bits)
  return view.getFloat32(0)
}

/** The one result for source `bits`, or undefined when `result` is out of bounds. */
function canonical(bits: number, result: number, root: boolean): number | undefined {
  const magnitude = bits & 0x7fffffff
  if (magnitude > INFINITY) return result === (bits | 0x400000) >>> 0 ? result : undefined
  // Denormals count as zero, whatever MXCSR says.
  const source = magnitude < 0x800000 ? (bits >>> 31 ? -0 : 0) : numberOf(bits)
  if (root && source < 0) return result === 0xffc00000 ? result : undefined
  const exact = 1 / (root ? Math.sqrt(source) * (Object.is(source, -0) ? -1 : 1) : source)
  const got = numberOf(result)
  // Tiny results may be flushed; the sign stays.
  if (Math.abs(exact) < SMALLEST_NORMAL)
    return Math.abs(got) < 2 * SMALLEST_NORMAL ? (bits & 0x80000000) >>> 0 : undefined
  if (!Number.isFinite(exact)) return got === exact ? result : undefined
  return Math.abs(got - exact) <= BOUND * Math.abs(exact) ? bitsOf(exact) : undefined
}

function sourceAt(c: GeneratedCase): number | undefined {
  if (c.form.rm === 'reg') return STATE.fx + FX.xmm + 16 * c.rmNumber
  return c.inWindow() ? c.windowOffset(c.address) : undefined
}

export const approximateReciprocal: Mask = (after, c) => {
  const source = sourceAt(c)
  if (after.getUint16(STATE.vector, true) !== VECTOR.BP || source === undefined) return
  const lanes = c.form.mnemonic.endsWith('ss') ? 1 : 4
  const root = c.form.mnemonic.startsWith('rsqrt')
  for (let lane = 0; lane < lanes; lane++) {
    const at = STATE.fx + FX.xmm + 16 * c.regNumber + 4 * lane
    const one = canonical(c.view.getUint32(source + 4 * lane, true), after.getUint32(at, true), root)
    if (one !== undefined) after.setUint32(at, one, true)
  }
}
