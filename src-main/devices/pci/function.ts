import type { Log } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, Mapping, MmioBus, PortBus, Width } from '../../bus/bus.ts'
import { PciCommand, PciReg, PciStatus } from './registers.ts'

/** What a BAR decodes to. `offset` is relative to the BAR, whichever address space it is in. */
export interface BarHandler {
  readBar(offset: number, width: Width): number
  writeBar(offset: number, width: Width, value: number): void
}

export interface BarSpec {
  readonly space: 'io' | 'memory'
  /** Bytes, a power of two: at least 4 for I/O and 16 for memory (section 6.2.5.1). */
  readonly size: number
  readonly handler: BarHandler
}

export interface PciIdentity {
  readonly vendor: number
  readonly device: number
  readonly revision: number
  /** 24 bits: class, subclass, programming interface. */
  readonly classCode: number
  readonly subsystemVendor?: number
  readonly subsystemId?: number
  readonly multifunction?: boolean
  /** 0: none, 1 to 4: INTA# to INTD#. */
  readonly interruptPin?: number
}

/** What the bus gives a function that is plugged in. */
export interface PciSlot {
  readonly ports: PortBus
  readonly mmio: MmioBus
  readonly log: Log
  /** Drive this function's INTx# pin. */
  setIntx(level: boolean): void
  /** A mapping of this function went away: BARs of others that overlapped it may fit now. */
  mappingRemoved(): void
}

interface Bar extends BarSpec {
  /** Where it is mapped now. */
  address: number | undefined
  mapping: Mapping | undefined
}

const COMMAND_WRITABLE =
  PciCommand.io |
  PciCommand.memory |
  PciCommand.busMaster |
  PciCommand.parity |
  PciCommand.serr |
  PciCommand.intxDisable

/**
 * One PCI function: 256 bytes of configuration space with reset values and write masks, BARs that follow what the guest
 * writes, a capability list, and one INTx pin. Devices extend it.
 */
export class PciFunction implements Device {
  readonly name: string
  readonly config = new Uint8Array(256)
  readonly #defaults = new Uint8Array(256)
  readonly #writable = new Uint8Array(256)
  readonly #clearable = new Uint8Array(256)
  readonly #bars: (Bar | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined]
  #slot: PciSlot | undefined
  #nextCapability = 0x40
  #lastCapability = 0
  #intx = false

  constructor(name: string, identity: PciIdentity) {
    this.name = name
    this.define(PciReg.vendorId, 2, identity.vendor)
    this.define(PciReg.deviceId, 2, identity.device)
    this.define(PciReg.command, 2, 0, COMMAND_WRITABLE)
    this.define(PciReg.revision, 1, identity.revision)
    this.define(PciReg.classCode, 1, identity.classCode & 0xff)
    this.define(PciReg.classCode + 1, 2, identity.classCode >>> 8)
    this.define(PciReg.headerType, 1, identity.multifunction ? 0x80 : 0)
    this.define(PciReg.subsystemVendor, 2, identity.subsystemVendor ?? 0)
    this.define(PciReg.subsystemId, 2, identity.subsystemId ?? 0)
    this.define(PciReg.interruptLine, 1, 0, identity.interruptPin ? 0xff : 0)
    this.define(PciReg.interruptPin, 1, identity.interruptPin ?? 0)
    this.#clearable[PciReg.status + 1] = PciStatus.errors >>> 8
  }

  /** Declare a register: its reset value and which bits the guest may change. */
  protected define(offset: number, width: Width, value: number, writable = 0): void {
    for (let i = 0; i < width; i++) {
      this.#defaults[offset + i] = value >>> (8 * i)
      this.config[offset + i] = value >>> (8 * i)
      this.#writable[offset + i] = writable >>> (8 * i)
    }
  }

  protected defineBar(index: number, spec: BarSpec): void {
    this.#bars[index] = { ...spec, address: undefined, mapping: undefined }
    this.define(PciReg.bar0 + 4 * index, 4, spec.space === 'io' ? 1 : 0, -spec.size >>> 0)
  }

