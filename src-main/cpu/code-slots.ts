/** Which RAM pages have predecoded code, and in which slot. The oldest slot goes when all are taken. */
import { HANDLER, SLOT_MODE } from './region.ts'
import { PAGE_INFO, RECORD, SLOT_BYTES, type MemoryMap } from './state/layout.ts'

/** What has to follow in the TLBs. */
interface Tlbs {
  flushCodeTlb(): void
  /** (host address of a RAM page) */
  dropWriteTags(host: number): void
}

export class CodeSlots {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly map: MemoryMap
  private readonly tlbs: Tlbs
  /** The slot of this RAM page is about to be emptied. */
  onEmpty: (page: number) => void = () => undefined
  /** RAM page of each slot, or -1. */
  private readonly pages: Int32Array
  private next = 0

  constructor(view: DataView, bytes: Uint8Array, map: MemoryMap, tlbs: Tlbs) {
    this.view = view
    this.bytes = bytes
    this.map = map
    this.tlbs = tlbs
    this.pages = new Int32Array(map.slots).fill(-1)
  }

  /** Forgets everything. */
  dropAll(): void {
    this.pages.forEach((page, slot) => {
      if (page >= 0) this.onEmpty(page)
      if (page >= 0) this.view.setUint32(PAGE_INFO + page * 4, 0, true)
      this.pages[slot] = -1
    })
    this.tlbs.flushCodeTlb()
  }

  /** Empties the records at one offset of every page that has any. */
  dropRecords(offset: number): void {
    const first = this.map.slotBase + offset * RECORD
    this.pages.forEach((page, slot) => {
      // handler and access byte together: an empty record must not touch memory
      if (page >= 0) this.view.setUint32(first + slot * SLOT_BYTES, 0, true)
    })
  }
  /** Number of the RAM page, and offset in it, that a record stands for; undefined for a record outside the slots. */
  find(record: number): { page: number; offset: number } | undefined {
    if (record < this.map.slotBase) return undefined
    const { page, offset } = this.placeOf(record)
    return offset < 4096 ? { page: (page - this.map.ramBase) / 4096, offset } : undefined
  }

  /** Address of the RAM page, and offset in it, that a record stands for. */
  placeOf(record: number): { page: number; offset: number } {
    const slot = Math.floor((record - this.map.slotBase) / SLOT_BYTES)
    const offset = (record - this.map.slotBase - slot * SLOT_BYTES) / RECORD
    return { page: this.map.ramBase + this.pages[slot] * 4096, offset }
  }

  /** Address of the slot of a RAM page for code of this mode (a key of the decoder); emptied when it is new or was another mode's. */
  baseFor(page: number, mode: number): number {
    const info = PAGE_INFO + page * 4
    let slot = this.view.getUint32(info, true) - 1
    const base = (): number => this.map.slotBase + slot * SLOT_BYTES
    const modeAt = (): number => base() + 4096 * RECORD + SLOT_MODE
    if (slot >= 0 && this.view.getUint8(modeAt()) === mode) return base()
    if (slot < 0) {
      slot = this.take(page)
      this.view.setUint32(info, slot + 1, true)
      // a page that holds code is write-protected in the TLB, so that writes are seen
      this.tlbs.dropWriteTags(this.map.ramBase + page * 4096)
    } else {
      this.onEmpty(page)
      // the other privilege level may still find the records of the old mode
      this.tlbs.flushCodeTlb()
    }
    this.view.setUint8(modeAt(), mode)
    this.bytes.fill(0, base(), base() + 4096 * RECORD)
    for (let i = 0; i < 16; i++) this.view.setUint16(base() + (4096 + i) * RECORD, HANDLER.pageEnd, true)
    return base()
  }
  private take(page: number): number {
    const slot = this.next
    this.next = (slot + 1) % this.map.slots
    const old = this.pages[slot]
    if (old >= 0) {
      this.onEmpty(old)
      this.view.setUint32(PAGE_INFO + old * 4, 0, true)
      this.tlbs.flushCodeTlb()
    }
    this.pages[slot] = page
    return slot
  }
}
