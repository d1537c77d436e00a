import type { Mapping, MmioBus, MmioHandler, PortBus, PortHandler, Width } from '../../bus/bus.ts'

interface Range<H> {
  owner: string
  first: number
  count: number
  handler: H
}

class Ranges<H> {
  readonly list: Range<H>[] = []

  map(owner: string, first: number, count: number, handler: H): Mapping {
    const other = this.list.find((each) => first < each.first + each.count && each.first < first + count)
    if (other !== undefined) throw new Error(`${owner} overlaps ${other.owner}`)
    const range = { owner, first, count, handler }
    this.list.push(range)
    return { remove: () => void this.list.splice(this.list.indexOf(range), 1) }
  }

  at(address: number): Range<H> | undefined {
    return this.list.find((each) => address >= each.first && address < each.first + each.count)
  }
}

/** For unit tests: both buses in their plainest form, with the accesses a driver makes. */
export class TestBus {
  readonly #ports = new Ranges<PortHandler>()
  readonly #mmio = new Ranges<MmioHandler>()
  readonly ports: PortBus = this.#ports
  readonly mmio: MmioBus = this.#mmio

  input(port: number, width: Width = 1): number {
    return this.#ports.at(port)?.handler.readPort(port, width) ?? 2 ** (8 * width) - 1
  }

  output(port: number, value: number, width: Width = 1): void {
    this.#ports.at(port)?.handler.writePort(port, width, value)
  }

  load(gpa: number, width: Width = 4): number {
    const range = this.#mmio.at(gpa)
    return range?.handler.readMmio(gpa - range.first, width) ?? 2 ** (8 * width) - 1
  }

  store(gpa: number, value: number, width: Width = 4): void {
    const range = this.#mmio.at(gpa)
    range?.handler.writeMmio(gpa - range.first, width, value)
  }

  /** Configuration mechanism #1; `func` is slot * 8 + function. */
  readConfig(func: number, offset: number, width: Width = 4): number {
    this.output(0xcf8, (0x8000_0000 | (func << 8) | (offset & 0xfc)) >>> 0, 4)
    return this.input(0xcfc + (offset & 3), width)
  }

  writeConfig(func: number, offset: number, value: number, width: Width = 4): void {
    this.output(0xcf8, (0x8000_0000 | (func << 8) | (offset & 0xfc)) >>> 0, 4)
    this.output(0xcfc + (offset & 3), value, width)
  }
}
