import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import type { CharBackend } from '../backends.ts'
import { describeDeviceContract } from '../contract.ts'
import { Serial } from './serial.ts'

class Terminal implements CharBackend {
  output = ''
  writes = 0
  input: number[] = []
  onReadable: (() => void) | undefined
  onBreak: (() => void) | undefined

  write(bytes: Uint8Array): void {
    this.writes++
    this.output += String.fromCharCode(...bytes)
  }
  read(max: number): Uint8Array {
    return Uint8Array.from(this.input.splice(0, max))
  }
  type(text: string): void {
    this.input.push(...Array.from(text, (c) => c.charCodeAt(0)))
    this.onReadable?.()
  }
}

function board() {
  const terminal = new Terminal()
  const timers = new FakeTimers()
  const irq = { level: false, edges: 0 }
  const line = {
    set: (level: boolean): void => {
      if (level && !irq.level) irq.edges++
      irq.level = level
    },
  }
  const serial = new Serial('com1', terminal, line, timers)
  serial.reset()
  const out = (register: number, value: number): void => serial.writePort(0x3f8 + register, 1, value)
  const inb = (register: number): number => serial.readPort(0x3f8 + register, 1)
  return { terminal, timers, irq, serial, out, inb }
}

/** As an opened 8250 port: FIFOs with trigger 8, DTR, RTS and OUT2, receive interrupts. */
function opened() {
  const it = board()
  it.out(2, 0x87)
  it.out(4, 0x0b)
  it.out(1, 0x05)
  return it
}

describe("Linux's autoconfig finds a 16550A", () => {
  test('IER holds four bits; loopback shows RTS and OUT2 as CTS and DCD', () => {
    const { out, inb } = board()
    out(1, 0xff)
    expect(inb(1)).toBe(0x0f)
    out(1, 0)
    out(4, 0x1a)
    expect(inb(6) & 0xf0).toBe(0x90)
    out(4, 0)
    expect(inb(6)).toBe(0xb0 | 0x02)
    expect(inb(6)).toBe(0xb0)
  })

  test('FIFOs show in IIR, without the 64-byte bit of a 16750; no EFR behind LCR 0xBF', () => {
    const { out, inb } = board()
    expect(inb(2)).toBe(0x01)
    out(2, 0x21)
    expect(inb(2)).toBe(0xc1)
    out(3, 0xbf)
    expect(inb(2)).not.toBe(0)
    out(2, 0x01)
    expect(inb(2) & 0x20).toBe(0)
    out(3, 0)
    out(7, 0x5a)
    expect(inb(7)).toBe(0x5a)
  })

  test('the divisor latch is apart from data and IER', () => {
    const { out, inb, terminal, serial } = board()
    out(3, 0x83)
    out(0, 1)
    out(1, 2)
    expect([inb(0), inb(1)]).toEqual([1, 2])
    out(3, 3)
    expect(inb(1)).toBe(0)
    serial.flush()
    expect(terminal.output).toBe('')
  })

  test('enabling the transmit interrupt raises it each time (the THRE and TXEN tests of start-up)', () => {
    const { out, inb, irq } = board()
    for (let i = 0; i < 2; i++) {
      out(1, 2)
      expect(irq.level).toBe(true)
      expect(inb(5) & 0x60).toBe(0x60)
      expect(inb(2)).toBe(0x02)
      expect(irq.level).toBe(false)
      expect(inb(2)).toBe(0x01)
      out(1, 0)
    }
  })
})

describe('transmitter', () => {
  test('each write makes a new edge of the interrupt, until IIR is read or the interrupt disabled', () => {
    const { out, inb, irq } = board()
    out(1, 2)
    inb(2)
    const before = irq.edges
    out(0, 0x41)
    expect(irq.edges).toBe(before + 1)
    out(0, 0x42)
    expect(irq.edges).toBe(before + 2)
    inb(2)
    expect(irq.level).toBe(false)
    out(0, 0x43)
    out(1, 0)
    expect(irq.level).toBe(false)
  })

  test('output is batched: 4 KiB or a flush', () => {
    const { out, terminal, serial } = board()
    for (const c of 'hello') out(0, c.charCodeAt(0))
    expect(terminal.writes).toBe(0)
    serial.flush()
    serial.flush()
    expect([terminal.output, terminal.writes]).toEqual(['hello', 1])
    for (let i = 0; i < 4096; i++) out(0, 0x2e)
    expect([terminal.output.length, terminal.writes]).toEqual([5 + 4096, 2])
  })
})

