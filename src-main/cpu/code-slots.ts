/** Which RAM pages have predecoded code, and in which slot. When all are taken, those that were not used lately make room. */
import { HANDLER, SLOT_MODE, SLOT_STORES, SLOT_USED } from './region.ts'
import { AT, PAGE_INFO, RECORD, SLOT_BYTES, type MemoryMap } from './state/layout.ts'

/** What has to follow in the TLBs. */
interface Tlbs {
  flushCodeTlb(): void
  /** (host address of a RAM page) */
  dropWriteTags(host: number): void
}

/** The part of all slots that is emptied at a time: each time costs the whole code TLB. */
const ROOM = 1 / 8

export class CodeSlots {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly map: MemoryMap
  private readonly tlbs: Tlbs
  /** The slot of this RAM page is about to be emptied. */
  onEmpty: (page: number) => void = () => undefined
  /** RAM page of each slot, or -1. */
  private readonly pages: Int32Array
  private readonly free: number[] = []
  /** Where the search for slots to empty goes on: the slots behind it were filled longest ago. */
  private hand = 0

  constructor(view: DataView, bytes: Uint8Array, map: MemoryMap, tlbs: Tlbs) {
    this.view = view
    this.bytes = bytes
    this.map = map
    this.tlbs = tlbs
    this.pages = new Int32Array(map.slots).fill(-1)
    for (let slot = map.slots - 1; slot >= 0; slot--) this.free.push(slot)
  }

  /** Forgets everything. */
  dropAll(): void {
    for (let slot = 0; slot < this.pages.length; slot++) this.empty(slot)
    this.tlbs.flushCodeTlb()
  }

  /** Empties the slot of the page that was found to hold data (mmu/data-pages.ts). Not within a slice. */
  dropDataPage(): void {
    const page = this.view.getUint32(AT.dataPage, true) - 1
    this.view.setUint32(AT.dataPage, 0, true)
    const slot = this.view.getUint32(PAGE_INFO + page * 4, true) - 1
    // it may have made room meanwhile
    if (slot < 0) return
    this.empty(slot)
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
    if (slot >= 0) this.view.setUint8(this.usedAt(slot), 1)
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
    this.view.setUint16(modeAt() - SLOT_MODE + SLOT_STORES, 0, true)
    this.bytes.fill(0, base(), base() + 4096 * RECORD)
    for (let i = 0; i < 16; i++) this.view.setUint16(base() + (4096 + i) * RECORD, HANDLER.pageEnd, true)
    return base()
  }
  private usedAt(slot: number): number {
    return this.map.slotBase + slot * SLOT_BYTES + 4096 * RECORD + SLOT_USED
  }
  private take(page: number): number {
    if (this.free.length === 0) this.makeRoom()
    const slot = this.free.pop()!
    this.pages[slot] = page
    this.view.setUint8(this.usedAt(slot), 1)
    return slot
  }
  /**
   * Empties slots: first those whose pages have not entered the code TLB since room was made the last time, then the oldest. The code
   * TLB is emptied, so whatever is still in use shows itself again.
   */
  private makeRoom(): void {
    const { pages, view } = this
    const wanted = Math.ceil(pages.length * ROOM)
    const isUnused = (slot: number): boolean => view.getUint8(this.usedAt(slot)) === 0
    for (const choice of [isUnused, () => true]) {
      for (let i = 0; i < pages.length && this.free.length < wanted; i++) {
        const slot = this.hand
        this.hand = (slot + 1) % pages.length
        if (choice(slot)) this.empty(slot)
      }
    }
    for (let slot = 0; slot < pages.length; slot++) view.setUint8(this.usedAt(slot), 0)
    this.tlbs.flushCodeTlb()
  }
  private empty(slot: number): void {
    const page = this.pages[slot]
    if (page < 0) return
    this.onEmpty(page)
    this.view.setUint32(PAGE_INFO + page * 4, 0, true)
    this.pages[slot] = -1
    this.free.push(slot)
  }
}
