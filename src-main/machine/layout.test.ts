import { describe, expect, it } from 'vitest'
import * as layout from './layout.ts'

describe('layout', () => {
  it('splits RAM as QEMU pc does', () => {
    expect(layout.splitRam(64 * layout.MIB)).toEqual({ low: 0x400_0000, high: 0 })
    expect(layout.splitRam(0xe000_0000 - 4096)).toEqual({ low: 0xdfff_f000, high: 0 })
    expect(layout.splitRam(0xe000_0000)).toEqual({ low: 0xc000_0000, high: 0x2000_0000 })
    expect(layout.splitRam(4 * layout.GIB)).toEqual({ low: 0xc000_0000, high: layout.GIB })
  })

  it('refuses RAM that is no RAM', () => {
    for (const size of [0, -4096, 1.5, NaN, 4097 * 1024 + 1, 16 * layout.GIB]) {
      expect(() => layout.splitRam(size)).toThrow(RangeError)
    }
  })

  it('has no overlaps, whatever the RAM', () => {
    for (const size of [layout.MIB, 2 * layout.GIB, 0xe000_0000 - 4096, 4 * layout.GIB, layout.RAM_MAX]) {
      expect(() => layout.checkLayout(size)).not.toThrow()
    }
  })

  it('names both ranges of an overlap', () => {
    const ranges = [
      { name: 'com1', base: 0x3f8, length: 8 },
      { name: 'late', base: 0x3ff, length: 1 },
    ]
    expect(() => layout.refuseOverlaps('ports', ranges)).toThrow(/com1 and late overlap at 0x3ff/)
  })

  it('names a range that leaves its window', () => {
    const window = { name: 'window', base: 0x100, length: 0x10 }
    expect(() => layout.refuseOutside(window, { name: 'bar', base: 0x10c, length: 4 })).not.toThrow()
    expect(() => layout.refuseOutside(window, { name: 'bar', base: 0x10c, length: 8 })).toThrow(
      /bar at 0x10c is not within window/,
    )
  })

  it('routes INTx as the board does', () => {
    // 00:03.0 INTA: (0 + 2) & 3 = PIRQ C; 00:04.0 INTA: PIRQ D; 00:05.0: PIRQ A
    expect([3, 4, 5, 6].map((slot) => layout.pciIrqOf(slot, 1))).toEqual([11, 11, 10, 10])
    expect(layout.pciIrqOf(1, 1)).toBe(layout.IRQ.sci)
    for (let slot = 0; slot < 32; slot++) {
      for (let pin = 1; pin <= 4; pin++) expect(layout.LEVEL_IRQS).toContain(layout.pciIrqOf(slot, pin))
    }
  })
})
