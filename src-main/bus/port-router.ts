import type { Mapping, PortBus, PortHandler, Width } from './bus.ts'
import { BytePorts } from './byte-ports.ts'

interface Claim {
  readonly owner: string
  readonly first: number
  readonly count: number
  readonly handler: PortHandler
}

const PORTS = 0x10000
const ONES = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const

/**
 * The I/O port space: two tables of claim numbers (0: nobody), one for byte accesses and one for wider ones. They differ only
 * where a byte register lies inside another device's dword register (the reset control at 0xCF9 inside CONFADD at 0xCF8).
 */
export class PortRouter implements PortBus {
  private readonly bytes = new Uint16Array(PORTS)
  private readonly words = new Uint16Array(PORTS)
  private readonly claims: (Claim | undefined)[] = [undefined]

  map(owner: string, first: number, count: number, handler: PortHandler): Mapping {
    checkRange(owner, first, count)
    for (let port = first; port < first + count; port++) this.refuse(this.words[port], owner, port)
    const id = this.claim({ owner, first, count, handler })
    for (let port = first; port < first + count; port++) {
      this.words[port] = id
      if (this.bytes[port] === 0) this.bytes[port] = id
    }
    return { remove: () => this.release(id) }
  }

  /** Claim one port for byte accesses alone; wider accesses still reach the range it lies in, mapped before or after. */
  mapByte(owner: string, port: number, handler: PortHandler): Mapping {
    checkRange(owner, port, 1)
    const below = this.bytes[port]
    if (below !== this.words[port]) this.refuse(below, owner, port)
    const id = this.claim({ owner, first: port, count: 1, handler })
    this.bytes[port] = id
    return { remove: () => this.release(id) }
  }

  read(port: number, width: Width): number {
    if (width === 1) {
      const claim = this.claims[this.bytes[port]]
      return claim ? claim.handler.readPort(port, 1) & 0xff : 0xff
    }
    const claim = this.whole(port, width)
    if (claim) return (claim.handler.readPort(port, width) & ONES[width]) >>> 0
    let value = 0
    for (let i = 0; i < width; i++) value |= this.read((port + i) & (PORTS - 1), 1) << (8 * i)
    return value >>> 0
  }

  write(port: number, width: Width, value: number): void {
    if (width === 1) {
      this.claims[this.bytes[port]]?.handler.writePort(port, 1, value & 0xff)
      return
    }
    const claim = this.whole(port, width)
    if (claim) return claim.handler.writePort(port, width, (value & ONES[width]) >>> 0)
    for (let i = 0; i < width; i++) this.write((port + i) & (PORTS - 1), 1, (value >>> (8 * i)) & 0xff)
  }

  /**
   * Who takes a wide access as one: the owner of its first port, unless that is an 8-bit device which the access leaves. Then,
   * and where nobody owns the first port, it becomes byte cycles.
   */
  private whole(port: number, width: Width): Claim | undefined {
    const claim = this.claims[this.words[port]]
    if (!claim) return undefined
    const leaves = port + width > claim.first + claim.count
    return leaves && claim.handler instanceof BytePorts ? undefined : claim
  }

  /** Every claim, for `info mtree` and crash reports. */
  list(): { owner: string; first: number; count: number }[] {
    const found = this.claims.filter((claim) => claim !== undefined)
    return found.map(({ owner, first, count }) => ({ owner, first, count })).sort((a, b) => a.first - b.first)
  }

  private claim(claim: Claim): number {
    const free = this.claims.indexOf(undefined, 1)
    if (free > 0) this.claims[free] = claim
    return free > 0 ? free : this.claims.push(claim) - 1
  }

  private release(id: number): void {
    const claim = this.claims[id]
    if (!claim) return
    this.claims[id] = undefined
    for (let port = claim.first; port < claim.first + claim.count; port++) {
      if (this.words[port] === id) this.words[port] = 0
      if (this.bytes[port] === id) this.bytes[port] = this.words[port]
    }
  }

  private refuse(id: number, owner: string, port: number): void {
    const other = this.claims[id]
    if (other) throw new Error(`${owner} and ${other.owner} both claim port 0x${port.toString(16)}`)
  }
}

function checkRange(owner: string, first: number, count: number): void {
  const valid = Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count > 0 && first + count <= PORTS
  if (!valid) throw new Error(`${owner} claims ports ${first}+${count}, outside 0..0xffff`)
}
