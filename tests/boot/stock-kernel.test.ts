/**
 * Debian's stock kernel with the default guest's initramfs, on Longmode as on QEMU: shell, disk, share, power, in every `npm test`. The
 * machine under test is Longmode; LONGMODE_BOOT_ON=qemu runs the same tests on QEMU, which is how they are known to be right.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { BOOT_SECONDS, defaultGuestFlags, PROMPT } from './default-guest-flags.ts'
import type { Machine } from './guest-console.ts'
import { Workbench, wholeSession } from './session.ts'
import { newTroubles } from './troubles.ts'

const underTest: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'
const bench = new Workbench()
afterEach(() => bench.stopAll())
afterAll(() => bench.remove())

/** Limit of one test, ms: a boot or two, on a machine that has other work beside. */
const timeout = 1_200_000

describe(`Debian's stock kernel on ${underTest}`, { timeout }, () => {
  it('boots to a shell, uses disk and share, powers off, and complains about nothing that QEMU does not', async () => {
    const log = await wholeSession(bench, underTest)
    const reference = underTest === 'qemu' ? '' : await wholeSession(bench, 'qemu')
    expect(newTroubles(log, reference)).toEqual([])
  })

  it.each(['AuthenticAMD', 'GenuineIntel'])('runs as %s', async (vendor) => {
    const guest = bench.start(underTest, [...(await defaultGuestFlags()), '-cpu', `max,vendor=${vendor}`])
    await guest.expect(PROMPT, BOOT_SECONDS)
    expect((await guest.run('cat /proc/cpuinfo')).output).toContain(vendor)
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
    expect(newTroubles(guest.log, '')).toEqual([])
  })

  it('reboots into the same kernel', async () => {
    const guest = bench.start(underTest, await defaultGuestFlags())
    await guest.expect(PROMPT, BOOT_SECONDS)
    guest.type('reboot\n')
    await guest.expect('Linux version', BOOT_SECONDS)
    await guest.expect(PROMPT, BOOT_SECONDS)
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
  })

  it('ends at a reboot under -no-reboot', async () => {
    const guest = bench.start(underTest, [...(await defaultGuestFlags()), '-no-reboot'])
    await guest.expect(PROMPT, BOOT_SECONDS)
    guest.type('reboot\n')
    expect(await guest.exited).toBe(0)
    expect(guest.log.match(/Linux version/g)).toHaveLength(1)
  })

  it('gives the exit code of isa-debug-exit, and leaves a disk with -snapshot as it was', async () => {
    const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04']
    const guest = bench.start(underTest, [...(await bench.fullMachine()), '-snapshot', ...exit])
    await guest.expect(PROMPT, BOOT_SECONDS)
    expect((await guest.run('mount /dev/sda /mnt && echo lost > /mnt/file && umount /mnt')).status).toBe(0)
    guest.type("printf '\\005' | dd of=/dev/port bs=1 seek=244 count=1\n")
    expect(await guest.exited).toBe(11)
    expect(readFileSync(bench.disk).equals(readFileSync(bench.pristine))).toBe(true)
  })

  it('obeys the keys of the terminal', async () => {
    const guest = bench.start(underTest, await defaultGuestFlags())
    await guest.expect(PROMPT, BOOT_SECONDS)
    guest.type('echo 1 > /proc/sys/kernel/sysrq\n')
    await guest.expect(PROMPT)
    guest.type('\u0001bh')
    await guest.expect('sysrq: HELP')
    guest.type('\u0001cinfo registers\r')
    await guest.expect(/RIP/i)
    guest.type('\u0001c\r')
    await guest.expect(PROMPT)
    guest.type('\u0001x')
    expect(await guest.exited).toBe(0)
  })
})
