import { type Log, silentLog } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, PortHandler } from '../../bus/bus.ts'
import { bytePorts } from '../../bus/byte-ports.ts'

const VERSION = 1
const PAGE_REGISTERS = 16

/** Which of an 8237A's sixteen registers a port is (8237A datasheet, figure 6). */
const CHIP = {
  MASK_BIT: 0x0a,
  MODE: 0x0b,
  CLEAR_POINTER: 0x0c,
  MASTER_CLEAR: 0x0d,
  CLEAR_MASK: 0x0e,
  MASK: 0x0f,
} as const
const CHANNEL_UNMASKED = 0x04

/** One 8237A as far as its registers can be seen: address and count of four channels behind a byte pointer, and the mask. */
class DmaChip {
  private readonly words = new Uint16Array(8)
  private high = false
  private mask = 0xf
  private readonly unmasked: (channel: number) => void

  constructor(unmasked: (channel: number) => void) {
    this.unmasked = unmasked
  }

  reset(): void {
    this.words.fill(0)
    this.high = false
    this.mask = 0xf
  }

  read(register: number): number {
    if (register < 8) {
      const value = (this.words[register] >> (this.high ? 8 : 0)) & 0xff
      this.high = !this.high
      return value
    }
    return register === CHIP.MASK ? 0xf0 | this.mask : 0 // status: no request, no terminal count
  }

  write(register: number, value: number): void {
    if (register < 8) {
      const word = this.words[register]
      this.words[register] = this.high ? (word & 0x00ff) | (value << 8) : (word & 0xff00) | value
      this.high = !this.high
    } else if (register === CHIP.MASK_BIT) {
      const bit = 1 << (value & 3)
      this.setMask(value & CHANNEL_UNMASKED ? this.mask | bit : this.mask & ~bit)
    } else if (register === CHIP.CLEAR_POINTER) {
      this.high = false
    } else if (register === CHIP.MASTER_CLEAR) {
      this.high = false
      this.mask = 0xf
    } else if (register === CHIP.CLEAR_MASK) {
      this.setMask(0)
    } else if (register === CHIP.MASK) {
      this.setMask(value & 0xf)
    }
  }

  save(): SnapshotFields {
    return { words: Array.from(this.words), high: this.high, mask: this.mask }
  }

  restore(fields: SnapshotFields): void {
    this.words.set((fields.words as number[]).slice(0, 8))
    this.high = fields.high === true
    this.mask = Number(fields.mask)
  }

  private setMask(mask: number): void {
    for (let channel = 0; channel < 4; channel++) {
      const bit = 1 << channel
      if (this.mask & bit && (mask & bit) === 0) this.unmasked(channel)
    }
    this.mask = mask
  }
}

/**
 * The two 8237A and their page registers. No ISA device of this machine uses DMA: the registers keep what is written, and a driver
 * that opens a channel for a transfer is told of in the log, by channel. (The cascade, channel 4, is opened by everybody.)
 */
export class DmaRegisters implements Device {
  readonly name = 'isa-dma'
  /** Ports 0x00..0x0F. */
  readonly first: PortHandler
  /** Ports 0xC0..0xDF: registers at even ports. */
  readonly second: PortHandler
  /** Ports 0x81..0x8F; 0x80 is the POST code port. */
  readonly pages: PortHandler

  private readonly chips: readonly [DmaChip, DmaChip]
  private readonly pageRegisters = new Uint8Array(PAGE_REGISTERS)

  constructor(log: Log = silentLog) {
    const told = (channel: number): void => {
      if (channel !== 4) log.warn(this.name, `channel ${channel} was opened, and no device of this machine serves it`)
    }
    this.chips = [new DmaChip(told), new DmaChip((channel) => told(channel + 4))]
    this.first = bytePorts(
      (port) => this.chips[0].read(port & 0xf),
      (port, value) => this.chips[0].write(port & 0xf, value),
    )
    this.second = bytePorts(
      (port) => this.chips[1].read((port >> 1) & 0xf),
      (port, value) => this.chips[1].write((port >> 1) & 0xf, value),
    )
    this.pages = bytePorts(
      (port) => this.pageRegisters[port & 0xf],
      (port, value) => void (this.pageRegisters[port & 0xf] = value),
    )
  }

  reset(): void {
    for (const chip of this.chips) chip.reset()
    this.pageRegisters.fill(0)
  }

  save(): SnapshotFields {
    return { version: VERSION, chips: this.chips.map((chip) => chip.save()), pages: this.pageRegisters.slice() }
  }

  restore(fields: SnapshotFields): void {
    const chips = fields.chips as SnapshotFields[]
    this.chips.forEach((chip, index) => chip.restore(chips[index]))
    this.pageRegisters.set((fields.pages as Uint8Array).subarray(0, PAGE_REGISTERS))
  }
}
