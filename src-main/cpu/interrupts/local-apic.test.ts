import { describe, expect, test } from 'vitest'
import { FakeTimers, SlowTimers } from '../../base/fake-timers.ts'
import { LocalApic } from './local-apic.ts'

const SVR = 0xf0
const TPR = 0x80
const EOI = 0xb0
const ICR = 0x300
const LVT_TIMER = 0x320
const LVT_LINT0 = 0x350
const LVT_LINT1 = 0x360
const LVT_ERROR = 0x370

function board(enable = true, timers = new FakeTimers()) {
  // A 2 GHz TSC that started at 1000 when the guest's clock started.
  const apic = new LocalApic({ timers, timeAtTsc: (tsc) => Number((tsc - 1000n) / 2n) })
  const seen = { pending: 0, nmi: 0, eois: [] as number[], pages: [] as (number | undefined)[] }
  apic.onPending = () => seen.pending++
  apic.onNmi = () => seen.nmi++
  apic.onEoi = (vector) => seen.eois.push(vector)
  apic.onMove = (page) => seen.pages.push(page)
  const write = (offset: number, value: number): void => apic.writeMmio(offset, 4, value >>> 0)
  const read = (offset: number): number => apic.readMmio(offset, 4)
  if (enable) write(SVR, 0x1ff)
  const msi = (vector: number, extra = 0): void => apic.send(0xfee00000, vector | extra)
  return { timers, apic, seen, read, write, msi }
}

describe('registers', () => {
  test('power-up values (SDM Vol. 3 §11.4.7.1)', () => {
    const { read } = board(false)
    const values = [0x20, 0x30, 0x80, 0xd0, 0xe0, 0xf0, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370].map(read)
    expect(values.slice(0, 6)).toEqual([0, 0x50014, 0, 0, 0xffffffff, 0xff])
    expect(new Set(values.slice(6))).toEqual(new Set([0x10000]))
  })

  test('reserved registers set the illegal-register error, shown after a write to ESR, and raise LVT error once', () => {
    const { apic, read, write } = board()
    write(LVT_ERROR, 0xfe)
    expect(read(0x40)).toBe(0)
    expect(read(0x280)).toBe(0)
    write(0x280, 0)
    expect(read(0x280)).toBe(0x80)
    expect(apic.acknowledge()).toBe(0xfe)
    write(0x280, 0)
    expect(read(0x280)).toBe(0)
  })

  test('narrow reads show their part of a register; narrow writes change nothing', () => {
    const { apic, read } = board()
    expect(apic.readMmio(0x32, 1)).toBe(5)
    expect(apic.readMmio(0x30, 2)).toBe(0x14)
    expect(apic.readMmio(0x34, 4)).toBe(0)
    apic.writeMmio(TPR, 1, 0x50)
    expect(read(TPR)).toBe(0)
  })
})

describe('priority', () => {
  test('the higher vector first; lower classes wait for EOI', () => {
    const { apic, seen, msi, write, read } = board()
    msi(0x31)
    msi(0x41)
    expect(seen.pending).toBeGreaterThan(0)
    expect(apic.acknowledge()).toBe(0x41)
    expect(apic.hasInterrupt()).toBe(false)
    expect(read(0xa0)).toBe(0x40)
    msi(0x4f)
    expect(apic.hasInterrupt()).toBe(false)
    msi(0x52)
    expect(apic.acknowledge()).toBe(0x52)
    write(EOI, 0)
    expect(apic.hasInterrupt()).toBe(false)
    const before = seen.pending
    write(EOI, 0)
    expect(seen.pending).toBe(before + 1)
    expect(apic.acknowledge()).toBe(0x4f)
    write(EOI, 0)
    expect(apic.acknowledge()).toBe(0x31)
  })

  test('CR8 is the task priority class and holds back its own class', () => {
    const { apic, msi, read } = board()
    apic.cr8 = 4
    expect(read(TPR)).toBe(0x40)
    msi(0x4f)
    expect(apic.hasInterrupt()).toBe(false)
    apic.cr8 = 3
    expect(apic.hasInterrupt()).toBe(true)
    expect(apic.cr8).toBe(3)
  })

  test('IRR and ISR read back as bits; a request that has gone is spurious', () => {
    const { apic, msi, read, write } = board()
    msi(0xff)
    msi(0x20)
    expect([read(0x270), read(0x210)]).toEqual([0x80000000, 1])
    apic.acknowledge()
    expect([read(0x270), read(0x170)]).toEqual([0, 0x80000000])
    write(SVR, 0x1ef)
    expect(apic.acknowledge()).toBe(0xef)
  })

  test('EOI of a level-triggered vector is told to the IO-APIC, of an edge-triggered one not', () => {
    const { apic, seen, msi, write, read } = board()
    msi(0x51, 0xc000)
    msi(0x62)
    expect(read(0x180 + 0x20)).toBe(0x20000)
    apic.acknowledge()
    write(EOI, 0)
    apic.acknowledge()
    write(EOI, 0)
    write(EOI, 0)
    expect(seen.eois).toEqual([0x51])
  })

  test('software-disabled: messages are dropped, table entries masked', () => {
    const { apic, msi, read, write } = board()
    write(LVT_TIMER, 0x30)
    write(SVR, 0xff)
    msi(0x40)
    expect(apic.hasInterrupt()).toBe(false)
    expect(read(LVT_TIMER)).toBe(0x10030)
    write(LVT_TIMER, 0x30)
    expect(read(LVT_TIMER)).toBe(0x10030)
  })
})

