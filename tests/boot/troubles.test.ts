import { describe, expect, it } from 'vitest'
import { newTroubles } from './troubles.ts'

describe('trouble in a boot log', () => {
  it('is found', () => {
    const log = [
      '[    0.1] Linux version 6.1',
      '[    1.2] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f+0x1/0x2',
      '[    1.3] unchecked MSR access error: RDMSR from 0x123',
      '[    1.4] ata1: lost interrupt (Status 0x50)',
      '[    1.5] irq 9: nobody cared (try booting with the "irqpoll" option)',
      "[    1.6] clocksource: Marking clocksource 'tsc' as unstable because the skew is too large:",
      '[    1.7] BUG: kernel NULL pointer dereference, address: 0000000000000000',
    ]
    expect(newTroubles(log.join('\r\n'), '')).toEqual(log.slice(1))
  })
  it('that QEMU has as well does not count, whatever its numbers', () => {
    const reference = '[    1.2] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f+0x1/0x2'
    const log = '[   11.7] WARNING: CPU: 1 PID: 17 at kernel/x.c:12 f+0x10/0x20'
    expect(newTroubles(log, reference)).toEqual([])
    expect(newTroubles(log.replace('x.c', 'y.c'), reference)).toHaveLength(1)
  })
})
