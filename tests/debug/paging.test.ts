/** The debugger's page walk, written for people to read, against the engine's own, on random tables of every paging mode. */
import { describe, expect, it, vi } from 'vitest'
import type { Access } from '../../src-main/contract/debug.ts'
import { testCpu } from '../../src-main/cpu/helpers/test-cpu.ts'
import { ACCESS } from '../../src-main/cpu/mmu/access.ts'
import { AT } from '../../src-main/cpu/state/layout.ts'
import { mapPiece } from '../../src-main/debug/address-map.ts'
import { readMemory, searchMemory, writeMemory } from '../../src-main/debug/memory.ts'
import { walkPages } from '../../src-main/debug/page-walk.ts'

// this takes seconds, and many more where much else runs
vi.setConfig({ testTimeout: 90_000 })

/** mulberry32 */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}

const RAM = 2 << 20
const MODES = {
  '4-level': { cr4: 0x20, lma: true },
  PAE: { cr4: 0x20, lma: false },
  '32-bit': { cr4: 0x10, lma: false },
}
type Mode = keyof typeof MODES

/** A vCPU whose first 64 pages are tables full of random entries that mostly lead to each other. */
function tables(mode: Mode, seed: number) {
  const next = random(seed)
  const test = testCpu()
  const { cpu } = test
  const wide = mode !== '32-bit'
  for (let at = 0; at < 64 * 4096; at += wide ? 8 : 4) {
    const some = next()
    const present = some & 7 ? 1 : 0
    // large pages, wild targets and reserved bits now and then
    const target = some & 0x300 ? (some >>> 10) & 63 : next() & 0xfff
    const large = (some & 0xf000) === 0 ? 0x80 : 0
    const low = present | (some & 6) | large | (target << 12) | (next() & 0x100)
    const high = (some & 0xf0000) === 0 ? 0x8000_0000 : (some & 0xff00000) === 0 ? 0x1000 : 0
    test.put32(at, low)
    if (wide) test.put32(at + 4, high)
  }
  // PDPTEs of PAE have reserved bits where others have rights
  if (mode === 'PAE')
    for (let n = 0; n < 4; n++) for (const half of [0, 4]) test.put32(n * 8 + half, half ? 0 : ((n + 1) << 12) | 1)
  const { cr4, lma } = MODES[mode]
  const bits = next()
  cpu.setU64(AT.cr3, 0n)
  cpu.setU64(AT.cr0, BigInt(0x8000_0011 + (bits & 1 ? 0x10000 : 0)))
  cpu.setU64(AT.cr4, BigInt(cr4 | (bits & 2 ? 0x10_0000 : 0) | (bits & 4 ? 0x20_0000 : 0)))
  cpu.setU64(AT.efer, BigInt((lma ? 0x500 : 0) | (bits & 8 ? 0x800 : 0)))
  return { test, cpu, next }
}

/** An address that the random tables may map. */
function address(mode: Mode, next: () => number): bigint {
  const high = BigInt(next() & 0xffff)
  const low = BigInt(next())
  if (mode !== '4-level') return low
  return BigInt.asUintN(64, BigInt.asIntN(48, (high << 32n) | low))
}

type Translate = (linear: bigint, access: number) => bigint
const NOTHING: Access = { read: false, write: false, execute: false }

