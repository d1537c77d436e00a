/**
 * The command line as one table: it drives the parser, `-help` and the documentation. A row that is not built yet stays here and
 * refuses by name, so that no flag of the contract is ever taken for granted or ignored.
 */
import type { Accelerator, CpuConfig, SecurityModel } from '../config.ts'
import { canonicalFeature, cpuFeatureNames } from './cpu-features-table.ts'
import type { Draft, DraftDisk } from './draft.ts'
import { FlagError, notBuilt } from './flag-error.ts'
import { listed, Options } from './options.ts'
import { parseBoolean, parseGdbPort, parseSize, parseWhole } from './values.ts'

export interface Flag {
  /** Without the dash. */
  readonly name: string
  /** Other spellings with the same meaning. */
  readonly aliases?: readonly string[]
  /** The argument's syntax as the help shows it; absent when the flag takes none. */
  readonly argument?: string
  readonly group: 'Boot' | 'Machine' | 'Disks' | 'Shared folders' | 'Console' | 'Debugging' | 'Other'
  readonly help: string
  /** `flag` is the flag as the messages name it (`-drive`), `value` its argument ('' without one). */
  apply(draft: Draft, value: string, flag: string): void
}

const securityModels: readonly SecurityModel[] = ['none', 'mapped-xattr', 'passthrough']
const KVM_NOTE = 'kvm: Longmode needs no KVM; its own engine (jit) runs the machine instead'

function setAccelerator(draft: Draft, name: string, flag: string): void {
  const known: Readonly<Record<string, Accelerator>> = {
    jit: 'jit',
    interp: 'interp',
    both: 'both',
    tcg: 'jit',
    kvm: 'jit',
  }
  const accelerator = Object.hasOwn(known, name) ? known[name] : undefined
  if (accelerator === undefined) {
    throw new FlagError(`${flag}: "${name}" is no accelerator here; there are ${listed(Object.keys(known))}`)
  }
  if (name === 'kvm') draft.note(KVM_NOTE)
  draft.machine.accelerator = accelerator
}

function parseCpu(flag: string, value: string): CpuConfig {
  const [name, ...parts] = value.split(',')
  if (name !== 'qemu64' && name !== 'max' && name !== 'host') {
    throw new FlagError(`${flag}: "${name}" is no CPU model here; there are qemu64, max and host`)
  }
  let vendor: CpuConfig['vendor'] = 'AuthenticAMD'
  const features: { name: string; on: boolean }[] = []
  for (const part of parts) {
    const [key, given] = part.split('=', 2)
    if (key === 'vendor') {
      if (given !== 'AuthenticAMD' && given !== 'GenuineIntel') {
        throw new FlagError(`${flag}: vendor= must be AuthenticAMD or GenuineIntel, not "${given ?? ''}"`)
      }
      vendor = given
      continue
    }
    const signed = key.startsWith('+') || key.startsWith('-')
    const feature = canonicalFeature(signed ? key.slice(1) : key)
    if (!cpuFeatureNames.includes(feature) || (signed && given !== undefined)) {
      throw new FlagError(`${flag}: "${part}" is no CPU feature; write +name, -name or name=on|off, such as +aes`)
    }
    features.push({ name: feature, on: signed ? key.startsWith('+') : parseBoolean(`${flag}: ${key}=`, given ?? 'on') })
  }
  return { model: name === 'host' ? 'max' : name, vendor, features }
}

/** Every way to ask for more than one processor is refused, in the words of the flag that was given. */
function checkProcessors(value: string, flag: string): void {
  const options = new Options(flag, value, 'cpus')
  const keys = ['cpus', 'maxcpus', 'sockets', 'dies', 'cores', 'threads']
  for (const key of keys) {
    const given = options.take(key)
    if (given !== undefined && parseWhole(`${flag}: ${key}=`, given, 1, 65535) !== 1) {
      throw notBuilt(`${flag} ${value}: more than one processor`, 'give -smp 1 or leave it out')
    }
  }
  options.end(keys)
}

