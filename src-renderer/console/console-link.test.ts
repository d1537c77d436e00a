import { describe, expect, it, vi } from 'vitest'
import { connectLongmode } from '../../src-main/contract/services/index.ts'
import { FakeHost } from '../../tests/window/fake-host.ts'
import { bootText } from '../../tests/window/fake-machines.ts'
import { ConsoleLink } from './console-link.ts'

function setUp() {
  const host = new FakeHost({ now: 0 })
  const shown: { what: string; text: string }[] = []
  const waiting: (() => void)[] = []
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const troubles: unknown[] = []
  const turns: boolean[] = []
  const link = new ConsoleLink(
    connectLongmode(host.carrier()).machines,
    { id: 'tutorial', console: 0 },
    {
      write: (bytes, drawn) => {
        shown.push({ what: 'write', text: decode(bytes) })
        waiting.push(drawn)
      },
      replay: (bytes, drawn) => {
        shown.push({ what: 'replay', text: decode(bytes) })
        waiting.push(drawn)
      },
      gap: (bytes) => shown.push({ what: 'gap', text: String(bytes) }),
      answers: (allowed) => turns.push(allowed),
    },
    (error) => troubles.push(error),
  )
  const draw = () => {
    for (const drawn of waiting.splice(0)) drawn()
  }
  return { host, link, shown, draw, troubles, turns }
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 5))
const start = new TextEncoder().encode(bootText).length

describe('output', () => {
  it('is what was said before, then what comes, each byte once', async () => {
    const { host, link, shown } = setUp()
    await link.open()
    host.say('tutorial', 'abc')
    host.host.emit('machines', 'consoleOutput', {
      id: 'tutorial',
      console: 0,
      position: start + 1,
      bytes: new TextEncoder().encode('bcd'),
    })
    host.host.emit('machines', 'consoleOutput', { id: 'other', console: 0, position: 0, bytes: Uint8Array.of(65) })
    host.host.emit('machines', 'consoleOutput', { id: 'tutorial', console: 1, position: 0, bytes: Uint8Array.of(66) })
    await settle()
    expect(shown).toEqual([
      { what: 'replay', text: bootText },
      { what: 'write', text: 'abc' },
      { what: 'write', text: 'd' },
    ])
  })
  it('shows what is missing', async () => {
    const { host, link, shown } = setUp()
    await link.open()
    host.host.emit('machines', 'consoleOutput', {
      id: 'tutorial',
      console: 0,
      position: start + 7,
      bytes: Uint8Array.of(65),
    })
    await settle()
    expect(shown.slice(1)).toEqual([
      { what: 'gap', text: '7' },
      { what: 'write', text: 'A' },
    ])
  })
  it('is confirmed when it is drawn, and gathered', async () => {
    vi.useFakeTimers()
    const { host, link, draw } = setUp()
    await link.open()
    host.say('tutorial', 'abc')
    await vi.advanceTimersByTimeAsync(200)
    expect(host.confirmed).toBe(0)
    draw()
    await vi.advanceTimersByTimeAsync(200)
    expect(host.confirmed).toBe(start + 3)
    link.close()
    vi.useRealTimers()
  })
})

describe('questions of the guest', () => {
  it('are answered when it is this view that shall', async () => {
    const { host, link, turns } = setUp()
    host.answers = false
    await link.open()
    host.turn('other', true)
    host.turn('tutorial', true)
    await settle()
    expect(turns).toEqual([false, true])
    link.close()
    host.turn('tutorial', false)
    await settle()
    expect(turns).toEqual([false, true])
  })
})

describe('input', () => {
  it('goes out in order and whole, also a long paste', async () => {
    const { host, link } = setUp()
    await link.open()
    const paste = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('')
    link.type(new TextEncoder().encode(paste))
    link.type(new TextEncoder().encode('end'))
    await vi.waitFor(() => expect(host.typed.endsWith('end')).toBe(true), 10_000)
    expect(host.typed).toBe(`${paste}end`)
  })
  it('stops with its console', async () => {
    const { host, link, shown } = setUp()
    await link.open()
    link.close()
    host.say('tutorial', 'late')
    await settle()
    expect(shown.map((one) => one.text)).not.toContain('late')
  })
})
