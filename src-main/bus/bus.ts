import type { Snapshotable } from '../base/snapshotable.ts'

/** Access width in bytes. 8-byte MMIO accesses are split by the bus into two of 4. */
export type Width = 1 | 2 | 4

/** Every device: one name, a reset, a snapshot. */
export interface Device extends Snapshotable {
  readonly name: string
  /** Power-on / machine reset state. */
  reset(): void
}

/** Port I/O. `port` is absolute. Values are unsigned and fit `width`. */
export interface PortHandler {
  readPort(port: number, width: Width): number
  writePort(port: number, width: Width, value: number): void
}

/** MMIO. `offset` is relative to the mapped range. Values are unsigned (0 .. 2^32-1). */
export interface MmioHandler {
  readMmio(offset: number, width: Width): number
  writeMmio(offset: number, width: Width, value: number): void
}

/** A mapping that may be moved or removed later (PCI BARs). */
export interface Mapping {
  remove(): void
}

/** Routes accesses; overlapping ranges throw at mapping time with both names. Unmapped reads give all ones, writes vanish. */
export interface PortBus {
  map(owner: string, first: number, count: number, handler: PortHandler): Mapping
}
export interface MmioBus {
  map(owner: string, gpa: number, length: number, handler: MmioHandler): Mapping
}

/** One interrupt input (ISA IRQ or PCI INTx): level as driven by the device. Edge-triggered inputs latch the rising edge. */
export interface IrqLine {
  set(level: boolean): void
}

/** Message-signalled interrupt: a write of `data` to `address` as the device's MSI-X table says. */
export interface MsiSink {
  send(address: number, data: number): void
}
