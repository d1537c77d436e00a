import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { GuestMemory, Segment } from '../../memory/guest-memory.ts'
import type { Chain } from './queue.ts'

/** What the transport gives a device. */
export interface VirtioHost {
  readonly memory: GuestMemory
  /** Was this feature bit negotiated? */
  has(feature: number): boolean
  /** The next chain of a queue; undefined when there is none or the device needs a reset. */
  pop(queue: number): Chain | undefined
  /** Give a chain back and interrupt the driver when it wants that. */
  push(queue: number, chain: Chain, written: number): void
  /** The device configuration space has changed; a driver that runs is told (VIRTIO 1.2 section 2.5). */
  configChanged(): void
}

/** A virtio device without its transport. */
export interface VirtioDevice {
  readonly name: string
  /** Device type, VIRTIO 1.2 section 5. */
  readonly type: number
  /** PCI device id of its transitional form, section 4.1.2.1. */
  readonly transitionalId: number
  readonly classCode: number
  /** Feature bits of this device type (0 to 23) as a mask. */
  readonly features: number
  /** Largest size of each queue, powers of two. */
  readonly queues: readonly number[]
  /** Device configuration space. */
  readonly config: Uint8Array
  attach(host: VirtioHost): void
  /** The driver has put chains into a queue. */
  notified(queue: number): void
  /** Nothing that was begun before may touch guest memory or the queues afterwards. */
  reset(): void
  save(): SnapshotFields
  restore(fields: SnapshotFields): void
}

/** Copy the first `length` bytes of a list of segments; undefined when it is shorter. */
export function gather(memory: GuestMemory, segments: readonly Segment[], length: number): Uint8Array | undefined {
  const data = new Uint8Array(length)
  let done = 0
  for (const segment of segments) {
    if (done === length) break
    const part = memory.read(segment.gpa, Math.min(segment.length, length - done))
    if (part === undefined) return undefined
    data.set(part, done)
    done += part.length
  }
  return done === length ? data : undefined
}

/** Write bytes to the front of a list of segments; returns how many found room. */
export function scatter(memory: GuestMemory, segments: readonly Segment[], data: Uint8Array): number {
  let done = 0
  for (const segment of segments) {
    const part = data.subarray(done, done + segment.length)
    if (part.length === 0 || !memory.write(segment.gpa, part)) break
    done += part.length
  }
  return done
}

/** The part [start, start+length) of a list of segments. */
export function cut(segments: readonly Segment[], start: number, length: number): Segment[] {
  const parts: Segment[] = []
  let at = 0
  for (const segment of segments) {
    const from = Math.max(start - at, 0)
    const to = Math.min(start + length - at, segment.length)
    if (from < to) parts.push({ gpa: segment.gpa + from, length: to - from })
    at += segment.length
  }
  return parts
}