const driveKeys = ['file', 'format', 'index', 'media', 'if', 'readonly', 'snapshot', 'id', 'serial']

function parseDrive(draft: Draft, value: string, flag: string): DraftDisk {
  const options = new Options(flag, value)
  const media = options.takeChoice('media', ['disk', 'cdrom'], 'disk')
  const index = options.take('index')
  const serial = options.take('serial')
  if (serial !== undefined && !/^[ -~]{1,20}$/.test(serial)) {
    throw new FlagError(`${flag}: serial= must be 1 to 20 printable ASCII characters`)
  }
  const result: DraftDisk = {
    flag,
    id: options.take('id'),
    index: index === undefined ? undefined : parseWhole(`${flag}: index=`, index, 0, 31),
    bus: options.takeChoice('if', ['ide', 'virtio', 'none'], 'ide'),
    disk: {
      file: options.takeRequired('file', 'the disk image'),
      format: options.has('format') ? options.takeChoice('format', ['raw', 'qcow2']) : 'auto',
      media,
      readOnly: options.takeBoolean('readonly') || media === 'cdrom',
      snapshot: options.takeBoolean('snapshot'),
      ...(serial === undefined ? {} : { serial }),
    },
  }
  options.end(driveKeys)
  return result
}

/** QEMU has one more, which keeps owners in files beside the files. */
function takeSecurityModel(options: Options): SecurityModel {
  if (options.is('security_model', 'mapped-file'))
    throw notBuilt(`${options.flag}: security_model=mapped-file`, 'give mapped-xattr')
  return options.takeChoice('security_model', securityModels)
}

function parseFsdev(options: Options, keys: readonly string[]) {
  const driver = options.take('fsdriver')
  if (driver !== 'local') {
    throw new FlagError(
      `${options.flag}: the first word must be "local", not "${driver ?? ''}"; a host folder is what can be shared`,
    )
  }
  const share = {
    path: options.takeRequired('path', 'the host folder'),
    securityModel: takeSecurityModel(options),
    readOnly: options.takeBoolean('readonly'),
  }
  return { share, end: () => options.end(['local', ...keys]) }
}

function takeMountTag(options: Options): string {
  const tag = options.takeRequired('mount_tag', 'the name that the guest mounts')
  if (new TextEncoder().encode(tag).length > 31) throw new FlagError(`${options.flag}: mount_tag= has at most 31 bytes`)
  return tag
}

/** -device: model -> what it takes and does. */
const deviceModels: Readonly<Record<string, (draft: Draft, options: Options) => readonly string[]>> = {
  'virtio-9p-pci': (draft, options) => {
    draft.shares.push({
      fsdev: options.takeRequired('fsdev', 'the id= of an -fsdev'),
      mountTag: takeMountTag(options),
    })
    return ['fsdev', 'mount_tag']
  },
  'virtio-blk-pci': (draft, options) => {
    draft.driveDevices.push({ drive: options.takeRequired('drive', 'the id= of a -drive'), bus: 'virtio' })
    return ['drive']
  },
  'ide-hd': (draft, options) => {
    draft.driveDevices.push({ drive: options.takeRequired('drive', 'the id= of a -drive'), bus: 'ide' })
    return ['drive']
  },
  'virtio-rng-pci': (draft) => {
    draft.machine.entropy = true
    return []
  },
  'virtio-serial-pci': (draft) => {
    draft.hasVirtioSerial = true
    return []
  },
  virtconsole: (draft, options) => {
    draft.consoles.push(options.take('chardev'))
    options.take('name')
    return ['chardev', 'name']
  },
  'isa-debug-exit': (draft, options) => {
    // QEMU's defaults (hw/misc/debugexit: port 0x501, two ports wide).
    const size = parseWhole('-device isa-debug-exit: iosize=', options.take('iosize') ?? '2', 1, 4)
    if (size !== 1 && size !== 2 && size !== 4) throw new FlagError('-device isa-debug-exit: iosize= must be 1, 2 or 4')
    const port = parseWhole('-device isa-debug-exit: iobase=', options.take('iobase') ?? '0x501', 0, 0x1_0000 - size)
    draft.machine.debugExit = { port, size }
    return ['iobase', 'iosize']
  },
}

