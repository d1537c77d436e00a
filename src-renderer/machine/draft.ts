/** Small changes of a machine's description, as the editor makes them. A description is never changed in place. */
import {
  defaultMachine,
  MIB,
  type DiskConfig,
  type MachineConfig,
  type ShareConfig,
} from '../../src-main/contract/machine-config.ts'

export const memorySteps = [256, 512, 1024, 2048, 4096].map((mib) => mib * MIB)

/** An optional text field: empty means that it is not there. */
export function withPath(config: MachineConfig, field: 'kernel' | 'initrd', path: string): MachineConfig {
  const { [field]: _gone, ...rest } = config
  return path === '' ? rest : { ...rest, [field]: path }
}

export function withDisk(config: MachineConfig, at: number, change: Partial<DiskConfig>): MachineConfig {
  return { ...config, disks: config.disks.map((disk, index) => (index === at ? { ...disk, ...change } : disk)) }
}

/** The lowest IDE unit, or virtio position, that no disk has. */
export function freeIndex(config: MachineConfig, bus: DiskConfig['bus'], except = -1): number {
  const taken = new Set(config.disks.filter((disk, at) => disk.bus === bus && at !== except).map((disk) => disk.index))
  let index = 0
  while (taken.has(index)) index++
  return index
}

export function addDisk(config: MachineConfig, file: string): MachineConfig {
  const isCd = /\.iso$/i.test(file)
  // QEMU gives a CD-ROM the secondary master (unit 2), and so do we when it is free.
  const free = freeIndex(config, 'ide')
  const index = isCd && !config.disks.some((disk) => disk.bus === 'ide' && disk.index === 2) ? 2 : free
  const disk: DiskConfig = {
    file,
    format: 'auto',
    media: isCd ? 'cdrom' : 'disk',
    bus: 'ide',
    index,
    readOnly: isCd,
    snapshot: false,
  }
  return { ...config, disks: [...config.disks, disk] }
}

/** A mount tag that no other share has: shared_folder, as the tutorial calls it, then numbered. */
export function addShare(config: MachineConfig, path: string): MachineConfig {
  const tags = new Set(config.shares.map((share) => share.mountTag))
  let mountTag = 'shared_folder'
  for (let n = 2; tags.has(mountTag); n++) mountTag = `shared_folder${n}`
  return { ...config, shares: [...config.shares, { path, mountTag, securityModel: 'none', readOnly: false }] }
}

export function withShare(config: MachineConfig, at: number, change: Partial<ShareConfig>): MachineConfig {
  return { ...config, shares: config.shares.map((share, index) => (index === at ? { ...share, ...change } : share)) }
}

/** What Linux calls a disk: sda, sdb, … in IDE order, vda, … for virtio, sr0 for a CD. */
export function guestName(config: MachineConfig, at: number): string {
  const disk = config.disks[at]
  const same = config.disks
    .filter((other) => other.bus === disk.bus && (other.media === 'cdrom') === (disk.media === 'cdrom'))
    .sort((a, b) => a.index - b.index)
  const position = same.indexOf(disk)
  if (disk.media === 'cdrom' && disk.bus === 'ide') return `/dev/sr${position}`
  return `/dev/${disk.bus === 'ide' ? 'sd' : 'vd'}${String.fromCharCode(97 + position)}`
}

/** The kernel is told that its root is this disk, unless it has one. */
export function withRoot(config: MachineConfig, at: number): MachineConfig {
  if (/(^|\s)root=/.test(config.append)) return config
  return { ...config, append: `root=${guestName(config, at)} rw ${config.append}`.trim() }
}

/** The machine that the editor starts with: the tutorial's command line without files. */
export const emptyMachine: MachineConfig = {
  ...defaultMachine,
  memory: 1024 * MIB,
  consoles: 1,
  append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
}
