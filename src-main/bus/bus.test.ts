import { describe, expect, test } from 'vitest'
import type { MmioHandler, PortHandler } from './bus.ts'
import { bytePorts } from './byte-ports.ts'
import { IrqRouter } from './irq-router.ts'
import { MmioRouter } from './mmio-router.ts'
import { PortRouter } from './port-router.ts'

function recorder(answer = 0): PortHandler & MmioHandler & { seen: string[] } {
  const seen: string[] = []
  const read = (at: number, width: number): number => {
    seen.push(`r${width} ${at.toString(16)}`)
    return answer
  }
  const write = (at: number, width: number, value: number): void => {
    seen.push(`w${width} ${at.toString(16)}=${value.toString(16)}`)
  }
  return { seen, readPort: read, writePort: write, readMmio: read, writeMmio: write }
}

describe('ports', () => {
  test('overlap is refused with both names, and nothing is mapped', () => {
    const ports = new PortRouter()
    ports.map('serial', 0x3f8, 8, recorder())
    expect(() => ports.map('other', 0x3f0, 9, recorder())).toThrow('other and serial both claim port 0x3f8')
    expect(ports.read(0x3f0, 1)).toBe(0xff)
    expect(() => ports.map('far', 0xffff, 2, recorder())).toThrow('far')
  })

  test('unmapped reads are all ones, writes vanish; answers are cut to the width', () => {
    const ports = new PortRouter()
    expect([ports.read(0x80, 1), ports.read(0x80, 2), ports.read(0x80, 4)]).toEqual([0xff, 0xffff, 0xffffffff])
    ports.write(0x80, 4, 1)
    ports.map('wide', 0x100, 4, recorder(-1))
    expect([ports.read(0x100, 1), ports.read(0x100, 2), ports.read(0x100, 4)]).toEqual([0xff, 0xffff, 0xffffffff])
  })

  test('an access that leaves an 8-bit device is split into byte cycles, and wraps at 64 KiB', () => {
    const ports = new PortRouter()
    const seen: string[] = []
    const low = bytePorts(
      () => 0x11,
      (port, value) => void seen.push(`${port}=${value}`),
    )
    ports.map('low', 0x10, 2, low)
    ports.map('high', 0x12, 1, recorder(0x22))
    expect(ports.read(0x10, 4)).toBe(0xff221111)
    ports.write(0x11, 2, 0x0201)
    ports.write(0x0f, 2, 0x0403)
    expect(seen).toEqual(['17=1', '16=4'])
    expect(ports.read(0xffff, 4)).toBe(0xffffffff)
  })

  test('a wide register that claims its first port alone takes the whole access', () => {
    const ports = new PortRouter()
    const address = recorder(0x80000000)
    const reset = recorder(0)
    ports.map('pci', 0xcf8, 1, address)
    ports.map('reset', 0xcf9, 1, reset)
    expect(ports.read(0xcf8, 4)).toBe(0x80000000)
    ports.write(0xcf9, 1, 6)
    expect([address.seen, reset.seen]).toEqual([['r4 cf8'], ['w1 cf9=6']])
  })

  test('removed mappings free their ports', () => {
    const ports = new PortRouter()
    const mapping = ports.map('bar', 0xc000, 32, recorder(1))
    mapping.remove()
    mapping.remove()
    expect(ports.read(0xc000, 1)).toBe(0xff)
    ports.map('bar', 0xc010, 32, recorder(1))
    expect(ports.list()).toEqual([{ owner: 'bar', first: 0xc010, count: 32 }])
  })

  test.each([true, false])('a byte register lies inside a dword register (inner first: %s)', (innerFirst) => {
    const ports = new PortRouter()
    const outer = recorder()
    const inner = recorder()
    const mapInner = () => ports.mapByte('reset', 0xcf9, inner)
    const first = innerFirst ? mapInner() : undefined
    ports.map('pci', 0xcf8, 8, outer)
    const mapping = first ?? mapInner()
    ports.write(0xcf8, 4, 0x80000000)
    ports.write(0xcf9, 1, 6)
    expect(outer.seen).toEqual(['w4 cf8=80000000'])
    expect(inner.seen).toEqual(['w1 cf9=6'])
    expect(() => ports.mapByte('third', 0xcf9, recorder())).toThrow('third and reset')
    mapping.remove()
    ports.write(0xcf9, 1, 6)
    expect(outer.seen[1]).toBe('w1 cf9=6')
  })

  test('byte devices see wide accesses as byte cycles, lowest port first', () => {
    const seen: string[] = []
    const handler = bytePorts(
      (port) => port & 0xff,
      (port, value) => void seen.push(`${port}=${value}`),
    )
    handler.writePort(0x70, 2, 0x260a)
    expect(seen).toEqual(['112=10', '113=38'])
    expect(handler.readPort(0xfc, 4)).toBe(0xfffefdfc)
  })
})

