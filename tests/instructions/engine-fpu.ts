// The x87 and SSE state of a vCPU from and to an FXSAVE image: the image numbers registers from TOP and abridges the tags.
import type { Cpu } from '../../src-main/cpu/cpu.ts'
import { AT } from '../../src-main/cpu/state/layout.ts'
import { FX } from './layout.ts'

const TOP_SHIFT = 11
const TOP_MASK = 7 << TOP_SHIFT
const TAG = { valid: 0, zero: 1, special: 2, empty: 3 } as const
const REGISTERS = 8

/** The tag of a register that is not empty (SDM vol. 1, 8.1.7). */
function tagOf(image: DataView, at: number): number {
  const significand = image.getBigUint64(at, true)
  const exponent = image.getUint16(at + 8, true) & 0x7fff
  if (exponent === 0 && significand === 0n) return TAG.zero
  return exponent === 0 || exponent === 0x7fff || significand >> 63n === 0n ? TAG.special : TAG.valid
}

/** `at`: offset of the image in `image`. */
export function loadImage(cpu: Cpu, image: DataView, at: number): void {
  const status = image.getUint16(at + FX.fsw, true)
  const top = (status & TOP_MASK) >> TOP_SHIFT
  const abridged = image.getUint8(at + FX.ftw)
  let tags = 0
  for (let i = 0; i < REGISTERS; i++) {
    const physical = (top + i) % REGISTERS
    const from = at + FX.st + 16 * i
    cpu.setU64(AT.st + 16 * physical, image.getBigUint64(from, true))
    cpu.setU64(AT.st + 16 * physical + 8, BigInt(image.getUint16(from + 8, true)))
    const tag = (abridged >> physical) & 1 ? tagOf(image, from) : TAG.empty
    tags |= tag << (2 * physical)
  }
  cpu.setU32(AT.fcw, image.getUint16(at + FX.fcw, true))
  cpu.setU32(AT.fsw, status & ~TOP_MASK)
  cpu.setU32(AT.ftop, top)
  cpu.setU32(AT.ftw, tags)
  cpu.setU32(AT.mxcsr, image.getUint32(at + FX.mxcsr, true))
  for (let i = 0; i < 32; i++) cpu.setU64(AT.xmm + 8 * i, image.getBigUint64(at + FX.xmm + 8 * i, true))
}

export function storeImage(cpu: Cpu, image: DataView, at: number): void {
  const top = cpu.u32(AT.ftop)
  const tags = cpu.u32(AT.ftw)
  let abridged = 0
  for (let i = 0; i < REGISTERS; i++) {
    const physical = (top + i) % REGISTERS
    image.setBigUint64(at + FX.st + 16 * i, cpu.u64(AT.st + 16 * physical), true)
    image.setBigUint64(at + FX.st + 16 * i + 8, cpu.u64(AT.st + 16 * physical + 8), true)
    if (((tags >> (2 * i)) & 3) !== TAG.empty) abridged |= 1 << i
  }
  image.setUint16(at + FX.fcw, cpu.u32(AT.fcw), true)
  image.setUint16(at + FX.fsw, cpu.u32(AT.fsw) | (top << TOP_SHIFT), true)
  image.setUint8(at + FX.ftw, abridged)
  image.setUint32(at + FX.mxcsr, cpu.u32(AT.mxcsr), true)
  for (let i = 0; i < 32; i++) image.setBigUint64(at + FX.xmm + 8 * i, cpu.u64(AT.xmm + 8 * i), true)
}
