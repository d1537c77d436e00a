/** Machines, folders and images that exist only in tests of the window. */
import { consoleNames, defaultMachine, MIB, type MachineConfig } from '../../src-main/machine/config.ts'
import type { BootChoice, ImageInfo } from '../../src-main/contract/services/images.ts'
import type { Machine } from '../../src-main/contract/services/machines.ts'
import type { Share } from '../../src-main/contract/services/shares.ts'
import { rawDisk } from '../fixtures/raw-disk.ts'

const HOUR = 3600_000

export const tutorialConfig: MachineConfig = {
  ...defaultMachine,
  name: 'Tutorial 6.1',
  kernel: '/home/ana/linux/arch/x86/boot/bzImage',
  append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
  memory: 2048 * MIB,
  disks: [rawDisk('/home/ana/my_disk.raw')],
  consoles: 1,
  shares: [{ path: '/home/ana/shared_folder', mountTag: 'shared_folder', securityModel: 'none', readOnly: false }],
}

export const bootText = [
  '[    0.000000] Linux version 6.1.119-tut (ana@laptop) (gcc (Debian 12.2.0-14) 12.2.0) #3 Sat Nov 28 12:00:00 UTC 2026',
  '[    0.000000] Command line: root=/dev/sda rw console=ttyS0 loglevel=6',
  '[    1.214502] ata1.00: 3145728 sectors, multi 16: LBA48',
  '[    1.604410] EXT4-fs (sda): mounted filesystem with ordered data mode. Quota mode: none.',
  '[    1.880113] 9pnet: Installing 9P2000 support',
  '',
  'Welcome to \x1b[1;31mDebian GNU/Linux 12 (bookworm)\x1b[0m!',
  '',
  '[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mlocal-fs.target\x1b[0m - Local File Systems.',
  '[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mserial-getty@ttyS0.service\x1b[0m - Serial Getty on ttyS0.',
  '',
  'Debian GNU/Linux 12 tutorial ttyS0',
  '',
  'tutorial login: root',
  'root@tutorial:~# gcc host_folder/test.c -o test && ./test',
  'root@tutorial:~# ls --color host_folder   \x1b[2m# see https://www.kernel.org/doc\x1b[0m',
  '\x1b[0;34mmodules\x1b[0m  test.c  \x1b[0;32mtest\x1b[0m',
  'root@tutorial:~# ',
].join('\r\n')

// eslint-disable-next-line no-control-regex -- escape sequences are what it takes away
const plain = bootText.replace(/\x1b\[[0-9;]*m/g, '').split('\r\n')

function machine(id: string, config: MachineConfig, status: Machine['status'], more: Partial<Machine> = {}): Machine {
  return { id, config, consoles: consoleNames(config), embedded: false, created: 0, status, thumbnail: [], ...more }
}

export function fakeMachines(now: number): Machine[] {
  return [
    machine(
      'tutorial',
      tutorialConfig,
      { state: 'running', since: now - HOUR, accelerator: 'jit' },
      { lastStarted: now - HOUR, thumbnail: plain.slice(-8) },
    ),
    machine(
      'debian',
      { ...tutorialConfig, name: 'Debian 12, stock kernel', memory: 1024 * MIB, shares: [] },
      { state: 'off', since: now, end: { kind: 'exited', reason: 'power-off', code: 0 } },
      { lastStarted: now - 26 * HOUR },
    ),
    machine(
      'crashed',
      { ...tutorialConfig, name: 'linux-next', disks: [], memory: 512 * MIB },
      {
        state: 'failed',
        since: now,
        end: {
          kind: 'failed',
          sentence: 'the machine stopped by a fault of Longmode: no handler for opcode 0f ff',
          details: 'Error: no handler for opcode 0f ff\n    at decode (decode.ts:120:11)',
        },
      },
      { lastStarted: now - 3 * HOUR },
    ),
    machine(
      'built-in',
      { ...defaultMachine, name: 'Built-in Linux', memory: 512 * MIB },
      { state: 'off', since: now },
      { embedded: true },
    ),
  ]
}

export function fakeShares(now: number): Share[] {
  return [
    {
      config: tutorialConfig.shares[0],
      index: 0,
      folder: 'present',
      exchanged: false,
      mountCommand: 'mkdir -p /root/host_folder && mount -t 9p -o trans=virtio shared_folder /root/host_folder',
      fstabLine: 'shared_folder /root/host_folder 9p trans=virtio 0 0',
      activities: [
        { at: now - 65_000, by: 'host', kind: 'create', path: 'test.c' },
        { at: now - 42_000, by: 'host', kind: 'change', path: 'test.c' },
        { at: now - 11_000, by: 'guest', kind: 'create', path: 'test' },
        { at: now - 4_000, by: 'guest', kind: 'remove', path: 'modules/old.ko' },
      ],
    },
  ]
}

export const fakeBootChoices: BootChoice[] = [
  {
    title: 'Debian GNU/Linux',
    source: 'GRUB',
    kernel: '/boot/vmlinuz-6.1.0-28-amd64',
    append: 'root=UUID=1-2 ro quiet',
  },
  {
    title: 'Debian GNU/Linux, with Linux 6.1.0-26-amd64',
    source: 'GRUB',
    kernel: '/boot/vmlinuz-6.1.0-26-amd64',
    append: 'root=UUID=1-2 ro',
  },
]

export function fakeImage(path: string): ImageInfo {
  return {
    path,
    name: path.split('/').at(-1) ?? path,
    format: 'raw',
    size: 1536 * MIB,
    allocated: 894 * MIB,
    writable: true,
    inUse: true,
    table: 'none',
    partitions: [],
    fileSystem: 'ext4',
    label: 'tutorial',
  }
}
