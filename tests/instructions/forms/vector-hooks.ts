// Inputs of vector instructions that noise would never make interesting.
import type { GeneratedCase } from '../generate.ts'
import type { Prepare } from '../form.ts'
import { FX, STATE, WINDOW_BASE } from '../layout.ts'
import { RAX, RDI, RDX } from './hooks.ts'

/** Offset in `before` of the source: ModRM.rm as a register of its file, or memory; undefined outside the window. */
export function vectorSource(c: GeneratedCase): number | undefined {
  if (c.form.rm !== 'reg') return c.inWindow() ? c.windowOffset(c.address) : undefined
  const isMmx = c.form.operands.some((operand) => operand.kind === 'Q' || operand.kind === 'N')
  return isMmx ? mmxRegister(c, c.rmNumber) : STATE.fx + FX.xmm + 16 * c.rmNumber
}

/** Offset of MMX register `number`: the image holds x87 registers in stack order, from TOP on. */
export function mmxRegister(c: GeneratedCase, number: number): number {
  const top = (c.view.getUint16(STATE.fx + FX.fsw, true) >> 11) & 7
  return STATE.fx + FX.st + 16 * ((number - top) & 7)
}

/** Counts near the element widths; what the register file holds is nearly always too much. */
export const prepareVectorShift: Prepare = (c) => {
  const at = vectorSource(c)
  if (at !== undefined && !c.random.oneIn(6)) c.view.setBigUint64(at, BigInt(c.random.below(70)), true)
}

export function vectorShiftImmediate(c: GeneratedCase): number {
  return c.random.oneIn(6) ? c.random.below(256) : c.random.below(40)
}

/** EMMS leaves TOP alone (SDM vol. 1, 9.5.1) or clears it (AMD): start from zero. */
export const prepareClearTop: Prepare = (c) => {
  const at = STATE.fx + FX.fsw
  c.view.setUint16(at, c.view.getUint16(at, true) & ~0x3800, true)
}

/** RDI points at the window; the masks' sign bits decide. */
export const prepareMaskMove: Prepare = (c) => {
  c.setGpr(RDI, BigInt(WINDOW_BASE + c.random.between(400, 600)))
}

/** Strings over a small alphabet, zero included, and lengths around the register's. */
export const prepareStringCompare: Prepare = (c) => {
  const alphabet = [0, 1, 2, 0x61, 0x62, 0x63, 0x80, 0xff].slice(c.random.below(6))
  const fill = (at: number) => {
    for (let i = 0; i < 16; i++) c.view.setUint8(at + i, c.random.pick(alphabet))
  }
  fill(STATE.fx + FX.xmm + 16 * c.regNumber)
  const source = vectorSource(c)
  if (source !== undefined) fill(source)
  for (const register of [RAX, RDX]) if (!c.random.oneIn(5)) c.setGpr(register, BigInt(c.random.between(-18, 18)))
}
