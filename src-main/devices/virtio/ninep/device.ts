import type { SnapshotFields } from '../../../base/snapshotable.ts'
import type { NineBackend } from '../../backends.ts'
import type { VirtioDevice, VirtioHost } from '../device.ts'

/** VIRTIO_9P_F_MOUNT_TAG: the configuration space holds the tag. */
const MOUNT_TAG = 0
const QUEUE_SIZE = 128

/** 9p transport: each chain is one T-message and the room for its R-message. Knows nothing of what the messages say. */
export class VirtioNinep implements VirtioDevice {
  readonly name: string
  readonly type = 9
  readonly transitionalId = 0x1009
  readonly classCode = 0xff0000
  readonly features = 1 << MOUNT_TAG
  readonly queues = [QUEUE_SIZE]
  readonly config: Uint8Array
  readonly #backend: NineBackend
  #host!: VirtioHost
  #generation = 0

  constructor(name: string, backend: NineBackend) {
    this.name = name
    this.#backend = backend
    const { mountTag } = backend
    this.config = new Uint8Array(2 + mountTag.length)
    this.config[0] = mountTag.length
    for (let i = 0; i < mountTag.length; i++) this.config[2 + i] = mountTag.charCodeAt(i)
  }

  attach(host: VirtioHost): void {
    this.#host = host
  }

  notified(): void {
    for (let chain = this.#host.pop(0); chain !== undefined; chain = this.#host.pop(0)) {
      const taken = chain
      const generation = this.#generation
      const done = (written: number): void => {
        if (generation !== this.#generation) return
        this.#host.push(0, taken, written)
        this.notified()
      }
      this.#backend.submit({ request: taken.readable, reply: taken.writable, done })
    }
  }

  reset(): void {
    this.#generation++
    this.#backend.reset()
  }

  save(): SnapshotFields {
    return {}
  }

  restore(): void {
    this.#generation++
  }
}