  /** Append a capability with `body` after the two header bytes; returns its offset in configuration space. */
  protected addCapability(id: number, body: Uint8Array): number {
    const at = this.#nextCapability
    this.define(at, 1, id)
    body.forEach((byte, i) => this.define(at + 2 + i, 1, byte))
    this.define(this.#lastCapability === 0 ? PciReg.capabilities : this.#lastCapability + 1, 1, at)
    this.define(PciReg.status, 1, PciStatus.capabilities)
    this.#lastCapability = at
    this.#nextCapability = (at + 2 + body.length + 3) & ~3
    return at
  }

  /** The bus calls this once. */
  plug(slot: PciSlot): void {
    this.#slot = slot
    this.updateMappings()
  }

  get bars(): readonly (BarSpec | undefined)[] {
    return this.#bars
  }

  get command(): number {
    return this.config[PciReg.command] | (this.config[PciReg.command + 1] << 8)
  }

  get interruptPin(): number {
    return this.config[PciReg.interruptPin]
  }

  /** True while the guest lets this function read and write memory on its own. */
  get busMaster(): boolean {
    return (this.command & PciCommand.busMaster) !== 0
  }

  readConfig(offset: number, width: Width): number {
    let value = 0
    for (let i = width - 1; i >= 0; i--)
      value = (value << 8) | (offset + i < 256 ? this.readConfigByte(offset + i) : 0xff)
    return value >>> 0
  }

  writeConfig(offset: number, width: Width, value: number): void {
    for (let i = 0; i < width && offset + i < 256; i++) {
      const at = offset + i
      const byte = (value >>> (8 * i)) & 0xff
      const mask = this.#writable[at]
      this.config[at] = (this.config[at] & ~mask & ~(byte & this.#clearable[at])) | (byte & mask)
    }
    if (offset < PciReg.bar0 + 24 && offset + width > PciReg.command) {
      this.updateMappings()
      this.#driveIntx()
    }
    this.configWritten(offset, width)
  }

  /** Set the level of the function's interrupt request; the pin follows unless the guest disabled INTx. */
  protected setIntx(level: boolean): void {
    this.#intx = level
    if (level) this.config[PciReg.status] |= PciStatus.interrupt
    else this.config[PciReg.status] &= ~PciStatus.interrupt
    this.#driveIntx()
  }

  /** Hook: one byte of configuration space is read. */
  protected readConfigByte(offset: number): number {
    return this.config[offset]
  }

  /** Hook: the guest wrote configuration space; `config` already holds the new values. */
  protected configWritten(_offset: number, _width: number): void {}

  reset(): void {
    this.config.set(this.#defaults)
    this.setIntx(false)
    this.updateMappings()
  }

  save(): SnapshotFields {
    return { version: 1, config: this.config.slice(), intx: this.#intx }
  }

  restore(fields: SnapshotFields): void {
    this.config.set(fields.config as Uint8Array)
    this.setIntx(fields.intx as boolean)
    this.updateMappings()
  }

  /** Make the bus mappings agree with BARs and command register. Also called when another function made room. */
  updateMappings(): void {
    const slot = this.#slot
    if (slot === undefined) return
    let removed = false
    const wanted = this.#bars.map((bar, index) => (bar === undefined ? undefined : this.#decodedAddress(bar, index)))
    this.#bars.forEach((bar, index) => {
      if (bar?.mapping === undefined || bar.address === wanted[index]) return
      bar.mapping.remove()
      bar.mapping = undefined
      bar.address = undefined
      removed = true
    })
    this.#bars.forEach((bar, index) => {
      const address = wanted[index]
      if (bar === undefined || bar.mapping !== undefined || address === undefined) return
      bar.mapping = this.#map(slot, bar, index, address)
      if (bar.mapping !== undefined) bar.address = address
    })
    if (removed) slot.mappingRemoved()
  }

  #driveIntx(): void {
    this.#slot?.setIntx(this.#intx && (this.command & PciCommand.intxDisable) === 0)
  }

  /** Where a BAR should decode now; undefined when it should not. Address 0 counts as unassigned. */
  #decodedAddress(bar: Bar, index: number): number | undefined {
    const enable = bar.space === 'io' ? PciCommand.io : PciCommand.memory
    if ((this.command & enable) === 0) return undefined
    const at = PciReg.bar0 + 4 * index
    const raw = this.config[at] | (this.config[at + 1] << 8) | (this.config[at + 2] << 16) | (this.config[at + 3] << 24)
    const address = (raw & -bar.size) >>> 0
    const limit = bar.space === 'io' ? 0x1_0000 : 0x1_0000_0000
    return address === 0 || address + bar.size > limit ? undefined : address
  }

  /** A guest may put a BAR on top of something else; then the BAR is simply not decoded. */
  #map(slot: PciSlot, bar: Bar, index: number, address: number): Mapping | undefined {
    const owner = `${this.name} BAR${index}`
    const { handler } = bar
    try {
      if (bar.space === 'memory') {
        return slot.mmio.map(owner, address, bar.size, {
          readMmio: (offset, width) => handler.readBar(offset, width),
          writeMmio: (offset, width, value) => handler.writeBar(offset, width, value),
        })
      }
      return slot.ports.map(owner, address, bar.size, {
        readPort: (port, width) => handler.readBar(port - address, width),
        writePort: (port, width, value) => handler.writeBar(port - address, width, value),
      })
    } catch (error) {
      slot.log.warn('pci', `${owner} is not decoded: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
}
