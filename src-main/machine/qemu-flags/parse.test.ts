import { describe, expect, it } from 'vitest'
import { defaultMachine, MIB, type MachineConfig } from '../config.ts'
import { exportCommand, exportFlags } from './export.ts'
import { flags } from './flags-table.ts'
import { helpText } from './help.ts'
import { parseFlags } from './parse.ts'
import { splitCommand } from './split.ts'

/** The tutorial's command, word for word. */
const tutorial = `qemu-system-x86_64 -drive file=rootfs.img,format=raw,index=0,media=disk \\
  -m 2G -nographic \\
  -kernel linux/arch/x86/boot/bzImage \\
  -append "root=/dev/sda rw console=ttyS0 loglevel=6" \\
  -fsdev local,id=fs1,path=/home/user/share,security_model=none \\
  -device virtio-9p-pci,fsdev=fs1,mount_tag=shared_folder --enable-kvm`

function machineOf(...words: string[]): MachineConfig {
  const parsed = parseFlags(words)
  if (parsed.kind !== 'machine') throw new Error(parsed.kind === 'error' ? parsed.sentence : parsed.kind)
  return parsed.machine
}

function refusal(...words: string[]): string {
  const parsed = parseFlags(words)
  return parsed.kind === 'error' ? `${String(parsed.exitCode)} ${parsed.sentence}` : parsed.kind
}

describe('the tutorial command', () => {
  it('gives the machine it describes, and one line about KVM', () => {
    const parsed = parseFlags(splitCommand(tutorial))
    expect(parsed).toEqual({
      kind: 'machine',
      given: new Set(['drive', 'm', 'nographic', 'kernel', 'append', 'fsdev', 'device', 'enable-kvm']),
      notes: ['kvm: Longmode needs no KVM; its own engine (jit) runs the machine instead'],
      machine: {
        ...defaultMachine,
        kernel: 'linux/arch/x86/boot/bzImage',
        append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
        memory: 2048 * MIB,
        display: 'none',
        monitor: 'mux',
        disks: [
          { file: 'rootfs.img', format: 'raw', bus: 'ide', index: 0, media: 'disk', readOnly: false, snapshot: false },
        ],
        shares: [{ path: '/home/user/share', mountTag: 'shared_folder', securityModel: 'none', readOnly: false }],
      },
    })
  })
})

describe('values', () => {
  it.each([
    ['512', 512],
    ['2G', 2048],
    ['4G', 4096],
    ['1.5g', 1536],
    ['size=65536K', 64],
  ])('-m %s', (text, mebibytes) => {
    expect(machineOf('-m', text).memory).toBe(mebibytes * MIB)
  })
  it('takes one dash or two', () => {
    expect(machineOf('--no-reboot', '-S', '--gdb', 'tcp::1235')).toMatchObject({
      noReboot: true,
      startPaused: true,
      gdbPort: 1235,
    })
    expect(machineOf('-s').gdbPort).toBe(1234)
  })
  it('keeps two commas as one', () => {
    expect(machineOf('-drive', 'file=a,,b.img,format=raw').disks[0].file).toBe('a,b.img')
    expect(machineOf('-name', 'one,,two').name).toBe('one,two')
  })
  it('reads CPU models, vendors and features', () => {
    expect(machineOf('-cpu', 'host,vendor=GenuineIntel,-sse4_2,+aes,smap=off').cpu).toEqual({
      model: 'max',
      vendor: 'GenuineIntel',
      features: [
        { name: 'sse4.2', on: false },
        { name: 'aes', on: true },
        { name: 'smap', on: false },
      ],
    })
  })
  it('knows the accelerators', () => {
    expect(machineOf('-accel', 'tcg,thread=multi').accelerator).toBe('jit')
    expect(machineOf('-accel', 'interp').accelerator).toBe('interp')
    expect(machineOf('-machine', 'pc,accel=kvm:tcg').accelerator).toBe('jit')
  })
  it('reads the debug exit, the clock and the network', () => {
    expect(machineOf('-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04').debugExit).toEqual({ port: 0xf4, size: 4 })
    expect(machineOf('-rtc', 'base=2026-01-31T12:00:00,clock=host').rtc).toEqual({
      base: 'date',
      at: '2026-01-31T12:00:00',
    })
    expect(machineOf('-nic', 'none').network).toBe('none')
    expect(machineOf('-device', 'virtio-rng-pci').entropy).toBe(true)
  })
})

describe('disks', () => {
  it('find their places as in QEMU', () => {
    const { disks } = machineOf(
      ...['-drive', 'file=a'],
      ...['-drive', 'file=b,index=0'],
      ...['-drive', 'file=c,media=cdrom'],
      ...['-drive', 'file=d,if=virtio,readonly'],
      '-snapshot',
    )
    expect(disks.map(({ file, bus, index }) => [file, bus, index])).toEqual([
      ['a', 'ide', 1],
      ['b', 'ide', 0],
      ['c', 'ide', 2],
      ['d', 'virtio', 0],
    ])
    expect(disks.map((disk) => disk.readOnly)).toEqual([false, false, true, true])
    expect(disks.every((disk) => disk.snapshot)).toBe(true)
  })
  it('can be joined by a -device', () => {
    const { disks } = machineOf('-drive', 'file=a,if=none,id=d0', '-device', 'virtio-blk-pci,drive=d0')
    expect(disks[0]).toMatchObject({ file: 'a', bus: 'virtio', index: 0 })
  })
})