describe.each(Object.keys(MODES) as Mode[])('%s paging', (mode) => {
  it('agrees with the engine on every address and every right', () => {
    const seen = new Map<string, number>()
    for (let seed = 1; seed <= 6; seed++) {
      const { cpu, next } = tables(mode, seed)
      const { exports } = cpu as unknown as { exports: { translate: Translate } }
      const reach = (linear: bigint, access: number) => {
        const ram = cpu.bytes.slice(cpu.map.ramBase, cpu.map.ramBase + 64 * 4096)
        const gpa = exports.translate(BigInt.asIntN(64, linear), access)
        // the engine sets accessed bits
        cpu.bytes.set(ram, cpu.map.ramBase)
        return gpa
      }
      for (let n = 0; n < 60; n++) {
        const linear = address(mode, next)
        const walk = walkPages(cpu, linear)
        seen.set(walk.result.kind, (seen.get(walk.result.kind) ?? 0) + 1)
        const rights = walk.result.kind === 'mapped' ? walk.result.rights : { user: NOTHING, kernel: NOTHING }
        const physical = walk.result.kind === 'mapped' ? walk.result.physical : -1n
        const engine: unknown[] = []
        const ours: unknown[] = []
        for (const [who, bit] of [
          ['user', ACCESS.user],
          ['kernel', 0],
        ] as const)
          for (const [what, access] of [
            ['read', 0],
            ['write', ACCESS.write],
            ['execute', ACCESS.fetch],
          ] as const) {
            engine.push([who, what, linear, reach(linear, bit | access)])
            ours.push([who, what, linear, rights[who][what] ? physical : -1n])
          }
        expect(ours).toEqual(engine)
      }
    }
    // the tables must have had something of everything
    expect(seen.get('mapped')).toBeGreaterThan(50)
    expect(seen.get('not-present')).toBeGreaterThan(20)
    if (mode !== '32-bit') expect(seen.get('reserved-bits')).toBeGreaterThan(5)
  })

  it('maps exactly what the walk finds, in pieces of any size', () => {
    const { cpu, next } = tables(mode, 99)
    const start = mode === '4-level' ? address(mode, next) & ~0xfff_ffffn : 0n
    let from = start
    let pieces = 0
    for (; pieces < 60; pieces++) {
      const piece = mapPiece(cpu, from, 500)
      const limit = piece.next ?? 1n << (mode === '4-level' ? 64n : 32n)
      let at = from
      for (const range of piece.ranges) {
        expect(range.start).toBeGreaterThanOrEqual(at)
        const inside = range.start + (BigInt(next()) % (range.end - range.start))
        const walk = walkPages(cpu, inside)
        expect(walk.result).toMatchObject({ kind: 'mapped', rights: range.rights, global: range.global })
        if (range.physical !== undefined && walk.result.kind === 'mapped')
          expect(walk.result.physical).toBe(range.physical + inside - range.start)
        if (range.start > at)
          expect(walkPages(cpu, at + (BigInt(next()) % (range.start - at))).result.kind).not.toBe('mapped')
        at = range.end
      }
      if (piece.next === undefined) break
      expect(limit).toBeGreaterThan(from)
      from = piece.next
    }
    expect(pieces).toBeGreaterThan(2)
  })
})

describe('memory through page tables', () => {
  /** Two linear neighbours, 5000 and 6000, that lie apart in RAM; what follows them is not mapped. */
  function neighbours() {
    const test = testCpu()
    test.long([0xf4])
    const { cpu } = test
    test.put32(0x11000, 0x12007)
    test.put32(0x12000, 0x13007)
    test.put32(0x13000 + 5 * 8, 0x40003)
    test.put32(0x13000 + 6 * 8, 0x20003)
    test.put32(0x13000 + 8 * 8, 0xfee00003)
    return { test, cpu }
  }

  it('reads, writes and says what is missing', () => {
    const { test, cpu } = neighbours()
    writeMemory(cpu, 'virtual', 0x5ffen, Uint8Array.of(1, 2, 3, 4))
    expect([test.read32(0x40ffc) >>> 16, test.read32(0x20000)]).toEqual([0x0201, 0x0403])
    const { bytes, holes } = readMemory(cpu, 'virtual', 0x5ffen, 0x3002)
    expect([...bytes.subarray(0, 5)]).toEqual([1, 2, 3, 4, 0])
    expect(holes).toEqual([
      { offset: 0x1002, length: 0x1000, why: 'unmapped' },
      { offset: 0x2002, length: 0x1000, why: 'not-ram' },
    ])
    expect(() => writeMemory(cpu, 'virtual', 0x6fffn, Uint8Array.of(9, 9))).toThrow('0x7000 is not mapped')
    expect(test.read32(0x20ffc)).toBe(0)
    expect(readMemory(cpu, 'physical', BigInt(RAM) - 4n, 8).holes).toEqual([{ offset: 4, length: 4, why: 'not-ram' }])
    expect(readMemory(cpu, 'physical', 1n << 63n, 4).holes).toHaveLength(1)
    // no accessed or dirty bits
    expect(test.read32(0x13028)).toBe(0x40003)
  })

  it('finds what lies across pages, and only whole', () => {
    const { cpu } = neighbours()
    const pattern = new TextEncoder().encode('linux_banner')
    writeMemory(cpu, 'virtual', 0x5ffan, pattern)
    writeMemory(cpu, 'virtual', 0x6ff8n, pattern.subarray(0, 8))
    const top = 1n << 64n
    expect(searchMemory(cpu, 'virtual', 0n, top, pattern)).toEqual({ found: [0x5ffan] })
    expect(searchMemory(cpu, 'physical', 0n, top, pattern)).toEqual({ found: [] })
    expect(searchMemory(cpu, 'physical', 0n, top, pattern.subarray(0, 6))).toEqual({ found: [0x20ff8n, 0x40ffan] })
    expect(searchMemory(cpu, 'virtual', 0x5ffbn, top, pattern)).toEqual({ found: [] })
    expect(searchMemory(cpu, 'virtual', 0n, 0x6005n, pattern)).toEqual({ found: [] })
    expect(() => searchMemory(cpu, 'virtual', 0n, top, new Uint8Array(0))).toThrow('1 to 256 bytes')
  })
})