describe('destinations', () => {
  test('physical, flat and cluster', () => {
    const { apic, write } = board()
    const reaches = (dest: number, logical: boolean): boolean => {
      apic.send((0xfee00000 | (dest << 12) | (logical ? 4 : 0)) >>> 0, 0x40)
      const got = apic.hasInterrupt()
      if (got) apic.acknowledge()
      write(EOI, 0)
      return got
    }
    write(0xd0, 0x01000000)
    expect([reaches(0, false), reaches(0xff, false), reaches(1, false)]).toEqual([true, true, false])
    expect([reaches(1, true), reaches(0xff, true), reaches(2, true)]).toEqual([true, true, false])
    write(0xe0, 0x0fffffff)
    write(0xd0, 0x12000000)
    expect([reaches(0x12, true), reaches(0xf2, true), reaches(0x22, true), reaches(0x11, true)]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  test('a self-IPI, by shorthand and by ID; the absent second CPU hears nothing', () => {
    const { apic, write, seen, read } = board()
    write(ICR, 0x000400fb)
    expect(apic.acknowledge()).toBe(0xfb)
    write(EOI, 0)
    write(0x310, 0x01000000)
    write(ICR, 0x4500)
    write(ICR, 0x4608)
    write(ICR, 0x40)
    expect(apic.hasInterrupt()).toBe(false)
    write(0x310, 0)
    write(ICR, 0x400)
    expect(seen.nmi).toBe(1)
    write(ICR, 0x000c0040)
    expect(apic.hasInterrupt()).toBe(false)
    expect(read(ICR) & 0x1000).toBe(0)
  })

  test('a vector under 16 is an error on either side, never an interrupt', () => {
    const { apic, write, read, msi } = board()
    write(ICR, 0x0004000f)
    msi(5)
    write(0x280, 0)
    expect(read(0x280)).toBe(0x60)
    expect(apic.hasInterrupt()).toBe(false)
  })
})

describe('LINT pins', () => {
  test('ExtINT: the vector comes from the 8259A and leaves no trace in the ISR', () => {
    const { apic, write, read } = board()
    apic.external = {
      acknowledge: () => {
        apic.setLint0(false)
        return 0x30
      },
    }
    apic.setLint0(true)
    expect(apic.hasInterrupt()).toBe(false)
    write(LVT_LINT0, 0x700)
    expect(apic.hasInterrupt()).toBe(true)
    expect(apic.acknowledge()).toBe(0x30)
    expect(apic.hasInterrupt()).toBe(false)
    expect(read(0x110)).toBe(0)
  })

  test('virtual wire, as the machine starts; and with the local APIC switched off', () => {
    const { apic, seen, read } = board(false)
    apic.setVirtualWire()
    expect([read(SVR), read(LVT_LINT0), read(LVT_LINT1)]).toEqual([0x1ff, 0x700, 0x400])
    apic.setLint0(true)
    expect(apic.hasInterrupt()).toBe(true)
    apic.pulseLint1()
    expect(seen.nmi).toBe(1)
    expect(apic.writeBase(0xfee00100n)).toBe(true)
    expect(apic.hasInterrupt()).toBe(true)
    expect(seen.pages).toEqual([undefined])
  })

  test('LINT0 as a fixed interrupt, as Linux tries when nothing else delivers the timer', () => {
    const { apic, write } = board()
    write(LVT_LINT0, 0x33)
    apic.setLint0(true)
    expect(apic.acknowledge()).toBe(0x33)
    expect(apic.hasInterrupt()).toBe(false)
  })

  test('LINT0 as an NMI: once for each edge', () => {
    const { apic, seen, write } = board()
    write(LVT_LINT0, 0x400)
    apic.setLint0(true)
    apic.setLint0(true)
    expect(seen.nmi).toBe(1)
    apic.setLint0(false)
    apic.setLint0(true)
    expect(seen.nmi).toBe(2)
    write(LVT_LINT0, 0x10400)
    apic.setLint0(false)
    apic.setLint0(true)
    expect([seen.nmi, apic.hasInterrupt()]).toEqual([2, false])
  })
})

describe('timer', () => {
  test('one-shot: counts down at 1 GHz by the divisor, fires once', () => {
    const { apic, timers, read, write } = board()
    write(0x3e0, 3)
    write(LVT_TIMER, 0xec)
    write(0x380, 1000)
    timers.advance(8000)
    expect(read(0x390)).toBe(500)
    timers.advance(7999)
    expect(apic.hasInterrupt()).toBe(false)
    timers.advance(1)
    expect(apic.acknowledge()).toBe(0xec)
    write(EOI, 0)
    expect(read(0x390)).toBe(0)
    timers.advance(1e9)
    expect(apic.hasInterrupt()).toBe(false)
    expect(timers.nextDeadline()).toBeUndefined()
  })

  test('one-shot: a count that is over before the clock is read again is late, not lost', () => {
    const { apic, timers, write } = board(true, new SlowTimers())
    write(0x3e0, 0xb)
    write(LVT_TIMER, 0xec)
    write(0x380, 10)
    timers.advance(1)
    expect(apic.acknowledge()).toBe(0xec)
    write(EOI, 0)
    // written anew while the count runs out
    write(0x380, 2500)
    write(LVT_TIMER, 0xed)
    timers.advance(1)
    expect(apic.acknowledge()).toBe(0xed)
    // over while it was masked: nobody hears of it
    write(EOI, 0)
    write(LVT_TIMER, 0x100ed)
    write(0x380, 10)
    write(LVT_TIMER, 0xed)
    timers.advance(1)
    expect(apic.hasInterrupt()).toBe(false)
  })

  test('every divisor', () => {
    const { timers, read, write } = board()
    const codes = [0xb, 0, 1, 2, 3, 8, 9, 0xa]
    codes.forEach((code, power) => {
      write(0x3e0, code)
      write(0x380, 0x10000)
      timers.advance(2 ** power * 10)
      expect(read(0x390)).toBe(0x10000 - 10)
    })
  })

  test('periodic: keeps its phase; a late one comes once', () => {
    const { apic, timers, read, write } = board()
    write(0x3e0, 0xb)
    write(LVT_TIMER, 0x200ec)
    write(0x380, 1_000_000)
    timers.skip(5_300_000)
    expect(apic.acknowledge()).toBe(0xec)
    write(EOI, 0)
    expect(apic.hasInterrupt()).toBe(false)
    expect(read(0x390)).toBe(700_000)
    expect(timers.nextDeadline()).toBe(6_000_000)
    timers.advance(700_000)
    expect(apic.hasInterrupt()).toBe(true)
  })

  test('masked it counts, and makes no host timer; unmasked in time it fires', () => {
    const { apic, timers, read, write } = board()
    write(0x3e0, 0xb)
    write(0x380, 0xffffffff)
    timers.advance(12345)
    expect(read(0x390)).toBe(0xffffffff - 12345)
    expect(timers.nextDeadline()).toBeUndefined()
    write(LVT_TIMER, 0x40)
    timers.advance(0xffffffff)
    expect(apic.acknowledge()).toBe(0x40)
  })

  test('an expiry that is due but not yet delivered survives a register write', () => {
    const { apic, timers, write } = board()
    write(0x3e0, 0xb)
    write(LVT_TIMER, 0x40)
    write(0x380, 100)
    timers.elapse(110)
    write(0x380, 500)
    expect(apic.acknowledge()).toBe(0x40)
    expect(timers.nextDeadline()).toBe(timers.now() + 500)
  })

  test('masking the timer after its deadline but before the delivery does not swallow the interrupt', () => {
    const { apic, timers, write } = board()
    write(0x3e0, 0xb)
    write(LVT_TIMER, 0x40)
    write(0x380, 100)
    timers.elapse(200)
    write(LVT_TIMER, 0x10040)
    expect(apic.hasInterrupt()).toBe(true)
  })

  test('TSC deadline: fires when the TSC gets there, reads zero afterwards; the past fires at once', () => {
    const { apic, timers, write, read } = board()
    apic.tscDeadline = 5000n
    expect(apic.tscDeadline).toBe(0n)
    write(LVT_TIMER, 0x400ec)
    apic.tscDeadline = 21_000n
    expect(apic.tscDeadline).toBe(21_000n)
    write(0x380, 77)
    expect([read(0x380), read(0x390)]).toEqual([0, 0])
    timers.advance(9_999)
    expect(apic.hasInterrupt()).toBe(false)
    timers.advance(1)
    expect(apic.acknowledge()).toBe(0xec)
    expect(apic.tscDeadline).toBe(0n)
    write(EOI, 0)
    apic.tscDeadline = 1n
    expect(apic.hasInterrupt()).toBe(true)
    apic.acknowledge()
    write(EOI, 0)
    apic.tscDeadline = 1_000_000n
    apic.tscDeadline = 0n
    timers.advance(1e9)
    expect(apic.hasInterrupt()).toBe(false)
  })
})

describe('IA32_APIC_BASE and x2APIC', () => {
  test('the page moves; reserved bits and forbidden transitions are #GP', () => {
    const { apic, seen } = board()
    expect(apic.readBase()).toBe(0xfee00900n)
    expect(apic.writeBase(0xfee00901n)).toBe(false)
    expect(apic.writeBase(0xfee00500n)).toBe(false)
    expect(apic.writeBase(0xfed10900n)).toBe(true)
    expect(apic.writeBase(0xfed10d00n)).toBe(true)
    expect(apic.writeBase(0xfed10900n)).toBe(false)
    expect(apic.writeBase(0xfed10100n)).toBe(true)
    expect(apic.writeBase(0xfed10d00n)).toBe(false)
    expect(seen.pages).toEqual([0xfed10000, undefined])
    apic.reset()
    expect(seen.pages.at(-1)).toBe(0xfee00000)
  })

  test('x2APIC registers by MSR, and nothing by MMIO', () => {
    const { apic, seen, read } = board()
    expect(apic.readMsr(0x802)).toBeUndefined()
    expect(apic.writeMsr(0x80b, 0n)).toBe(false)
    apic.writeBase(0xfee00d00n)
    expect(read(0x30)).toBe(0xffffffff)
    expect([apic.readMsr(0x802), apic.readMsr(0x803), apic.readMsr(0x80d)]).toEqual([0n, 0x50014n, 1n])
    expect(apic.writeMsr(0x830, 0xfffffffe_00000040n)).toBe(true)
    expect(apic.hasInterrupt()).toBe(false)
    expect(apic.writeMsr(0x830, 0xffffffff_00000040n)).toBe(true)
    expect(apic.acknowledge()).toBe(0x40)
    expect(apic.writeMsr(0x80b, 1n)).toBe(false)
    expect(apic.writeMsr(0x80b, 0n)).toBe(true)
    expect(apic.writeMsr(0x83f, 0x41n)).toBe(true)
    expect(apic.acknowledge()).toBe(0x41)
    for (const msr of [0x80e, 0x831, 0x80b, 0x83f, 0x800, 0x82f, 0x8ff]) expect(apic.readMsr(msr)).toBeUndefined()
    for (const msr of [0x802, 0x803, 0x80d, 0x80e, 0x839]) expect(apic.writeMsr(msr, 0n)).toBe(false)
    expect(apic.writeMsr(0x808, 1n << 32n)).toBe(false)
    expect(seen.nmi).toBe(0)
  })
})

test('snapshot: a restored APIC goes on with the same interrupts and timer', () => {
  const { apic, timers, msi, write } = board()
  write(0x3e0, 0xb)
  write(LVT_TIMER, 0x200ec)
  write(0x380, 50_000)
  msi(0x51, 0xc000)
  apic.acknowledge()
  msi(0x45)
  const other = board(false)
  other.timers.advance(timers.now())
  other.apic.restore(structuredClone(apic.save()))
  expect(other.apic.save()).toEqual(apic.save())
  expect(other.timers.nextDeadline()).toBe(50_000)
  other.write(EOI, 0)
  expect(other.seen.eois).toEqual([0x51])
  expect(other.apic.acknowledge()).toBe(0x45)
  other.timers.advance(50_000)
  expect(other.apic.acknowledge()).toBe(0xec)
})

test('random accesses of every width never throw', () => {
  const { apic, timers } = board()
  let state = 5
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0)
  for (let i = 0; i < 20_000; i++) {
    const width = [1, 2, 4][random() % 3]
    apic.writeMmio((random() >>> 8) % 0xffd, width, random())
    apic.writeMmio(((random() >>> 8) % 0x40) * 16, 4, random())
    const value = apic.readMmio((random() >>> 8) % 0xffd, width)
    expect(value >= 0 && value < 2 ** (8 * width)).toBe(true)
    apic.send((0xfee00000 | (random() & 0xfffff)) >>> 0, random())
    if (apic.hasInterrupt()) expect(apic.acknowledge()).toBeGreaterThanOrEqual(16)
    if (i % 16 === 0) timers.advance(random() % 100_000)
  }
})
