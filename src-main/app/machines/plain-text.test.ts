import { describe, expect, it } from 'vitest'
import { lastLines, plainText } from './plain-text.ts'

const plain = (text: string) => plainText(new TextEncoder().encode(text))

describe('plain text of a console', () => {
  it.each([
    ['\x1b[1;31mred\x1b[0m', 'red'],
    ['\x1b]0;title\x07$ ls\r\n', '$ ls\n'],
    ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['\x1b[?2004h# \x1b(B\x1b7', '# '],
    ['10%\r20%\r30%\n', '30%\n'],
    ['abc\b\bX', 'aXc'],
    ['tab\tkept\x00\x07', 'tab\tkept'],
    ['olá €', 'olá €'],
    ['\x1b[', ''],
  ])('%j', (text, expected) => {
    expect(plain(text)).toBe(expected)
  })
  it('has its last lines for a thumbnail', () => {
    const text = 'one\r\n\r\ntwo  \r\n' + 'x'.repeat(200) + '\r\n# '
    expect(lastLines(new TextEncoder().encode(text), 3, 10)).toEqual(['two', 'x'.repeat(10), '#'])
  })
})
