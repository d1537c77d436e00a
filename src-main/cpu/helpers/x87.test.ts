import { describe, expect, it } from 'vitest'
import { EXIT } from '../interpreter/loop.ts'
import { AT, RAX } from '../state/layout.ts'
import { bareCpu, enterFlat64, FLAT_CODE } from '../test-flat64.ts'

const DATA = 0x20000
const cpu = bareCpu(1 << 20, 8, undefined, {
  warn: (text) => {
    throw new Error(text)
  },
})
const { ramBase } = cpu.map
const data = new DataView(cpu.bytes.buffer, ramBase + DATA)

/** Runs code in flat 64-bit mode, RAX = DATA, after FNINIT; returns the exit. */
function run(...code: (number | number[])[]): number {
  enterFlat64(cpu)
  // OSFXSR and OSXMMEXCPT too
  cpu.setU64(AT.cr4, 0x620n)
  const bytes = [0xdb, 0xe3, ...code.flat(), 0xf4]
  cpu.bytes.set(bytes, ramBase + FLAT_CODE)
  cpu.written(ramBase + FLAT_CODE, bytes.length)
  cpu.setU64(AT.rip, BigInt(FLAT_CODE))
  cpu.setGpr(RAX, BigInt(DATA))
  return cpu.run(1000)
}
/** Memory operand [rax + displacement]. */
const at = (opcode: number, digit: number, displacement = 0): number[] => [opcode, 0x40 | (digit << 3), displacement]
const status = (): number => cpu.u32(AT.fsw)
const FLDPI = [0xd9, 0xeb]
const FLD1 = [0xd9, 0xe8]
const FLDZ = [0xd9, 0xee]
const fstp80 = (displacement = 0): number[] => at(0xdb, 7, displacement)
const ten = (displacement = 0): string =>
  data
    .getUint16(displacement + 8, true)
    .toString(16)
    .padStart(4, '0') + data.getBigUint64(displacement, true).toString(16).padStart(16, '0')
/** Runs, then the 80 bits of ST(0). */
function top(...code: (number | number[])[]): string {
  expect(run(...code, fstp80(64))).toBe(EXIT.halt)
  return ten(64)
}

