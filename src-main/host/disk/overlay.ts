import type { BlockStatus } from '../../devices/backends.ts'
import type { DiskFile } from './file.ts'
import { SECTOR, slice, statusOf, totalLength, type DiskImage } from './image.ts'

/** Sectors in one page of the map. */
const PAGE_SECTORS = 1 << 18

/**
 * snapshot=on: writes go to a temporary sparse file that is laid out like the disk; a bit for every sector says where its
 * contents are. The image below is never written.
 */
export class OverlayImage implements DiskImage {
  readonly sectors: number
  readonly readOnly = false
  readonly #below: DiskImage
  readonly #file: DiskFile
  readonly #pages = new Map<number, Uint8Array>()

  constructor(below: DiskImage, file: DiskFile) {
    this.sectors = below.sectors
    this.#below = below
    this.#file = file
  }

  async read(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    const length = totalLength(buffers)
    const pieces: Promise<BlockStatus>[] = []
    for (let at = 0; at < length;) {
      const sector = (position + at) / SECTOR
      const written = this.#isWritten(sector)
      let count = 1
      while (at + count * SECTOR < length && this.#isWritten(sector + count) === written) count++
      const part = slice(buffers, at, count * SECTOR)
      pieces.push(written ? statusOf(this.#file.read(position + at, part)) : this.#below.read(position + at, part))
      at += count * SECTOR
    }
    const statuses = await Promise.all(pieces)
    return statuses.find((status) => status !== 'ok') ?? 'ok'
  }

  async write(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    const status = await statusOf(this.#file.write(position, buffers))
    if (status === 'ok') this.#mark(position, totalLength(buffers))
    return status
  }

  /** Nothing of this outlives the machine, so nothing needs to reach the disk. */
  flush(): Promise<BlockStatus> {
    return Promise.resolve('ok')
  }

  discard(position: number, length: number): Promise<BlockStatus> {
    return this.writeZeroes(position, length)
  }

  async writeZeroes(position: number, length: number): Promise<BlockStatus> {
    if (!(await this.#file.punch(position, length))) {
      const status = await statusOf(this.#file.write(position, [new Uint8Array(length)]))
      if (status !== 'ok') return status
    }
    this.#mark(position, length)
    return 'ok'
  }

  async close(): Promise<void> {
    await this.#file.close()
    await this.#below.close()
  }

  #isWritten(sector: number): boolean {
    const page = this.#pages.get(Math.floor(sector / PAGE_SECTORS))
    if (page === undefined) return false
    const bit = sector % PAGE_SECTORS
    return (page[bit >> 3] & (1 << (bit & 7))) !== 0
  }

  #mark(position: number, length: number): void {
    const first = position / SECTOR
    for (let sector = first; sector < first + length / SECTOR; sector++) {
      const index = Math.floor(sector / PAGE_SECTORS)
      let page = this.#pages.get(index)
      if (page === undefined) this.#pages.set(index, (page = new Uint8Array(PAGE_SECTORS / 8)))
      const bit = sector % PAGE_SECTORS
      page[bit >> 3] |= 1 << (bit & 7)
    }
  }
}
