import { expect, test } from 'vitest'
import { FakeTimers } from '../../base/fake-timers.ts'
import { describeDeviceContract } from '../contract.ts'
import { DebugExit } from './debug-exit.ts'

function board() {
  const codes: number[] = []
  const device = new DebugExit({
    reset: () => undefined,
    powerOff: () => undefined,
    debugExit: (code) => void codes.push(code),
  })
  return { codes, device }
}

test('a write hands its value to the machine; reads are zero', () => {
  const { codes, device } = board()
  device.writePort(0xf4, 4, 0x10)
  device.writePort(0xf4, 1, 0)
  expect(codes).toEqual([0x10, 0])
  expect(device.readPort(0xf4, 4)).toBe(0)
})

describeDeviceContract('isa-debug-exit', () => ({
  device: board().device,
  timers: new FakeTimers(),
  ports: [[board().device, 0xf4, 4]],
}))
