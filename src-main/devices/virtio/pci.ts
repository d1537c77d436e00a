import { silentLog, type Log } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { MsiSink, Width } from '../../bus/bus.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { PciFunction } from '../pci/function.ts'
import { MSIX_BAR_SIZE, Msix } from '../pci/msix.ts'
import { PciCap } from '../pci/registers.ts'
import { VirtioCore } from './core.ts'
import type { VirtioDevice } from './device.ts'
import { readBytes, RegisterBlock, type Register } from './registers.ts'

const VENDOR = 0x1af4
const LEGACY_BAR = 0
const MSIX_BAR = 1
const MODERN_BAR = 4
const LEGACY_BYTES = 128

/** Structures in the modern BAR (VIRTIO 1.2 section 4.1.4), 4 KiB each. */
const COMMON = 0x0000
const ISR = 0x1000
const CONFIG = 0x2000
const NOTIFY = 0x3000
const PART_BYTES = 0x1000
const MODERN_BYTES = 0x4000
const NOTIFY_MULTIPLIER = 4

const CapType = { common: 1, notify: 2, isr: 3, device: 4, pci: 5 } as const
/** Inside the capability that gives access through configuration space (4.1.4.9). */
const WINDOW = { bar: 4, offset: 8, length: 12, data: 16 } as const

const NO_VECTOR = 0xffff
const ISR_QUEUE = 1
const ISR_CONFIG = 2
const LEGACY_PAGE = 4096

/** Where the parts of a legacy queue lie (2.7.2): one piece of memory, the used ring on a page of its own. */
export function legacyRings(page: number, size: number): { descriptors: number; available: number; used: number } {
  const descriptors = page * LEGACY_PAGE
  const available = descriptors + 16 * size
  const end = available + 2 * (3 + size)
  return { descriptors, available, used: Math.ceil(end / LEGACY_PAGE) * LEGACY_PAGE }
}

export interface VirtioPciParts {
  readonly memory: GuestMemory
  readonly msi: MsiSink
  readonly log?: Log
}

/** A virtio device as a transitional PCI function: the legacy registers in an I/O BAR, the modern ones in a memory BAR. */
export class VirtioPci extends PciFunction {
  readonly #core: VirtioCore
  readonly #msix: Msix
  readonly #msixCapability: number
  readonly #window: number
  readonly #common: RegisterBlock
  readonly #legacy: RegisterBlock
  #isr = 0
  #configVector = NO_VECTOR
  #deviceSelect = 0
  #driverSelect = 0
  #queueSelect = 0

