import { describe, expect, it } from 'vitest'
import { byteAtColumn, hexColumn, hexRow, textRow, valuesOf, type PageBytes } from './bytes.ts'

function page(bytes: number[], changed: number[] = [], hole: number[] = []): PageBytes {
  const at = (list: number[]) => Uint8Array.from({ length: 4096 }, (_, offset) => (list.includes(offset) ? 1 : 0))
  const all = new Uint8Array(4096)
  all.set(bytes)
  return { bytes: all, changed: at(changed), hole: at(hole) }
}
const never = () => false
const whole = (segments: readonly { text: string }[]) => segments.map((segment) => segment.text).join('')

describe('a row', () => {
  const bytes = [...new TextEncoder().encode('Linux version 6.')]
  it('is sixteen bytes with a gap in the middle', () => {
    expect(whole(hexRow(page(bytes), 0, 16, never))).toBe('4c 69 6e 75 78 20 76 65  72 73 69 6f 6e 20 36 2e')
    expect(whole(textRow(page(bytes), 0, 16, never))).toBe('Linux version 6.')
  })
  it('is eight bytes where there is little room', () => {
    expect(whole(hexRow(page(bytes), 8, 8, never))).toBe('72 73 69 6f 6e 20 36 2e')
    expect(whole(textRow(page(bytes), 0, 8, never))).toBe('Linux ve')
  })
  it('has as few segments as looks', () => {
    expect(hexRow(page(bytes), 0, 16, never)).toHaveLength(1)
    const looks = hexRow(page([1, 0, 2, 3], [2], [3]), 0, 16, never).map((segment) => segment.look)
    expect(looks).toEqual(['plain', 'zero', 'changed', 'hole', 'zero'])
    expect(textRow(page([1]), 0, 16, (offset) => offset === 0)[0]).toEqual({ look: 'found', text: '·' })
  })
  it('finds the byte below the pointer', () => {
    for (let at = 0; at < 16; at++) {
      expect(byteAtColumn(hexColumn(at), 16)).toBe(at)
      expect(byteAtColumn(hexColumn(at) + 1, 16)).toBe(at)
    }
    expect(byteAtColumn(-3, 16)).toBe(0)
    expect(byteAtColumn(99, 16)).toBe(15)
    expect(byteAtColumn(99, 8)).toBe(7)
  })
})

describe('values', () => {
  it('are little-endian', () => {
    const values = valuesOf(Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0xff, 0xff, 0xff, 0xff))
    expect(values).toEqual({
      u8: 0x78,
      u16: 0x5678,
      u32: 0x12345678,
      u64: 0xffffffff12345678n,
      i64: -0xedcba988n,
      text: 'xV4',
    })
    expect(valuesOf(new Uint8Array(7))).toBeUndefined()
  })
})
