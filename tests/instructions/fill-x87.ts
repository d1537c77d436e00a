// Random x87 and MMX state.
import type { GeneratedCase } from './generate.ts'
import { FX, STATE } from './layout.ts'
import { type Random } from './random.ts'

const EXPONENTS = [
  0, 1, 0x3fff, 0x3ffe, 0x4000, 0x4001, 0x403d, 0x403e, 0x403f, 0x401e, 0x400e, 0x3c00, 0x43fe, 0x3f80, 0x407e, 0x7ffe,
  0x7fff,
]
const FRACTIONS = [0, 0x80000000, 0xc0000000, 0xffffffff, 0xa0000000, 0x40000000]

/** An 80-bit value, ten bytes: mostly normal numbers near one, also zeros, denormals, infinities, NaNs and invalid encodings. */
export function interesting80(random: Random): number[] {
  const edge = random.oneIn(3)
  const exponent = edge
    ? random.pick(EXPONENTS)
    : random.oneIn(4)
      ? random.below(0x8000)
      : random.between(0x3fe0, 0x4040)
  let high = edge ? random.pick(FRACTIONS) : random.u32()
  const low = random.oneIn(2) ? random.pick([0, 0, 1, 0xffffffff, 0x400, 0x800, 0x80000000]) : random.u32()
  // Outside the edges the integer bit says what the exponent asks for.
  if (!random.oneIn(24)) high = exponent === 0 ? high & 0x7fffffff : high | 0x80000000
  const sign = random.oneIn(2) ? 0x8000 : 0
  const bytes: number[] = []
  for (let i = 0; i < 4; i++) bytes.push((low >>> (8 * i)) & 0xff)
  for (let i = 0; i < 4; i++) bytes.push((high >>> (8 * i)) & 0xff)
  bytes.push(exponent & 0xff, (exponent >> 8) | (sign >> 8))
  return bytes
}

const FCW = { masks: 0x3f, reserved: 0x40, PC: 0x300, RC: 0xc00 } as const
const FSW = { flags: 0x3f, SF: 0x40, ES: 0x80, codes: 0x4700, top: 11, B: 0x8000 } as const

export function fillX87State(c: GeneratedCase): void {
  const { random, view } = c
  const fx = STATE.fx
  const masks = random.oneIn(10) ? random.u32() & FCW.masks : FCW.masks
  const precision = random.oneIn(3) ? random.pick([0, 0x200]) : 0x300
  const control = masks | FCW.reserved | precision | (random.u32() & FCW.RC)
  const flags = random.oneIn(3) ? random.u32() & (FSW.flags | FSW.SF) : 0
  let status = flags | (random.u32() & FSW.codes) | (random.below(8) << FSW.top)
  // ES and B say whether an unmasked exception is pending.
  if ((flags & FSW.flags & ~masks) !== 0) status |= FSW.ES | FSW.B
  view.setUint16(fx + FX.fcw, control, true)
  view.setUint16(fx + FX.fsw, status, true)
  view.setUint8(fx + FX.ftw, random.oneIn(3) ? random.u32() & 0xff : 0xff)
  for (let i = 0; i < 8; i++) c.before.set(interesting80(random), fx + FX.st + 16 * i)
}
