import type { Ram } from '../../memory/ram.ts'
import type { TestBus } from '../pci/test-bus.ts'
import { legacyRings } from './pci.ts'

/** What the driver put in. */
export interface Buffers {
  readonly out?: readonly (Uint8Array | readonly [gpa: number, length: number])[]
  readonly in?: readonly number[]
}

const IO = 0xc000
const MODERN = 0xfe00_4000
const MSIX = 0xfe00_0000
const SLOT = 2 * 8

/**
 * For unit tests: the driver's side of a transitional virtio PCI function in slot 2, as Linux does it. Buffers are taken
 * from guest memory from 1 MiB on and never given back.
 */
export class TestDriver {
  readonly bus: TestBus
  readonly ram: Ram
  size = 0
  rings = { descriptors: 0, available: 0, used: 0 }
  #free = 1 << 20
  #nextDescriptor = 0
  #available = 0
  #used = 0
  #legacy = false
  indirect = false

  constructor(bus: TestBus, ram: Ram) {
    this.bus = bus
    this.ram = ram
    bus.writeConfig(SLOT, 0x10, IO)
    bus.writeConfig(SLOT, 0x14, MSIX)
    bus.writeConfig(SLOT, 0x20, MODERN)
    bus.writeConfig(SLOT, 4, 7, 2)
  }

  common(offset: number, width: 1 | 2 | 4): number {
    return this.bus.load(MODERN + offset, width)
  }

  setCommon(offset: number, value: number, width: 1 | 2 | 4): void {
    this.bus.store(MODERN + offset, value, width)
  }

  config(offset: number, width: 1 | 2 | 4): number {
    return this.bus.load(MODERN + 0x2000 + offset, width)
  }

  readIsr(): number {
    return this.#legacy ? this.bus.input(IO + 0x13) : this.bus.load(MODERN + 0x1000, 1)
  }

  get status(): number {
    return this.common(0x14, 1)
  }

  enableMsix(): void {
    for (let i = 0; i < 2; i++) {
      this.bus.store(MSIX + i * 16, 0xfee0_0000)
      this.bus.store(MSIX + i * 16 + 8, 0x40 + i)
      this.bus.store(MSIX + i * 16 + 12, 0)
    }
    const capability = this.findCapability(0x11)
    this.bus.writeConfig(SLOT, capability + 2, 0x8000, 2)
    this.setCommon(0x10, 0, 2)
  }

  findCapability(id: number, type?: number): number {
    let at = this.bus.readConfig(SLOT, 0x34, 1)
    while (at !== 0) {
      const found = this.bus.readConfig(SLOT, at, 1)
      if (found === id && (type === undefined || this.bus.readConfig(SLOT, at + 3, 1) === type)) return at
      at = this.bus.readConfig(SLOT, at + 1, 1)
    }
    return 0
  }

  /** 3.1.1 with the modern interface; returns whether the device took the features. */
  start(features: readonly number[] = [], size = 16): boolean {
    this.setCommon(0x14, 0, 1)
    this.setCommon(0x14, 1, 1)
    this.setCommon(0x14, 3, 1)
    const words = [0, 1]
    for (const feature of features) words[feature >>> 5] |= 1 << (feature & 31)
    words.forEach((word, half) => {
      this.setCommon(0x08, half, 4)
      this.setCommon(0x0c, word >>> 0, 4)
    })
    this.setCommon(0x14, 11, 1)
    if ((this.status & 8) === 0) return false
    this.#begin(size)
    this.rings = legacyRings(16, size)
    this.setCommon(0x16, 0, 2)
    this.setCommon(0x18, size, 2)
    this.setCommon(0x1a, 1, 2)
    const { descriptors, available, used } = this.rings
    for (const [at, value] of [
      [0x20, descriptors],
      [0x28, available],
      [0x30, used],
    ])
      this.setCommon(at, value, 4)
    this.setCommon(0x1c, 1, 2)
    this.setCommon(0x14, 15, 1)
    return true
  }