function addDevice(draft: Draft, value: string): void {
  const given = new Options('-device', value, 'driver').takeRequired('driver', 'the device')
  const model = given === 'virtio-9p' || given === 'virtio-serial' ? `${given}-pci` : given
  if (!Object.hasOwn(deviceModels, model)) {
    throw new FlagError(`-device: there is no device "${given}" here; there are ${listed(Object.keys(deviceModels))}`)
  }
  const options = new Options(`-device ${model}`, value, 'driver')
  options.take('driver')
  options.take('id')
  const keys = deviceModels[model](draft, options)
  options.end(['id', ...keys])
}

function setSerial(draft: Draft, value: string, flag: string): void {
  if (draft.serialGiven) throw notBuilt(`${flag} ${value}: a second serial port`, 'give one -serial')
  draft.serialGiven = true
  if (value === 'stdio') draft.machine.serial = { kind: 'stdio' }
  else if (value === 'mon:stdio') {
    draft.machine.serial = { kind: 'stdio' }
    draft.machine.monitor = 'mux'
  } else if (value === 'none' || value === 'null') draft.machine.serial = { kind: 'none' }
  else if (/^file:./.test(value)) draft.machine.serial = { kind: 'file', path: value.slice('file:'.length) }
  else throw new FlagError(`${flag}: "${value}" must be stdio, mon:stdio, file:PATH or none`)
}

function setMonitor(draft: Draft, value: string, flag: string): void {
  draft.monitorGiven = true
  if (value === 'none' || value === 'null') draft.machine.monitor = 'none'
  else if (value === 'stdio') draft.machine.monitor = 'stdio'
  else throw new FlagError(`${flag}: "${value}" must be stdio or none`)
}

function addChardev(draft: Draft, value: string, flag: string): void {
  const options = new Options(flag, value, 'backend')
  const backend = options.takeRequired('backend', 'its kind, such as pty')
  const id = options.takeRequired('id', 'a name for -device virtconsole,chardev=')
  options.end(['id'])
  if (!['pty', 'vc', 'null'].includes(backend)) throw notBuilt(`${flag} ${backend}`, 'give pty, vc or null')
  if (draft.chardevs.has(id)) throw new FlagError(`${flag}: id=${id} is used twice`)
  draft.chardevs.add(id)
}

function setRtc(draft: Draft, value: string, flag: string): void {
  const options = new Options(flag, value)
  const base = options.take('base') ?? 'utc'
  const clock = options.take('clock') ?? 'host'
  options.end(['base', 'clock'])
  if (clock !== 'host') throw notBuilt(`${flag}: clock=${clock}`, 'leave it out or give clock=host')
  if (base === 'utc' || base === 'localtime') draft.machine.rtc = { base }
  else if (/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(base) && !Number.isNaN(Date.parse(base))) {
    draft.machine.rtc = { base: 'date', at: base }
  } else throw new FlagError(`${flag}: base=${base} must be utc, localtime or a date such as 2026-01-31T12:00:00`)
}

function setMachineType(draft: Draft, value: string, flag: string): void {
  const options = new Options(flag, value, 'type')
  const type = options.take('type') ?? 'pc'
  const accelerator = options.take('accel')
  options.end(['type', 'accel'])
  if (type !== 'pc' && !/^pc-i440fx-\d+\.\d+$/.test(type)) {
    throw new FlagError(`${flag}: there is no machine "${type}" here; there is pc`)
  }
  // QEMU tries a list such as kvm:tcg in order; here the first one decides, and kvm falls back by itself.
  if (accelerator !== undefined) setAccelerator(draft, accelerator.split(':')[0], flag)
}

