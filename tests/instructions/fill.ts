// What operands and the x87/SSE state hold before a snippet.
import type { GeneratedCase } from './generate.ts'
import type { Data } from './form.ts'
import { FX, STATE } from './layout.ts'
import { type Random, interesting64 } from './random.ts'
import { fillX87State, interesting80 } from './fill-x87.ts'

const MXCSR_DEFAULT = 0x1f80
const X87_CONTROL_DEFAULT = 0x037f

/** Zeros, denormals, ones, infinities, quiet and signalling NaNs, the largest and smallest numbers: single precision. */
const EDGES_F32 = [
  0, 1, 0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f800001, 0x3f7fffff, 0x3f000000, 0x40000000, 0x4b000000,
  0x4b7fffff, 0x4effffff, 0x4f000000, 0x5f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001, 0x7fa00000,
  0x7fffffff,
]

/** The upper words of doubles of the same kinds; the lower word is chosen apart. */
const EDGES_F64 = [
  0, 0x000fffff, 0x00100000, 0x3ff00000, 0x3fefffff, 0x3fe00000, 0x40000000, 0x43300000, 0x433fffff, 0x41dfffff,
  0x41e00000, 0x43e00000, 0x47efffff, 0x38100000, 0x36a00000, 0x7fefffff, 0x7ff00000, 0x7ff80000, 0x7ff40000,
  0x7fffffff,
]

export function interestingF32(random: Random): number {
  const sign = random.oneIn(2) ? 0x80000000 : 0
  if (random.oneIn(3)) return (sign | random.pick(EDGES_F32)) >>> 0
  // Exponents near each other so that sums cancel and products stay in range, seldom anywhere.
  const exponent = random.oneIn(4) ? random.below(256) : random.between(110, 145)
  const fraction = random.oneIn(3) ? (random.u32() & 0x7ff000) >>> 0 : random.u32() & 0x7fffff
  return (sign | (exponent << 23) | fraction) >>> 0
}

export function interestingF64(random: Random): bigint {
  const sign = random.oneIn(2) ? 0x80000000 : 0
  if (random.oneIn(3)) {
    const low = random.pick([0, 0, 1, 0xffffffff, 0x80000000, 0xe0000000, 0x20000000])
    return (BigInt((sign | random.pick(EDGES_F64)) >>> 0) << 32n) | BigInt(low)
  }
  const exponent = random.oneIn(4) ? random.below(2048) : random.between(1000, 1060)
  const fraction = random.u32() & 0xfffff
  const low = random.oneIn(3) ? 0 : random.u32()
  return (BigInt((sign | (exponent << 20) | fraction) >>> 0) << 32n) | BigInt(low)
}

/** Fills 16 bytes at `at` with elements of one kind. */
export function fillVector(c: GeneratedCase, at: number, data: Data): void {
  const { random, view } = c
  if (data === 'f32') for (let i = 0; i < 16; i += 4) view.setUint32(at + i, interestingF32(random), true)
  else if (data === 'f64') for (let i = 0; i < 16; i += 8) view.setBigUint64(at + i, interestingF64(random), true)
  else if (random.oneIn(3)) for (let i = 0; i < 16; i += 4) view.setUint32(at + i, random.u32(), true)
  else fillIntegers(c, at)
}

/** Elements of one random width with edges, so that comparisons hit and saturation happens. */
function fillIntegers({ random, view }: GeneratedCase, at: number): void {
  const width = random.pick([1, 2, 4, 8])
  for (let i = 0; i < 16; i += width) {
    const value = interesting64(random)
    if (width === 8) view.setBigUint64(at + i, value, true)
    else for (let b = 0; b < width; b++) view.setUint8(at + i + b, Number((value >> BigInt(8 * b)) & 0xffn))
  }
}

/** Plain state for forms that have nothing to do with it: recognisable, but not worth time. */
export function fillFixedState({ view }: GeneratedCase): void {
  const fx = STATE.fx
  view.setUint16(fx + FX.fcw, X87_CONTROL_DEFAULT, true)
  view.setUint32(fx + FX.mxcsr, MXCSR_DEFAULT, true)
  for (let i = 0; i < 64; i++) view.setUint32(fx + FX.xmm + 4 * i, 0x01010101 * i, true)
}

const MXCSR = { flags: 0x3f, DAZ: 0x40, masks: 0x1f80, RC: 0x6000, FTZ: 0x8000 } as const

function randomMxcsr(random: Random): number {
  let mxcsr = random.u32() & MXCSR.RC
  if (random.oneIn(4)) mxcsr |= random.u32() & MXCSR.flags
  if (random.oneIn(6)) mxcsr |= MXCSR.DAZ
  if (random.oneIn(6)) mxcsr |= MXCSR.FTZ
  return mxcsr | (random.oneIn(12) ? random.u32() & MXCSR.masks : MXCSR.masks)
}

/** MMX registers are the x87 registers' significands. */
function fillMmx(c: GeneratedCase): void {
  fillX87State(c)
  for (let i = 0; i < 8; i += 1) {
    const at = STATE.fx + FX.st + 16 * i
    fillVector(c, at, 'int')
    c.before.fill(0, at + 10, at + 16)
  }
}

export function fillVectorState(c: GeneratedCase): void {
  const { view, random } = c
  const { state, data = 'int', mxcsr } = c.form.options
  fillFixedState(c)
  if (state === 'x87') {
    fillX87State(c)
    return
  }
  if (state === 'mmx') fillMmx(c)
  if (data !== 'int' || mxcsr) view.setUint32(STATE.fx + FX.mxcsr, randomMxcsr(random), true)
  for (let i = 0; i < 16; i++) fillVector(c, STATE.fx + FX.xmm + 16 * i, data)
}

/** The memory operand, if there is one inside the window. */
export function fillOperand(c: GeneratedCase): void {
  const { form, random, view } = c
  if (form.rm !== 'mem' || form.memBytes === 0 || !c.inWindow()) return
  const at = c.windowOffset(c.address)
  const { state, data = 'int' } = form.options
  if (data === 'x87') {
    c.write(c.address, interesting80(random).slice(0, form.memBytes))
    return
  }
  if (state && c.inWindow(16)) {
    fillVector(c, at, data)
    return
  }
  const value = interesting64(random)
  for (let i = 0; i < Math.min(8, form.memBytes); i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn))
}
