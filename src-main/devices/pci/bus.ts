import { silentLog, type Log } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, MmioBus, PortBus, PortHandler, Width } from '../../bus/bus.ts'
import type { PowerControl } from '../backends.ts'
import type { PciFunction } from './function.ts'

/** Configuration mechanism #1 (PCI 3.0 section 3.2.2.3.2). The reset control register of PIIX3 lies among its bytes. */
const CONFIG_ADDRESS = 0xcf8
const RESET_CONTROL = 0xcf9
const CONFIG_DATA = 0xcfc

/** Reset control (PIIX3 datasheet, RC, port 0xCF9). */
const RESET_CPU = 1 << 2
const RESET_HARD = 1 << 1

export interface PciBusParts {
  readonly ports: PortBus
  readonly mmio: MmioBus
  /** Drive PIRQA# to PIRQD# (0 to 3): the ISA bridge's input. */
  readonly pirq: (pirq: number, level: boolean) => void
  readonly power: Pick<PowerControl, 'reset'>
  readonly log?: Log
}

/** Bus 0 behind the host bridge: finds functions, forwards configuration cycles, collects INTx pins. */
export class PciBus implements Device, PortHandler {
  readonly name = 'pci'
  readonly functions = new Map<number, PciFunction>()
  readonly #parts: PciBusParts
  readonly #asserted: Set<number>[] = [new Set(), new Set(), new Set(), new Set()]
  #address = 0
  #resetControl = 0

  constructor(parts: PciBusParts) {
    this.#parts = parts
    parts.ports.map(this.name, CONFIG_ADDRESS, 8, this)
  }

  /** Plug a function in. Throws when the place is taken: a fault of the machine description. */
  add(slot: number, func: number, pciFunction: PciFunction): void {
    const place = slot * 8 + func
    const other = this.functions.get(place)
    if (other !== undefined)
      throw new Error(`PCI ${slot}.${func} is taken by ${other.name}, ${pciFunction.name} cannot use it`)
    this.functions.set(place, pciFunction)
    const { ports, mmio, log } = this.#parts
    pciFunction.plug({
      ports,
      mmio,
      log: log ?? silentLog,
      setIntx: (level) => this.#setIntx(place, pciFunction.interruptPin, level),
      mappingRemoved: () => {
        for (const each of this.functions.values()) if (each !== pciFunction) each.updateMappings()
      },
    })
  }

  /** Which of PIRQA# to PIRQD# (0 to 3) a pin (1 to 4) of a slot reaches: the swizzle of i440FX boards. */
  static pirqOf(slot: number, pin: number): number {
    return (pin - 1 + slot - 1) & 3
  }

  readPort(port: number, width: Width): number {
    if (port >= CONFIG_DATA) return this.#target()?.readConfig(this.#offset(port), width) ?? allOnes(width)
    if (port === CONFIG_ADDRESS && width === 4) return this.#address
    if (port === RESET_CONTROL && width === 1) return this.#resetControl
    return allOnes(width)
  }

  writePort(port: number, width: Width, value: number): void {
    if (port >= CONFIG_DATA) this.#target()?.writeConfig(this.#offset(port), width, value)
    else if (port === CONFIG_ADDRESS && width === 4) this.#address = (value & 0x80ff_fffc) >>> 0
    else if (port === RESET_CONTROL && width === 1) this.#writeResetControl(value)
  }

  reset(): void {
    this.#address = 0
    this.#resetControl = 0
    for (const each of this.functions.values()) each.reset()
  }

  save(): SnapshotFields {
    return { version: 1, address: this.#address, resetControl: this.#resetControl }
  }

  restore(fields: SnapshotFields): void {
    this.#address = fields.address as number
    this.#resetControl = fields.resetControl as number
  }

  #writeResetControl(value: number): void {
    this.#resetControl = value & RESET_HARD
    if (value & RESET_CPU) this.#parts.power.reset('port 0xCF9')
  }

  #target(): PciFunction | undefined {
    const enabled = this.#address >= 0x8000_0000
    const bus = (this.#address >>> 16) & 0xff
    return enabled && bus === 0 ? this.functions.get((this.#address >>> 8) & 0xff) : undefined
  }

  #offset(port: number): number {
    return (this.#address & 0xfc) + (port - CONFIG_DATA)
  }

  #setIntx(place: number, pin: number, level: boolean): void {
    if (pin === 0) return
    const pirq = PciBus.pirqOf(place >> 3, pin)
    const asserted = this.#asserted[pirq]
    if (level) asserted.add(place)
    else asserted.delete(place)
    this.#parts.pirq(pirq, asserted.size > 0)
  }
}

function allOnes(width: Width): number {
  return width === 4 ? 0xffff_ffff : (1 << (8 * width)) - 1
}
