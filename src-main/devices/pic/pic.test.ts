import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { Pic } from './pic.ts'

function board() {
  const cpu = { intr: false, edges: 0 }
  const pic = new Pic({
    raise: () => {
      cpu.intr = true
      cpu.edges++
    },
    lower: () => (cpu.intr = false),
  })
  pic.reset()
  const out = (port: number, value: number): void => {
    if (port >= 0x4d0) pic.elcrPorts.writePort(port, 1, value)
    else (port < 0x80 ? pic.masterPorts : pic.slavePorts).writePort(port, 1, value)
  }
  const inb = (port: number): number => {
    if (port >= 0x4d0) return pic.elcrPorts.readPort(port, 1)
    return (port < 0x80 ? pic.masterPorts : pic.slavePorts).readPort(port, 1)
  }
  return { pic, cpu, out, inb }
}

/** As Linux's init_8259A: vectors 0x30.. and 0x38.., everything masked, then `open` unmasked. */
function linux(open = 0xffff, icw4 = 1) {
  const it = board()
  const { out } = it
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x30],
    [0x21, 0x04],
    [0x21, icw4],
    [0xa0, 0x11],
    [0xa1, 0x38],
    [0xa1, 0x02],
    [0xa1, icw4],
  ])
    out(port, value)
  out(0x21, ~open & 0xff)
  out(0xa1, (~open >> 8) & 0xff)
  return it
}

