// What the forms' rows have in common: inputs to arrange, results to leave out of the comparison.
import { littleEndian } from '../address.ts'
import type { GeneratedCase } from '../generate.ts'
import type { Mask, Prepare, RowOptions } from '../form.ts'
import { ENTRY, FLAG, SLOT_BYTES, STATE, WINDOW_BASE } from '../layout.ts'

export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7

const FLAG_LETTERS: Record<string, number> = { o: FLAG.OF, s: FLAG.SF, z: FLAG.ZF, a: FLAG.AF, p: FLAG.PF, c: FLAG.CF }

export function flagBits(letters: string): number {
  let bits = 0
  for (const letter of letters) bits |= FLAG_LETTERS[letter] ?? 0
  return bits
}

export function clearFlags(after: DataView, bits: number): void {
  after.setUint32(STATE.rflags, after.getUint32(STATE.rflags, true) & ~bits, true)
}

/** Width in bits of the first operand. */
function width(c: GeneratedCase): number {
  return c.form.operands[0]?.size === 'b' ? 8 : c.size
}

/** The count of a shift or rotate as the CPU masks it. */
function shiftCount(c: GeneratedCase): number {
  const mask = width(c) === 64 ? 63n : 31n
  const operand = c.form.operands.at(-1)
  if (operand?.kind === 'I') return Number(c.immediate & mask)
  return c.form.options.tag === 'by 1' ? 1 : Number(c.gpr(RCX) & mask)
}

/** Shifts (SDM "SAL/SAR/SHL/SHR"): AF undefined; OF unless the count is 1; CF of SHL and SHR from the full width on. */
export const shiftFlags: Mask = (after, c) => {
  const count = shiftCount(c)
  if (count === 0) return
  clearFlags(after, FLAG.AF)
  if (count !== 1) clearFlags(after, FLAG.OF)
  if (count >= width(c) && c.form.mnemonic !== 'sar') clearFlags(after, FLAG.CF)
}

export const rotateFlags: Mask = (after, c) => {
  if (shiftCount(c) > 1) clearFlags(after, FLAG.OF)
}

/** SHLD, SHRD: as shifts. Counts over 16 with 16-bit operands are kept out by the inputs. */
export const doubleShiftFlags: Mask = (after, c) => {
  const count = shiftCount(c)
  if (count === 0) return
  clearFlags(after, count === 1 ? FLAG.AF : FLAG.AF | FLAG.OF)
}

/** Small counts more often than the registers' usual contents give them. */
export const smallShiftCount: Prepare = (c) => {
  if (c.random.oneIn(2))
    c.setGpr(RCX, (c.gpr(RCX) & ~0xffn) | BigInt(c.random.pick([0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64])))
  if (c.form.mnemonic.startsWith('sh') && c.form.mnemonic.length === 4 && c.size === 16)
    c.setGpr(RCX, (c.gpr(RCX) & ~0xffn) | BigInt(c.random.below(17)))
}

export function doubleShiftImmediate(c: GeneratedCase): number {
  return c.size === 16 ? c.random.below(17) : c.random.below(256)
}

/** High halves that keep most quotients in range, and some that do not. */
export const prepareDivide: Prepare = (c) => {
  const bytes = width(c) / 8
  const signed = c.form.mnemonic === 'idiv'
  const low = bytes === 1 ? c.gpr(RAX) & 0xffn : BigInt.asUintN(8 * bytes, c.gpr(RAX))
  const negative = signed && low >> BigInt(8 * bytes - 1) === 1n
  let high = negative ? -1n : 0n
  if (c.random.oneIn(3)) high = BigInt(c.random.between(-3, 3))
  if (c.random.oneIn(4)) high = c.rmValue(bytes) - BigInt(c.random.between(0, 2))
  if (bytes === 1) c.setGpr(RAX, (c.gpr(RAX) & ~0xff00n) | (BigInt.asUintN(8, high) << 8n))
  else c.setGpr(RDX, ((c.gpr(RDX) >> BigInt(8 * bytes)) << BigInt(8 * bytes)) | BigInt.asUintN(8 * bytes, high))
  if (c.form.rm === 'mem' && c.rmValue(bytes) === 0n && !c.random.oneIn(8))
    c.setRm(BigInt(c.random.between(1, 200)), bytes)
}

