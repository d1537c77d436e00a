/**
 * Debian's stock kernel with the default guest's initramfs, on Longmode as on QEMU: shell, disk, share, power. The machine under test is
 * Longmode; LONGMODE_BOOT_ON=qemu runs the same tests on QEMU, which is how they are known to be right.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultGuestFlags, PROMPT, shareFlags } from '../default-guest-flags.ts'
import { GuestConsole, type Machine } from '../guest-console.ts'
import { newTroubles } from '../troubles.ts'

const underTest: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'
const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-boot-'))
const share = path.join(scratch, 'share')
const pristine = path.join(scratch, 'pristine.img')
const disk = path.join(scratch, 'disk.img')
const running: GuestConsole[] = []

function start(machine: Machine, flags: readonly string[]): GuestConsole {
  const guest = new GuestConsole(machine, flags)
  running.push(guest)
  return guest
}

/** Everything that a plain machine has. */
async function fullMachine(): Promise<string[]> {
  copyFileSync(pristine, disk)
  const drive = `file=${disk},format=raw,index=0,media=disk`
  return [...(await defaultGuestFlags()), '-drive', drive, ...shareFlags(share), '-device', 'virtio-rng-pci']
}

beforeAll(() => {
  mkdirSync(share)
  execFileSync('truncate', ['-s', '32M', pristine])
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', pristine])
})
afterEach(async () => {
  for (const guest of running.splice(0)) await guest.kill()
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Boots, uses everything, powers off; gives the log. */
async function wholeSession(machine: Machine): Promise<string> {
  writeFileSync(path.join(share, 'from-host'), 'hello guest\n')
  rmSync(path.join(share, 'from-guest'), { force: true })
  const guest = start(machine, await fullMachine())
  await guest.expect(PROMPT, 200)
  expect(await guest.run('cat /root/host_folder/from-host')).toEqual({ output: 'hello guest\n', status: 0 })
  expect(await guest.run('echo hello host > /root/host_folder/from-guest; sync')).toMatchObject({ status: 0 })
  expect(readFileSync(path.join(share, 'from-guest'), 'utf8')).toBe('hello host\n')
  const onDisk = await guest.run(
    'mount /dev/sda /mnt && echo kept > /mnt/file && dd if=/dev/urandom of=/mnt/big bs=64k count=64 && sha256sum /mnt/big && umount /mnt',
  )
  expect(onDisk.status).toBe(0)
  const sum = /[0-9a-f]{64}/.exec(onDisk.output)![0]
  const again = await guest.run(
    'mount /dev/sda /mnt && echo 3 > /proc/sys/vm/drop_caches && sha256sum /mnt/big && umount /mnt',
  )
  expect(again.output).toContain(sum)
  // Only what the command prints tells that the shell has left its line editor, in which Ctrl-C means something else.
  guest.type('echo "<sl""eep>"; sleep 1000\n')
  await guest.expect('<sleep>')
  guest.type('\u0003')
  expect(await guest.run('echo alive')).toEqual({ output: 'alive\n', status: 0 })
  expect((await guest.run('cat /sys/devices/system/clocksource/clocksource0/current_clocksource')).status).toBe(0)
  guest.type('poweroff\n')
  await guest.expect('Power down', 60)
  expect(await guest.exited).toBe(0)
  return guest.log
}

describe(`Debian's stock kernel on ${underTest}`, () => {
  it('boots to a shell, uses disk and share, powers off, and complains about nothing that QEMU does not', async () => {
    const log = await wholeSession(underTest)
    execFileSync('e2fsck', ['-fn', disk], { stdio: 'pipe' })
    const reference = underTest === 'qemu' ? '' : await wholeSession('qemu')
    expect(newTroubles(log, reference)).toEqual([])
  })

  it.each(['AuthenticAMD', 'GenuineIntel'])('runs as %s', async (vendor) => {
    const guest = start(underTest, [...(await defaultGuestFlags()), '-cpu', `max,vendor=${vendor}`])
    await guest.expect(PROMPT, 200)
    expect((await guest.run('cat /proc/cpuinfo')).output).toContain(vendor)
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
    expect(newTroubles(guest.log, '')).toEqual([])
  })

  it('reboots into the same kernel', async () => {
    const guest = start(underTest, await defaultGuestFlags())
    await guest.expect(PROMPT, 200)
    guest.type('reboot\n')
    await guest.expect('Linux version', 100)
    await guest.expect(PROMPT, 200)
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
  })

  it('ends at a reboot under -no-reboot', async () => {
    const guest = start(underTest, [...(await defaultGuestFlags()), '-no-reboot'])
    await guest.expect(PROMPT, 200)
    guest.type('reboot\n')
    expect(await guest.exited).toBe(0)
    expect(guest.log.match(/Linux version/g)).toHaveLength(1)
  })

  it('gives the exit code of isa-debug-exit, and leaves a disk with -snapshot as it was', async () => {
    const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04']
    const guest = start(underTest, [...(await fullMachine()), '-snapshot', ...exit])
    await guest.expect(PROMPT, 200)
    expect((await guest.run('mount /dev/sda /mnt && echo lost > /mnt/file && umount /mnt')).status).toBe(0)
    guest.type("printf '\\005' | dd of=/dev/port bs=1 seek=244 count=1\n")
    expect(await guest.exited).toBe(11)
    expect(readFileSync(disk).equals(readFileSync(pristine))).toBe(true)
  })

  it('obeys the keys of the terminal', async () => {
    const guest = start(underTest, await defaultGuestFlags())
    await guest.expect(PROMPT, 200)
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