  startLegacy(features: number): void {
    this.#legacy = true
    for (const status of [0, 1, 3]) this.bus.output(IO + 0x12, status)
    this.bus.output(IO + 4, features, 4)
    this.bus.output(IO + 0x0e, 0, 2)
    const size = this.bus.input(IO + 0x0c, 2)
    this.#begin(size)
    this.rings = legacyRings(16, size)
    this.bus.output(IO + 8, 16, 4)
    this.bus.output(IO + 0x12, 7)
  }

  allocate(length: number): number {
    const gpa = this.#free
    this.#free += (length + 15) & ~15
    return gpa
  }

  setDescriptor(at: number, gpa: number, length: number, flags: number, next: number): void {
    this.ram.writeU64(at, BigInt(gpa))
    this.ram.writeU32(at + 8, length)
    this.ram.writeU16(at + 12, flags)
    this.ram.writeU16(at + 14, next)
  }

  /** Offer a chain; returns its head and where the writable buffers are. */
  add({ out = [], in: writable = [] }: Buffers): { head: number; at: number[] } {
    const pieces: [number, number, number][] = []
    for (const item of out) {
      if (item instanceof Uint8Array) {
        const gpa = this.allocate(item.length)
        this.ram.write(gpa, item)
        pieces.push([gpa, item.length, 0])
      } else pieces.push([item[0], item[1], 0])
    }
    const at = writable.map((length) => this.allocate(length))
    writable.forEach((length, i) => pieces.push([at[i], length, 2]))
    const head = this.indirect ? this.#addIndirect(pieces) : this.#addDirect(pieces)
    this.offer(head)
    return { head, at }
  }

  /** Put a head into the available ring. */
  offer(head: number): void {
    this.ram.writeU16(this.rings.available + 4 + 2 * (this.#available % this.size), head)
    this.#available = (this.#available + 1) & 0xffff
    this.ram.writeU16(this.rings.available + 2, this.#available)
  }

  notify(): void {
    if (this.#legacy) this.bus.output(IO + 0x10, 0, 2)
    else this.bus.store(MODERN + 0x3000, 0, 2)
  }

  /** Entries of the used ring since the last call. */
  takeUsed(): { head: number; written: number }[] {
    const taken: { head: number; written: number }[] = []
    while (this.#used !== this.ram.readU16(this.rings.used + 2)) {
      const at = this.rings.used + 4 + 8 * (this.#used % this.size)
      taken.push({ head: this.ram.readU32(at) ?? -1, written: this.ram.readU32(at + 4) ?? -1 })
      this.#used = (this.#used + 1) & 0xffff
    }
    return taken
  }

  #begin(size: number): void {
    this.size = size
    this.#nextDescriptor = 0
    this.#available = 0
    this.#used = 0
    this.ram.write(16 * 4096, new Uint8Array(4 * 4096))
  }

  #addDirect(pieces: readonly [number, number, number][]): number {
    const slot = (i: number): number => (this.#nextDescriptor + i) % this.size
    pieces.forEach(([gpa, length, flags], i) => {
      const more = i < pieces.length - 1 ? 1 : 0
      this.setDescriptor(this.rings.descriptors + slot(i) * 16, gpa, length, flags | more, slot(i + 1))
    })
    const head = slot(0)
    this.#nextDescriptor = slot(pieces.length)
    return head
  }

  #addIndirect(pieces: readonly [number, number, number][]): number {
    const table = this.allocate(pieces.length * 16)
    pieces.forEach(([gpa, length, flags], i) => {
      this.setDescriptor(table + i * 16, gpa, length, flags | (i < pieces.length - 1 ? 1 : 0), i + 1)
    })
    const head = this.#nextDescriptor
    this.setDescriptor(this.rings.descriptors + head * 16, table, pieces.length * 16, 4, 0)
    this.#nextDescriptor = (head + 1) % this.size
    return head
  }
}
