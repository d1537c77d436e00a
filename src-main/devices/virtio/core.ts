import type { Log } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import type { VirtioDevice, VirtioHost } from './device.ts'
import { QueueError, Virtqueue, type Chain } from './queue.ts'

/** Device status bits, VIRTIO 1.2 section 2.1. */
export const Status = {
  acknowledge: 1,
  driver: 2,
  driverOk: 4,
  featuresOk: 8,
  needsReset: 64,
  failed: 128,
} as const

/** Feature bits of every device, section 6. */
export const Feature = { anyLayout: 27, indirect: 28, eventIndex: 29, version1: 32 } as const

/** Offered to everybody; VERSION_1 stands in the high half, where a legacy driver does not look. */
const COMMON_FEATURES_LOW = ((1 << Feature.anyLayout) | (1 << Feature.indirect) | (1 << Feature.eventIndex)) >>> 0
const COMMON_FEATURES_HIGH = 1 << (Feature.version1 - 32)

/** How a device tells its driver of something. */
export interface Interrupts {
  queue(vector: number): void
  config(): void
}

/** What a virtio device is on any transport: status, feature negotiation, queues, and one bad driver kept from all others. */
export class VirtioCore implements VirtioHost {
  readonly device: VirtioDevice
  readonly memory: GuestMemory
  readonly queues: readonly Virtqueue[]
  status = 0
  /** Changes with the device configuration, so that a driver sees whether its fields belong together (2.5.3). */
  configGeneration = 0
  readonly offered: readonly [number, number]
  readonly accepted: [number, number] = [0, 0]
  readonly #interrupts: Interrupts
  readonly #log: Log

  constructor(device: VirtioDevice, memory: GuestMemory, interrupts: Interrupts, log: Log) {
    this.device = device
    this.memory = memory
    this.queues = device.queues.map((size) => new Virtqueue(memory, size))
    this.offered = [(COMMON_FEATURES_LOW | device.features) >>> 0, COMMON_FEATURES_HIGH]
    this.#interrupts = interrupts
    this.#log = log
    device.attach(this)
  }

  has(feature: number): boolean {
    return (this.accepted[feature >>> 5] & (1 << (feature & 31))) !== 0
  }

  /** The driver selects features, half by half; not after FEATURES_OK. What was never offered is refused when it says FEATURES_OK. */
  acceptFeatures(half: number, value: number): void {
    if (half > 1 || this.status & Status.featuresOk) return
    this.accepted[half] = value >>> 0
  }

  /** A legacy driver cannot be refused: it gets what it asked for as far as it was offered. */
  acceptLegacyFeatures(value: number): void {
    this.accepted[0] = (value & this.offered[0]) >>> 0
    this.accepted[1] = 0
    this.#applyFeatures()
  }

  writeStatus(value: number): void {
    if (value === 0) {
      this.reset()
      return
    }
    // 2.1.1: the driver cannot clear bits, and DEVICE_NEEDS_RESET is ours.
    let status = this.status | (value & ~Status.needsReset)
    const negotiating = (value & Status.featuresOk) !== 0 && (this.status & Status.featuresOk) === 0
    if (negotiating && !this.#featuresAreValid()) status &= ~Status.featuresOk
    this.status = status
    if (negotiating) this.#applyFeatures()
  }

  /** The driver has put something into queue `index`. */
  notify(index: number): void {
    if (index < this.queues.length && this.queues[index].ready && !this.#broken) this.device.notified(index)
  }

  pop(index: number): Chain | undefined {
    return this.#guard(() => this.queues[index].pop())
  }

  push(index: number, chain: Chain, written: number): void {
    const queue = this.queues[index]
    const wanted = this.#guard(() => {
      queue.push(chain.head, written)
      return queue.wantsInterrupt()
    })
    if (wanted === true) this.#interrupts.queue(queue.vector)
  }

  configChanged(): void {
    this.configGeneration = (this.configGeneration + 1) & 0xff
    if (this.status & Status.driverOk) this.#interrupts.config()
  }

  reset(): void {
    this.device.reset()
    this.status = 0
    this.accepted.fill(0)
    for (const queue of this.queues) queue.reset()
  }

  save(): SnapshotFields {
    return {
      status: this.status,
      configGeneration: this.configGeneration,
      accepted: [...this.accepted],
      queues: this.queues.map((queue) => queue.save()),
      device: this.device.save(),
    }
  }

  restore(fields: SnapshotFields): void {
    this.status = fields.status as number
    this.configGeneration = fields.configGeneration as number
    const [low, high] = fields.accepted as number[]
    this.accepted[0] = low
    this.accepted[1] = high
    const queues = fields.queues as SnapshotFields[]
    this.queues.forEach((queue, i) => queue.restore(queues[i]))
    this.device.restore(fields.device as SnapshotFields)
  }

  get #broken(): boolean {
    return (this.status & Status.needsReset) !== 0
  }

  #featuresAreValid(): boolean {
    const [low, high] = this.accepted
    const known = (low & ~this.offered[0]) === 0 && (high & ~this.offered[1]) === 0
    return known && this.has(Feature.version1)
  }

  #applyFeatures(): void {
    for (const queue of this.queues) {
      queue.eventIndex = this.has(Feature.eventIndex)
      queue.indirect = this.has(Feature.indirect)
    }
  }

  /** A driver that breaks a queue's rules stops its device, and nothing else (2.1.2). */
  #guard<T>(action: () => T): T | undefined {
    if (this.#broken) return undefined
    try {
      return action()
    } catch (error) {
      if (!(error instanceof QueueError)) throw error
      this.#log.warn('virtio', `${this.device.name} needs a reset: ${error.message}`)
      this.status |= Status.needsReset
      if (this.status & Status.driverOk) this.#interrupts.config()
      return undefined
    }
  }
}
