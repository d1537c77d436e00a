import { describe, expect, test } from 'vitest'
import { FakeTimers, SlowTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { Hpet } from './hpet.ts'

function board(timers = new FakeTimers()) {
  const seen = { irq0: 0, irq8: 0, legacy: [] as boolean[], inputs: new Map<number, boolean>(), edges: 0 }
  const hpet = new Hpet({
    timers,
    irq0: {
      set: (level) => {
        if (level) seen.irq0++
      },
    },
    irq8: {
      set: (level) => {
        if (level) seen.irq8++
      },
    },
    setInput: (input, level) => {
      if (level && !seen.inputs.get(input)) seen.edges++
      seen.inputs.set(input, level)
    },
    onLegacy: (on) => void seen.legacy.push(on),
  })
  const write = (offset: number, value: number): void => hpet.writeMmio(offset, 4, value >>> 0)
  const read = (offset: number): number => hpet.readMmio(offset, 4)
  return { timers, seen, hpet, write, read }
}

const T0 = 0x100
const CMP0 = 0x108
const T1 = 0x120
const CMP1 = 0x128

describe('HPET', () => {
  test('capabilities: 8086, three 64-bit timers, legacy replacement, 10 ns', () => {
    const { read } = board()
    expect(read(0)).toBe(0x8086a201)
    expect(read(4)).toBe(10_000_000)
    expect(read(T0) & 0x8030).toBe(0x30)
    expect(read(T0 + 4)).toBe(0x00ff0000)
  })

  test('the counter stands until it is enabled, counts 10 ns, stops again, can be written', () => {
    const { timers, read, write } = board()
    timers.advance(12345)
    expect(read(0xf0)).toBe(0)
    write(0x10, 1)
    timers.advance(1_000_000)
    expect(read(0xf0)).toBe(100_000)
    write(0x10, 0)
    timers.advance(500)
    expect(read(0xf0)).toBe(100_000)
    write(0xf0, 0xffffffff)
    write(0xf4, 1)
    write(0x10, 1)
    timers.advance(20)
    expect([read(0xf0), read(0xf4)]).toEqual([1, 2])
  })

  test('one-shot on IRQ 0 in legacy replacement, as Linux programs it (32-bit)', () => {
    const { timers, seen, read, write } = board()
    write(0x10, 3)
    expect(seen.legacy).toEqual([true])
    write(T0, 0x104)
    write(CMP0, read(0xf0) + 1000)
    timers.advance(9_999)
    expect(seen.irq0).toBe(0)
    timers.advance(1)
    expect(seen.irq0).toBe(1)
    timers.advance(1e9)
    expect(seen.irq0).toBe(1)
    write(0x10, 1)
    expect(seen.legacy).toEqual([true, false])
  })

  test('a match while the guest writes a register comes once, whenever it falls', () => {
    for (let ticks = 0; ticks < 2000; ticks += 25) {
      const { timers, seen, read, write } = board(new SlowTimers())
      write(0x10, 3)
      write(T0, 0x104)
      write(CMP0, read(0xf0) + 300 + ticks)
      for (const [register, value] of [
        [T0, 0x104],
        [0x20, 0],
        [T1, 0],
        [T0, 0x104],
        [0x10, 3],
      ] as const)
        write(register, value)
      timers.advance(100_000)
      expect([ticks, seen.irq0]).toEqual([ticks, 1])
    }
  })

  test("periodic: Linux's two comparator writes; the phase stays, late ones come once", () => {
    const { timers, seen, read, write } = board()
    write(0x10, 3)
    timers.advance(777_770)
    write(T0, 0x14c)
    write(CMP0, read(0xf0) + 400_000)
    write(CMP0, 400_000)
    expect(read(T0) & 0x40).toBe(0)
    timers.advance(1e9)
    expect(seen.irq0).toBe(250)
    timers.skip(19_000_000)
    expect(seen.irq0).toBe(251)
    timers.advance(1_000_000)
    expect(seen.irq0).toBe(252)
    expect(read(CMP0)).toBe((77_777 + 400_000 * 256) >>> 0)
  })

  test('timer 1 is IRQ 8 in legacy replacement', () => {
    const { timers, seen, write } = board()
    write(0x10, 3)
    write(T1, 0x104)
    write(CMP1, 50)
    timers.advance(500)
    expect([seen.irq0, seen.irq8]).toEqual([0, 1])
  })

  test('level: the status bit holds the IO-APIC input until it is cleared by a one', () => {
    const { timers, seen, read, write } = board()
    write(0x10, 1)
    write(0x140, (20 << 9) | 0x106)
    write(0x148, 100)
    timers.advance(1000)
    expect([read(0x20), seen.inputs.get(20)]).toEqual([4, true])
    write(0x20, 3)
    expect(seen.inputs.get(20)).toBe(true)
    write(0x20, 4)
    expect([read(0x20), seen.inputs.get(20)]).toEqual([0, false])
  })

  test('a route that does not exist is not taken', () => {
    const { read, write } = board()
    write(T0, 21 << 9)
    write(T0, 5 << 9)
    expect((read(T0) >> 9) & 31).toBe(21)
  })

  test('a 64-bit comparator far ahead costs no host timer; a 32-bit one wraps', () => {
    const { timers, seen, write, read } = board()
    write(0x10, 1)
    write(T0, (16 << 9) | 4)
    write(CMP0 + 4, 0x7fffffff)
    expect(timers.nextDeadline()).toBeUndefined()
    write(0xf0, 0xfffffff0)
    write(T1, (17 << 9) | 0x104)
    write(CMP1, 0x10)
    timers.advance(320)
    expect([seen.edges, read(0xf0), read(0xf4)]).toEqual([1, 0x10, 1])
  })

  test('a period too short to serve is stretched', () => {
    const { timers, seen, write } = board()
    write(0x10, 3)
    write(T0, 0x14c)
    write(CMP0, 1)
    timers.advance(1e9)
    expect(seen.irq0).toBeGreaterThan(10_000)
    expect(seen.irq0).toBeLessThanOrEqual(50_001)
  })

  test('reset gives IRQ 0 and IRQ 8 back', () => {
    const { hpet, seen, write, read } = board()
    write(0x10, 3)
    hpet.reset()
    expect([seen.legacy.at(-1), read(0x10), read(0xf0)]).toEqual([false, 0, 0])
  })
})

describeDeviceContract('hpet', () => {
  const { hpet, timers } = board()
  return { device: hpet, timers, mmio: [[hpet, 0x400]] }
})
