/** What a user does in a machine that has everything: the default guest, a disk and a shared folder. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { BOOT_SECONDS, defaultGuestFlags, PROMPT, shareFlags } from './default-guest-flags.ts'
import { GuestConsole, type Machine } from './guest-console.ts'

/** A folder of the host with a share and an ext4 disk image, for one file of tests. */
export class Workbench {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-boot-'))
  readonly share = path.join(this.folder, 'share')
  readonly pristine = path.join(this.folder, 'pristine.img')
  readonly disk = path.join(this.folder, 'disk.img')
  readonly #running: GuestConsole[] = []

  constructor() {
    mkdirSync(this.share)
    execFileSync('truncate', ['-s', '32M', this.pristine])
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', this.pristine])
  }

  start(machine: Machine, flags: readonly string[]): GuestConsole {
    const guest = new GuestConsole(machine, flags)
    this.#running.push(guest)
    return guest
  }

  /** Flags of a machine with everything; its disk is a fresh copy. */
  async fullMachine(): Promise<string[]> {
    copyFileSync(this.pristine, this.disk)
    const drive = `file=${this.disk},format=raw,index=0,media=disk`
    return [...(await defaultGuestFlags()), '-drive', drive, ...shareFlags(this.share), '-device', 'virtio-rng-pci']
  }

  async stopAll(): Promise<void> {
    for (const guest of this.#running.splice(0)) await guest.kill()
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** From power-on to the prompt, through the share and the disk, to power-off; gives the log. */
export async function wholeSession(bench: Workbench, machine: Machine): Promise<string> {
  writeFileSync(path.join(bench.share, 'from-host'), 'hello guest\n')
  rmSync(path.join(bench.share, 'from-guest'), { force: true })
  const guest = bench.start(machine, await bench.fullMachine())
  await guest.expect(PROMPT, BOOT_SECONDS)
  await useShare(guest, bench.share)
  await useDisk(guest)
  await interrupt(guest)
  const { output } = await guest.run('cat /sys/devices/system/clocksource/clocksource0/current_clocksource')
  expect(output).toBe('tsc\n')
  guest.type('poweroff\n')
  await guest.expect('Power down', 60)
  expect(await guest.exited).toBe(0)
  execFileSync('e2fsck', ['-fn', bench.disk], { stdio: 'pipe' })
  return guest.log
}

async function useShare(guest: GuestConsole, share: string): Promise<void> {
  expect(await guest.run('cat /root/host_folder/from-host')).toEqual({ output: 'hello guest\n', status: 0 })
  expect(await guest.run('echo hello host > /root/host_folder/from-guest; sync')).toMatchObject({ status: 0 })
  expect(readFileSync(path.join(share, 'from-guest'), 'utf8')).toBe('hello host\n')
}

async function useDisk(guest: GuestConsole): Promise<void> {
  const written = await guest.run(
    'mount /dev/sda /mnt && echo kept > /mnt/file && dd if=/dev/urandom of=/mnt/big bs=64k count=64 && sha256sum /mnt/big && umount /mnt',
  )
  expect(written.status).toBe(0)
  const sum = /[0-9a-f]{64}/.exec(written.output)![0]
  const again = await guest.run(
    'mount /dev/sda /mnt && echo 3 > /proc/sys/vm/drop_caches && sha256sum /mnt/big && umount /mnt',
  )
  expect(again.output).toContain(sum)
}

async function interrupt(guest: GuestConsole): Promise<void> {
  // What the command prints tells that the shell has left its line editor and waits for its child: a Ctrl-C before would be the shell's own.
  guest.type(`sh -c 'echo "<sl""eep>"; exec sleep 1000'\n`)
  await guest.expect('<sleep>')
  guest.type('\u0003')
  expect(await guest.run('echo alive')).toEqual({ output: 'alive\n', status: 0 })
}