describe('the console', () => {
  const consoleOf = (...words: string[]) => {
    const { serial, monitor, display } = machineOf(...words)
    return [serial.kind, monitor, display]
  }
  it('follows QEMU', () => {
    expect(consoleOf()).toEqual(['stdio', 'none', 'window'])
    expect(consoleOf('-nographic')).toEqual(['stdio', 'mux', 'none'])
    expect(consoleOf('-nographic', '-serial', 'mon:stdio')).toEqual(['stdio', 'mux', 'none'])
    expect(consoleOf('-nographic', '-monitor', 'none')).toEqual(['stdio', 'none', 'none'])
    expect(consoleOf('-nographic', '-serial', 'file:log.txt')).toEqual(['file', 'stdio', 'none'])
    expect(consoleOf('-display', 'none', '-serial', 'stdio')).toEqual(['stdio', 'none', 'none'])
    expect(consoleOf('-monitor', 'stdio')).toEqual(['none', 'stdio', 'window'])
  })
})

describe('a wrong line is one sentence that names the flag', () => {
  it.each([
    [['-kernal', 'x'], '2 -kernal: there is no such flag; did you mean -kernel? -help lists them all'],
    [['--frobnicate'], '2 --frobnicate: there is no such flag; -help lists them all'],
    [['disk.img'], '2 "disk.img" is no flag; a disk image is given with -drive file=disk.img,format=raw'],
    [['-m'], '2 -m: something is missing after it: -m [size=]SIZE'],
    [['-m', 'lots'], '2 -m: "lots" is no size; give a number of MiB, or one with K, M or G such as 2G'],
    [['-m', '2G,slots=2'], '2 -m: slots= is not known here; there are size='],
    [['-m', '1'], '1 -m: 1 MiB is too little memory; give 16 MiB or more'],
    [['-m', '64G'], '1 -m: 65536 MiB is more memory than a machine can have; at most 4096 MiB'],
    [['-smp', '2'], '2 -smp 2: more than one processor is not built yet; give -smp 1 or leave it out'],
    [['-smp', '1,cores=4'], '2 -smp 1,cores=4: more than one processor is not built yet; give -smp 1 or leave it out'],
    [
      ['-netdev', 'user,id=n0'],
      '2 -netdev user,id=n0: a network card is not built yet; give -nic none or leave it out',
    ],
    [['-cpu', 'Haswell'], '2 -cpu: "Haswell" is no CPU model here; there are qemu64, max and host'],
    [['-cpu', 'max,+turbo'], '2 -cpu: "+turbo" is no CPU feature; write +name, -name or name=on|off, such as +aes'],
    [['-cpu', 'max,vendor=Acme'], '2 -cpu: vendor= must be AuthenticAMD or GenuineIntel, not "Acme"'],
    [['-accel', 'hvf'], '2 -accel: "hvf" is no accelerator here; there are jit, interp, both, tcg or kvm'],
    [['-machine', 'q35'], '2 -machine: there is no machine "q35" here; there is pc'],
    [['-drive', 'format=raw'], '2 -drive: file= is missing (the disk image)'],
    [['-drive', 'file=a,format=vmdk'], '2 -drive: format= must be raw or qcow2, not "vmdk"'],
    [['-drive', 'file=a,readonly=maybe'], '2 -drive: readonly=maybe must be on or off'],
    [['-hda', 'a', '-drive', 'file=b,index=0'], '2 -drive: index=0 is used by two drives'],
    [['-drive', 'file=a,index=7'], '2 -drive: there are four IDE places, index=0 to index=3'],
    [['-device', 'e1000'], '2 -device: there is no device "e1000" here; there are '],
    [['-device', 'virtio-9p-pci,fsdev=x,mount_tag=t'], '2 -device virtio-9p-pci: there is no -fsdev with id=x'],
    [
      ['-device', 'virtio-9p-pci,fsdev=x'],
      '2 -device virtio-9p-pci: mount_tag= is missing (the name that the guest mounts)',
    ],
    [['-fsdev', 'local,id=a,path=/x'], '2 -fsdev: security_model= must be none, mapped-xattr or passthrough'],
    [
      ['-fsdev', 'local,id=a,path=/x,security_model=mapped-file'],
      '2 -fsdev: security_model=mapped-file is not built yet; give mapped-xattr',
    ],
    [['-fsdev', 'proxy,id=a,path=/x'], '2 -fsdev: the first word must be "local", not "proxy"'],
    [
      ['-virtfs', 'local,path=/x,mount_tag=' + 'a'.repeat(32) + ',security_model=none'],
      '2 -virtfs: mount_tag= has at most 31',
    ],
    [['-serial', 'pty'], '2 -serial: "pty" must be stdio, mon:stdio, file:PATH or none'],
    [['-serial', 'stdio', '-serial', 'none'], '2 -serial none: a second serial port is not built yet'],
    [['-serial', 'stdio', '-monitor', 'stdio'], '2 -monitor stdio: the terminal already carries the serial port'],
    [['-gdb', 'tcp::99999'], '2 -gdb: "99999" must be a whole number from 1 to 65535'],
    [['-gdb', 'tcp:0.0.0.0:1234'], '2 -gdb: "tcp:0.0.0.0:1234" must be tcp::PORT'],
    [['-display', 'gtk'], '2 -display gtk is not built yet; give -display none or -nographic'],
    [['-rtc', 'base=soon'], '2 -rtc: base=soon must be utc, localtime or a date'],
    [['-name', 'a,,b,,'], 'machine'],
    [['-drive', 'file=a,,'], 'machine'],
    [['-drive', 'file=a,'], '2 -drive: there is an empty element in "file=a,"'],
  ] as const)('%j', (words, sentence) => {
    expect(refusal(...words)).toContain(sentence)
  })
  it('-help and -version win over the rest', () => {
    expect(parseFlags(['-m', '2G', '--help'])).toEqual({ kind: 'help' })
    expect(parseFlags(['-version', '-nonsense'])).toEqual({ kind: 'version' })
  })
})

