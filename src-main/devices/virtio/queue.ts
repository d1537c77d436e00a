import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { GuestMemory, Segment } from '../../memory/guest-memory.ts'

/** Split virtqueue, Virtual I/O Device (VIRTIO) 1.2 section 2.7. Rings are read and written on the vCPU thread only. */

const DESCRIPTOR_BYTES = 16
const FLAG_NEXT = 1
const FLAG_WRITE = 2
const FLAG_INDIRECT = 4
const AVAIL_NO_INTERRUPT = 1

/** Descriptors in one chain, those of an indirect table included; more is a broken driver. */
export const MAX_CHAIN = 1024

/** One request of the driver: what the device reads, then what it writes (2.7.4.2: readable descriptors come first). */
export interface Chain {
  readonly head: number
  readonly readable: readonly Segment[]
  readonly writable: readonly Segment[]
}

/** The driver broke the rules of the queue; the device needs a reset. The text is for the log. */
export class QueueError extends Error {}

/** A segment that the next descriptor may make longer. */
interface Growing {
  readonly gpa: number
  length: number
}

export function segmentsLength(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0)
}

export class Virtqueue {
  /** Largest size, a power of two; the driver may choose a smaller one. */
  readonly maxSize: number
  size: number
  ready = false
  descriptors = 0
  available = 0
  used = 0
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  eventIndex = false
  /** VIRTIO_F_INDIRECT_DESC was negotiated. */
  indirect = false
  /** MSI-X vector. */
  vector = 0xffff
  readonly #memory: GuestMemory
  readonly #view: DataView
  #nextAvailable = 0
  #nextUsed = 0
  /** `used` index at the last interrupt decision. */
  #signalled = 0
  #outstanding = 0

  constructor(memory: GuestMemory, maxSize: number) {
    this.#memory = memory
    this.#view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.byteLength)
    this.maxSize = maxSize
    this.size = maxSize
  }

  reset(): void {
    this.size = this.maxSize
    this.ready = false
    this.descriptors = 0
    this.available = 0
    this.used = 0
    this.vector = 0xffff
    this.eventIndex = false
    this.indirect = false
    this.#nextAvailable = 0
    this.#nextUsed = 0
    this.#signalled = 0
    this.#outstanding = 0
  }

  /** The next chain, or undefined when there is none (or too many are unfinished). Throws QueueError. */
  pop(): Chain | undefined {
    if (!this.ready || this.#outstanding >= this.size) return undefined
    const count = (this.#u16(this.available + 2) - this.#nextAvailable) & 0xffff
    if (count === 0) return undefined
    if (count > this.size) throw new QueueError(`${count} chains offered in a queue of ${this.size}`)
    const head = this.#u16(this.available + 4 + 2 * (this.#nextAvailable % this.size))
    const chain = this.#walk(head)
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff
    // 2.7.10: with avail_event the driver notifies only when it passes this index: always the next one.
    if (this.eventIndex) this.#putU16(this.used + 4 + 8 * this.size, this.#nextAvailable)
    this.#outstanding++
    return chain
  }

  /** Give a chain back with the number of bytes written to its writable part. Throws QueueError. */
  push(head: number, written: number): void {
    const entry = this.used + 4 + 8 * (this.#nextUsed % this.size)
    if (!this.#memory.writeU32(entry, head) || !this.#memory.writeU32(entry + 4, written)) {
      throw new QueueError('the used ring is not in memory')
    }
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff
    this.#putU16(this.used + 2, this.#nextUsed)
    this.#outstanding--
  }

  /** Does the driver want to hear of what was pushed since the last call? (2.7.7) Throws QueueError. */
  wantsInterrupt(): boolean {
    const old = this.#signalled
    const now = this.#nextUsed
    this.#signalled = now
    if (now === old) return false
    if (!this.eventIndex) return (this.#u16(this.available) & AVAIL_NO_INTERRUPT) === 0
    const event = this.#u16(this.available + 4 + 2 * this.size)
    return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff)
  }

  save(): SnapshotFields {
    const { size, ready, descriptors, available, used, eventIndex, indirect, vector } = this
    const own = { nextAvailable: this.#nextAvailable, nextUsed: this.#nextUsed, signalled: this.#signalled }
    return { size, ready, descriptors, available, used, eventIndex, indirect, vector, ...own }
  }

  /** A machine is saved with nothing in flight, so no chain is outstanding. */
  restore(fields: SnapshotFields): void {
    this.size = fields.size as number
    this.ready = fields.ready as boolean
    this.descriptors = fields.descriptors as number
    this.available = fields.available as number
    this.used = fields.used as number
    this.eventIndex = fields.eventIndex as boolean
    this.indirect = fields.indirect as boolean
    this.vector = fields.vector as number
    this.#nextAvailable = fields.nextAvailable as number
    this.#nextUsed = fields.nextUsed as number
    this.#signalled = fields.signalled as number
    this.#outstanding = 0
  }

  /** A request has tens of descriptors, so nothing is made for one but what it adds to the chain. */
  #walk(head: number): Chain {
    const view = this.#view
    const readable: Growing[] = []
    const writable: Growing[] = []
    let tableSize = this.size
    let table = this.#table(this.descriptors, tableSize)
    let index = head
    let inIndirect = false
    let segments = readable
    /** Where the last buffer ends in memory. */
    let end = -1
    for (let count = 0; count < MAX_CHAIN; count++) {
      if (index >= tableSize) throw new QueueError(`descriptor ${index} of ${tableSize}`)
      const at = table + index * DESCRIPTOR_BYTES
      const gpa = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
      const length = view.getUint32(at + 8, true)
      const flags = view.getUint16(at + 12, true)
      if (flags & FLAG_INDIRECT) {
        // 2.7.5.3.1: not inside another, and not with a next descriptor.
        if (!this.indirect || inIndirect || flags & FLAG_NEXT)
          throw new QueueError('an indirect table is not allowed here')
        if (length === 0 || length % DESCRIPTOR_BYTES !== 0)
          throw new QueueError(`an indirect table of ${length} bytes`)
        tableSize = length / DESCRIPTOR_BYTES
        table = this.#table(gpa, tableSize)
        index = 0
        inIndirect = true
        continue
      }
      const start = length === 0 ? -1 : this.#memory.offset(gpa, length)
      if (start < 0) throw new QueueError(`a buffer of ${length} bytes at 0x${gpa.toString(16)} is not in memory`)
      if (flags & FLAG_WRITE) segments = writable
      else if (segments === writable) throw new QueueError('a readable buffer after a writable one')
      // Linux cuts its buffers into pages; most lie behind each other, and one segment is less work for everybody.
      const last = segments.at(-1)
      if (last !== undefined && start === end && last.gpa + last.length === gpa) last.length += length
      else segments.push({ gpa, length })
      end = start + length
      if ((flags & FLAG_NEXT) === 0) return { head, readable, writable }
      index = view.getUint16(at + 14, true)
    }
    throw new QueueError(`a chain of more than ${MAX_CHAIN} descriptors`)
  }

  /** Where a table of so many descriptors lies in memory. */
  #table(gpa: number, size: number): number {
    const at = this.#memory.offset(gpa, size * DESCRIPTOR_BYTES)
    if (at < 0) throw new QueueError('a descriptor table is not in memory')
    return at
  }

  #u16(gpa: number): number {
    const value = this.#memory.readU16(gpa)
    if (value === undefined) throw new QueueError('a ring is not in memory')
    return value
  }

  #putU16(gpa: number, value: number): void {
    if (!this.#memory.writeU16(gpa, value)) throw new QueueError('a ring is not in memory')
  }
}
