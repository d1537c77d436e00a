import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { DmaRegisters } from './dma-registers.ts'
import { SystemControl } from './system-control.ts'

function board() {
  const resets: string[] = []
  const gate = { a20: true }
  const power = {
    reset: (reason: string) => void resets.push(reason),
    powerOff: () => undefined,
    debugExit: () => undefined,
  }
  return { resets, gate, control: new SystemControl(power, gate) }
}

describe('system control', () => {
  test("0xCF9: Linux's PCI reboot (hard, then hard + CPU) resets once, on the rise of bit 2", () => {
    const { resets, control } = board()
    const cf9 = control.resetControl.readPort(0xcf9, 1) & ~6
    control.resetControl.writePort(0xcf9, 1, cf9 | 2)
    expect(resets).toEqual([])
    expect(control.resetControl.readPort(0xcf9, 1)).toBe(2)
    control.resetControl.writePort(0xcf9, 1, cf9 | 6)
    expect(resets).toEqual(['port 0xCF9'])
  })

  test('port 0x92: gate A20 and fast reset', () => {
    const { resets, gate, control } = board()
    expect(control.portA.readPort(0x92, 1)).toBe(2)
    control.portA.writePort(0x92, 1, 0)
    expect(gate.a20).toBe(false)
    control.portA.writePort(0x92, 1, 3)
    expect([gate.a20, resets]).toEqual([true, ['port 0x92']])
  })

  test('port 0x80 keeps the last code', () => {
    const { control } = board()
    control.postCode.writePort(0x80, 1, 0x3c)
    expect(control.postCode.readPort(0x80, 1)).toBe(0x3c)
  })
})

describe('ISA DMA', () => {
  test('address registers go through the byte pointer; opening a channel is told, opening the cascade is not', () => {
    const warnings: string[] = []
    const dma = new DmaRegisters({ warn: (_room, text) => void warnings.push(text), info: () => undefined })
    dma.first.writePort(0x0c, 1, 0)
    dma.first.writePort(0x04, 1, 0x34)
    dma.first.writePort(0x04, 1, 0x12)
    expect(dma.first.readPort(0x04, 1) | (dma.first.readPort(0x04, 1) << 8)).toBe(0x1234)
    dma.pages.writePort(0x81, 1, 0x0f)
    expect(dma.pages.readPort(0x81, 1)).toBe(0x0f)
    dma.second.writePort(0xd4, 1, 0)
    expect(warnings).toEqual([])
    dma.first.writePort(0x0a, 1, 2)
    expect(warnings.length).toBe(1)
    expect(warnings[0]).toContain('channel 2')
    dma.first.writePort(0x0d, 1, 0)
    expect(dma.first.readPort(0x0f, 1)).toBe(0xff)
  })
})

describeDeviceContract('system-control', () => {
  const { control } = board()
  return {
    device: control,
    timers: new FakeTimers(),
    ports: [
      [control.portA, 0x92, 1],
      [control.resetControl, 0xcf9, 1],
      [control.postCode, 0x80, 1],
    ],
  }
})

describeDeviceContract('isa-dma', () => {
  const dma = new DmaRegisters()
  return {
    device: dma,
    timers: new FakeTimers(),
    ports: [
      [dma.first, 0, 16],
      [dma.second, 0xc0, 32],
      [dma.pages, 0x81, 15],
    ],
  }
})
