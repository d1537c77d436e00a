/** The machine that a kernel is checked against or booted on: QEMU's flags behind `--`, else the tutorial's machine. */
import { KernelTreeError, type BootPlan, type Userland } from '../../contract/kernel-tree.ts'
import type { MachineConfig } from '../../machine/config.ts'
import { parseFlags } from '../../machine/qemu-flags/parse.ts'
import { valueOf, type Option, type Words } from './words.ts'

export const planOptions: readonly Option[] = [
  { name: 'userland', value: 'NAME', help: 'what runs in the guest: systemd (when left out), busybox or any' },
]

/** What the tutorial starts: an IDE disk as root, the serial console, one share. */
const tutorial: BootPlan = {
  append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
  disks: [{ bus: 'ide', media: 'disk' }],
  shares: [{ mountTag: 'shared_folder' }],
}

const userlands = ['systemd', 'busybox', 'any'] as const

export function userlandOf(words: Words): Userland {
  const name = valueOf(words, 'userland') ?? 'systemd'
  const userland = userlands.find((each) => each === name)
  if (userland === undefined) throw new KernelTreeError(`--userland ${name}: it is one of ${userlands.join(', ')}`)
  return userland
}

export function machineOf(flags: readonly string[]): MachineConfig {
  const parsed = parseFlags(flags)
  if (parsed.kind === 'error') throw new KernelTreeError(parsed.sentence)
  if (parsed.kind !== 'machine') throw new KernelTreeError('behind -- stand the flags of a machine')
  return parsed.machine
}

export function planOf(words: Words): BootPlan {
  return words.behind.length === 0 ? tutorial : machineOf(words.behind)
}
