/** What the monitor shows of the machine around the processor: `info pic`, `irq`, `mtree`, `block`. */
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { MachineConfig } from '../../machine/config.ts'
import type { Machine } from '../../machine/machine.ts'

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

function stateOf(machine: Machine, name: string): SnapshotFields {
  return machine.devices.find((device) => device.name === name)!.save()
}

function infoIoapic(machine: Machine): string[] {
  const { id, select, lines, entries } = stateOf(machine, 'ioapic')
  const modes = ['fixed', 'lowest', 'SMI', '...', 'NMI', 'INIT', '...', 'ExtINT']
  const pins = (entries as SnapshotFields[]).map((entry, pin) => {
    const [low, high] = [Number(entry.low), Number(entry.high)]
    const words = [
      low & 0x2000 ? 'active-lo' : 'active-hi',
      low & 0x8000 ? 'level' : 'edge ',
      low & 0x10000 ? 'masked' : '      ',
      modes[(low >> 8) & 7]!.padEnd(6),
      low & 0x800 ? 'logical' : 'physical',
      ...(Number(lines) & (1 << pin) ? ['asserted'] : []),
      ...(low & 0x4000 ? ['remote-irr'] : []),
    ]
    const place = `dest=${hex(high >>> 24, 2)} vec=${hex(low & 0xff, 2)}`
    return `  pin ${String(pin).padEnd(2)} 0x${hex(high >>> 0, 8)}${hex(low >>> 0, 8)} ${place} ${words.join(' ')}`
  })
  return [`ioapic0: id=0x${hex(Number(id), 2)} sel=0x${hex(Number(select), 2)}`, ...pins]
}

export function infoPic(machine: Machine): string {
  const { master, slave } = stateOf(machine, 'pic')
  const chips = [slave, master].map((chip, n) => {
    const fields = chip as SnapshotFields
    const byte = (name: string): string => hex(Number(fields[name]), 2)
    const state = `irr=${byte('latched')} imr=${byte('mask')} isr=${byte('inService')} irq_base=${byte('vectorBase')}`
    return `pic${1 - n}: ${state} rr_sel=${fields.readInService === true ? 1 : 0} elcr=${byte('elcr')} fnm=${fields.fullyNested === true ? 1 : 0}`
  })
  return [...infoIoapic(machine), ...chips].join('\n')
}

export function infoIrq(machine: Machine): string {
  const counts = machine.irqs.counts
  const lines = Array.from(counts, (count, irq) => (count === 0 ? [] : [`${String(irq).padStart(2)}: ${count}`]))
  return ['IRQ statistics:', ...lines.flat()].join('\n')
}

export function infoMtree(machine: Machine): string {
  const { map } = machine.cpu
  const range = (first: number, end: number, what: string): string => `  ${hex(first, 16)}-${hex(end - 1, 16)}: ${what}`
  const high = 0x1_0000_0000
  const memory = [
    { first: 0, end: map.lowSize, what: 'ram' },
    ...(map.highSize > 0 ? [{ first: high, end: high + map.highSize, what: 'ram' }] : []),
    ...machine.mmio.list().map(({ owner, first, length }) => ({ first, end: first + length, what: owner })),
  ].sort((a, b) => a.first - b.first)
  return [
    'address-space: memory',
    ...memory.map(({ first, end, what }) => range(first, end, what)),
    'address-space: I/O',
    ...machine.ports.list().map(({ owner, first, count }) => range(first, first + count, owner)),
  ].join('\n')
}

const IDE_NAMES = ['ide0-hd0', 'ide0-hd1', 'ide1-hd0', 'ide1-hd1']

export function infoBlock(config: MachineConfig): string {
  if (config.disks.length === 0) return 'no disks'
  return config.disks
    .map((disk) => {
      const { file, bus, index, media, format, readOnly, snapshot } = disk
      const ide = media === 'cdrom' ? IDE_NAMES[index]!.replace('hd', 'cd') : IDE_NAMES[index]!
      const notes = [format, ...(readOnly ? ['read-only'] : []), ...(snapshot ? ['writes are thrown away'] : [])]
      return `${bus === 'ide' ? ide : `virtio${index}`}: ${file} (${notes.join(', ')})`
    })
    .join('\n')
}