describe('the help', () => {
  it('has every flag of the table, and no line too wide for a terminal of 130 columns', () => {
    const text = helpText('longmode')
    for (const flag of flags) expect(text).toContain(`-${flag.name}`)
    expect(text.split('\n').filter((line) => line.length > 130)).toEqual([])
  })
  it('names each flag once', () => {
    const names = flags.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])])
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('shares', () => {
  it('keep the order of the command line, whichever way they are written', () => {
    const machine = machineOf(
      ...[
        '-fsdev',
        'local,id=b,path=/b,security_model=none',
        '-virtfs',
        'local,path=/a,mount_tag=a,security_model=none',
      ],
      ...['-device', 'virtio-9p-pci,fsdev=b,mount_tag=b', '-virtfs', 'local,path=/c,mount_tag=c,security_model=none'],
    )
    expect(machine.shares.map(({ mountTag, path }) => `${mountTag} ${path}`)).toEqual(['a /a', 'b /b', 'c /c'])
  })
})

describe('virtio consoles', () => {
  const serial = ['-device', 'virtio-serial']
  it('are counted, with or without a chardev', () => {
    expect(machineOf(...serial, '-device', 'virtconsole').consoles).toBe(1)
    const named = ['-chardev', 'pty,id=a', '-device', 'virtconsole,chardev=a,name=org.x', '-device', 'virtconsole']
    expect(machineOf(...serial, ...named).consoles).toBe(2)
    expect(machineOf(...serial).consoles).toBeUndefined()
  })
  it.each([
    [['-device', 'virtconsole'], 'virtio-serial-pci'],
    [[...serial, '-device', 'virtconsole,chardev=a'], 'no -chardev with id=a'],
    [[...serial, ...['-chardev', 'null,id=a', '-chardev', 'null,id=a']], 'used twice'],
    [
      [...serial, '-chardev', 'null,id=a', ...['-device', 'virtconsole,chardev=a', '-device', 'virtconsole,chardev=a']],
      'the same chardev',
    ],
    [[...serial, ...Array.from({ length: 5 }, () => ['-device', 'virtconsole']).flat()], '4 of them'],
    [['-chardev', 'socket,id=a'], 'not built yet'],
    [['-chardev', 'pty'], 'id='],
  ])('%j is refused', (words, sentence) => {
    expect(refusal(...words)).toContain(sentence)
  })
})

describe('a machine as a command line', () => {
  const machines = [
    [],
    splitCommand(tutorial),
    ['-name', 'a,,b', '-m', '96', '-cpu', 'max,vendor=GenuineIntel,-aes', '-accel', 'interp', '-no-reboot', '-S', '-s'],
    [
      '-drive',
      'file=x y,,z,if=virtio,readonly=on,serial=A B',
      '-drive',
      'file=b,media=cdrom',
      '-hdb',
      'c',
      '-snapshot',
    ],
    [
      '-virtfs',
      'local,path=/a,mount_tag=one,security_model=passthrough,readonly=on',
      '-nographic',
      '-serial',
      'file:l',
    ],
    ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-device', 'virtio-rng-pci', '-rtc', 'base=localtime'],
    ['-serial', 'mon:stdio'],
    ['-device', 'virtio-serial-pci', '-device', 'virtconsole', '-device', 'virtconsole'],
    ['-serial', 'none', '-monitor', 'stdio', '-display', 'none'],
    ['-append', `it's "quoted" $HOME \\ and \`more\``],
  ]
  it.each(machines.map((words) => [words]))('%j comes back the same', (words) => {
    const machine = machineOf(...words)
    expect(machineOf(...exportFlags(machine))).toEqual(machine)
    expect(machineOf(...splitCommand(exportCommand(machine)))).toEqual(machine)
  })
})
