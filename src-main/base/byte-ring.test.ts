import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ByteRing } from './byte-ring.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (array: Uint8Array) => new TextDecoder().decode(array)

describe('a byte ring', () => {
  it('gives back what was put in, in order, over its end', () => {
    const ring = ByteRing.allocate(8)
    expect(ring.write(bytes('abcdef'))).toBe(6)
    expect(text(ring.read(4))).toBe('abcd')
    expect(ring.write(bytes('ghijkl'))).toBe(6)
    expect(ring.room).toBe(0)
    expect(text(ring.read())).toBe('efghijkl')
    expect(ring.length).toBe(0)
    expect(ring.read()).toHaveLength(0)
  })
  it('takes only what fits and says how much', () => {
    const ring = ByteRing.allocate(4)
    expect(ring.write(bytes('abcdef'))).toBe(4)
    expect(ring.write(bytes('x'))).toBe(0)
    expect(ring.waitForRoom(1)).toBe(false)
    expect(text(ring.read(1))).toBe('a')
    expect(ring.waitForRoom(1)).toBe(true)
  })
  it('carries a mark between its bytes', () => {
    const ring = ByteRing.allocate(8)
    ring.write(bytes('ab'))
    ring.mark()
    ring.write(bytes('cd'))
    expect(ring.takeMark()).toBe(false)
    expect(text(ring.read(1))).toBe('a')
    expect(text(ring.read())).toBe('b')
    expect(ring.read()).toHaveLength(0)
    expect(ring.takeMark()).toBe(true)
    expect(ring.takeMark()).toBe(false)
    expect(text(ring.read())).toBe('cd')
    ring.mark()
    expect(ring.takeMark()).toBe(true)
  })
  it('refuses a size that is no power of two', () => {
    expect(() => ByteRing.allocate(12)).toThrow('power of two')
  })
  it('goes on when its counters wrap', () => {
    const ring = ByteRing.allocate(8)
    new Int32Array(ring.buffer, 0, 2).fill(-3)
    expect(ring.write(bytes('abcdef'))).toBe(6)
    expect(ring.length).toBe(6)
    expect(text(ring.read())).toBe('abcdef')
  })
  it('carries a long stream between threads without losing a byte, whoever is faster', async () => {
    const ring = ByteRing.allocate(1024)
    const total = 300_000
    const source = `
      import { parentPort, workerData } from 'node:worker_threads'
      const { ByteRing } = await import(workerData.module)
      const ring = new ByteRing(workerData.buffer)
      let next = 0
      while (next < ${String(total)}) {
        const part = new Uint8Array(Math.min(1 + (next % 700), ${String(total)} - next))
        for (let i = 0; i < part.length; i++) part[i] = (next + i) % 251
        let sent = 0
        while (sent < part.length) {
          ring.waitForRoom()
          sent += ring.write(part.subarray(sent))
        }
        next += part.length
      }`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: { buffer: ring.buffer, module: new URL('./byte-ring.ts', import.meta.url).href },
    })
    let seen = 0
    let wrong = 0
    while (seen < total) {
      await ring.dataAvailable()
      for (const byte of ring.read(1 + (seen % 333))) if (byte !== seen++ % 251) wrong++
    }
    await worker.terminate()
    expect(wrong).toBe(0)
    expect(ring.length).toBe(0)
  })
})
