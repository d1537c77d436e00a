import type { PortHandler, Width } from './bus.ts'

/**
 * An 8-bit ISA device: the bus controller turns a wider access into byte cycles at successive ports, lowest first (ISA bus
 * conversion cycles; PIIX3 datasheet §3.4).
 */
export abstract class BytePorts implements PortHandler {
  protected abstract readByte(port: number): number
  protected abstract writeByte(port: number, value: number): void

  readPort(port: number, width: Width): number {
    let value = this.readByte(port)
    for (let i = 1; i < width; i++) value |= this.readByte(port + i) << (8 * i)
    return value >>> 0
  }

  writePort(port: number, width: Width, value: number): void {
    for (let i = 0; i < width; i++) this.writeByte(port + i, (value >>> (8 * i)) & 0xff)
  }
}

/** The same for a device that is made of several small port handlers. */
export function bytePorts(
  readByte: (port: number) => number,
  writeByte: (port: number, value: number) => void,
): PortHandler {
  return new (class extends BytePorts {
    protected override readByte(port: number): number {
      return readByte(port)
    }
    protected override writeByte(port: number, value: number): void {
      writeByte(port, value)
    }
  })()
}
