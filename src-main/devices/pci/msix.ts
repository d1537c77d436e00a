import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { MsiSink, Width } from '../../bus/bus.ts'
import type { BarHandler } from './function.ts'

/** MSI-X (PCI 3.0 section 6.8.2). Table at the start of the BAR, pending bits in its second half. */
const PBA_OFFSET = 0x800
export const MSIX_BAR_SIZE = 0x1000
/** Entries that fit before the pending bits. */
export const MSIX_MAX_VECTORS = PBA_OFFSET / 16

const ENTRY_BYTES = 16
const ENTRY_MASKED = 1
/** Message control, bits of the high byte. */
const CONTROL_ENABLE = 0x80
const CONTROL_FUNCTION_MASK = 0x40

/** Table, pending bits and masks of one function's message-signalled interrupts. */
export class Msix implements BarHandler {
  readonly vectors: number
  readonly #sink: MsiSink
  readonly #table: DataView
  readonly #pending: Uint8Array
  #control = 0

  constructor(vectors: number, sink: MsiSink) {
    if (vectors < 1 || vectors > MSIX_MAX_VECTORS) throw new RangeError(`${vectors} MSI-X vectors`)
    this.vectors = vectors
    this.#sink = sink
    this.#table = new DataView(new ArrayBuffer(vectors * ENTRY_BYTES))
    this.#pending = new Uint8Array(vectors)
    this.reset()
  }

  /** The ten bytes after the capability header: message control, table and PBA location. */
  capabilityBody(bar: number): Uint8Array {
    const body = new Uint8Array(10)
    const view = new DataView(body.buffer)
    view.setUint16(0, this.vectors - 1, true)
    view.setUint32(2, bar, true)
    view.setUint32(6, PBA_OFFSET | bar, true)
    return body
  }

  get enabled(): boolean {
    return (this.#control & CONTROL_ENABLE) !== 0
  }

  /** The guest wrote the high byte of message control. */
  setControl(high: number): void {
    this.#control = high & (CONTROL_ENABLE | CONTROL_FUNCTION_MASK)
    this.#deliverPending()
  }

  /** Request vector `index`; held as pending while masked. Vectors outside the table are dropped. */
  signal(index: number): void {
    if (!this.enabled || index < 0 || index >= this.vectors) return
    if (this.#masked(index)) {
      this.#pending[index] = 1
      return
    }
    const at = index * ENTRY_BYTES
    const high = this.#table.getUint32(at + 4, true)
    this.#sink.send(high * 0x1_0000_0000 + this.#table.getUint32(at, true), this.#table.getUint32(at + 8, true))
  }

  readBar(offset: number, width: Width): number {
    const aligned = this.#readDword(offset & ~3)
    const shifted = aligned >>> (8 * (offset & 3))
    return width === 4 ? shifted >>> 0 : shifted & ((1 << (8 * width)) - 1)
  }

  writeBar(offset: number, width: Width, value: number): void {
    // Section 6.8.2: only aligned doubleword (and quadword) accesses are defined; others are ignored.
    if (width !== 4 || (offset & 3) !== 0 || offset >= this.#table.byteLength) return
    const isVectorControl = (offset & 15) === 12
    this.#table.setUint32(offset, isVectorControl ? value & ENTRY_MASKED : value, true)
    if (isVectorControl) this.#deliverPending()
  }

  reset(): void {
    this.#control = 0
    this.#pending.fill(0)
    for (let i = 0; i < this.vectors; i++) {
      for (let word = 0; word < 12; word += 4) this.#table.setUint32(i * ENTRY_BYTES + word, 0)
      this.#table.setUint32(i * ENTRY_BYTES + 12, ENTRY_MASKED, true)
    }
  }

  save(): SnapshotFields {
    return {
      table: new Uint8Array(this.#table.buffer.slice(0)),
      pending: this.#pending.slice(),
      control: this.#control,
    }
  }

  restore(fields: SnapshotFields): void {
    new Uint8Array(this.#table.buffer).set(fields.table as Uint8Array)
    this.#pending.set(fields.pending as Uint8Array)
    this.#control = fields.control as number
  }

  #readDword(offset: number): number {
    if (offset < this.#table.byteLength) return this.#table.getUint32(offset, true)
    if (offset < PBA_OFFSET) return 0
    let bits = 0
    const first = (offset - PBA_OFFSET) * 8
    for (let i = 0; i < 32; i++) if (this.#pending[first + i] === 1) bits |= 1 << i
    return bits >>> 0
  }

  #masked(index: number): boolean {
    const vectorControl = this.#table.getUint32(index * ENTRY_BYTES + 12, true)
    return (this.#control & CONTROL_FUNCTION_MASK) !== 0 || (vectorControl & ENTRY_MASKED) !== 0
  }

  #deliverPending(): void {
    if (!this.enabled) return
    for (let i = 0; i < this.vectors; i++) {
      if (this.#pending[i] === 0 || this.#masked(i)) continue
      this.#pending[i] = 0
      this.signal(i)
    }
  }
}