describe('receiver', () => {
  test('nothing is taken from the terminal until the guest listens', () => {
    const { terminal, out, inb } = board()
    terminal.type('early')
    expect(inb(5) & 1).toBe(0)
    out(2, 0x07)
    expect(terminal.input.length).toBe(5)
    out(4, 0x03)
    expect(terminal.input.length).toBe(0)
    expect(String.fromCharCode(inb(0), inb(0), inb(0), inb(0), inb(0))).toBe('early')
    expect(inb(5) & 1).toBe(0)
  })

  test('at the trigger level: received data; below it: a character timeout after four character times', () => {
    const { terminal, timers, out, inb, irq } = opened()
    out(3, 0x83)
    out(0, 1)
    out(1, 0)
    out(3, 0x03)
    terminal.type('ab')
    expect([irq.level, inb(2)]).toEqual([false, 0xc1])
    timers.advance(347_222)
    expect(irq.level).toBe(false)
    timers.advance(1)
    expect([irq.level, inb(2)]).toEqual([true, 0xcc])
    expect(inb(0)).toBe(0x61)
    expect(irq.level).toBe(false)
    timers.advance(400_000)
    expect(inb(2)).toBe(0xcc)
    terminal.type('1234567')
    expect(inb(2)).toBe(0xc4)
    inb(0)
    expect(inb(2)).toBe(0xc1)
  })

  test('a long paste is taken as the FIFO has room, and none is lost', () => {
    const { terminal, inb } = opened()
    const text = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('')
    terminal.type(text)
    expect(terminal.input.length).toBe(1000 - 16)
    let got = ''
    while (inb(5) & 1) got += String.fromCharCode(inb(0))
    expect(got).toBe(text)
  })

  test('without FIFOs one character at a time, each with its interrupt', () => {
    const { terminal, out, inb, irq } = board()
    out(1, 1)
    terminal.type('xy')
    expect([irq.level, inb(2)]).toEqual([true, 0x04])
    expect(inb(0)).toBe(0x78)
    expect([irq.level, inb(0)]).toEqual([true, 0x79])
    expect(irq.level).toBe(false)
  })

  test('a break comes in its place between characters: LSR.BI, a line-status interrupt, a zero', () => {
    const { terminal, inb, irq } = opened()
    terminal.type('a')
    terminal.onBreak?.()
    terminal.type('t')
    expect(irq.level).toBe(false)
    expect(inb(5)).toBe(0x60 | 0x80 | 0x01)
    expect(inb(0)).toBe(0x61)
    expect([irq.level, inb(2)]).toEqual([true, 0xc6])
    expect(inb(5) & 0x11).toBe(0x11)
    expect(inb(5) & 0x10).toBe(0)
    expect([inb(0), inb(0)]).toEqual([0, 0x74])
  })

  test('clearing the FIFO drops what was in it', () => {
    const { terminal, inb, out, timers, irq } = opened()
    terminal.type('abc')
    out(2, 0x83)
    timers.advance(1e9)
    expect([irq.level, inb(5) & 1]).toEqual([false, 0])
  })

  test('loopback: what is sent comes back, an overrun is reported, the terminal hears nothing', () => {
    const { terminal, serial, out, inb } = board()
    out(2, 0x01)
    out(4, 0x12)
    for (let i = 0; i < 17; i++) out(0, i)
    terminal.type('zzz')
    terminal.onBreak?.()
    expect(inb(5) & 0x13).toBe(0x03)
    for (let i = 0; i < 16; i++) expect(inb(0)).toBe(i)
    expect(inb(5) & 0x01).toBe(0)
    serial.flush()
    expect(terminal.output).toBe('')
  })
})

describeDeviceContract('serial', () => {
  const { serial, terminal, timers } = board()
  return {
    device: serial,
    timers,
    ports: [[serial, 0x3f8, 8]],
    inputs: [
      (value) => {
        terminal.type(String.fromCharCode(value & 0x7f))
        terminal.input.length = 0 // what waits in the host's terminal is no state of the device
      },
      () => terminal.onBreak?.(),
    ],
  }
})
