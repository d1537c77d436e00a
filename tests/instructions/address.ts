// Memory operands: picks an addressing form and gives its registers values such that it points at the wanted address.
import type { GeneratedCase } from './generate.ts'
import { GS_BASE } from './layout.ts'
import { interesting64 } from './random.ts'

export interface AddressBytes {
  /** 0x67 and segment overrides, in any order. */
  prefixes: number[]
  mod: number
  rm: number
  rexX: number
  rexB: number
  /** SIB and displacement. */
  tail: number[]
  /** The last four bytes of tail are relative to the next instruction. */
  ripRelative: boolean
}

const REG_SP = 4
const REG_BP = 5
const SEG_GS = 0x65
/** ES, SS, DS: without effect on flat segments. CS is left out: not writable in compatibility mode. */
const SEG_NOISE = [0x26, 0x36, 0x3e]

export function littleEndian(value: bigint | number, bytes: number): number[] {
  const wide = BigInt.asUintN(bytes * 8, BigInt(value))
  return Array.from({ length: bytes }, (_, i) => Number((wide >> BigInt(8 * i)) & 0xffn))
}

function segmentPrefix(c: GeneratedCase, address: bigint): { prefixes: number[]; offset: bigint } {
  if (c.random.oneIn(16)) return { prefixes: [SEG_GS], offset: address - BigInt(GS_BASE) }
  if (c.random.oneIn(24)) return { prefixes: [c.random.pick(SEG_NOISE)], offset: address }
  return { prefixes: [], offset: address }
}

/** [BX+SI] and so on (SDM vol. 2A, table 2-1). */
const BASE_INDEX_16: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]]

function address16(c: GeneratedCase, address: bigint, free: boolean): AddressBytes {
  const rm = c.random.below(8)
  const offset = address - BigInt(GS_BASE)
  let mod = c.random.below(3)
  const absolute = rm === 6 && mod === 0
  const registers = absolute ? [] : BASE_INDEX_16[rm]
  const usable = registers.every((register) => !c.isReserved(register))
  if (!usable && !free) return { ...address16Absolute(offset) }
  let displacement = 0n
  if (mod === 1) displacement = BigInt(c.random.between(-128, 127))
  if (mod === 2) displacement = BigInt(c.random.below(0x10000))
  if (absolute) displacement = offset
  if (!free && registers.length > 0) {
    const [base, index] = registers as [number, number | undefined]
    const indexValue = index === undefined ? 0n : c.gpr(index) & 0xffffn
    const low = BigInt.asUintN(16, offset - indexValue - displacement)
    c.setGpr(base, (c.gpr(base) & 0xffff0000n) | low)
  }
  const bytes = absolute || mod === 2 ? 2 : mod
  if (absolute) mod = 0
  return {
    prefixes: free ? [0x67] : [0x67, SEG_GS],
    mod,
    rm,
    rexX: 0,
    rexB: 0,
    tail: littleEndian(displacement, bytes),
    ripRelative: false,
  }
}

function address16Absolute(offset: bigint): AddressBytes {
  return {
    prefixes: [0x67, SEG_GS],
    mod: 0,
    rm: 6,
    rexX: 0,
    rexB: 0,
    tail: littleEndian(offset, 2),
    ripRelative: false,
  }
}

function withoutBase(c: GeneratedCase, address: bigint, free: boolean): AddressBytes {
  const { prefixes, offset } = segmentPrefix(c, address)
  const long = c.mode === 'long64'
  const style = c.random.below(long ? 3 : 2)
  const bytes = littleEndian(offset, 4)
  // RIP-relative takes the place of the plain disp32 in 64-bit mode.
  if (style === 2) return { prefixes, mod: 0, rm: 5, rexX: 0, rexB: 0, tail: bytes, ripRelative: true }
  if (style === 1) {
    // SIB without base and without index.
    const scale = c.random.below(4)
    return { prefixes, mod: 0, rm: 4, rexX: 0, rexB: 0, tail: [(scale << 6) | 0x25, ...bytes], ripRelative: false }
  }
  if (!long) return { prefixes, mod: 0, rm: 5, rexX: 0, rexB: 0, tail: bytes, ripRelative: false }
  // Index without base: the index takes what the displacement leaves, so the scale must divide it.
  const index = pickRegister(c, true)
  if (index === undefined) return withoutBase(c, address, free)
  const scale = c.random.below(4)
  const value = BigInt.asIntN(16, interesting64(c.random))
  if (!free) c.setGpr(index, value)
  const displacement = littleEndian(offset - (value << BigInt(scale)), 4)
  const sib = (scale << 6) | ((index & 7) << 3) | 5
  return { prefixes, mod: 0, rm: 4, rexX: index >> 3, rexB: 0, tail: [sib, ...displacement], ripRelative: false }
}