describe('mmio', () => {
  test('routes to the region with relative offsets, refuses overlap with both names', () => {
    const bus = new MmioRouter()
    const ioapic = recorder(5)
    bus.map('hpet', 0xfed00000, 0x400, recorder(7))
    bus.map('ioapic', 0xfec00000, 0x1000, ioapic)
    expect(bus.read(0xfec00010, 4)).toBe(5)
    expect(bus.read(0xfed000f0, 4)).toBe(7)
    bus.write(0xfec00fff, 1, 0x123)
    expect(ioapic.seen).toEqual(['r4 10', 'w1 fff=23'])
    expect(() => bus.map('bar', 0xfecff000, 0x100000, recorder())).toThrow('bar and hpet both claim address 0xfed00000')
    expect(() => bus.map('bar', 0xfec00800, 4, recorder())).toThrow('bar and ioapic both claim address 0xfec00800')
    expect(bus.has(0xfed00000)).toBe(true)
  })

  test('outside every region: all ones; across an end too; removal works after a cached hit', () => {
    const bus = new MmioRouter()
    const mapping = bus.map('bar', 0xfe000000, 0x10, recorder(1))
    expect(bus.read(0xfe00000e, 4)).toBe(0xffffffff)
    expect(bus.read(0xfe00000c, 4)).toBe(1)
    mapping.remove()
    expect(bus.read(0xfe00000c, 2)).toBe(0xffff)
    bus.write(0xfe00000c, 4, 1)
    expect(bus.list()).toEqual([])
  })
})

describe('interrupt wiring', () => {
  function wired() {
    const seen: string[] = []
    const inputs = (name: string) => ({
      set: (input: number, level: boolean) => void seen.push(`${name}${input}${level ? '+' : '-'}`),
    })
    return { seen, router: new IrqRouter(inputs('pic'), inputs('apic')) }
  }

  test('ISA lines reach both controllers; IRQ 0 is IO-APIC input 2', () => {
    const { seen, router } = wired()
    router.isa(0).set(true)
    router.isa(4).set(true)
    expect(seen).toEqual(['pic0+', 'apic2+', 'pic4+', 'apic4+'])
    expect(() => router.isa(2)).toThrow('no ISA interrupt 2')
  })

  test('shared sources are ORed', () => {
    const { seen, router } = wired()
    router.routePirq(1, 11)
    const [a, b] = [router.intx(1), router.intx(1)]
    a.set(true)
    b.set(true)
    a.set(false)
    b.set(false)
    b.set(false)
    expect(seen).toEqual(['pic11+', 'apic11+', 'pic11-', 'apic11-'])
  })

  test('steering an asserted PIRQ moves it; disabling drops it', () => {
    const { seen, router } = wired()
    router.routePirq(0, 10)
    router.routePirq(1, 11)
    router.intx(0).set(true)
    router.intx(1).set(true)
    seen.length = 0
    router.routePirq(0, 11)
    router.routePirq(1, undefined)
    expect(seen).toEqual(['pic10-', 'apic10-'])
    router.routePirq(0, undefined)
    expect(seen.slice(2)).toEqual(['pic11-', 'apic11-'])
  })
})