describe('8259A pair', () => {
  test('the mask register reads back: how Linux probes for a PIC', () => {
    const { out, inb } = board()
    out(0xa1, 0xff)
    out(0x21, 0xfb)
    expect(inb(0x21)).toBe(0xfb)
    expect(inb(0xa1)).toBe(0xff)
  })

  test('edges: one interrupt per rising edge, priority 0 first, EOI lets the next through', () => {
    const { pic, cpu, out } = linux()
    pic.set(4, true)
    pic.set(1, true)
    expect(cpu.intr).toBe(true)
    expect(pic.acknowledge()).toBe(0x31)
    expect(cpu.intr).toBe(false)
    out(0x20, 0x61)
    expect(cpu.intr).toBe(true)
    expect(pic.acknowledge()).toBe(0x34)
    out(0x20, 0x64)
    expect(cpu.intr).toBe(false)
    pic.set(4, false)
    pic.set(4, true)
    expect(cpu.intr).toBe(true)
  })

  test('a higher priority nests, a lower one waits', () => {
    const { pic, cpu, out } = linux()
    pic.set(4, true)
    pic.acknowledge()
    pic.set(5, true)
    expect(cpu.intr).toBe(false)
    pic.set(0, true)
    expect(pic.acknowledge()).toBe(0x30)
    out(0x20, 0x20)
    expect(cpu.intr).toBe(false)
    out(0x20, 0x20)
    expect(pic.acknowledge()).toBe(0x35)
  })

  test('the slave comes through input 2 with its own vector, and again after both EOIs', () => {
    const { pic, cpu, out } = linux()
    pic.set(14, true)
    expect(pic.acknowledge()).toBe(0x3e)
    pic.set(8, true)
    expect(cpu.intr).toBe(false)
    out(0xa0, 0x66)
    out(0x20, 0x62)
    expect(pic.acknowledge()).toBe(0x38)
  })

  test('level inputs (ELCR) ask again after EOI while the line is asserted', () => {
    const { pic, cpu, out, inb } = linux()
    out(0x4d1, 0xff)
    out(0x4d0, 0xff)
    expect([inb(0x4d0), inb(0x4d1)]).toEqual([0xf8, 0xde])
    pic.set(11, true)
    expect(pic.acknowledge()).toBe(0x3b)
    out(0xa0, 0x63)
    out(0x20, 0x62)
    expect(pic.acknowledge()).toBe(0x3b)
    pic.set(11, false)
    out(0xa0, 0x63)
    out(0x20, 0x62)
    expect(cpu.intr).toBe(false)
  })

  test('a request that goes away gives the spurious vectors 7 and 15, with no in-service bit of the chip that lost it', () => {
    const { pic, out, inb } = linux()
    expect(pic.acknowledge()).toBe(0x37)
    out(0x20, 0x0b)
    expect(inb(0x20)).toBe(0)
    out(0x4d1, 0x08)
    pic.set(11, true)
    out(0xa1, 0xff) // masked between INTR and INTA: the master has latched the edge of the cascade
    expect(pic.acknowledge()).toBe(0x3f)
    out(0xa0, 0x0b)
    expect([inb(0x20), inb(0xa0)]).toEqual([0x04, 0])
  })

  test('a latched edge waits behind the mask', () => {
    const { pic, cpu, out, inb } = linux(0)
    pic.set(3, true)
    pic.set(3, false)
    expect(cpu.intr).toBe(false)
    expect(inb(0x20)).toBe(0x08)
    out(0x21, 0xf7)
    expect(pic.acknowledge()).toBe(0x33)
  })

  test('ICW1 resets the edge sense: a line that stays high needs a new edge', () => {
    const { pic, cpu, out } = board()
    pic.set(0, true)
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x30],
      [0x21, 4],
    ])
      out(port, value)
    expect(cpu.intr).toBe(false)
    out(0x21, 1)
    expect(cpu.intr).toBe(false)
    pic.set(0, false)
    pic.set(0, true)
    expect(pic.acknowledge()).toBe(0x30)
  })

  test('automatic EOI, on the slave too: two requests in a row are two interrupts', () => {
    const { pic, cpu } = linux(0xffff, 3)
    pic.set(9, true)
    pic.set(12, true)
    expect(pic.acknowledge()).toBe(0x39)
    expect(cpu.intr).toBe(true)
    expect(pic.acknowledge()).toBe(0x3c)
    expect(cpu.intr).toBe(false)
  })

  test('rotation: the input just served becomes the lowest; set priority', () => {
    const { pic, out } = linux()
    pic.set(3, true)
    pic.set(4, true)
    expect(pic.acknowledge()).toBe(0x33)
    pic.set(3, false)
    pic.set(3, true)
    out(0x20, 0xa0)
    expect(pic.acknowledge()).toBe(0x34)
    out(0x20, 0xe0 | 4)
    expect(pic.acknowledge()).toBe(0x33)
    out(0x20, 0x63)
    out(0x20, 0xc0 | 2)
    pic.set(2 + 1, false)
    pic.set(0, true)
    pic.set(3, true)
    expect(pic.acknowledge()).toBe(0x33)
  })

  test('special mask mode: a masked input in service blocks nobody and is not ended by a non-specific EOI', () => {
    const { pic, cpu, out, inb } = linux()
    pic.set(1, true)
    pic.acknowledge()
    out(0x21, 0x02)
    pic.set(6, true)
    expect(cpu.intr).toBe(false)
    out(0x20, 0x68)
    expect(pic.acknowledge()).toBe(0x36)
    out(0x20, 0x20)
    out(0x20, 0x0b)
    expect(inb(0x20)).toBe(0x02)
  })

  test('special fully nested mode: a better slave request interrupts the slave handler', () => {
    const { pic, cpu } = linux(0xffff, 0x11)
    pic.set(12, true)
    pic.acknowledge()
    pic.set(8, true)
    expect(cpu.intr).toBe(true)
    expect(pic.acknowledge()).toBe(0x38)
  })

  test('poll mode acknowledges by reading', () => {
    const { pic, cpu, out, inb } = linux()
    pic.set(5, true)
    out(0x20, 0x0c)
    expect(inb(0x20)).toBe(0x85)
    expect(cpu.intr).toBe(false)
    out(0x20, 0x0c)
    expect(inb(0x20)).toBe(0)
  })

  test('a restored pair goes on: in-service bits, masks and vectors', () => {
    const { pic } = linux()
    pic.set(4, true)
    pic.acknowledge()
    pic.set(1, true)
    const { pic: other, cpu, out } = board()
    other.restore(pic.save())
    expect(other.acknowledge()).toBe(0x31)
    out(0x20, 0x61)
    expect(cpu.intr).toBe(false)
  })
})

describeDeviceContract('pic', () => {
  const { pic } = board()
  return {
    device: pic,
    timers: new FakeTimers(),
    ports: [
      [pic.masterPorts, 0x20, 2],
      [pic.slavePorts, 0xa0, 2],
      [pic.elcrPorts, 0x4d0, 2],
    ],
    inputs: [
      (value) => pic.set([0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15][value % 15], (value & 0x100) !== 0),
      () => void pic.acknowledge(),
    ],
    rest: () => {
      for (let irq = 0; irq < 16; irq++) if (irq !== 2) pic.set(irq, false)
    },
  }
})