const noNetwork = (draft: Draft, value: string, flag: string) => {
  if (value.split(',')[0] !== 'none')
    throw notBuilt(`${flag} ${value}: a network card`, 'give -nic none or leave it out')
  draft.machine.network = 'none'
}

export const flags: readonly Flag[] = [
  {
    name: 'kernel',
    argument: 'FILE',
    group: 'Boot',
    help: 'the Linux kernel (bzImage or vmlinux) or multiboot image to start',
    apply: (draft, value) => void (draft.machine.kernel = value),
  },
  {
    name: 'initrd',
    argument: 'FILE',
    group: 'Boot',
    help: 'the initial RAM disk',
    apply: (draft, value) => void (draft.machine.initrd = value),
  },
  {
    name: 'append',
    argument: 'TEXT',
    group: 'Boot',
    help: 'the kernel command line, such as "root=/dev/sda rw console=ttyS0"',
    apply: (draft, value) => void (draft.machine.append = value),
  },
  {
    name: 'm',
    argument: '[size=]SIZE',
    group: 'Machine',
    help: 'memory in MiB, or with K, M or G (default 128M)',
    apply(draft, value, flag) {
      const options = new Options(flag, value, 'size')
      draft.machine.memory = parseSize(flag, options.takeRequired('size', 'the memory'))
      options.end(['size'])
    },
  },
  {
    name: 'smp',
    argument: '[cpus=]N',
    group: 'Machine',
    help: 'number of processors: 1',
    apply: (_draft, value, flag) => checkProcessors(value, flag),
  },
  {
    name: 'cpu',
    argument: 'MODEL[,vendor=VENDOR][,±FEATURE]',
    group: 'Machine',
    help: 'CPU model: qemu64 (default), max, host (the same as max); vendor AuthenticAMD (default) or GenuineIntel',
    apply: (draft, value, flag) => void (draft.machine.cpu = parseCpu(flag, value)),
  },
  {
    name: 'machine',
    aliases: ['M'],
    argument: '[type=]pc[,accel=NAME]',
    group: 'Machine',
    help: 'the machine: a PC with the i440FX chip set',
    apply: setMachineType,
  },
  {
    name: 'accel',
    argument: 'jit|interp|both|tcg|kvm',
    group: 'Machine',
    help: 'how guest code runs: translated (jit, default; tcg means the same), interpreted, or both ways in step until they differ; kvm falls back to jit',
    apply: (draft, value, flag) => setAccelerator(draft, value.split(',')[0], flag),
  },
  {
    name: 'enable-kvm',
    group: 'Machine',
    help: 'accepted; a line says which accelerator runs instead',
    apply: (draft, _value, flag) => setAccelerator(draft, 'kvm', flag),
  },
  {
    name: 'drive',
    argument: 'file=FILE[,format=raw|qcow2][,index=N][,media=disk|cdrom][,if=ide|virtio][,readonly=on][,snapshot=on]',
    group: 'Disks',
    help: 'a disk image; snapshot=on leaves the file as it is',
    apply: (draft, value, flag) => void draft.disks.push(parseDrive(draft, value, flag)),
  },
  ...['hda', 'hdb', 'hdc', 'hdd'].map((name, index): Flag => ({
    name,
    argument: 'FILE',
    group: 'Disks',
    help: `a disk image as IDE disk ${index}`,
    apply: (draft, value, flag) =>
      void draft.disks.push({
        flag,
        id: undefined,
        index,
        bus: 'ide',
        disk: { file: value, format: 'auto', media: 'disk', readOnly: false, snapshot: false },
      }),
  })),
  {
    name: 'snapshot',
    group: 'Disks',
    help: 'leave every disk image as it is: writes are thrown away at the end',
    apply: (draft) => void (draft.snapshotAll = true),
  },
  {
    name: 'virtfs',
    argument: 'local,path=FOLDER,mount_tag=TAG,security_model=MODEL[,readonly=on]',
    group: 'Shared folders',
    help: `a host folder for the guest to mount by its tag; MODEL is ${listed(securityModels)}`,
    apply(draft, value, flag) {
      const options = new Options(flag, value, 'fsdriver')
      options.take('id')
      const { share, end } = parseFsdev(options, ['id', 'path', 'mount_tag', 'security_model', 'readonly'])
      draft.shares.push({ ...share, mountTag: takeMountTag(options) })
      end()
    },
  },
  {
    name: 'fsdev',
    argument: 'local,id=ID,path=FOLDER,security_model=MODEL[,readonly=on]',
    group: 'Shared folders',
    help: 'a host folder for a -device virtio-9p-pci',
    apply(draft, value, flag) {
      const options = new Options(flag, value, 'fsdriver')
      const id = options.takeRequired('id', 'a name for -device virtio-9p-pci,fsdev=')
      if (draft.fsdevs.has(id)) throw new FlagError(`${flag}: id=${id} is used twice`)
      const { share, end } = parseFsdev(options, ['id', 'path', 'security_model', 'readonly'])
      draft.fsdevs.set(id, share)
      end()
    },
  },
  {
    name: 'device',
    argument: 'MODEL[,KEY=VALUE]',
    group: 'Machine',
    help: `a device: ${Object.keys(deviceModels).join(', ')}`,
    apply: addDevice,
  },
  {
    name: 'nographic',
    group: 'Console',
    help: 'serial port and monitor on this terminal: Ctrl-a x quits, Ctrl-a c is the monitor, Ctrl-a h tells more',
    apply(draft) {
      draft.nographic = true
      draft.machine.display = 'none'
    },
  },
  {
    name: 'display',
    argument: 'none',
    group: 'Console',
    help: 'no window',
    apply(draft, value, flag) {
      if (value !== 'none') throw notBuilt(`${flag} ${value}`, 'give -display none or -nographic')
      draft.machine.display = 'none'
    },
  },
  {
    name: 'serial',
    argument: 'stdio|mon:stdio|file:PATH|none',
    group: 'Console',
    help: 'where the first serial port goes (mon:stdio: this terminal, with the monitor)',
    apply: setSerial,
  },
  {
    name: 'monitor',
    argument: 'stdio|none',
    group: 'Console',
    help: 'where the monitor is',
    apply: setMonitor,
  },
  {
    name: 'chardev',
    argument: 'pty|vc|null,id=ID',
    group: 'Console',
    help: 'the other end of a -device virtconsole: a console tab of the window, whichever of the three it is',
    apply: addChardev,
  },
  { name: 'netdev', argument: 'user', group: 'Other', help: 'a network: not built yet', apply: noNetwork },
  { name: 'nic', argument: 'none', group: 'Other', help: 'no network card', apply: noNetwork },
  { name: 'net', argument: 'none', group: 'Other', help: 'no network card', apply: noNetwork },
  {
    name: 'no-reboot',
    group: 'Debugging',
    help: 'a reset by the guest ends the program',
    apply: (draft) => void (draft.machine.noReboot = true),
  },
  {
    name: 'S',
    group: 'Debugging',
    help: 'stay paused at the start',
    apply: (draft) => void (draft.machine.startPaused = true),
  },
  {
    name: 's',
    group: 'Debugging',
    help: 'short for -gdb tcp::1234',
    apply: (draft) => void (draft.machine.gdbPort = 1234),
  },
  {
    name: 'gdb',
    argument: 'tcp::PORT',
    group: 'Debugging',
    help: 'wait for gdb on this port of 127.0.0.1',
    apply: (draft, value, flag) => void (draft.machine.gdbPort = parseGdbPort(flag, value)),
  },
  {
    name: 'name',
    argument: 'TEXT',
    group: 'Other',
    help: "the machine's name",
    apply(draft, value, flag) {
      const options = new Options(flag, value, 'guest')
      draft.machine.name = options.takeRequired('guest', 'the name')
      options.end(['guest'])
    },
  },
  {
    name: 'rtc',
    argument: 'base=utc|localtime|DATE',
    group: 'Other',
    help: "what the guest's real-time clock shows at the start",
    apply: setRtc,
  },
]
