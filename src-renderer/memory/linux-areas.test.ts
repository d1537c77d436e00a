import { describe, expect, it } from 'vitest'
import { areasOf } from './linux-areas-table.ts'

const nameAt = (ranges: readonly bigint[], address: bigint) =>
  areasOf(ranges.map((start) => ({ start }))).find(({ start, end }) => address >= start && address < end)?.name

describe('the areas of Linux', () => {
  it('are at their usual places without KASLR', () => {
    const map = [0x400000n, 0xffff888000000000n]
    expect(nameAt(map, 0x400000n)).toBe('area.user')
    expect(nameAt(map, 0xffff888000100000n)).toBe('area.direct')
    expect(nameAt(map, 0xffffc90000000000n)).toBe('area.vmalloc')
    expect(nameAt(map, 0xffffea0000000000n)).toBe('area.vmemmap')
    expect(nameAt(map, 0xffffffffa0000000n)).toBe('area.modules')
    expect(nameAt(map, 0x0000800000000000n)).toBeUndefined()
  })
  it('are not told apart where KASLR moved them', () => {
    const map = [0xffff95dac0000000n]
    expect(nameAt(map, 0xffff95dac0000000n)).toBe('area.shuffled')
    expect(nameAt(map, 0xffffffffa0000000n)).toBe('area.text')
    expect(nameAt(map, 0xffffffffc0000000n)).toBe('area.modules')
  })
})
