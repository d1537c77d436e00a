import { beforeEach, describe, expect, it } from 'vitest'
import type { Cpu } from '../cpu.ts'
import { AT, TLB_ENTRIES } from '../state/layout.ts'
import { flat64 } from '../test-flat64.ts'
import { PendingFault } from '../helpers/helper.ts'

/** Linear 512 GiB and up is a tree of its own: 4 KiB pages from its beginning, a 2 MiB page at +1 GiB. */
const BASE = 1n << 39n
const LARGE = BASE + (1n << 30n)
const PDPT = 0x40000n
const DIRECTORY = 0x41000n
const TABLES = 0x50000n
const LARGE_DIRECTORY = 0x42000n
const PRESENT = 0x3n
const GLOBAL = 0x100n
const SAME_INDEX = BigInt(TLB_ENTRIES) * 4096n
/** Guest-physical pages whose first byte is their number. */
const FIRST = 0x200000n

let cpu: Cpu
const put = (gpa: bigint, value: bigint): void => cpu.view.setBigUint64(cpu.map.ramBase + Number(gpa), value, true)
const read = (linear: bigint): number => Number(cpu.readLinear(linear, 1))
const page = (n: number): bigint => FIRST + BigInt(n) * 4096n
/** Maps the n-th page of the tree. */
const map = (linear: bigint, gpa: bigint, bits = PRESENT): void =>
  put(TABLES + ((linear - BASE) >> 12n) * 8n, gpa | bits)
const walks = (act: () => void): number => {
  const before = cpu.u64(AT.pageWalks)
  act()
  return Number(cpu.u64(AT.pageWalks) - before)
}

describe('the second-level TLB', () => {
  beforeEach(() => {
    cpu = flat64([])
    put(0x1008n, PDPT | PRESENT)
    put(PDPT, DIRECTORY | PRESENT)
    put(PDPT + 8n, LARGE_DIRECTORY | PRESENT)
    for (let n = 0n; n < 65n; n++) put(DIRECTORY + n * 8n, (TABLES + n * 4096n) | PRESENT)
    for (let n = 0; n < 4096 - 512; n++) cpu.bytes[cpu.map.ramBase + Number(page(n))] = n & 255
    cpu.setU64(AT.cr4, cpu.u64(AT.cr4) | 0x80n)
    cpu.flushTlb()
  })

  it('keeps what the first level has no place for', () => {
    const addresses = [BASE, BASE + SAME_INDEX, BASE + 2n * SAME_INDEX]
    addresses.forEach((linear, n) => map(linear, page(n + 1)))
    expect(walks(() => addresses.forEach((linear) => read(linear)))).toBe(3)
    const again = walks(() => expect(addresses.map(read)).toEqual([1, 2, 3]))
    expect(again).toBe(0)
  })
  it('forgets one page with INVLPG, and the local ones with CR3', () => {
    map(BASE, page(1))
    map(BASE + 4096n, page(2), PRESENT | GLOBAL)
    expect([read(BASE), read(BASE + 4096n)]).toEqual([1, 2])
    map(BASE, page(3))
    map(BASE + 4096n, page(4), PRESENT | GLOBAL)
    cpu.flushPage(BASE)
    expect([read(BASE), read(BASE + 4096n)]).toEqual([3, 2])
    map(BASE, page(5))
    cpu.flushLocalTlb()
    expect([read(BASE), read(BASE + 4096n)]).toEqual([5, 2])
    cpu.flushPage(BASE + 4096n)
    expect(read(BASE + 4096n)).toBe(4)
  })
  it('forgets all pieces of a large page with INVLPG of one', () => {
    put(LARGE_DIRECTORY, FIRST | PRESENT | 0x80n)
    const third = LARGE + 3n * 4096n
    expect([read(LARGE), read(third)]).toEqual([0, 3])
    put(LARGE_DIRECTORY, (FIRST + 0x200000n) | PRESENT | 0x80n)
    cpu.bytes[cpu.map.ramBase + Number(FIRST + 0x203000n)] = 77
    cpu.flushPage(LARGE)
    expect(read(third)).toBe(77)
  })
  it.each([3, 1900, 2300])('forgets %i local pages with CR3, and keeps a global one', (count) => {
    const shared = BASE + 5000n * 4096n
    map(shared, page(9), PRESENT | GLOBAL)
    expect(read(shared)).toBe(9)
    const linear = (n: number): bigint => BASE + BigInt(n) * 4096n
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < count; n++) map(linear(n), page(n + round))
      for (let n = 0; n < count; n++) if (read(linear(n)) !== ((n + round) & 255)) expect.fail(`page ${n}`)
      cpu.flushLocalTlb()
    }
    expect(walks(() => expect(read(shared)).toBe(9))).toBe(0)
  })
  it('mixes no generations up, however many there were', () => {
    map(BASE, page(1))
    for (let round = 0; round < 1200; round++) {
      map(BASE, page(round % 200))
      cpu.flushLocalTlb()
      if (round % 512 === 7 || round > 1100) expect(read(BASE)).toBe(round % 200)
    }
  })
  it('does not let a page be written by what was kept of a read', () => {
    map(BASE, page(1), 0x1n)
    expect(read(BASE)).toBe(1)
    expect(() => cpu.writeLinear(BASE, 1, 5n)).toThrow(PendingFault)
    map(BASE, page(1))
    cpu.flushPage(BASE)
    // read first: not dirty yet, so the write has to walk and to say so
    read(BASE)
    cpu.writeLinear(BASE, 1, 5n)
    expect(cpu.view.getBigUint64(cpu.map.ramBase + Number(TABLES), true) & 0x40n).toBe(0x40n)
    expect(read(BASE)).toBe(5)
  })
})
