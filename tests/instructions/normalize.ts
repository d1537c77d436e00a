// Makes everything in an after-state equal that the architecture leaves undefined, and hashes what remains.
import { clearFlags, flagBits } from './forms/hooks.ts'
import type { GeneratedCase } from './generate.ts'
import { COMPARED_FLAGS, FX, STATE, STATE_BYTES, VECTOR } from './layout.ts'

const PUSHES_ERROR_CODE: readonly number[] = [8, 10, 11, VECTOR.SS, VECTOR.GP, VECTOR.PF, VECTOR.AC]
const HIGH_REGISTERS = 8

function zero(after: DataView, at: number, bytes: number): void {
  new Uint8Array(after.buffer, after.byteOffset + at, bytes).fill(0)
}

/** Registers that 32-bit code cannot see are undefined after the mode switch back (SDM vol. 1, 3.4.1.1). */
function hideLongRegisters(after: DataView): void {
  for (let register = 0; register < HIGH_REGISTERS; register++) zero(after, STATE.gpr + 8 * register + 4, 4)
  zero(after, STATE.gpr + 8 * HIGH_REGISTERS, 8 * HIGH_REGISTERS)
  zero(after, STATE.fx + FX.xmm + 16 * HIGH_REGISTERS, 16 * HIGH_REGISTERS)
}

/** The x87 instruction and data pointers are compared nowhere: AMD saves them only with a pending exception. */
function hidePointers(after: DataView): void {
  const fx = STATE.fx
  after.setUint8(fx + FX.ftw + 1, 0)
  zero(after, fx + FX.fop, FX.mxcsr - FX.fop)
  zero(after, fx + FX.mxcsrMask, 4)
  for (let i = 0; i < 8; i++) zero(after, fx + FX.st + 16 * i + 10, 6)
  zero(after, fx + FX.end, STATE.window - fx - FX.end)
}

/** Changes `after` in place. */
export function normalize(after: Uint8Array, c: GeneratedCase): void {
  const view = new DataView(after.buffer, after.byteOffset, STATE_BYTES)
  view.setUint32(STATE.rflags, view.getUint32(STATE.rflags, true) & COMPARED_FLAGS, true)
  view.setUint32(STATE.rflags + 4, 0, true)
  const vector = view.getUint16(STATE.vector, true)
  if (!PUSHES_ERROR_CODE.includes(vector)) view.setUint32(STATE.error, 0, true)
  if (vector !== VECTOR.PF) zero(view, STATE.cr2, 8)
  if (c.mode === 'compat32') hideLongRegisters(view)
  hidePointers(view)
  if (c.form.options.undef) clearFlags(view, flagBits(c.form.options.undef))
  c.form.options.mask?.(view, c)
}

/** 64 bits over whole 32-bit words, chained over a batch. */
export class StateHash {
  #a = 0x243f6a88
  #b = 0x85a308d3

  add(state: Uint8Array): void {
    const words = new Uint32Array(state.buffer, state.byteOffset, STATE_BYTES / 4)
    let a = this.#a
    let b = this.#b
    for (let i = 0; i < words.length; i++) {
      const word = words[i]
      a = Math.imul(a ^ word, 0x9e3779b1)
      a = (a << 13) | (a >>> 19)
      b = Math.imul(b + word, 0x85ebca77) ^ (b >>> 15)
    }
    this.#a = a
    this.#b = b
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    const text = (word: number) => ((word ^ (word >>> 16)) >>> 0).toString(16).padStart(8, '0')
    return text(this.#a) + text(this.#b)
  }
}
