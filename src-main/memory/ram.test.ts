import { describe, expect, it } from 'vitest'
import { HIGH_RAM_START, Ram } from './ram.ts'

const KIB = 1024

function makeRam() {
  const writes: [number, number][] = []
  const ram = new Ram(
    new SharedArrayBuffer(64 * KIB),
    { base: 4 * KIB, lowSize: 16 * KIB, highSize: 8 * KIB },
    (gpa, length) => writes.push([gpa, length]),
  )
  return { ram, writes }
}

describe('Ram', () => {
  it('maps low and high memory and nothing else', () => {
    const { ram } = makeRam()
    expect(ram.size).toBe(24 * KIB)
    expect(ram.offset(0, 16 * KIB)).toBe(4 * KIB)
    expect(ram.offset(HIGH_RAM_START, 8 * KIB)).toBe(20 * KIB)
    expect(ram.offset(16 * KIB - 1, 2)).toBe(-1)
    expect(ram.offset(HIGH_RAM_START - 1, 2)).toBe(-1)
    expect(ram.offset(HIGH_RAM_START + 8 * KIB, 1)).toBe(-1)
    expect(ram.offset(0, 20 * KIB)).toBe(-1)
  })

  it('refuses addresses that are no whole numbers in range', () => {
    const { ram } = makeRam()
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 64]) {
      expect(ram.offset(bad, 1)).toBe(-1)
      expect(ram.readU32(bad)).toBeUndefined()
      expect(ram.writeU32(bad, 1)).toBe(false)
    }
    expect(ram.offset(8, -4)).toBe(-1)
  })

  it('reads and writes little-endian at any alignment, and tells who dropped code', () => {
    const { ram, writes } = makeRam()
    expect(ram.writeU64(0x101, 0x1122334455667788n)).toBe(true)
    expect(ram.readU8(0x101)).toBe(0x88)
    expect(ram.readU16(0x102)).toBe(0x6677)
    expect(ram.readU32(0x105)).toBe(0x11223344)
    expect(ram.readU64(0x101)).toBe(0x1122334455667788n)
    ram.writeU8(0, 0xab)
    ram.writeU16(2, 0xcdef)
    ram.writeU32(4, 0xdeadbeef)
    expect(ram.readU32(0)).toBe(0xcdef00ab)
    expect(ram.readU32(4)).toBe(0xdeadbeef)
    expect(writes).toEqual([
      [0x101, 8],
      [0, 1],
      [2, 2],
      [4, 4],
    ])
  })

  it('copies in and out', () => {
    const { ram, writes } = makeRam()
    expect(ram.write(HIGH_RAM_START + 5, Uint8Array.of(1, 2, 3))).toBe(true)
    const copy = ram.read(HIGH_RAM_START + 5, 3)
    expect(copy).toEqual(Uint8Array.of(1, 2, 3))
    expect(copy?.buffer).not.toBe(ram.bytes.buffer)
    expect(ram.write(16 * KIB - 2, Uint8Array.of(1, 2, 3))).toBe(false)
    ram.written(0x200, 0)
    ram.written(0x200, 7)
    expect(writes).toEqual([
      [HIGH_RAM_START + 5, 3],
      [0x200, 7],
    ])
  })

  it('refuses a layout that does not fit', () => {
    expect(() => new Ram(new ArrayBuffer(10), { base: 4, lowSize: 8, highSize: 0 })).toThrow(RangeError)
  })
})
