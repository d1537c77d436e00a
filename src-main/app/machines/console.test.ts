import { describe, expect, it, vi } from 'vitest'
import { CONSOLE_WINDOW_BYTES } from '../../contract/services/machines.ts'
import { MachineConsole } from './console.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (data: string) => new TextEncoder().encode(data)

/** A view that draws `pace` bytes at a time, whenever it is asked to. */
function slowView(console: MachineConsole) {
  const seen: { position: number; data: string }[] = []
  const view = console.open((position, data) => seen.push({ position, data: text(data) }))
  const all = () => seen.map(({ data }) => data).join('')
  return { view, seen, all, confirmAll: () => view.confirm(view.sent) }
}

describe('a console', () => {
  it('gives each view what comes from its opening on, and keeps what came before', async () => {
    const console = new MachineConsole()
    await console.write(bytes('before '))
    const view = slowView(console)
    await console.write(bytes('after'))
    expect(text(console.kept().bytes)).toBe('before after')
    expect(view.seen).toEqual([{ position: 7, data: 'after' }])
  })
  it('keeps at least what it promises, and says where that begins', async () => {
    const console = new MachineConsole(10)
    for (const word of ['aaaa', 'bbbb', 'cccc', 'dddd']) await console.write(bytes(word))
    expect(console.kept()).toEqual({ position: 4, bytes: bytes('bbbbccccdddd') })
    expect(text(console.tail(6))).toBe('ccdddd')
  })
  it('makes the guest wait for a view that draws slowly, and loses nothing', async () => {
    const console = new MachineConsole()
    const view = slowView(console)
    const burst = 'x'.repeat(CONSOLE_WINDOW_BYTES)
    await console.write(bytes(burst))
    let written = false
    const second = console.write(bytes('y'.repeat(1000))).then(() => (written = true))
    await Promise.resolve()
    expect([written, view.all().length]).toEqual([false, CONSOLE_WINDOW_BYTES])
    view.confirmAll()
    await second
    expect(view.all()).toBe(burst + 'y'.repeat(1000))
  })
  it('waits for nobody who is gone', async () => {
    const console = new MachineConsole()
    const view = slowView(console)
    const write = console.write(new Uint8Array(CONSOLE_WINDOW_BYTES + 1))
    view.view.close()
    await write
    expect(console.end).toBe(CONSOLE_WINDOW_BYTES + 1)
  })
  it('stops waiting for a view that draws nothing, and goes on with it when it does', async () => {
    vi.useFakeTimers()
    try {
      const console = new MachineConsole(1000)
      const view = slowView(console)
      await console.write(new Uint8Array(CONSOLE_WINDOW_BYTES))
      const late = console.write(bytes('late'))
      await vi.advanceTimersByTimeAsync(60_000)
      await late
      await console.write(new Uint8Array(5000))
      await console.write(bytes('newest'))
      view.confirmAll()
      const last = view.seen.at(-1)!
      expect(last.data.endsWith('newest')).toBe(true)
      // What was no longer kept is a jump of the position, not a silent hole.
      expect(last.position).toBeGreaterThan(CONSOLE_WINDOW_BYTES)
      expect(last.position + last.data.length).toBe(console.end)
    } finally {
      vi.useRealTimers()
    }
  })
  it('has one view answer what the guest asks: the one that was typed into last, and none beside a terminal', () => {
    const console = new MachineConsole()
    const turns: string[] = []
    const open = (name: string) =>
      console.open(
        () => undefined,
        (answers) => turns.push(`${name} ${answers}`),
      )
    const told = () => turns.splice(0)
    console.open(() => undefined)
    const a = open('a')
    const b = open('b')
    expect(told()).toEqual(['a true', 'a false', 'b true'])
    b.typed()
    expect(told()).toEqual([])
    a.typed()
    expect(told()).toEqual(['b false', 'a true'])
    const terminal = console.open(() => undefined, 'always')
    expect(told()).toEqual(['a false'])
    b.typed()
    terminal.close()
    expect(told()).toEqual(['b true'])
    b.close()
    expect(told()).toEqual(['b false', 'a true'])
  })
  it('takes no confirmation for more than was sent', async () => {
    const console = new MachineConsole()
    const { view } = slowView(console)
    await console.write(bytes('abc'))
    view.confirm(1e9)
    expect(view.confirmed).toBe(3)
  })
})
