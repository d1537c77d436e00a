/**
 * The tutorial's command line, word for word, on the student's own kernel and on Debian's stock one: a Debian disk with systemd, the
 * share by fstab, compilers and debuggers in the guest, clean power-off. LONGMODE_BOOT_ON=qemu shows that the test itself is right.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultGuest } from '../../../src-main/host/default-guest/default-guest.ts'
import { GuestConsole, type Machine } from '../../boot/guest-console.ts'
import { newTroubles } from '../../boot/troubles.ts'
import { debianDisk, HOST_NAME } from './debian-disk.ts'
import { tutorialKernel } from './tutorial-kernel.ts'

const machine: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'
/** Boots in a row without a failure, beside the first long one. */
const BOOTS = 9
const PROMPT = new RegExp(`root@${HOST_NAME}:\\S*# `)

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-tutorial-'))
const disk = path.join(scratch, 'my_disk.raw')
const share = path.join(scratch, 'shared_folder')
const running: GuestConsole[] = []
afterEach(async () => {
  for (const guest of running.splice(0)) await guest.kill()
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** What the tutorial types, with `kernel` for its `-kernel ./arch/x86_64/boot/bzImage`. QEMU's own `--enable-kvm` needs a KVM. */
function start(kernel: readonly string[], drive = `file=${disk},format=raw`): GuestConsole {
  const flags = [
    ...['-drive', `${drive},index=0,media=disk`],
    ...['-m', '2G', '-nographic', ...kernel],
    ...['-append', 'root=/dev/sda rw console=ttyS0 loglevel=6'],
    ...['-fsdev', `local,id=fs1,path=${share},security_model=none`],
    ...['-device', 'virtio-9p-pci,fsdev=fs1,mount_tag=shared_folder'],
    ...(machine === 'longmode' ? ['--enable-kvm'] : []),
  ]
  const guest = new GuestConsole(machine, flags)
  running.push(guest)
  return guest
}

async function logIn(guest: GuestConsole): Promise<void> {
  await guest.expect(`${HOST_NAME} login: `, 1200)
  guest.type('root\n')
  await guest.expect(PROMPT, 200)
}

async function good(guest: GuestConsole, command: string): Promise<string> {
  const { output, status } = await guest.run(command, 600)
  expect(status, `${command}\n${output}`).toBe(0)
  return output
}

async function useShare(guest: GuestConsole, round: string): Promise<void> {
  expect(await good(guest, 'mount -t 9p')).toMatch(/^shared_folder on \/root\/host_folder type 9p \(rw,.*trans=virtio/)
  writeFileSync(path.join(share, `host-${round}`), `from the host, ${round}\n`)
  expect(await good(guest, `cat /root/host_folder/host-${round}`)).toBe(`from the host, ${round}\n`)
  await good(guest, `echo "from the guest, ${round}" > /root/host_folder/guest-${round}`)
  expect(readFileSync(path.join(share, `guest-${round}`), 'utf8')).toBe(`from the guest, ${round}\n`)
}

const SOURCE = String.raw`#include <stdio.h>
#include <unistd.h>
#include <errno.h>
#include <sys/syscall.h>
int main(void)
{
        errno = 0;
        long bad = syscall(9999);
        printf("%d bytes, pid %d, %ld, errno %d\n", (int)sizeof(long), getpid() > 0, bad, errno);
        return 0;
}
`

async function compileAndDebug(guest: GuestConsole): Promise<void> {
  writeFileSync(path.join(share, 'hello.c'), SOURCE)
  await good(
    guest,
    'cd /root && gcc -g -O1 -Wall host_folder/hello.c -o hello && gcc -g -m32 host_folder/hello.c -o hello32',
  )
  expect(await good(guest, './hello')).toBe('8 bytes, pid 1, -1, errno 38\n')
  expect(await good(guest, './hello32')).toBe('4 bytes, pid 1, -1, errno 38\n')
  for (const program of ['hello', 'hello32']) {
    const trace = await good(guest, `strace ./${program} 2>&1 | tail -n 40`)
    expect(trace).toMatch(/syscall_0x270f\(.*\) = -1 ENOSYS/)
    expect(trace).toContain('+++ exited with 0 +++')
  }
  const gdb = (program: string, ...commands: string[]) =>
    good(guest, `gdb -batch ${commands.map((command) => `-ex '${command}'`).join(' ')} ./${program} 2>&1`)
  const stopped = await gdb('hello', 'catch syscall 9999', 'run', 'info registers rax orig_rax cs', 'continue')
  expect(stopped).toMatch(/Catchpoint 1 \(call to syscall 9999\)/)
  expect(stopped).toMatch(/rax +0xffffffffffffffda +-38/)
  expect(stopped).toMatch(/cs +0x33 +51/)
  expect(stopped).toMatch(/Catchpoint 1 \(returned from syscall 9999\)/)
  const stopped32 = await gdb('hello32', 'break main', 'run', 'stepi', 'info registers cs', 'next', 'continue')
  expect(stopped32).toMatch(/cs +0x23 +35/)
  expect(stopped32).toContain('4 bytes, pid 1, -1, errno 38')
}

async function powerOff(guest: GuestConsole): Promise<void> {
  guest.type('poweroff\n')
  expect(await guest.exited).toBe(0)
  execFileSync('e2fsck', ['-fn', disk], { stdio: 'pipe' })
}

const kernels: readonly { readonly name: string; readonly flags: () => Promise<readonly string[]> }[] = [
  { name: "the student's kernel", flags: () => Promise.resolve(['-kernel', tutorialKernel()]) },
  {
    name: "Debian's stock kernel",
    flags: async () => {
      const { kernel, initrd } = await defaultGuest((text) => console.log(text))
      return ['-kernel', kernel, '-initrd', initrd]
    },
  },
]

describe.each(kernels)(`the tutorial with $name on ${machine}`, ({ flags }) => {
  let kernel: readonly string[] = []
  beforeAll(async () => {
    kernel = await flags()
    rmSync(share, { recursive: true, force: true })
    mkdirSync(share)
    execFileSync('cp', ['--sparse=always', debianDisk(), disk])
  })

  it('boots, gets its share by a line in fstab and a reboot, compiles, traces, debugs and powers off', async () => {
    const guest = start(kernel)
    await logIn(guest)
    await good(guest, 'mkdir -p /root/host_folder')
    await good(guest, 'echo "shared_folder /root/host_folder 9p trans=virtio 0 0" >> /etc/fstab')
    guest.type('reboot\n')
    await logIn(guest)
    await useShare(guest, 'first')
    const state = (await guest.run('systemctl is-system-running --wait', 600)).output
    const failed = 'systemctl --failed --no-pager --plain; journalctl -b -p warning --no-pager | tail -n 30'
    expect(state, state === 'running\n' ? '' : (await guest.run(failed)).output).toBe('running\n')
    expect(await good(guest, 'cat /sys/devices/system/clocksource/clocksource0/current_clocksource')).toBe('tsc\n')
    await compileAndDebug(guest)
    const kernelLog = await good(guest, 'dmesg')
    expect(newTroubles(kernelLog, '')).toEqual([])
    await powerOff(guest)
    expect(newTroubles(guest.log, '')).toEqual([])
  })

  it.each(Array.from({ length: BOOTS }, (_, n) => n + 2))('boots again, number %i', async (round) => {
    const guest = start(kernel)
    await logIn(guest)
    await useShare(guest, String(round))
    expect(await good(guest, '/root/hello')).toBe('8 bytes, pid 1, -1, errno 38\n')
    await powerOff(guest)
  })

  it('boots from the same disk as qcow2', async () => {
    const image = path.join(scratch, 'my_disk.qcow2')
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk, image])
    const guest = start(kernel, `file=${image},format=qcow2`)
    await logIn(guest)
    await useShare(guest, 'qcow2')
    expect(await good(guest, '/root/hello')).toBe('8 bytes, pid 1, -1, errno 38\n')
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
    execFileSync('qemu-img', ['check', image], { stdio: 'pipe' })
    const raw = path.join(scratch, 'as-raw')
    execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', image, raw])
    execFileSync('e2fsck', ['-fn', raw], { stdio: 'pipe' })
  })
})
