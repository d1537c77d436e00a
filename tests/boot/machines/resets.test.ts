/** Every way in which a machine starts again, or ends instead under -no-reboot: panic, triple fault, monitor, the guest's own reboot. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { BOOT_SECONDS, defaultGuestFlags, PROMPT } from '../default-guest-flags.ts'
import type { GuestConsole } from '../guest-console.ts'
import { Workbench } from '../session.ts'

const bench = new Workbench()
afterEach(() => bench.stopAll())
afterAll(() => bench.remove())

async function start(append: string, ...more: readonly string[]): Promise<GuestConsole> {
  const guest = bench.start('longmode', [...(await defaultGuestFlags(append)), ...more])
  await guest.expect(PROMPT, BOOT_SECONDS)
  return guest
}
const CRASH = 'echo c > /proc/sysrq-trigger\n'

async function startsAgain(guest: GuestConsole): Promise<void> {
  await guest.expect('Linux version', BOOT_SECONDS)
  await guest.expect(PROMPT, BOOT_SECONDS)
  guest.type('poweroff\n')
  expect(await guest.exited).toBe(0)
}

describe('a machine', () => {
  it('starts again after a panic with panic=1', async () => {
    const guest = await start('panic=1')
    guest.type(CRASH)
    await guest.expect('Kernel panic', BOOT_SECONDS)
    await guest.expect('Rebooting in 1 seconds')
    await startsAgain(guest)
  })

  it('ends after a panic with panic=1 under -no-reboot', async () => {
    const guest = await start('panic=1', '-no-reboot')
    guest.type(CRASH)
    await guest.expect('Rebooting in 1 seconds', BOOT_SECONDS)
    expect(await guest.exited).toBe(0)
    expect(guest.log.match(/Linux version/g)).toHaveLength(1)
  })

  it.each(['acpi', 'kbd', 'pci', 'triple'])('starts again by reboot=%s', async (how) => {
    const guest = await start(`reboot=${how}`)
    guest.type('reboot -f\n')
    await startsAgain(guest)
  })

  it('starts again by system_reset in the monitor, whatever the guest does', async () => {
    const guest = await start('')
    guest.type('while :; do :; done\n')
    guest.type('\u0001csystem_reset\r\u0001c')
    await startsAgain(guest)
  })
})
