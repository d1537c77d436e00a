import type { BlockStatus } from '../../devices/backends.ts'
import type { DiskFile } from './file.ts'
import { SECTOR, statusOf, type DiskImage } from './image.ts'

const ZEROES = new Uint8Array(1 << 20)

/** An image whose bytes are the disk's bytes. A file that ends inside a sector is a disk with that sector filled up with zeroes. */
export class RawImage implements DiskImage {
  readonly sectors: number
  readonly readOnly: boolean
  readonly #file: DiskFile

  constructor(file: DiskFile, readOnly: boolean) {
    this.#file = file
    this.sectors = Math.ceil(file.size / SECTOR)
    this.readOnly = readOnly
  }

  read(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    return statusOf(this.#file.read(position, buffers))
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<BlockStatus> {
    return statusOf(this.#file.write(position, buffers))
  }

  flush(): Promise<BlockStatus> {
    // A read-only descriptor has nothing to sync.
    return this.readOnly ? Promise.resolve('ok') : statusOf(this.#file.sync())
  }

  async discard(position: number, length: number): Promise<BlockStatus> {
    // A host that cannot make holes keeps the contents: discard is advice.
    await this.#file.punch(position, length)
    return 'ok'
  }

  async writeZeroes(position: number, length: number): Promise<BlockStatus> {
    // A hole beyond the end of the file would not make the file longer, but reads there give zeroes all the same.
    if (await this.#file.punch(position, length)) return 'ok'
    return statusOf(this.#writeZeroes(position, length))
  }

  async #writeZeroes(position: number, length: number): Promise<void> {
    for (let done = 0; done < length; done += ZEROES.length) {
      await this.#file.write(position + done, [ZEROES.subarray(0, Math.min(ZEROES.length, length - done))])
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
