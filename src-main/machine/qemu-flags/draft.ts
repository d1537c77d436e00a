/** A machine while its command line is being read: what flags set, and what can be joined only when all have been read. */
import {
  defaultMachine,
  LEAST_MEMORY,
  MIB,
  MOST_CONSOLES,
  MOST_MEMORY,
  type DiskConfig,
  type MachineConfig,
  type SecurityModel,
  type ShareConfig,
} from '../config.ts'
import { FlagError } from './flag-error.ts'

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A disk whose place is not known yet: `index` or `drive=` decides when all flags have been read. */
export interface DraftDisk {
  flag: string
  id: string | undefined
  index: number | undefined
  /** `none`: waits for a -device that names it. */
  bus: DiskConfig['bus'] | 'none'
  disk: Omit<DiskConfig, 'bus' | 'index'>
}

export interface DraftShare {
  path: string
  securityModel: SecurityModel
  readOnly: boolean
}

export class Draft {
  readonly machine: Mutable<MachineConfig> = { ...defaultMachine }
  readonly disks: DraftDisk[] = []
  /** -fsdev by id. */
  readonly fsdevs = new Map<string, DraftShare>()
  /** In the order of the command line: -virtfs, or -device virtio-9p-pci, which joins an fsdev to a mount tag. */
  readonly shares: (ShareConfig | { fsdev: string; mountTag: string })[] = []
  /** -chardev by id. */
  readonly chardevs = new Set<string>()
  /** A -device virtconsole each, with its chardev. */
  readonly consoles: (string | undefined)[] = []
  hasVirtioSerial = false
  /** -device …,drive=ID. */
  readonly driveDevices: { drive: string; bus: DiskConfig['bus'] }[] = []
  /** Lines for the user that are no errors. */
  readonly notes: string[] = []
  snapshotAll = false
  serialGiven = false
  monitorGiven = false
  nographic = false

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  finish(): MachineConfig {
    this.#checkMemory()
    this.#joinConsole()
    this.#joinVirtioConsoles()
    this.machine.disks = this.#placeDisks()
    this.machine.shares = this.#joinShares()
    return this.machine
  }

  #checkMemory(): void {
    const { memory } = this.machine
    const mebibytes = String(Math.floor(memory / MIB))
    if (memory < LEAST_MEMORY) {
      throw new FlagError(`-m: ${mebibytes} MiB is too little memory; give ${LEAST_MEMORY / MIB} MiB or more`, 1)
    }
    if (memory > MOST_MEMORY) {
      throw new FlagError(
        `-m: ${mebibytes} MiB is more memory than a machine can have; at most ${MOST_MEMORY / MIB} MiB`,
        1,
      )
    }
    this.machine.memory = Math.floor(memory / MIB) * MIB
  }

  /** -nographic puts serial port and monitor on the terminal unless they were sent elsewhere by name. */
  #joinConsole(): void {
    const { machine } = this
    const serialOnStdio = machine.serial.kind === 'stdio'
    if (this.nographic && !this.monitorGiven && machine.monitor === 'none') {
      machine.monitor = serialOnStdio ? 'mux' : 'stdio'
    }
    if (this.serialGiven && serialOnStdio && machine.monitor === 'stdio') {
      throw new FlagError(
        '-monitor stdio: the terminal already carries the serial port; give -serial mon:stdio for both',
      )
    }
    if (!this.serialGiven && machine.monitor === 'stdio' && serialOnStdio) machine.serial = { kind: 'none' }
  }

  #joinVirtioConsoles(): void {
    const { consoles, chardevs } = this
    if (consoles.length === 0) return
    if (!this.hasVirtioSerial) throw new FlagError('-device virtconsole: give -device virtio-serial-pci before it')
    if (consoles.length > MOST_CONSOLES)
      throw new FlagError(`-device virtconsole: a machine has ${MOST_CONSOLES} of them at most`)
    const missing = consoles.find((id) => id !== undefined && !chardevs.has(id))
    if (missing !== undefined)
      throw new FlagError(`-device virtconsole,chardev=${missing}: there is no -chardev with id=${missing}`)
    const used = consoles.filter((id) => id !== undefined)
    if (new Set(used).size < used.length) throw new FlagError('-device virtconsole: two of them have the same chardev=')
    this.machine.consoles = consoles.length
    this.note(
      '-device virtconsole: each is a console tab of the window (hvc0, hvc1, …); a terminal shows the serial port',
    )
  }

  #placeDisks(): DiskConfig[] {
    for (const { drive, bus } of this.driveDevices) {
      const found = this.disks.find((draft) => draft.id === drive)
      if (found === undefined) throw new FlagError(`-device …,drive=${drive}: there is no -drive with id=${drive}`)
      if (found.bus !== 'none') throw new FlagError(`-device …,drive=${drive}: that -drive needs if=none`)
      found.bus = bus
    }
    const taken = { ide: new Set<number>(), virtio: new Set<number>() }
    const place = (draft: DraftDisk, index: number): DiskConfig => {
      const bus = draft.bus === 'virtio' ? 'virtio' : 'ide'
      if (taken[bus].has(index)) throw new FlagError(`${draft.flag}: index=${index} is used by two drives`)
      taken[bus].add(index)
      if (bus === 'ide' && index > 3)
        throw new FlagError(`${draft.flag}: there are four IDE places, index=0 to index=3`)
      return { ...draft.disk, bus, index, snapshot: draft.disk.snapshot || this.snapshotAll }
    }
    const loose = this.disks.find((draft) => draft.bus === 'none')
    if (loose !== undefined) {
      throw new FlagError(
        `-drive if=none: nothing uses "${loose.disk.file}"; give if=ide, or a -device with drive=${loose.id ?? 'ID'}`,
      )
    }
    // Numbered drives keep their places; the others fill the gaps in the order given, as in QEMU.
    const placed = new Map(
      this.disks.filter((d) => d.index !== undefined).map((draft) => [draft, place(draft, draft.index!)]),
    )
    for (const draft of this.disks.filter((d) => d.index === undefined)) {
      // A CD-ROM without a number goes to the secondary master.
      let index = draft.disk.media === 'cdrom' && draft.bus === 'ide' && !taken.ide.has(2) ? 2 : 0
      while (taken[draft.bus === 'virtio' ? 'virtio' : 'ide'].has(index)) index++
      placed.set(draft, place(draft, index))
    }
    return this.disks.map((draft) => placed.get(draft)!)
  }

  #joinShares(): ShareConfig[] {
    const used = new Set<string>()
    const all = this.shares.map((share) => {
      if (!('fsdev' in share)) return share
      const { fsdev, mountTag } = share
      const source = this.fsdevs.get(fsdev)
      if (source === undefined) throw new FlagError(`-device virtio-9p-pci: there is no -fsdev with id=${fsdev}`)
      used.add(fsdev)
      return { ...source, mountTag }
    })
    for (const id of this.fsdevs.keys()) {
      if (!used.has(id)) this.note(`-fsdev ${id} is not used: no -device virtio-9p-pci names it`)
    }
    const twice = all.find((share, index) => all.findIndex((other) => other.mountTag === share.mountTag) !== index)
    if (twice !== undefined)
      throw new FlagError(`mount_tag=${twice.mountTag} is used by two shares; each needs its own`)
    return all
  }
}
