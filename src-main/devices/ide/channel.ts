import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { IrqLine, PortBus, PortHandler, Width } from '../../bus/bus.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { Command, Control, DeviceBit, Status } from './ata.ts'
import type { BusMaster } from './bus-master.ts'
import type { DmaTransfer, Drive, DriveHost, PairedRegister } from './drive.ts'

export interface ChannelPlace {
  readonly name: string
  /** First of the eight command block ports. */
  readonly commandPort: number
  /** Alternate status / device control. */
  readonly controlPort: number
}

/** Command block registers (ATA-8 section 7.1, relative to the first port). */
const Reg = { data: 0, error: 1, count: 2, lbaLow: 3, lbaMid: 4, lbaHigh: 5, device: 6, status: 7 } as const

/** One IDE cable: up to two drives that see the same register writes; the device register selects who answers. */
export class IdeChannel implements PortHandler {
  readonly place: ChannelPlace
  readonly busMaster: BusMaster
  readonly #drives: readonly [Drive | undefined, Drive | undefined]
  readonly #irq: IrqLine
  #selected = 0
  #control = 0
  #line = false

  constructor(
    place: ChannelPlace,
    drives: readonly [Drive | undefined, Drive | undefined],
    parts: { ports: PortBus; irq: IrqLine; memory: GuestMemory; busMaster: BusMaster },
  ) {
    this.place = place
    this.#drives = drives
    this.#irq = parts.irq
    this.busMaster = parts.busMaster
    parts.ports.map(place.name, place.commandPort, 8, this)
    parts.ports.map(`${place.name} control`, place.controlPort, 1, this)
    const host: DriveHost = {
      memory: parts.memory,
      update: () => this.#updateLine(),
      startDma: (transfer: DmaTransfer) => this.busMaster.offer(transfer),
      finishDma: () => this.busMaster.finished(),
      cancelDma: () => this.busMaster.cancel(),
    }
    for (const drive of drives) drive?.attach(host)
  }

  readPort(port: number, width: Width): number {
    if (port === this.place.controlPort) return this.#drive?.status ?? 0
    const register = port - this.place.commandPort
    if (register === Reg.data) return this.#drive?.readData(width) ?? 0
    return this.#readRegister(register)
  }

  writePort(port: number, width: Width, value: number): void {
    if (port === this.place.controlPort) {
      this.#writeControl(value)
      return
    }
    const register = port - this.place.commandPort
    if (register === Reg.data) this.#drive?.writeData(width, value)
    else this.#writeRegister(register, value & 0xff)
  }

  reset(): void {
    this.#selected = 0
    this.#control = 0
    for (const drive of this.#drives) drive?.reset()
    this.busMaster.reset()
    this.#updateLine()
  }

  save(): SnapshotFields {
    return {
      selected: this.#selected,
      control: this.#control,
      line: this.#line,
      busMaster: this.busMaster.save(),
      drives: this.#drives.map((drive) => drive?.save() ?? null),
    }
  }

  restore(fields: SnapshotFields): void {
    this.#selected = fields.selected as number
    this.#control = fields.control as number
    this.#line = fields.line as boolean
    this.busMaster.restore(fields.busMaster as SnapshotFields)
    const drives = fields.drives as (SnapshotFields | null)[]
    this.#drives.forEach((drive, i) => {
      const from = drives[i]
      if (drive !== undefined && from !== null) drive.restore(from)
    })
    this.#irq.set(this.#line)
  }

  get #drive(): Drive | undefined {
    return this.#drives[this.#selected]
  }

  /** A missing drive answers with zeroes, as drive 0 does for an absent drive 1 (ATA-8 section 9.16.1). */
  #readRegister(register: number): number {
    const drive = this.#drive
    if (drive === undefined) return 0
    const paired = pairedRegister(drive, register)
    if (paired !== undefined) return this.#control & Control.highOrder ? paired.old : paired.value
    if (register === Reg.error) return drive.error
    if (register === Reg.device) return drive.device | 0xa0
    drive.interrupt = false
    this.#updateLine()
    return drive.status
  }

  #writeRegister(register: number, value: number): void {
    this.#control &= ~Control.highOrder // any command block write clears HOB
    if (register === Reg.status) {
      this.#command(value)
      return
    }
    if (register === Reg.device) this.#selected = value & DeviceBit.select ? 1 : 0
    for (const drive of this.#drives) {
      if (drive === undefined || drive.status & Status.busy) continue
      if (register === Reg.error) drive.features.write(value)
      else if (register === Reg.device) drive.device = value
      else pairedRegister(drive, register)?.write(value)
    }
    this.#updateLine()
  }

  #command(value: number): void {
    if (value === Command.diagnostic) this.#diagnose()
    else if (value === Command.deviceReset && this.#drive?.isPacketDevice) this.#resetDrive(this.#drive)
    else this.#drive?.command(value)
    this.#updateLine()
  }

  #resetDrive(drive: Drive): void {
    this.busMaster.cancel()
    const select = drive.device & DeviceBit.select
    drive.softReset()
    drive.device = select
  }

  /** EXECUTE DEVICE DIAGNOSTIC: both drives, whichever is selected; drive 0 reports. */
  #diagnose(): void {
    this.#softReset()
    const first = this.#drives[0]
    if (first !== undefined) first.interrupt = true
  }

  #softReset(): void {
    this.busMaster.cancel()
    this.#selected = 0
    for (const drive of this.#drives) drive?.softReset()
  }

  #writeControl(value: number): void {
    const wasReset = (this.#control & Control.softReset) !== 0
    const isReset = (value & Control.softReset) !== 0
    this.#control = value & (Control.highOrder | Control.softReset | Control.interruptDisable)
    if (isReset && !wasReset) {
      this.#softReset()
      for (const drive of this.#drives) if (drive !== undefined) drive.status = Status.busy | Status.seekComplete
    } else if (!isReset && wasReset) {
      this.#softReset()
    }
    this.#updateLine()
  }

  #updateLine(): void {
    const line = this.#drive?.interrupt === true && (this.#control & Control.interruptDisable) === 0
    if (line === this.#line) return
    this.#line = line
    if (line) this.busMaster.latchInterrupt()
    this.#irq.set(line)
  }
}

function pairedRegister(drive: Drive, register: number): PairedRegister | undefined {
  switch (register) {
    case Reg.count:
      return drive.count
    case Reg.lbaLow:
      return drive.lbaLow
    case Reg.lbaMid:
      return drive.lbaMid
    case Reg.lbaHigh:
      return drive.lbaHigh
    default:
      return undefined
  }
}
