import { describe, expect, it } from 'vitest'
import { EscapeKeys } from './escape.ts'
import { LineEditor } from './line-editor.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('the Ctrl-a keys', () => {
  const feed = (...parts: string[]) => {
    const keys = new EscapeKeys()
    return parts
      .flatMap((part) => keys.feed(bytes(part)))
      .map((action) => (action.kind === 'data' ? new TextDecoder().decode(action.bytes) : action.kind.toUpperCase()))
  }
  it('pass everything else on, Ctrl-C included', () => {
    expect(feed('ls\r\u0003\u001b[A')).toEqual(['ls\r\u0003\u001b[A'])
  })
  it.each([
    ['\u0001x', ['QUIT']],
    ['a\u0001bc', ['a', 'BREAK', 'c']],
    ['\u0001c', ['TOGGLE-MONITOR']],
    ['\u0001h\u0001?', ['HELP', 'HELP']],
    ['\u0001\u0001x', ['\u0001x']],
    ['\u0001z', ['\u0001z']],
  ])('%j', (text, actions) => {
    expect(feed(text)).toEqual(actions)
  })
  it('work when the two keys come apart', () => {
    expect(feed('\u0001', 'x')).toEqual(['QUIT'])
  })
})

describe('the monitor line', () => {
  function editor() {
    const lines: string[] = []
    let screen = ''
    const it = new LineEditor(
      '> ',
      (text) => (screen += text),
      (line) => lines.push(line),
    )
    return { lines, feed: (text: string) => it.feed(bytes(text)), screen: () => screen }
  }
  it('edits', () => {
    const { lines, feed, screen } = editor()
    feed('info mez\u007fm\r')
    feed('junk\u0015quit\r')
    feed('info junk\u0017registers\n')
    expect(lines).toEqual(['info mem', 'quit', 'info registers'])
    expect(screen()).toContain('\r\u001b[K> info me')
  })
  it('remembers', () => {
    const { lines, feed } = editor()
    feed('one\rtwo\r\u001b[A\u001b[A\r\u001b[A\u001b[B\u001b[B!\r')
    expect(lines).toEqual(['one', 'two', 'one', '!'])
  })
  it('ignores keys it does not know', () => {
    const { lines, feed } = editor()
    feed('a\u001b[3~\u001bOPb\u0000\r')
    expect(lines).toEqual(['ab'])
  })
})
