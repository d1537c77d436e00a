/** A machine back to a command line: `parseFlags(exportFlags(machine))` gives the same machine. */
import { defaultMachine, MIB, type DiskConfig, type MachineConfig, type ShareConfig } from '../config.ts'

const escapeCommas = (value: string) => value.replaceAll(',', ',,')

/** `key=value` pairs; those whose value is undefined are left out. */
function optionList(head: readonly string[], pairs: readonly (readonly [string, string | undefined])[]): string {
  const given = pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escapeCommas(value)}`]))
  return [...head, ...given].join(',')
}

const on = (value: boolean) => (value ? 'on' : undefined)

function driveOptions(disk: DiskConfig): string {
  return optionList(
    [],
    [
      ['file', disk.file],
      ['format', disk.format === 'auto' ? undefined : disk.format],
      ['if', disk.bus === 'ide' ? undefined : disk.bus],
      ['index', String(disk.index)],
      ['media', disk.media],
      ['readonly', on(disk.readOnly)],
      ['snapshot', on(disk.snapshot)],
      ['serial', disk.serial],
    ],
  )
}

function shareFlags(share: ShareConfig, index: number): string[] {
  const id = `fs${index + 1}`
  const folder = optionList(
    ['local'],
    [
      ['id', id],
      ['path', share.path],
      ['security_model', share.securityModel],
      ['readonly', on(share.readOnly)],
    ],
  )
  const device = optionList(
    ['virtio-9p-pci'],
    [
      ['fsdev', id],
      ['mount_tag', share.mountTag],
    ],
  )
  return ['-fsdev', folder, '-device', device]
}

function consoleFlags(machine: MachineConfig): string[] {
  const { serial, monitor, display } = machine
  const flags = display === 'none' ? ['-display', 'none'] : []
  if (monitor === 'mux') return display === 'none' ? ['-nographic'] : ['-serial', 'mon:stdio']
  if (serial.kind === 'none') flags.push('-serial', 'none')
  if (serial.kind === 'file') flags.push('-serial', `file:${serial.path}`)
  if (monitor === 'stdio') flags.push('-monitor', 'stdio')
  return flags
}

/** QEMU gives each a pseudo terminal; here it is a tab of the window. */
function virtioConsoleFlags({ consoles = 0 }: MachineConfig): string[] {
  if (consoles === 0) return []
  const each = Array.from({ length: consoles }, (_, n) => [
    '-chardev',
    `pty,id=hvc${n}`,
    '-device',
    `virtconsole,chardev=hvc${n}`,
  ])
  return ['-device', 'virtio-serial-pci', ...each.flat()]
}

function cpuFlags({ cpu }: MachineConfig): string[] {
  const vendor = cpu.vendor === defaultMachine.cpu.vendor ? [] : [`vendor=${cpu.vendor}`]
  const features = cpu.features.map(({ name, on: isOn }) => `${isOn ? '+' : '-'}${name}`)
  const text = [cpu.model, ...vendor, ...features].join(',')
  return text === defaultMachine.cpu.model ? [] : ['-cpu', text]
}

/** The words of the command line, without the program. */
export function exportFlags(machine: MachineConfig): string[] {
  const { kernel, initrd, append, memory, debugExit, gdbPort, rtc } = machine
  return [
    ...(machine.name === defaultMachine.name ? [] : ['-name', escapeCommas(machine.name)]),
    ...(kernel === undefined ? [] : ['-kernel', kernel]),
    ...(initrd === undefined ? [] : ['-initrd', initrd]),
    ...(append === '' ? [] : ['-append', append]),
    ...(memory === defaultMachine.memory ? [] : ['-m', `${memory / MIB}M`]),
    ...cpuFlags(machine),
    ...(machine.accelerator === defaultMachine.accelerator ? [] : ['-accel', machine.accelerator]),
    ...machine.disks.flatMap((disk) => ['-drive', driveOptions(disk)]),
    ...machine.shares.flatMap(shareFlags),
    ...(machine.entropy ? ['-device', 'virtio-rng-pci'] : []),
    ...(debugExit === undefined
      ? []
      : ['-device', `isa-debug-exit,iobase=0x${debugExit.port.toString(16)},iosize=${debugExit.size}`]),
    ...consoleFlags(machine),
    ...virtioConsoleFlags(machine),
    ...(machine.noReboot ? ['-no-reboot'] : []),
    ...(machine.startPaused ? ['-S'] : []),
    ...(gdbPort === undefined ? [] : ['-gdb', `tcp::${gdbPort}`]),
    ...(rtc.base === 'utc' ? [] : ['-rtc', `base=${rtc.base === 'date' ? rtc.at : rtc.base}`]),
  ]
}

/** One word as a POSIX shell reads it back. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The command line as text to paste into a shell. */
export function exportCommand(machine: MachineConfig, program = 'qemu-system-x86_64'): string {
  return [program, ...exportFlags(machine)].map(quoteWord).join(' ')
}
