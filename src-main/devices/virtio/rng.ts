import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { RandomBackend } from '../backends.ts'
import { scatter, type VirtioDevice, type VirtioHost } from './device.ts'
import { segmentsLength } from './queue.ts'

/** Bytes given for one request; the driver asks again when it wants more. */
const MOST_BYTES = 4096

/** Entropy device, VIRTIO 1.2 section 5.4. */
export class VirtioRng implements VirtioDevice {
  readonly name = 'virtio-rng'
  readonly type = 4
  readonly transitionalId = 0x1005
  readonly classCode = 0xff0000
  readonly features = 0
  readonly queues = [8]
  readonly config = new Uint8Array(0)
  readonly #backend: RandomBackend
  #host!: VirtioHost

  constructor(backend: RandomBackend) {
    this.#backend = backend
  }

  attach(host: VirtioHost): void {
    this.#host = host
  }

  notified(): void {
    for (let chain = this.#host.pop(0); chain !== undefined; chain = this.#host.pop(0)) {
      const bytes = new Uint8Array(Math.min(segmentsLength(chain.writable), MOST_BYTES))
      this.#backend.fill(bytes)
      this.#host.push(0, chain, scatter(this.#host.memory, chain.writable, bytes))
    }
  }

  reset(): void {}

  save(): SnapshotFields {
    return {}
  }

  restore(): void {}
}