  constructor(device: VirtioDevice, { memory, msi, log = silentLog }: VirtioPciParts) {
    super(device.name, {
      vendor: VENDOR,
      device: device.transitionalId,
      revision: 0,
      classCode: device.classCode,
      subsystemVendor: VENDOR,
      subsystemId: device.type,
      interruptPin: 1,
    })
    const interrupts = {
      queue: (vector: number) => this.#interrupt(ISR_QUEUE, vector),
      config: () => this.#interrupt(ISR_CONFIG, this.#configVector),
    }
    this.#core = new VirtioCore(device, memory, interrupts, log)
    this.#msix = new Msix(device.queues.length + 1, msi)
    this.#common = new RegisterBlock(this.#commonRegisters())
    this.#legacy = new RegisterBlock(this.#legacyRegisters())
    this.#defineBars()
    this.#msixCapability = this.addCapability(PciCap.msix, this.#msix.capabilityBody(MSIX_BAR))
    this.define(this.#msixCapability + 3, 1, this.config[this.#msixCapability + 3], 0xc0)
    this.#window = this.#defineCapabilities()
  }

  override readConfig(offset: number, width: Width): number {
    if (offset === this.#window + WINDOW.data) return this.#readWindow()
    return super.readConfig(offset, width)
  }

  protected override configWritten(offset: number, width: number): void {
    const control = this.#msixCapability + 3
    if (offset <= control && offset + width > control) this.#msix.setControl(this.config[control])
    if (offset === this.#window + WINDOW.data) this.#writeWindow()
  }

  override reset(): void {
    this.#resetDevice()
    this.#msix.reset()
    this.#deviceSelect = 0
    this.#driverSelect = 0
    this.#queueSelect = 0
    super.reset()
  }

  override save(): SnapshotFields {
    return {
      ...super.save(),
      core: this.#core.save(),
      msix: this.#msix.save(),
      isr: this.#isr,
      configVector: this.#configVector,
      deviceSelect: this.#deviceSelect,
      driverSelect: this.#driverSelect,
      queueSelect: this.#queueSelect,
    }
  }

  override restore(fields: SnapshotFields): void {
    this.#core.restore(fields.core as SnapshotFields)
    this.#msix.restore(fields.msix as SnapshotFields)
    this.#isr = fields.isr as number
    this.#configVector = fields.configVector as number
    this.#deviceSelect = fields.deviceSelect as number
    this.#driverSelect = fields.driverSelect as number
    this.#queueSelect = fields.queueSelect as number
    super.restore(fields)
  }

  #defineBars(): void {
    const legacy = { readBar: this.#readLegacy.bind(this), writeBar: this.#writeLegacy.bind(this) }
    const modern = { readBar: this.#readModern.bind(this), writeBar: this.#writeModern.bind(this) }
    this.defineBar(LEGACY_BAR, { space: 'io', size: LEGACY_BYTES, handler: legacy })
    this.defineBar(MSIX_BAR, { space: 'memory', size: MSIX_BAR_SIZE, handler: this.#msix })
    this.defineBar(MODERN_BAR, { space: 'memory', size: MODERN_BYTES, handler: modern })
  }

  /** struct virtio_pci_cap for each structure; returns where the configuration access capability is. */
  #defineCapabilities(): number {
    const add = (type: number, bar: number, offset: number, length: number, extra: number[] = []): number => {
      const body = new Uint8Array(14 + extra.length * 4)
      const view = new DataView(body.buffer)
      body[0] = body.length + 2
      body[1] = type
      body[2] = bar
      view.setUint32(6, offset, true)
      view.setUint32(10, length, true)
      extra.forEach((value, i) => view.setUint32(14 + i * 4, value, true))
      return this.addCapability(PciCap.vendor, body)
    }
    add(CapType.common, MODERN_BAR, COMMON, PART_BYTES)
    add(CapType.isr, MODERN_BAR, ISR, PART_BYTES)
    add(CapType.device, MODERN_BAR, CONFIG, PART_BYTES)
    add(CapType.notify, MODERN_BAR, NOTIFY, PART_BYTES, [NOTIFY_MULTIPLIER])
    const window = add(CapType.pci, 0, 0, 0, [0])
    this.define(window + WINDOW.bar, 1, 0, 0xff)
    for (const at of [WINDOW.offset, WINDOW.length, WINDOW.data]) this.define(window + at, 4, 0, 0xffff_ffff)
    return window
  }

  #resetDevice(): void {
    this.#core.reset()
    this.#isr = 0
    this.#configVector = NO_VECTOR
    this.setIntx(false)
  }

  #interrupt(bit: number, vector: number): void {
    if (this.#msix.enabled) {
      this.#msix.signal(vector)
      return
    }
    this.#isr |= bit
    this.setIntx(true)
  }

  /** Reading the ISR status clears it and takes the interrupt back (4.1.4.5). */
  #readIsr(): number {
    const isr = this.#isr
    this.#isr = 0
    this.setIntx(false)
    return isr
  }

  #writeStatus(value: number): void {
    if (value === 0) this.#resetDevice()
    else this.#core.writeStatus(value)
  }

  #vector(value: number): number {
    return value < this.#msix.vectors ? value : NO_VECTOR
  }