describe('x87', () => {
  it('loads constants by the rounding control', () => {
    expect(top(FLDPI)).toBe('4000c90fdaa22168c235')
    data.setUint16(0, 0xf7f, true)
    expect(top(at(0xd9, 5), FLDPI)).toBe('4000c90fdaa22168c234')
    expect(top([0xd9, 0xe9])).toBe('4000d49a784bcd1b8afe')
    expect(top([0xd9, 0xea])).toBe('3fffb8aa3b295c17f0bc')
    expect(top([0xd9, 0xec])).toBe('3ffd9a209a84fbcff799')
    expect(top([0xd9, 0xed])).toBe('3ffeb17217f7d1cf79ac')
    expect(status() & 0x3f).toBe(0)
  })
  it('adds, subtracts, multiplies and divides in every form', () => {
    data.setFloat64(0, 10, true)
    data.setFloat64(8, 4, true)
    const both = [at(0xdd, 0), at(0xdd, 0, 8)]
    // FDIVRP ST(1): ST(1) = ST(0) / ST(1); FDIVP the other way round
    expect(run(...both, [0xde, 0xf1], at(0xdd, 3, 16))).toBe(EXIT.halt)
    expect(data.getFloat64(16, true)).toBe(0.4)
    run(...both, [0xde, 0xf9], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(2.5)
    run(...both, [0xdc, 0xe9], [0xd9, 0xc9], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(6)
    data.setInt16(24, -3, true)
    run(...both, at(0xde, 1, 24), at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(-12)
    run(...both, [0xd8, 0xe1], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(-6)
  })
  it('rounds to the precision control and reports the direction in C1', () => {
    data.setUint16(0, 0x07f, true)
    data.setInt16(2, 3, true)
    expect(top(at(0xd9, 5), FLD1, at(0xde, 6, 2))).toBe('3ffdaaaaab0000000000')
    run(at(0xd9, 5), FLD1, at(0xde, 6, 2))
    expect(status() & 0x220).toBe(0x220)
    expect(top(FLD1, at(0xde, 6, 2))).toBe('3ffdaaaaaaaaaaaaaaab')
  })
  it('answers stack faults with the indefinite, or leaves everything when unmasked', () => {
    expect(top([0xd8, 0xc1])).toBe('ffffc000000000000000')
    run([0xd8, 0xc1])
    expect(status() & 0x241).toBe(0x41)
    expect(run(...Array.from({ length: 9 }, () => FLD1))).toBe(EXIT.halt)
    expect(status() & 0x241).toBe(0x241)
    data.setUint16(0, 0x37e, true)
    expect(run(at(0xd9, 5), [0xd8, 0xc1], 0x90, 0x9b)).toBe(EXIT.exception)
    expect(cpu.u32(AT.excVector)).toBe(16)
    expect(status() & 0x80c1).toBe(0x80c1)
    expect(cpu.u32(AT.fop)).toBe(0x0c1)
    expect(cpu.u64(AT.fip)).toBe(0x10005n)
  })
  it('compares into condition codes and flags', () => {
    run(FLDZ, FLD1, [0xd8, 0xd1])
    expect(status() & 0x4700).toBe(0)
    run(FLD1, FLDZ, [0xd8, 0xd1])
    expect(status() & 0x4700).toBe(0x100)
    run(FLD1, FLD1, [0xdb, 0xf1])
    expect(cpu.rflags & 0x8d5).toBe(0x40)
    // 0/0, then FUCOMI of a quiet NaN: unordered, no new exception
    run(FLDZ, FLDZ, [0xd8, 0xf1], [0xdb, 0xe2], [0xdb, 0xe9])
    expect(cpu.rflags & 0x8d5).toBe(0x45)
    expect(status() & 1).toBe(0)
    run(FLDZ, FLDZ, [0xd8, 0xf1], [0xdb, 0xe2], [0xdb, 0xf1])
    expect(status() & 1).toBe(1)
    run([0xd9, 0xe5])
    expect(status() & 0x4500).toBe(0x4100)
  })
  it('stores integers and packed decimals, with the indefinites', () => {
    data.setFloat64(0, -2.5, true)
    run(at(0xdd, 0), at(0xdf, 3, 8), at(0xdd, 0), at(0xdf, 1, 10), at(0xdd, 0), at(0xdf, 6, 16))
    expect(data.getInt16(8, true)).toBe(-2)
    expect(data.getInt16(10, true)).toBe(-2)
    expect(ten(16)).toBe('80000000000000000002')
    data.setFloat64(0, 40000, true)
    run(at(0xdd, 0), at(0xdf, 3, 8), [0xdf, 0xe0])
    expect(data.getUint16(8, true)).toBe(0x8000)
    expect(cpu.gpr(RAX, 2) & 1n).toBe(1n)
    data.setBigUint64(0, 0x123456789012345678n & 0xffffffffffffffffn, true)
    data.setUint16(8, 0x8012, true)
    run(at(0xdf, 4), at(0xdf, 7, 16))
    expect(data.getBigInt64(16, true)).toBe(-123456789012345678n)
  })
  it('takes remainders, partial ones too', () => {
    data.setFloat64(0, 7, true)
    data.setFloat64(8, 4, true)
    run(at(0xdd, 0, 8), at(0xdd, 0), [0xd9, 0xf8], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(3)
    run(at(0xdd, 0, 8), at(0xdd, 0), [0xd9, 0xf5], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(-1)
    data.setFloat64(0, 1e300, true)
    run(at(0xdd, 0, 8), at(0xdd, 0), [0xd9, 0xf8])
    expect(status() & 0x400).toBe(0x400)
  })
  it('scales, extracts, takes roots', () => {
    data.setFloat64(0, 12, true)
    data.setFloat64(8, -2.9, true)
    run(at(0xdd, 0, 8), at(0xdd, 0), [0xd9, 0xfd], at(0xdd, 3, 16))
    expect(data.getFloat64(16, true)).toBe(3)
    run(at(0xdd, 0), [0xd9, 0xf4], at(0xdd, 3, 16), at(0xdd, 3, 24))
    expect([data.getFloat64(16, true), data.getFloat64(24, true)]).toEqual([1.5, 3])
    data.setFloat64(0, 2, true)
    expect(top(at(0xdd, 0), [0xd9, 0xfa])).toBe('3fffb504f333f9de6484')
  })
  it('saves and restores the whole state', () => {
    expect(run(FLDPI, FLD1, at(0xdd, 6), at(0xdd, 4), fstp80(120 - 8), at(0xd9, 6, 0))).toBe(EXIT.halt)
    expect(ten(112)).toBe('3fff8000000000000000')
    expect(data.getUint16(4, true)).toBe(0x3800)
    expect(data.getUint16(8, true)).toBe(0x3fff)
  })
  it('turns angles into coordinates and back', () => {
    // FPTAN pushes 1; FPATAN of both gives the angle
    data.setFloat64(0, 0.5, true)
    expect(top(at(0xdd, 0), [0xd9, 0xf2], [0xd9, 0xf3])).toBe('3ffe8000000000000000')
    run(at(0xdd, 0), [0xd9, 0xfb], at(0xdd, 3, 16), at(0xdd, 3, 24))
    expect([data.getFloat64(16, true), data.getFloat64(24, true)]).toEqual([Math.cos(0.5), Math.sin(0.5)])
    data.setFloat64(0, 2 ** 63, true)
    run(at(0xdd, 0), [0xd9, 0xfe])
    expect(status() & 0x400).toBe(0x400)
  })
  it('takes logarithms and powers', () => {
    data.setFloat64(0, 2 ** 40, true)
    expect(top(FLD1, at(0xdd, 0), [0xd9, 0xf1])).toBe('4004a000000000000000')
    expect(status() & 0x3f).toBe(0)
    run(FLD1, FLDZ, [0xd9, 0xf1])
    expect(status() & 0x3f).toBe(4)
    expect(top(FLD1, [0xd9, 0xe0], [0xd9, 0xf0])).toBe('bffe8000000000000000')
  })
  it('raises #NM while the task switched flag is set', () => {
    run(FLD1)
    cpu.setU64(AT.cr0, 0x8005003bn)
    cpu.setU64(AT.rip, 0x10002n)
    expect(cpu.run(10)).toBe(EXIT.exception)
    expect(cpu.u32(AT.excVector)).toBe(7)
  })
})
