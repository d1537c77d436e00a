import { describe, expect, it } from 'vitest'
import { reasonOf } from './guest-test.ts'

describe('why a guest did not run its command', () => {
  it.each([
    [
      '[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n',
      'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
    ],
    ['guest test: the disk /dev/sda cannot be mounted\r\n', 'the disk /dev/sda cannot be mounted'],
    ['', 'the kernel printed nothing; is SERIAL_8250_CONSOLE on?'],
    ['Linux version 6.1\r\nguest test: running\r\n', 'the guest ended before the command did'],
  ])('%j', (text, reason) => {
    expect(reasonOf(text)).toBe(reason)
  })
})
