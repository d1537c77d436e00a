import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { IrqLine, PortBus, Width } from '../../bus/bus.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { PciFunction } from '../pci/function.ts'
import { INTEL } from '../pci/registers.ts'
import { BusMaster } from './bus-master.ts'
import { IdeChannel, type ChannelPlace } from './channel.ts'
import type { Drive } from './drive.ts'

export interface IdeParts {
  readonly ports: PortBus
  readonly memory: GuestMemory
  /** Where the two channels are and which ISA IRQ each requests. */
  readonly channels: readonly [ChannelPlace & { irq: IrqLine }, ChannelPlace & { irq: IrqLine }]
  /** Primary master, primary slave, secondary master, secondary slave. */
  readonly drives: readonly (Drive | undefined)[]
}

/** IDETIM of each channel: bit 15 makes the controller decode the channel's ports (PIIX3 datasheet, IDETIM). */
const TIMING = 0x40
const DECODE_ENABLE = 0x8000

/** 01.1, the PIIX3 IDE function: two channels at their legacy ports and a bus master behind BAR4. */
export class Piix3Ide extends PciFunction {
  readonly #channels: readonly [IdeChannel, IdeChannel]

  constructor(parts: IdeParts) {
    super('piix3-ide', { vendor: INTEL, device: 0x7010, revision: 0, classCode: 0x010180 })
    this.define(TIMING, 2, 0, 0xffff)
    this.define(TIMING + 2, 2, 0, 0xffff)
    const build = (index: 0 | 1): IdeChannel => {
      const place = parts.channels[index]
      const busMaster = new BusMaster(parts.memory, () => this.busMaster)
      const drives = [parts.drives[index * 2], parts.drives[index * 2 + 1]] as const
      return new IdeChannel(place, drives, { ports: parts.ports, irq: place.irq, memory: parts.memory, busMaster })
    }
    this.#channels = [build(0), build(1)]
    const at = (offset: number): BusMaster => this.#channels[offset >> 3].busMaster
    this.defineBar(4, {
      space: 'io',
      size: 16,
      handler: {
        readBar: (offset: number, width: Width) => at(offset).read(offset & 7, width),
        writeBar: (offset: number, width: Width, value: number) => at(offset).write(offset & 7, width, value),
      },
    })
  }

  /** What firmware does: enable both channels. Their ports are decoded always; drivers look at the bits. */
  enableChannels(): void {
    this.writeConfig(TIMING, 2, DECODE_ENABLE)
    this.writeConfig(TIMING + 2, 2, DECODE_ENABLE)
  }

  override reset(): void {
    super.reset()
    for (const channel of this.#channels) channel.reset()
  }

  override save(): SnapshotFields {
    return { ...super.save(), channels: this.#channels.map((channel) => channel.save()) }
  }

  override restore(fields: SnapshotFields): void {
    super.restore(fields)
    const channels = fields.channels as SnapshotFields[]
    this.#channels.forEach((channel, i) => channel.restore(channels[i]))
  }
}
