import { describe, expect, it } from 'vitest'
import { hex, pageOf, parseExpression, parsePattern, rowOf, spaced, wrap } from './address.ts'

const number = (value: bigint, sign: 1n | -1n = 1n) => ({ kind: 'number', value, sign })
const name = (word: string, sign: 1n | -1n = 1n) => ({ kind: 'name', name: word, sign })

describe('an address that is typed', () => {
  it('is hexadecimal, with or without 0x', () => {
    expect(parseExpression('0x1000')).toEqual([number(0x1000n)])
    expect(parseExpression('ffffffff81000000')).toEqual([number(0xffffffff81000000n)])
    expect(parseExpression('ffffffff`81000000')).toEqual([number(0xffffffff81000000n)])
    expect(parseExpression('7fff')).toEqual([number(0x7fffn)])
  })
  it('may be names and sums', () => {
    expect(parseExpression('rsp+8')).toEqual([name('rsp'), number(8n)])
    expect(parseExpression(' %rip - 0x10 + linux_banner ')).toEqual([
      name('rip'),
      number(0x10n, -1n),
      name('linux_banner'),
    ])
    expect(parseExpression('cafe')).toEqual([name('cafe')])
  })
  it('is nothing else', () => {
    for (const text of ['', ' ', 'a b', '1+', '+', '0x', '1ffffffffffffffff0', 'rsp*8']) {
      expect([text, parseExpression(text)]).toEqual([text, undefined])
    }
  })
  it('wraps around', () => {
    expect(wrap(-1n)).toBe(0xffffffffffffffffn)
    expect(wrap((1n << 64n) + 5n)).toBe(5n)
    expect(pageOf(0x1fffn)).toBe(0x1000n)
    expect(rowOf(0x1fffn, 16)).toBe(0x1ff0n)
    expect(hex(0x10n)).toBe('0000000000000010')
    expect(spaced(0xffff888000000000n)).toBe('ffff8880 00000000')
  })
})

describe('what is searched for', () => {
  it('is bytes when it looks like bytes, else text', () => {
    expect(parsePattern('de ad be ef')).toEqual(Uint8Array.of(0xde, 0xad, 0xbe, 0xef))
    expect(parsePattern('0x7f45')).toEqual(Uint8Array.of(0x7f, 0x45))
    expect(parsePattern('Linux')).toEqual(new TextEncoder().encode('Linux'))
    expect(parsePattern('"de ad"')).toEqual(new TextEncoder().encode('de ad'))
    expect(parsePattern('dead')).toEqual(new TextEncoder().encode('dead'))
    expect(parsePattern('')).toBeUndefined()
    expect(parsePattern('x'.repeat(257))).toBeUndefined()
  })
})