function pickRegister(c: GeneratedCase, asIndex: boolean): number | undefined {
  for (let tries = 0; tries < 20; tries++) {
    const register = c.random.below(c.mode === 'long64' ? 16 : 8)
    if (!c.isReserved(register) && !(asIndex && register === REG_SP)) return register
  }
  return undefined
}

function withBase(c: GeneratedCase, address: bigint, free: boolean): AddressBytes {
  const base = pickRegister(c, false)
  let index = c.random.oneIn(2) ? pickRegister(c, true) : undefined
  if (base === undefined) return withoutBase(c, address, free)
  if (index === base && !free) index = undefined
  const { prefixes, offset } = segmentPrefix(c, address)
  const narrow = c.mode === 'compat32' || (c.random.oneIn(10) && offset < 0x1_0000_0000n && offset >= 0n)
  if (narrow && c.mode === 'long64') prefixes.push(0x67)
  let mod = c.random.below(3)
  if ((base & 7) === REG_BP && mod === 0) mod = 1
  const displacement = mod === 0 ? 0n : BigInt.asIntN(mod === 1 ? 8 : 32, interesting64(c.random))
  const scale = c.random.below(4)
  if (!free) {
    const scaled = index === undefined ? 0n : c.gpr(index) << BigInt(scale)
    let value = offset - displacement - scaled
    // Only the low half counts with 32-bit addresses.
    if (narrow) value = (c.gpr(base) & 0xffff_ffff_0000_0000n) | BigInt.asUintN(32, value)
    c.setGpr(base, value)
  }
  const tail = littleEndian(displacement, [0, 1, 4][mod])
  const needsSib = index !== undefined || (base & 7) === REG_SP || c.random.oneIn(12)
  const sib = (scale << 6) | (((index ?? REG_SP) & 7) << 3) | (base & 7)
  return {
    prefixes,
    mod,
    rm: needsSib ? 4 : base & 7,
    rexX: (index ?? 0) >> 3,
    rexB: base >> 3,
    tail: needsSib ? [sib, ...tail] : tail,
    ripRelative: false,
  }
}

/** [RSP + ...], the stack being where the operand is: POP counts with the RSP that it leaves, PUSH with the one that it finds. */
function withStackPointer(c: GeneratedCase, address: bigint): AddressBytes {
  const mod = c.random.below(3)
  const displacement = mod === 0 ? 0n : BigInt(c.random.between(-100, 100))
  const index = c.random.oneIn(2) ? pickRegister(c, true) : undefined
  const scale = c.random.below(4)
  if (index !== undefined) c.setGpr(index, BigInt(c.random.below(16)))
  const scaled = index === undefined ? 0n : c.gpr(index) << BigInt(scale)
  c.setGpr(REG_SP, address - displacement - scaled)
  const narrow = c.mode === 'long64' && address < 0x8000_0000n && c.random.oneIn(10)
  return {
    prefixes: narrow ? [0x67] : [],
    mod,
    rm: 4,
    rexX: (index ?? 0) >> 3,
    rexB: 0,
    tail: [(scale << 6) | (((index ?? REG_SP) & 7) << 3) | REG_SP, ...littleEndian(displacement, [0, 1, 4][mod])],
    ripRelative: false,
  }
}

/** An addressing form for linear address `address`; with `free` any registers will do (LEA). */
export function makeAddress(c: GeneratedCase, address: bigint, free: boolean): AddressBytes {
  if (c.form.options.onStack) return withStackPointer(c, address)
  const inWindow = address < 0x8000_0000n
  if (c.mode === 'compat32' && c.random.oneIn(6)) return address16(c, address, free)
  if (inWindow && c.random.oneIn(6)) return withoutBase(c, address, free)
  return withBase(c, address, free)
}
