/**
 * The kernel's x86 selftests in Longmode: all that a real processor without AMX passes must pass. LONGMODE_BOOT_ON=qemu runs them on QEMU's
 * TCG, where five of them fail (TCG_FAILS): those are TCG's own shortcomings, and the list keeps us honest about what we compare with.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, expect, it } from 'vitest'
import { GuestConsole, type Machine } from '../../boot/guest-console.ts'
import { selftestGuest } from './build.ts'

const machine: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'
/** AMX is not offered, and this test has no way to be skipped. */
const WITHOUT_AMX = ['amx_64']
const TCG_FAILS = ['sigreturn_32', 'test_syscall_vdso_32', 'mov_ss_trap_64', 'sysret_ss_attrs_64']
const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-selftests-'))

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

it(`passes on ${machine}`, async () => {
  const { kernel, initrd, names } = await selftestGuest(scratch)
  expect(names.length).toBeGreaterThan(40)
  const guest = new GuestConsole(machine, [
    ...['-nographic', '-no-reboot', '-cpu', 'max', '-m', '1G', '-kernel', kernel, '-initrd', initrd],
    ...['-append', 'console=ttyS0 quiet rdinit=/selftests'],
  ])
  try {
    expect(await guest.exited).toBe(0)
  } finally {
    await guest.kill()
  }
  const endings = new Map([...guest.log.matchAll(/<(\S+) ended with (\d+)>/g)].map((m) => [m[1], Number(m[2])]))
  expect([...endings.keys()].sort()).toEqual(names)
  const failed = names.filter((name) => endings.get(name) !== 0)
  const expected = [...WITHOUT_AMX, ...(machine === 'qemu' ? TCG_FAILS : [])].sort()
  expect(failed, guest.log.slice(-20_000)).toEqual(expected)
  expect(guest.log).not.toMatch(/BUG:|WARNING:|Oops/)
})