/** The comparand equals the operand every other time. */
export const prepareCompareExchange: Prepare = (c) => {
  if (c.random.oneIn(2)) return
  const bytes = width(c) / 8
  const value = c.rmValue(bytes)
  c.setGpr(RAX, ((c.gpr(RAX) >> BigInt(8 * bytes)) << BigInt(8 * bytes)) | value)
}

/** CMPXCHG8B/16B: EDX:EAX or RDX:RAX equals memory every other time. */
export const prepareCompareExchangePair: Prepare = (c) => {
  if (!c.inWindow() || c.random.oneIn(2)) return
  const half = c.form.memBytes / 2
  const value = c.rmValue(2 * half)
  c.setGpr(RAX, BigInt.asUintN(8 * half, value))
  c.setGpr(RDX, value >> BigInt(8 * half))
}

/** Bit offsets in a register reach beyond the operand: keep them near (the memory forms address a bit string). */
export const prepareBitOffset: Prepare = (c) => {
  if (c.form.rm === 'mem') c.setGpr(c.regNumber, BigInt(c.random.between(-250, 250)))
}

/** Zero sources leave the destination undefined in the manual (Intel) and unchanged on CPUs; both flags cases matter. */
export const bitScanResult: Mask = (after, c) => {
  if (c.rmValue(c.size / 8) !== 0n) return
  // The upper half with 32-bit operands differs between vendors.
  if (c.size === 32) after.setUint32(STATE.gpr + 8 * c.regNumber + 4, 0, true)
}

export const prepareZeroSource: Prepare = (c) => {
  if (c.random.oneIn(6)) c.setRm(0n, c.size / 8)
}

/** RSP into the window's middle, eight-byte aligned or not. */
export const prepareStack: Prepare = (c) => {
  const offset = c.random.between(300, 700)
  c.setGpr(RSP, BigInt(WINDOW_BASE + (c.random.oneIn(3) ? offset : offset & ~7)))
}

/** A linear address in the slot, outside the instruction. */
export function landing(c: GeneratedCase): number {
  for (;;) {
    const offset = c.random.below(SLOT_BYTES)
    if (offset < ENTRY || offset >= ENTRY + c.length) return c.slot + offset
  }
}

/** A return address on top of the stack. */
export const prepareReturn: Prepare = (c) => {
  prepareStack(c)
  c.write(c.gpr(RSP), littleEndian(landing(c), c.mode === 'long64' ? 8 : 4))
}

/** An indirect branch's target: the operand. */
export const prepareIndirect: Prepare = (c) => {
  prepareStack(c)
  if (c.form.rm === 'reg' && c.rmNumber === RSP) return
  prepareTarget(c)
}

/** The same with a stack pointer that is there. */
export const prepareTarget: Prepare = (c) => {
  c.setRm(BigInt(landing(c)), c.size / 8)
}

/** POPF: any flags but TF, which would trap. */
export const preparePopFlags: Prepare = (c) => {
  prepareStack(c)
  const flags = c.random.u32() & ~0x100
  c.write(c.gpr(RSP), littleEndian(BigInt(flags >>> 0), 8))
}

/** ENTER reads the frame pointers below RBP and pushes up to 31 of them. */
export const prepareEnter: Prepare = (c) => {
  c.setGpr(RSP, BigInt(WINDOW_BASE + 720 + 8 * c.random.below(8)))
  c.setGpr(RBP, BigInt(WINDOW_BASE + 400 + c.random.below(64)))
}

export function enterImmediate(c: GeneratedCase, n: number): number {
  if (n === 0) return c.random.below(128)
  return c.random.oneIn(3) ? c.random.below(256) : c.random.below(4)
}

export const prepareLeave: Prepare = (c) => {
  prepareStack(c)
  c.setGpr(RBP, c.gpr(RSP) + BigInt(c.random.between(-200, 200)))
}

export const prepareTable: Prepare = (c) => {
  c.setGpr(RBX, BigInt(WINDOW_BASE + c.random.below(512)))
}

export const prepareLoopCount: Prepare = (c) => {
  if (c.random.oneIn(2)) c.setGpr(RCX, BigInt(c.random.below(3)))
  else if (c.random.oneIn(4)) c.setGpr(RCX, c.gpr(RCX) & ~0xffff_ffffn)
}

export const undefinedFlags = (undef: string, more: RowOptions = {}): RowOptions => ({ undef, ...more })
