// Inputs and undefined results of x87 instructions.
import { littleEndian } from '../address.ts'
import { interesting80 } from '../fill-x87.ts'
import type { GeneratedCase } from '../generate.ts'
import type { Mask, Prepare } from '../form.ts'
import { FX, STATE } from '../layout.ts'

const CODE: Record<string, number> = { C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000 }

/** Leaves condition codes of the status word out of the comparison. */
export function undefinedCodes(names: string): Mask {
  const bits = names.split(' ').reduce((sum, name) => sum | (CODE[name] ?? 0), 0)
  return (after) => {
    const at = STATE.fx + FX.fsw
    after.setUint16(at, after.getUint16(at, true) & ~bits, true)
  }
}

/** Packed decimals with valid digits; others are undefined. */
export const prepareDecimal: Prepare = (c) => {
  if (!c.inWindow()) return
  const digits = c.random.between(0, 9)
  const bytes = Array.from({ length: 9 }, (_, i) =>
    i < digits ? c.random.below(10) | (c.random.below(10) << 4) : c.random.pick([0, 0, 0x99]),
  )
  c.write(c.address, [...bytes, c.random.pick([0, 0x80])])
}

const FCW_LEGAL = 0x1f3f
const FCW_RESERVED_ONE = 0x40
const FSW_FLAGS = 0x3f

/** A control and a status word that a CPU could have written: reserved bits fixed, ES and B as the exceptions ask. */
function legalWords(c: GeneratedCase): { control: number; status: number; tags: number } {
  const { random } = c
  const masked = random.oneIn(6) ? 0 : 0x3f
  const control = (random.u32() & FCW_LEGAL) | masked | FCW_RESERVED_ONE
  let status = random.u32() & 0x7f7f
  if (random.oneIn(2)) status &= ~FSW_FLAGS
  if ((status & FSW_FLAGS & ~control) !== 0) status |= 0x8080
  return { control, status, tags: random.oneIn(2) ? 0 : random.u32() & 0xffff }
}

/** FLDCW, FLDENV and FRSTOR. */
export const prepareEnvironment: Prepare = (c) => {
  if (!c.inWindow()) return
  const { control, status, tags } = legalWords(c)
  if (c.form.memBytes === 2) {
    c.write(c.address, littleEndian(control, 2))
    return
  }
  const step = c.form.size === 16 ? 2 : 4
  const words = [control, status, tags]
  words.forEach((word, i) => {
    c.write(c.address + BigInt(step * i), littleEndian(word, 2))
  })
  const registers = c.address + BigInt(7 * step)
  if (c.form.memBytes > 7 * step)
    for (let i = 0; i < 8; i++) c.write(registers + BigInt(10 * i), interesting80(c.random))
}

function zeroWindow(after: DataView, c: GeneratedCase, offset: number, bytes: number): void {
  const at = c.windowOffset(c.address) + offset
  for (let i = 0; i < bytes; i++) after.setUint8(at + i, 0)
}

/** Instruction and data pointers in what FNSTENV and FNSAVE write, and the codes that they leave undefined. */
export const environmentPointers: Mask = (after, c) => {
  undefinedCodes('C0 C1 C2 C3')(after, c)
  if (!c.inWindow()) return
  const step = c.form.size === 16 ? 2 : 4
  zeroWindow(after, c, 3 * step, 4 * step)
}

/** Which byte of an image a page fault names depends on the CPU. */
export const imageFault: Mask = (after) => {
  after.setUint16(STATE.cr2, after.getUint16(STATE.cr2, true) & ~0xfff, true)
}

/** FXSAVE: the pointers, MXCSR_MASK and everything reserved. */
export const imagePointers: Mask = (after, c) => {
  imageFault(after, c)
  if (!c.inWindow()) return
  zeroWindow(after, c, FX.fop, FX.mxcsr - FX.fop)
  zeroWindow(after, c, FX.mxcsrMask, 4)
  for (let i = 0; i < 8; i++) zeroWindow(after, c, FX.st + 16 * i + 10, 6)
  zeroWindow(after, c, FX.end, 512 - FX.end)
}

/** FXRSTOR: an image that a CPU could have written; one in eight has a reserved bit of MXCSR set and faults. */
export const prepareImage: Prepare = (c) => {
  if (!c.inWindow()) return
  const { control, status } = legalWords(c)
  const at = (offset: number) => c.address + BigInt(offset)
  c.write(at(FX.fcw), littleEndian(control, 2))
  c.write(at(FX.fsw), littleEndian(status, 2))
  c.write(at(FX.ftw), [c.random.below(256), 0])
  c.write(at(FX.mxcsr), littleEndian(mxcsrValue(c), 4))
  for (let i = 0; i < 8; i++) c.write(at(FX.st + 16 * i), [...interesting80(c.random), 0, 0, 0, 0, 0, 0])
}

/** Bit 17 is defined on some CPUs and not used here. */
function mxcsrValue(c: GeneratedCase): number {
  const legal = c.random.u32() & 0xffff
  return c.random.oneIn(8) ? (legal | c.random.pick([0x10000, 0x40000, 0x80000000])) >>> 0 : legal
}

export const prepareMxcsr: Prepare = (c) => {
  if (c.inWindow()) c.write(c.address, littleEndian(mxcsrValue(c), 4))
}