  /** 4.1.4.3, struct virtio_pci_common_cfg. */
  #commonRegisters(): Register[] {
    const core = this.#core
    const queue = () => core.queues.at(this.#queueSelect)
    const half = (values: readonly number[], select: number) => (select < 2 ? values[select] : 0)
    const registers: Register[] = [
      { offset: 0x00, width: 4, read: () => this.#deviceSelect, write: (v) => (this.#deviceSelect = v) },
      { offset: 0x04, width: 4, read: () => half(core.offered, this.#deviceSelect) },
      { offset: 0x08, width: 4, read: () => this.#driverSelect, write: (v) => (this.#driverSelect = v) },
      {
        offset: 0x0c,
        width: 4,
        read: () => half(core.accepted, this.#driverSelect),
        write: (v) => core.acceptFeatures(this.#driverSelect, v),
      },
      { offset: 0x10, width: 2, read: () => this.#configVector, write: (v) => (this.#configVector = this.#vector(v)) },
      { offset: 0x12, width: 2, read: () => core.queues.length },
      { offset: 0x14, width: 1, read: () => core.status, write: (v) => this.#writeStatus(v) },
      { offset: 0x15, width: 1, read: () => core.configGeneration },
      { offset: 0x16, width: 2, read: () => this.#queueSelect, write: (v) => (this.#queueSelect = v) },
      {
        offset: 0x18,
        width: 2,
        read: () => queue()?.size ?? 0,
        write: (v) => {
          const selected = queue()
          const allowed =
            selected !== undefined && !selected.ready && v > 0 && v <= selected.maxSize && (v & (v - 1)) === 0
          if (allowed) selected.size = v
        },
      },
      { offset: 0x1a, width: 2, read: () => queue()?.vector ?? NO_VECTOR, write: (v) => this.#setQueueVector(v) },
      { offset: 0x1c, width: 2, read: () => Number(queue()?.ready ?? false), write: (v) => this.#enableQueue(v) },
      { offset: 0x1e, width: 2, read: () => (this.#queueSelect < core.queues.length ? this.#queueSelect : 0) },
    ]
    const address = (offset: number, field: 'descriptors' | 'available' | 'used'): void => {
      registers.push(...this.#addressRegisters(offset, field))
    }
    address(0x20, 'descriptors')
    address(0x28, 'available')
    address(0x30, 'used')
    return registers
  }

  /** A 64-bit address as two registers; it can be set while the queue is not enabled. */
  #addressRegisters(offset: number, field: 'descriptors' | 'available' | 'used'): Register[] {
    const HIGH = 0x1_0000_0000
    const queue = () => this.#core.queues.at(this.#queueSelect)
    const set = (low: number, high: number): void => {
      const selected = queue()
      if (selected !== undefined && !selected.ready) selected[field] = high * HIGH + low
    }
    const low = () => (queue()?.[field] ?? 0) % HIGH
    const high = () => Math.floor((queue()?.[field] ?? 0) / HIGH)
    return [
      { offset, width: 4, read: low, write: (v) => set(v, high()) },
      { offset: offset + 4, width: 4, read: high, write: (v) => set(low(), v) },
    ]
  }

  #setQueueVector(value: number): void {
    const queue = this.#core.queues.at(this.#queueSelect)
    if (queue !== undefined) queue.vector = this.#vector(value)
  }

  #enableQueue(value: number): void {
    const queue = this.#core.queues.at(this.#queueSelect)
    if (queue !== undefined && value === 1) queue.ready = true
  }

  /** 4.1.4.10, the legacy interface's header; the two vectors are there only while MSI-X is enabled. */
  #legacyRegisters(): Register[] {
    const core = this.#core
    const queue = () => core.queues.at(this.#queueSelect)
    return [
      { offset: 0x00, width: 4, read: () => core.offered[0] },
      { offset: 0x04, width: 4, read: () => core.accepted[0], write: (v) => core.acceptLegacyFeatures(v) },
      {
        offset: 0x08,
        width: 4,
        read: () => Math.floor((queue()?.descriptors ?? 0) / LEGACY_PAGE) >>> 0,
        write: (v) => this.#setLegacyQueue(v),
      },
      { offset: 0x0c, width: 2, read: () => queue()?.maxSize ?? 0 },
      { offset: 0x0e, width: 2, read: () => this.#queueSelect, write: (v) => (this.#queueSelect = v) },
      { offset: 0x10, width: 2, read: () => 0, write: (v) => core.notify(v) },
      { offset: 0x12, width: 1, read: () => core.status, write: (v) => this.#writeStatus(v) },
      { offset: 0x13, width: 1, read: () => this.#readIsr() },
      { offset: 0x14, width: 2, read: () => this.#configVector, write: (v) => (this.#configVector = this.#vector(v)) },
      { offset: 0x16, width: 2, read: () => queue()?.vector ?? NO_VECTOR, write: (v) => this.#setQueueVector(v) },
    ]
  }

  #setLegacyQueue(page: number): void {
    const queue = this.#core.queues.at(this.#queueSelect)
    if (queue === undefined) return
    if (page === 0) {
      // A legacy driver takes a queue back this way; nothing of it may be used any more.
      const { vector, eventIndex, indirect } = queue
      queue.reset()
      Object.assign(queue, { vector, eventIndex, indirect })
      return
    }
    Object.assign(queue, legacyRings(page, queue.size))
    queue.ready = true
  }

  #readLegacy(offset: number, width: Width): number {
    const header = this.#legacyHeader
    if (offset < header) return this.#legacy.read(offset, width)
    return readBytes(this.#core.device.config, offset - header, width)
  }

  #writeLegacy(offset: number, width: Width, value: number): void {
    if (offset < this.#legacyHeader) this.#legacy.write(offset, width, value)
  }

  get #legacyHeader(): number {
    return this.#msix.enabled ? 0x18 : 0x14
  }

  #readModern(offset: number, width: Width): number {
    if (offset < ISR) return this.#common.read(offset, width)
    if (offset === ISR) return this.#readIsr()
    if (offset >= CONFIG && offset < NOTIFY) return readBytes(this.#core.device.config, offset - CONFIG, width)
    return 0
  }

  #writeModern(offset: number, width: Width, value: number): void {
    if (offset < ISR) this.#common.write(offset, width, value)
    else if (offset >= NOTIFY) this.#core.notify(Math.floor((offset - NOTIFY) / NOTIFY_MULTIPLIER))
  }

  /** What the configuration access capability points at; undefined when that is not a part of a BAR. */
  #windowTarget(): { bar: number; offset: number; width: Width } | undefined {
    const at = this.#window
    const bar = this.config[at + WINDOW.bar]
    const offset = super.readConfig(at + WINDOW.offset, 4)
    const width = super.readConfig(at + WINDOW.length, 4)
    if (width !== 1 && width !== 2 && width !== 4) return undefined
    const size = this.bars[bar]?.size ?? 0
    return offset % width === 0 && offset + width <= size ? { bar, offset, width } : undefined
  }

  #readWindow(): number {
    const target = this.#windowTarget()
    return target === undefined ? 0 : (this.bars[target.bar]?.handler.readBar(target.offset, target.width) ?? 0)
  }

  #writeWindow(): void {
    const target = this.#windowTarget()
    if (target === undefined) return
    const value = super.readConfig(this.#window + WINDOW.data, target.width)
    this.bars[target.bar]?.handler.writeBar(target.offset, target.width, value)
  }
}
