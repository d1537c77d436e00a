import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { IoApic } from './ioapic.ts'

function board() {
  const sent: string[] = []
  const ioapic = new IoApic({
    send: (address, data) => void sent.push(`${address.toString(16)}:${data.toString(16)}`),
  })
  const write = (index: number, value: number): void => {
    ioapic.writeMmio(0, 4, index)
    ioapic.writeMmio(0x10, 4, value >>> 0)
  }
  const read = (index: number): number => {
    ioapic.writeMmio(0, 4, index)
    return ioapic.readMmio(0x10, 4)
  }
  const redirect = (pin: number, low: number, high = 0): void => {
    write(0x11 + 2 * pin, high)
    write(0x10 + 2 * pin, low)
  }
  return { ioapic, sent, write, read, redirect }
}

const LEVEL = 0x8000
const MASK = 0x10000

describe('82093AA', () => {
  test('identifies itself as version 0x11 with 24 entries, all masked', () => {
    const { read, write } = board()
    expect(read(1)).toBe(0x00170011)
    write(0, 0xff000000)
    expect([read(0), read(2)]).toEqual([0x0f000000, 0x0f000000])
    for (let pin = 0; pin < 24; pin++) expect([read(0x10 + 2 * pin), read(0x11 + 2 * pin)]).toEqual([MASK, 0])
    expect(read(0x40)).toBe(0)
  })

  test('an edge is one message, to the destination of the entry', () => {
    const { ioapic, sent, redirect, read } = board()
    redirect(4, 0x34 | 0x800 | 0x5000, 0x01ffffff)
    expect(read(0x10 + 8)).toBe(0x834)
    expect(read(0x11 + 8)).toBe(0x01000000)
    ioapic.set(4, true)
    ioapic.set(4, true)
    ioapic.set(4, false)
    ioapic.set(4, true)
    expect(sent).toEqual(['fee01004:34', 'fee01004:34'])
  })

  test('an edge on a masked pin is lost, a level is not', () => {
    const { ioapic, sent, redirect } = board()
    redirect(4, 0x34 | MASK)
    redirect(11, 0x3b | LEVEL | MASK)
    ioapic.set(4, true)
    ioapic.set(11, true)
    redirect(4, 0x34)
    expect(sent).toEqual([])
    redirect(11, 0x3b | LEVEL)
    expect(sent).toEqual(['fee00000:c03b'])
  })

  test('level: one message until EOI, another while the line stays asserted', () => {
    const { ioapic, sent, redirect, read } = board()
    redirect(10, 0x5a | LEVEL)
    ioapic.set(10, true)
    expect(read(0x10 + 20)).toBe(0x5a | LEVEL | 0x4000)
    ioapic.set(10, false)
    ioapic.set(10, true)
    expect(sent.length).toBe(1)
    ioapic.endOfInterrupt(0x5b)
    expect(sent.length).toBe(1)
    ioapic.endOfInterrupt(0x5a)
    expect(sent.length).toBe(2)
    ioapic.set(10, false)
    ioapic.endOfInterrupt(0x5a)
    expect(sent.length).toBe(2)
    expect(read(0x10 + 20)).toBe(0x5a | LEVEL)
  })

  test('a stuck remote IRR goes away through edge mode, as Linux does for version 0x11', () => {
    const { ioapic, sent, redirect, read } = board()
    redirect(10, 0x5a | LEVEL)
    ioapic.set(10, true)
    redirect(10, 0x5a | LEVEL | MASK)
    expect(read(0x10 + 20) & 0x4000).toBe(0x4000)
    redirect(10, 0x5a | MASK)
    redirect(10, 0x5a | LEVEL)
    expect(sent.length).toBe(2)
  })

  test('polarity reads back and does not invert', () => {
    const { ioapic, sent, redirect, read } = board()
    redirect(9, 0x39 | LEVEL | 0x2000)
    expect(sent).toEqual([])
    ioapic.set(9, true)
    expect(sent.length).toBe(1)
    expect(read(0x10 + 18) & 0x2000).toBe(0x2000)
  })

  test('a byte write selects; a narrow write to the window does nothing', () => {
    const { ioapic, read } = board()
    ioapic.writeMmio(0, 1, 0x12)
    ioapic.writeMmio(0x10, 2, 0x1234)
    expect(ioapic.readMmio(0, 4)).toBe(0x12)
    expect(ioapic.readMmio(0x12, 1)).toBe(1)
    expect(read(0x12)).toBe(MASK)
  })
})

describeDeviceContract('ioapic', () => {
  const { ioapic } = board()
  return {
    device: ioapic,
    timers: new FakeTimers(),
    mmio: [[ioapic, 0x1000]],
    inputs: [(value) => ioapic.set(value % 24, (value & 0x100) !== 0), (value) => ioapic.endOfInterrupt(value & 0xff)],
    rest: () => {
      for (let pin = 0; pin < 24; pin++) ioapic.set(pin, false)
    },
  }
})
