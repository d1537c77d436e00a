import { PciBus } from './bus.ts'
import type { BarSpec } from './function.ts'
import { PciCommand, PciReg } from './registers.ts'

/** Address windows for BARs and the interrupts that the PIRQs are routed to. */
export interface PciWindows {
  readonly ioFirst: number
  readonly ioLimit: number
  readonly memoryFirst: number
  readonly memoryLimit: number
  /** ISA IRQ of PIRQA# to PIRQD#. */
  readonly pirqIrqs: readonly number[]
}

/**
 * What firmware does before an operating system starts, as there is no firmware here: give every BAR an address, enable
 * decoding, and write the interrupt line registers. The ISA bridge's routing is set by `Piix3Isa.routePirqs`.
 * Throws when a window is too small: a fault of the machine description.
 */
export function assignResources(bus: PciBus, windows: PciWindows): void {
  const next = { io: windows.ioFirst, memory: windows.memoryFirst }
  const limit = { io: windows.ioLimit, memory: windows.memoryLimit }
  const place = ({ space, size }: BarSpec, owner: string): number => {
    const address = Math.ceil(next[space] / size) * size
    if (address + size > limit[space]) throw new Error(`no room left in the PCI ${space} window for ${owner}`)
    next[space] = address + size
    return address
  }
  for (const [slotAndFunction, pci] of [...bus.functions].sort(([a], [b]) => a - b)) {
    let decode = 0
    pci.bars.forEach((bar, index) => {
      if (bar === undefined) return
      pci.writeConfig(PciReg.bar0 + 4 * index, 4, place(bar, pci.name))
      decode |= bar.space === 'io' ? PciCommand.io : PciCommand.memory
    })
    if (pci.interruptPin !== 0) {
      const pirq = PciBus.pirqOf(slotAndFunction >> 3, pci.interruptPin)
      pci.writeConfig(PciReg.interruptLine, 1, windows.pirqIrqs[pirq])
    }
    if (decode !== 0) pci.writeConfig(PciReg.command, 2, pci.command | decode)
  }
}
