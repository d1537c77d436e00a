import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { event, method } from './definition.ts'
import { decodeFrame, encodeFrame } from './frames.ts'
import { ServiceHost, type AllHandlers } from './host.ts'
import { TroubleError, type FromHost, type Trouble } from './messages.ts'
import { connectServices } from './proxy.ts'

const services = {
  sums: {
    methods: {
      add: method(v.number(), v.number()).returns<number>(),
      mirror: method(v.instance(Uint8Array), v.bigint()).returns<{ bytes: Uint8Array; big: bigint }>(),
      refuse: method().returns<void>(),
      crash: method().returns<void>(),
      never: method().returns<void>(),
      askForEvent: method(v.string()).returns<void>(),
      rename: method(v.pipe(v.string(), v.nonEmpty('it needs a name'), v.maxLength(9))).returns<void>(),
    },
    events: { told: event<string>() },
  },
}
const handlers: AllHandlers<typeof services> = {
  sums: {
    add: (_peer, a, b) => a + b,
    mirror: (_peer, bytes, big) => ({ bytes, big }),
    refuse: () => {
      throw TroubleError.user('there is no more room; free some')
    },
    crash: () => {
      throw new Error('index out of range')
    },
    never: () => new Promise(() => undefined),
    rename: () => undefined,
    askForEvent: (peer, text) => peer.emit('sums', 'told', text),
  },
}

/** A host and as many windows as asked for, through real frames. */
function connected(count = 1) {
  const bugs: Trouble[] = []
  const host = new ServiceHost(services, handlers, (trouble) => bugs.push(trouble))
  const windows = Array.from({ length: count }, () => {
    let toWindow: (message: FromHost) => void = () => undefined
    let closed = () => undefined as void
    const link = host.connect((message) => toWindow(decodeFrame(encodeFrame(message)) as FromHost))
    const proxy = connectServices(services, {
      send: (message) => link.receive(decodeFrame(encodeFrame(message))),
      onMessage: (listener) => (toWindow = listener),
      onClose: (listener) => (closed = listener),
    })
    return { proxy, link, close: () => closed() }
  })
  return { host, bugs, windows, proxy: windows[0].proxy }
}

describe('a service', () => {
  it('is called through a proxy, with bytes and big numbers', async () => {
    const { proxy } = connected()
    expect(await proxy.sums.add(2, 3)).toBe(5)
    const bytes = Uint8Array.of(0, 255, 10)
    expect(await proxy.sums.mirror(bytes, 2n ** 64n - 1n)).toEqual({ bytes, big: 2n ** 64n - 1n })
  })
  it("fails with the user's sentence, or says that the fault is ours", async () => {
    const { proxy, bugs } = connected()
    await expect(proxy.sums.refuse()).rejects.toMatchObject({
      trouble: { cause: 'user', sentence: 'there is no more room; free some' },
    })
    expect(bugs).toEqual([])
    await expect(proxy.sums.crash()).rejects.toMatchObject({
      trouble: { cause: 'bug', details: expect.stringContaining('index out of range') as string },
    })
    expect(bugs).toHaveLength(1)
  })
  it('checks every argument', async () => {
    const { proxy, windows } = connected()
    const wild = proxy.sums as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    await expect(wild.add('2', 3)).rejects.toThrow(/sums\.add: argument 0/)
    await expect(wild.add(2)).rejects.toThrow(/sums\.add/)
    await expect(wild.add(1, 2, 3)).rejects.toThrow(/sums\.add/)
    const raw = windows[0].link
    expect(() => raw.receive({ type: 'call', id: 1, service: '__proto__', method: 'toString', args: [] })).not.toThrow()
    expect(() => raw.receive('nonsense')).not.toThrow()
  })
  it('tells what the user typed wrong by the sentence of that rule', async () => {
    const { proxy, bugs } = connected()
    await proxy.sums.rename('new name')
    await expect(proxy.sums.rename('')).rejects.toMatchObject({
      trouble: { cause: 'user', sentence: 'it needs a name' },
    })
    expect(bugs).toEqual([])
    await expect(proxy.sums.rename('0123456789')).rejects.toMatchObject({ trouble: { cause: 'bug' } })
  })
  it('tells events to all or to one, until nobody listens', async () => {
    const { host, windows } = connected(2)
    const heard = windows.map(({ proxy }) => {
      const listener = vi.fn()
      return { listener, stop: proxy.sums.on('told', listener) }
    })
    host.emit('sums', 'told', 'all')
    await windows[1].proxy.sums.askForEvent('one')
    heard[0].stop()
    host.emit('sums', 'told', 'late')
    expect(heard[0].listener.mock.calls).toEqual([['all']])
    expect(heard[1].listener.mock.calls).toEqual([['all'], ['one'], ['late']])
  })
  it('rejects what is under way when the connection ends, and what comes after', async () => {
    const { proxy, windows } = connected()
    const call = proxy.sums.never()
    windows[0].close()
    await expect(call).rejects.toMatchObject({ trouble: { cause: 'lost' } })
    await expect(proxy.sums.add(1, 2)).rejects.toMatchObject({ trouble: { cause: 'lost' } })
  })
  it('runs what waits for the end of a window once, also afterwards', () => {
    const peers: { onEnd(listener: () => void): void }[] = []
    const host = new ServiceHost(
      services,
      { sums: { ...handlers.sums, refuse: (peer) => void peers.push(peer) } },
      () => undefined,
    )
    const link = host.connect(() => undefined)
    link.receive({ type: 'call', id: 1, service: 'sums', method: 'refuse', args: [] })
    const ended = vi.fn()
    peers[0].onEnd(ended)
    link.end()
    peers[0].onEnd(ended)
    expect(ended).toHaveBeenCalledTimes(2)
  })
})

describe('frames', () => {
  it('keep what is not there in a list', () => {
    const list = [{ a: 1 }, undefined, null, [undefined], 2n, undefined]
    expect(decodeFrame(encodeFrame({ list }))).toStrictEqual({ list })
    const bytes = Uint8Array.of(7)
    expect(decodeFrame(encodeFrame([undefined, bytes]))).toStrictEqual([undefined, bytes])
  })
  it('carry byte arrays out of line, also views, empty ones and buffers of Node', () => {
    const whole = Uint8Array.of(1, 2, 3, 4)
    const message = { a: whole.subarray(1, 3), list: [new Uint8Array(), Buffer.from('hé')], text: 'ü', none: undefined }
    const frame = encodeFrame(message)
    expect(frame).toBeInstanceOf(Uint8Array)
    expect(decodeFrame(frame)).toEqual({
      a: Uint8Array.of(2, 3),
      list: [new Uint8Array(), new Uint8Array(Buffer.from('hé'))],
      text: 'ü',
    })
  })
  it('refuse what is cut off or lies about its length', () => {
    const frame = encodeFrame({ a: Uint8Array.of(1, 2, 3) }) as Uint8Array
    for (let length = 0; length < frame.length; length++) expect(() => decodeFrame(frame.subarray(0, length))).toThrow()
    const lying = Uint8Array.from(frame)
    lying[0] = 0xff
    expect(() => decodeFrame(lying)).toThrow(RangeError)
  })
})
