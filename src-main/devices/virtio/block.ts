import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Segment } from '../../memory/guest-memory.ts'
import type { BlockBackend, BlockRequest, BlockStatus } from '../backends.ts'
import { cut, gather, scatter, type VirtioDevice, type VirtioHost } from './device.ts'
import { segmentsLength, type Chain } from './queue.ts'

/** Block device, VIRTIO 1.2 section 5.2. */
const Feature = { segMax: 2, readOnly: 5, blockSize: 6, flush: 9, discard: 13, writeZeroes: 14 } as const
const Request = { in: 0, out: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const
const Status = { ok: 0, ioError: 1, unsupported: 2 } as const

const SECTOR = 512
const QUEUE_SIZE = 256
const HEADER_BYTES = 16
const RANGE_BYTES = 16
const ID_BYTES = 20
/** Data segments of one request: what a queue of 128 leaves beside header and status. */
const SEG_MAX = 126
/** Sectors that one discard or write-zeroes may cover: 1 GiB. */
const MAX_RANGE = 1 << 21
const CONFIG_BYTES = 60

/** A write-zeroes request may unmap: bit 0 of its flags. Other bits are reserved. */
const FLAG_UNMAP = 1

/** A disk. Requests run side by side and are answered in the order in which they end. */
export class VirtioBlock implements VirtioDevice {
  readonly name: string
  readonly type = 2
  readonly transitionalId = 0x1001
  readonly classCode = 0x010000
  readonly features: number
  readonly queues = [QUEUE_SIZE]
  readonly config: Uint8Array
  readonly #backend: BlockBackend
  #host!: VirtioHost
  #generation = 0

  constructor(name: string, backend: BlockBackend) {
    this.name = name
    this.#backend = backend
    const writing = backend.readOnly ? 1 << Feature.readOnly : (1 << Feature.discard) | (1 << Feature.writeZeroes)
    this.features = (1 << Feature.segMax) | (1 << Feature.blockSize) | (1 << Feature.flush) | writing
    this.config = blockConfig(backend.sectors)
  }

  attach(host: VirtioHost): void {
    this.#host = host
  }

  notified(): void {
    for (let chain = this.#host.pop(0); chain !== undefined; chain = this.#host.pop(0)) this.#start(chain)
  }

  reset(): void {
    this.#backend.drain?.()
    this.#generation++
  }

  save(): SnapshotFields {
    return {}
  }

  restore(): void {
    this.#generation++
  }

  #start(chain: Chain): void {
    const room = segmentsLength(chain.writable)
    const header = gather(this.#host.memory, chain.readable, HEADER_BYTES)
    // Without a place for the status there is nothing that could be said.
    if (room === 0) {
      this.#host.push(0, chain, 0)
      return
    }
    if (header === undefined) {
      this.#finish(chain, Status.ioError, 0)
      return
    }
    const view = new DataView(header.buffer)
    const type = view.getUint32(0, true)
    const sector = view.getUint32(8, true) + view.getUint32(12, true) * 0x1_0000_0000
    const input = cut(chain.writable, 0, room - 1)
    const output = cut(chain.readable, HEADER_BYTES, segmentsLength(chain.readable))
    switch (type) {
      case Request.in: {
        this.#transfer(chain, 'read', sector, input)
        return
      }
      case Request.out: {
        this.#transfer(chain, 'write', sector, output)
        return
      }
      case Request.flush: {
        this.#submit(chain, { op: 'flush', sector: 0, length: 0 }, 0)
        return
      }
      case Request.getId: {
        this.#getId(chain, input)
        return
      }
      case Request.discard: {
        this.#range(chain, 'discard', output)
        return
      }
      case Request.writeZeroes: {
        this.#range(chain, 'write-zeroes', output)
        return
      }
      default: {
        this.#finish(chain, Status.unsupported, 0)
        return
      }
    }
  }

  #transfer(chain: Chain, op: 'read' | 'write', sector: number, segments: readonly Segment[]): void {
    const length = segmentsLength(segments)
    const outside = sector + length / SECTOR > this.#backend.sectors
    if (length === 0 || length % SECTOR !== 0 || outside || (op === 'write' && this.#backend.readOnly)) {
      this.#finish(chain, Status.ioError, 0)
      return
    }
    this.#submit(chain, { op, sector, length, segments }, op === 'read' ? length : 0)
  }

  /** Discard and write zeroes (5.2.6.1): one range, as max_discard_seg says. */
  #range(chain: Chain, op: 'discard' | 'write-zeroes', data: readonly Segment[]): void {
    if (this.#backend.readOnly) {
      this.#finish(chain, Status.ioError, 0)
      return
    }
    const range = gather(this.#host.memory, data, RANGE_BYTES)
    if (range === undefined || segmentsLength(data) !== RANGE_BYTES) {
      this.#finish(chain, Status.unsupported, 0)
      return
    }
    const view = new DataView(range.buffer)
    const sector = view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000
    const count = view.getUint32(8, true)
    const allowed = op === 'write-zeroes' ? FLAG_UNMAP : 0
    if (view.getUint32(12, true) & ~allowed) {
      this.#finish(chain, Status.unsupported, 0)
      return
    }
    if (count > MAX_RANGE || sector + count > this.#backend.sectors) {
      this.#finish(chain, Status.ioError, 0)
      return
    }
    if (count === 0) {
      this.#finish(chain, Status.ok, 0)
      return
    }
    this.#submit(chain, { op, sector, length: count * SECTOR }, 0)
  }

  #getId(chain: Chain, input: readonly Segment[]): void {
    const id = new Uint8Array(ID_BYTES)
    for (let i = 0; i < ID_BYTES && i < this.#backend.serial.length; i++) id[i] = this.#backend.serial.charCodeAt(i)
    this.#finish(chain, Status.ok, scatter(this.#host.memory, input, id))
  }

  #submit(chain: Chain, request: Omit<BlockRequest, 'done'>, written: number): void {
    const generation = this.#generation
    const done = (status: BlockStatus): void => {
      if (generation !== this.#generation) return
      this.#finish(chain, status === 'ok' ? Status.ok : Status.ioError, status === 'ok' ? written : 0)
    }
    // 5.2.6.2: a driver that cannot flush gets a disk that writes through.
    const through = (request.op === 'write' || request.op === 'write-zeroes') && !this.#host.has(Feature.flush)
    const last = (status: BlockStatus): void => {
      if (status !== 'ok' || !through) done(status)
      else this.#backend.submit({ op: 'flush', sector: 0, length: 0, done })
    }
    this.#backend.submit({ ...request, done: last })
  }

  /** Status goes into the last writable byte. */
  #finish(chain: Chain, status: number, written: number): void {
    const last = chain.writable[chain.writable.length - 1]
    this.#host.memory.writeU8(last.gpa + last.length - 1, status)
    this.#host.push(0, chain, written + 1)
    this.notified()
  }
}

/** struct virtio_blk_config, section 5.2.4. */
function blockConfig(sectors: number): Uint8Array {
  const config = new Uint8Array(CONFIG_BYTES)
  const view = new DataView(config.buffer)
  view.setBigUint64(0, BigInt(sectors), true)
  view.setUint32(12, SEG_MAX, true)
  view.setUint32(20, SECTOR, true)
  view.setUint32(36, MAX_RANGE, true) // max_discard_sectors
  view.setUint32(40, 1, true)
  view.setUint32(44, 1, true) // discard_sector_alignment
  view.setUint32(48, MAX_RANGE, true) // max_write_zeroes_sectors
  view.setUint32(52, 1, true)
  view.setUint8(56, 1) // write_zeroes_may_unmap
  return config
}
