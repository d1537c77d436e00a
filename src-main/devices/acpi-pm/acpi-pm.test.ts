import { describe, expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { timeOfTick } from '../../base/frequency.ts'
import type { PortHandler, Width } from '../../bus/bus.ts'
import { PortRouter } from '../../bus/port-router.ts'
import { describeDeviceContract } from '../contract.ts'
import { AcpiPm, PM_TIMER_HZ } from './acpi-pm.ts'

function board() {
  const timers = new FakeTimers()
  const ports = new PortRouter()
  const seen = { sci: false, off: 0, warnings: [] as string[] }
  const pm = new AcpiPm({
    ports,
    timers,
    sci: { set: (level) => (seen.sci = level) },
    power: { reset: () => undefined, powerOff: () => seen.off++, debugExit: () => undefined },
    log: { warn: (_room, text) => seen.warnings.push(text), info: () => undefined },
    acpiEnable: 0xf1,
    acpiDisable: 0xf0,
    sleepTypeS5: 0,
  })
  ports.map('apm', 0xb2, 2, pm.apmPorts)
  ports.map('gpe', 0xafe0, 4, pm.gpePorts)
  pm.setPmBase(0x600)
  pm.reset()
  const read = (port: number, width: Width): number => ports.read(port, width)
  const write = (port: number, width: Width, value: number): void => ports.write(port, width, value)
  return { timers, ports, pm, seen, read, write }
}

describe('PIIX4 power management', () => {
  test('the PM timer is 24 bits of 3.579545 MHz', () => {
    const { timers, read } = board()
    timers.advance(1e9)
    expect(read(0x608, 4)).toBe(3_579_545)
    timers.advance(timeOfTick(0x1000000 + 5, PM_TIMER_HZ) - 1e9)
    expect(read(0x608, 4)).toBe(5)
    expect(read(0x609, 2)).toBe(0)
  })

  test('SMI_CMD switches ACPI mode', () => {
    const { read, write } = board()
    write(0xb2, 1, 0xf1)
    expect(read(0x604, 2)).toBe(1)
    write(0xb2, 1, 0xf0)
    expect(read(0x604, 2)).toBe(0)
    write(0xb3, 1, 0x5a)
    expect([read(0xb2, 1), read(0xb3, 1)]).toEqual([0xf0, 0x5a])
  })

  test('S5: SLP_TYP alone does nothing, with SLP_EN the machine is off; other sleep types are named', () => {
    const { seen, write, read } = board()
    write(0x604, 2, 0x0001)
    expect(seen.off).toBe(0)
    write(0x604, 2, 0x2401)
    expect([seen.off, seen.warnings.length]).toEqual([0, 1])
    write(0x604, 2, 0x2001)
    expect(seen.off).toBe(1)
    expect(read(0x604, 2)).toBe(1)
  })

  test('the power button is an SCI until its status is cleared', () => {
    const { pm, seen, read, write } = board()
    write(0xb2, 1, 0xf1)
    write(0x602, 2, 0x0100)
    pm.powerButton()
    expect([seen.sci, read(0x600, 2)]).toEqual([true, 0x100])
    write(0x600, 2, 0x0100)
    expect([seen.sci, read(0x600, 4)]).toEqual([false, 0x01000000])
  })

  test('TMR_STS at each change of bit 23, as an SCI when enabled', () => {
    const { timers, seen, read, write } = board()
    const half = timeOfTick(0x800000, PM_TIMER_HZ)
    timers.advance(half - 1)
    expect(read(0x600, 2)).toBe(0)
    timers.advance(1)
    expect(read(0x600, 2)).toBe(1)
    write(0xb2, 1, 0xf1)
    write(0x600, 2, 1)
    write(0x602, 2, 1)
    timers.advance(half)
    expect(seen.sci).toBe(true)
    write(0x602, 2, 0)
    write(0x600, 2, 1)
    expect(timers.nextDeadline()).toBeUndefined()
  })

  test('without SCI_EN no SCI', () => {
    const { pm, seen, write } = board()
    write(0x602, 2, 0x0100)
    pm.powerButton()
    expect(seen.sci).toBe(false)
    write(0xb2, 1, 0xf1)
    expect(seen.sci).toBe(true)
  })

  test('GPE0 enable reads back, status clears by ones', () => {
    const { read, write } = board()
    write(0xafe2, 2, 0x1234)
    expect(read(0xafe0, 4)).toBe(0x12340000)
  })

  test('the block moves with PMBA; a collision is told, not thrown', () => {
    const { pm, ports, read, seen } = board()
    const other: PortHandler = { readPort: () => 0x42, writePort: () => undefined }
    ports.map('serial', 0x3f8, 8, other)
    pm.setPmBase(0x3c0)
    expect([read(0x600, 1), read(0x3f8, 1), seen.warnings.length]).toEqual([0xff, 0x42, 1])
    pm.setPmBase(0xb000)
    expect(read(0xb004, 2)).toBe(0)
    pm.setPmBase(undefined)
    expect(read(0xb004, 2)).toBe(0xffff)
  })
})

describeDeviceContract('acpi-pm', () => {
  const { pm, timers, ports } = board()
  const block: PortHandler = {
    readPort: (port, width) => ports.read(port, width),
    writePort: (port, width, value) => ports.write(port, width, value),
  }
  return {
    device: pm,
    timers,
    ports: [
      [block, 0x600, 0x40],
      [pm.gpePorts, 0xafe0, 4],
      [pm.apmPorts, 0xb2, 2],
    ],
    inputs: [() => pm.powerButton()],
  }
})
