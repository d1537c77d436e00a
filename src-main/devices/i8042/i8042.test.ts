import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { I8042 } from './i8042.ts'

function board() {
  const seen = { irq: false, resets: [] as string[] }
  const gate = { a20: true }
  const power = {
    reset: (reason: string) => void seen.resets.push(reason),
    powerOff: () => undefined,
    debugExit: () => undefined,
  }
  const i8042 = new I8042({ set: (level) => (seen.irq = level) }, power, gate)
  const command = (value: number): void => i8042.ports.writePort(0x64, 1, value)
  const data = (value: number): void => i8042.ports.writePort(0x60, 1, value)
  const status = (): number => i8042.ports.readPort(0x64, 1)
  const read = (): number => {
    expect(status() & 1).toBe(1)
    return i8042.ports.readPort(0x60, 1)
  }
  return { i8042, seen, gate, command, data, status, read }
}

describe("Linux's i8042 driver", () => {
  test('self test, command byte, keyboard interface test', () => {
    const { command, data, read, status } = board()
    expect(status() & 1).toBe(0)
    command(0xaa)
    expect(read()).toBe(0x55)
    command(0x20)
    expect(read()).toBe(0x65)
    command(0x60)
    data(0x74)
    command(0x20)
    expect(read()).toBe(0x74)
    command(0xab)
    expect(read()).toBe(0)
    command(0xae)
    command(0x20)
    expect(read() & 0x10).toBe(0)
  })

  test('finds no auxiliary port: the loop answers without the aux mark, the test fails, the port cannot be enabled', () => {
    const { command, data, read, status } = board()
    command(0xd3)
    data(0x5a)
    expect(status() & 0x21).toBe(0x01)
    expect(read()).toBe(0x5a)
    command(0xa9)
    expect([0x00, 0xfa, 0xff]).not.toContain(read())
    command(0xa8)
    command(0x20)
    expect(read() & 0x20).toBe(0x20)
  })

  test('a command to the absent keyboard is answered at once, with the time-out bit and IRQ 1', () => {
    const { data, read, status, seen } = board()
    data(0xf2)
    expect(seen.irq).toBe(true)
    expect(status() & 0x41).toBe(0x41)
    expect(read()).toBe(0xfe)
    expect([seen.irq, status() & 0x41]).toEqual([false, 0])
  })

  test('answers of the controller make no interrupt; a disabled one stays low', () => {
    const { command, data, seen, read } = board()
    command(0xaa)
    expect(seen.irq).toBe(false)
    read()
    command(0x60)
    data(0x64)
    data(0xff)
    expect(seen.irq).toBe(false)
  })

  test('0xFE resets the machine, and so does a cleared bit 0 of the output port', () => {
    const { command, data, seen } = board()
    command(0xff)
    command(0xd1)
    data(0x03)
    expect(seen.resets).toEqual([])
    command(0xfe)
    command(0xd1)
    data(0x02)
    expect(seen.resets).toEqual(['keyboard controller', 'keyboard controller output port'])
  })

  test('gate A20 by output port and by the two short commands', () => {
    const { command, data, gate, read } = board()
    command(0xd1)
    data(0xdd)
    expect(gate.a20).toBe(false)
    command(0xdf)
    expect(gate.a20).toBe(true)
    command(0xdd)
    command(0xd0)
    expect(read() & 0x03).toBe(0x01)
  })
})

describeDeviceContract('i8042', () => {
  const { i8042 } = board()
  return {
    device: i8042,
    timers: new FakeTimers(),
    ports: [
      [i8042.ports, 0x60, 1],
      [i8042.ports, 0x64, 1],
    ],
  }
})
