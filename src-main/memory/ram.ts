import type { GuestMemory } from './guest-memory.ts'

/** Where the PCI hole ends and high memory begins. */
export const HIGH_RAM_START = 0x1_0000_0000

/** Where guest RAM lies inside its backing buffer: low RAM first, high RAM right behind it. */
export interface RamLayout {
  /** Offset of guest-physical address 0 in the buffer. */
  readonly base: number
  /** Bytes at gpa 0; at most 4 GiB. */
  readonly lowSize: number
  /** Bytes at gpa 4 GiB; may be 0. */
  readonly highSize: number
}

/** Called after every write by a device or by the host, so that code made from those bytes can be dropped. */
export type WrittenHook = (gpa: number, length: number) => void

/** Guest RAM in one (normally shared) buffer. Plain typed-array accesses: the CPU's own loads and stores do not come through here. */
export class Ram implements GuestMemory {
  readonly size: number
  readonly bytes: Uint8Array
  readonly layout: RamLayout
  /** The machine sets this to what drops predecoded and translated code. */
  onWritten: WrittenHook
  readonly #view: DataView

  /** Throws a RangeError when the layout does not fit the buffer. */
  constructor(buffer: ArrayBufferLike, layout: RamLayout, onWritten: WrittenHook = () => undefined) {
    const { base, lowSize, highSize } = layout
    if (lowSize > HIGH_RAM_START || base + lowSize + highSize > buffer.byteLength) {
      throw new RangeError(`RAM of ${lowSize}+${highSize} bytes at ${base} does not fit ${buffer.byteLength} bytes`)
    }
    this.size = lowSize + highSize
    this.bytes = new Uint8Array(buffer)
    this.layout = { base, lowSize, highSize }
    this.onWritten = onWritten
    this.#view = new DataView(buffer)
  }

  offset(gpa: number, length: number): number {
    const { base, lowSize, highSize } = this.layout
    // Negative, fractional and NaN addresses or lengths fail one of these comparisons or the integer check.
    if (!(gpa >= 0 && length >= 0) || !Number.isSafeInteger(gpa + length)) return -1
    const end = gpa + length
    if (end <= lowSize) return base + gpa
    if (gpa >= HIGH_RAM_START && end <= HIGH_RAM_START + highSize) return base + lowSize + (gpa - HIGH_RAM_START)
    return -1
  }

  readU8(gpa: number): number | undefined {
    const at = this.offset(gpa, 1)
    return at < 0 ? undefined : this.bytes[at]
  }

  readU16(gpa: number): number | undefined {
    const at = this.offset(gpa, 2)
    return at < 0 ? undefined : this.#view.getUint16(at, true)
  }

  readU32(gpa: number): number | undefined {
    const at = this.offset(gpa, 4)
    return at < 0 ? undefined : this.#view.getUint32(at, true)
  }

  readU64(gpa: number): bigint | undefined {
    const at = this.offset(gpa, 8)
    return at < 0 ? undefined : this.#view.getBigUint64(at, true)
  }

  writeU8(gpa: number, value: number): boolean {
    const at = this.offset(gpa, 1)
    if (at < 0) return false
    this.bytes[at] = value
    this.onWritten(gpa, 1)
    return true
  }

  writeU16(gpa: number, value: number): boolean {
    const at = this.offset(gpa, 2)
    if (at < 0) return false
    this.#view.setUint16(at, value, true)
    this.onWritten(gpa, 2)
    return true
  }

  writeU32(gpa: number, value: number): boolean {
    const at = this.offset(gpa, 4)
    if (at < 0) return false
    this.#view.setUint32(at, value, true)
    this.onWritten(gpa, 4)
    return true
  }

  writeU64(gpa: number, value: bigint): boolean {
    const at = this.offset(gpa, 8)
    if (at < 0) return false
    this.#view.setBigUint64(at, value, true)
    this.onWritten(gpa, 8)
    return true
  }

  read(gpa: number, length: number): Uint8Array | undefined {
    const at = this.offset(gpa, length)
    if (at < 0) return undefined
    const copy = new Uint8Array(length)
    copy.set(this.bytes.subarray(at, at + length))
    return copy
  }

  write(gpa: number, data: Uint8Array): boolean {
    const at = this.offset(gpa, data.length)
    if (at < 0) return false
    this.bytes.set(data, at)
    this.onWritten(gpa, data.length)
    return true
  }

  written(gpa: number, length: number): void {
    if (length > 0) this.onWritten(gpa, length)
  }
}
