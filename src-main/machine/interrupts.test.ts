import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../base/fake-timers.ts'
import { IrqRouter } from '../bus/irq-router.ts'
import { LocalApic } from '../cpu/interrupts/local-apic.ts'
import { Hpet } from '../devices/hpet/hpet.ts'
import { IoApic } from '../devices/ioapic/ioapic.ts'
import { Pic } from '../devices/pic/pic.ts'
import { Pit } from '../devices/pit/pit.ts'

/** The interrupt path of the board, wired as the machine wires it. */
function board() {
  const timers = new FakeTimers()
  const apic = new LocalApic({ timers, timeAtTsc: (tsc) => Number(tsc) })
  const pic = new Pic({ raise: () => apic.setLint0(true), lower: () => apic.setLint0(false) })
  const ioapic = new IoApic(apic)
  const router = new IrqRouter(pic, ioapic)
  const pit = new Pit(router.isa(0), timers)
  const hpet = new Hpet({
    timers,
    irq0: router.isa(0),
    irq8: router.isa(8),
    setInput: (input, level) => ioapic.set(input, level),
    onLegacy: (on) => pit.connectIrq(!on),
  })
  apic.external = pic
  apic.onEoi = (vector) => ioapic.endOfInterrupt(vector)
  apic.setVirtualWire()
  const redirect = (pin: number, low: number): void => {
    ioapic.writeMmio(0, 4, 0x10 + 2 * pin)
    ioapic.writeMmio(0x10, 4, low)
  }
  const eoi = (): void => apic.writeMmio(0xb0, 4, 0)
  const startPit = (): void => {
    pit.writePort(0x43, 1, 0x34)
    pit.writePort(0x40, 1, 0xa5)
    pit.writePort(0x40, 1, 0x12)
  }
  const initPic = (mask: number): void => {
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x30],
      [0x21, 4],
      [0x21, 1],
      [0x21, mask],
    ])
      pic.masterPorts.writePort(port, 1, value)
  }
  return { timers, apic, pic, router, pit, hpet, redirect, eoi, startPit, initPic }
}

describe('the timer interrupt reaches the CPU', () => {
  test('through the 8259A and virtual wire, as at the start of a kernel', () => {
    const { timers, apic, pic, startPit, initPic } = board()
    initPic(0xfe)
    startPit()
    let got = 0
    for (let ms = 0; ms < 1000; ms++) {
      timers.advance(1_000_000)
      if (!apic.hasInterrupt()) continue
      expect(apic.acknowledge()).toBe(0x30)
      pic.masterPorts.writePort(0x20, 1, 0x60)
      got++
    }
    expect(got).toBeGreaterThanOrEqual(249)
    expect(got).toBeLessThanOrEqual(251)
  })

  test('through IO-APIC input 2 once the 8259A is masked', () => {
    const { timers, apic, startPit, initPic, redirect, eoi } = board()
    initPic(0xff)
    redirect(2, 0x31)
    startPit()
    timers.advance(5_000_000)
    expect(apic.acknowledge()).toBe(0x31)
    eoi()
    expect(apic.hasInterrupt()).toBe(false)
    timers.advance(4_000_000)
    expect(apic.hasInterrupt()).toBe(true)
  })

  test('from the HPET in legacy replacement, with the PIT silenced', () => {
    const { timers, apic, hpet, startPit, initPic, redirect, eoi } = board()
    initPic(0xff)
    redirect(2, 0x31)
    startPit()
    hpet.writeMmio(0x10, 4, 3)
    if (apic.hasInterrupt()) apic.acknowledge()
    eoi()
    timers.advance(100_000_000)
    expect(apic.hasInterrupt()).toBe(false)
    hpet.writeMmio(0x100, 4, 0x104)
    hpet.writeMmio(0x108, 4, hpet.readMmio(0xf0, 4) + 100)
    timers.advance(1000)
    expect(apic.acknowledge()).toBe(0x31)
  })
})

test('a shared PCI interrupt asks again after EOI until the last device is content', () => {
  const { apic, router, redirect, eoi, initPic } = board()
  initPic(0xff)
  router.routePirq(2, 11)
  redirect(11, 0x5b | 0x8000)
  const [disk, share] = [router.intx(2), router.intx(2)]
  disk.set(true)
  share.set(true)
  expect(apic.acknowledge()).toBe(0x5b)
  disk.set(false)
  eoi()
  expect(apic.acknowledge()).toBe(0x5b)
  share.set(false)
  eoi()
  expect(apic.hasInterrupt()).toBe(false)
})
