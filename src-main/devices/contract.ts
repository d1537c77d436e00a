import { describe, expect, test } from 'vitest'
import type { FakeTimers } from '../base/fake-timers.ts'
import type { Device, MmioHandler, PortHandler, Width } from '../bus/bus.ts'

/** What a device shows to the contract: itself, and everything a guest can reach. */
export interface DeviceUnderTest {
  readonly device: Device
  readonly timers: FakeTimers
  /** Port ranges: handler, first port, how many. */
  readonly ports?: readonly (readonly [handler: PortHandler, first: number, count: number])[]
  /** MMIO ranges: handler, bytes. */
  readonly mmio?: readonly (readonly [handler: MmioHandler, length: number])[]
  /** Lines and inputs from outside, shaken at random between accesses. */
  readonly inputs?: readonly ((value: number) => void)[]
  /** Brings the inputs back to rest, as the reset of everything else on the board would. */
  readonly rest?: () => void
  /** Fields that a reset leaves alone by design (battery-backed memory). */
  readonly kept?: readonly string[]
}

const WIDTHS: readonly Width[] = [1, 2, 4]
const LIMIT = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const
const ACCESSES = 3000

/** A repeatable source of 32-bit numbers (xorshift32, Marsaglia 2003). */
export function randomFrom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/**
 * The contract of every device: a guest that reads and writes anything anywhere never makes it throw or answer out of range;
 * reset leads back to one state; a snapshot restored into a fresh device goes on exactly as the first would have.
 */
export function describeDeviceContract(name: string, make: () => DeviceUnderTest): void {
  describe(`${name}: device contract`, () => {
    test('reset of a used device gives the state of a new one', () => {
      const fresh = make()
      fresh.device.reset()
      const used = make()
      shake(used, randomFrom(7), ACCESSES)
      used.rest?.()
      used.device.reset()
      fresh.timers.advance(used.timers.now() - fresh.timers.now())
      fresh.device.reset()
      const kept = Object.fromEntries((used.kept ?? []).map((field) => [field, null]))
      expect({ ...used.device.save(), ...kept }).toEqual({ ...fresh.device.save(), ...kept })
    })

    test('random accesses of every width never throw and answer within their width', () => {
      for (const seed of [1, 2, 3]) shake(make(), randomFrom(seed), ACCESSES)
    })

    test('save and restore: versioned named fields, and the same behaviour afterwards', () => {
      const first = make()
      first.device.reset()
      shake(first, randomFrom(11), ACCESSES)
      const saved = structuredClone(first.device.save())
      expect(typeof saved.version).toBe('number')
      const second = make()
      second.timers.advance(first.timers.now())
      second.device.restore(structuredClone(saved))
      expect(second.device.save()).toEqual(saved)
      expect(second.timers.nextDeadline()).toEqual(first.timers.nextDeadline())
      expect(shake(second, randomFrom(13), 300)).toEqual(shake(first, randomFrom(13), 300))
      expect(second.device.save()).toEqual(first.device.save())
    })
  })
}

/** Random traffic; returns everything that was read. */
function shake(subject: DeviceUnderTest, random: () => number, accesses: number): number[] {
  const { ports = [], mmio = [], inputs = [], timers } = subject
  const seen: number[] = []
  const record = (value: number, width: Width): void => {
    if (!Number.isInteger(value) || value < 0 || value > LIMIT[width]) throw new Error(`read of ${width} gave ${value}`)
    seen.push(value)
  }
  for (let i = 0; i < accesses; i++) {
    const width = WIDTHS[random() % WIDTHS.length]
    const value = random() % 4 === 0 ? random() & 0xff : random()
    const pick = random() % Math.max(1, ports.length + mmio.length)
    const write = random() % 2 === 0
    if (pick < ports.length) {
      const [handler, first, count] = ports[pick]
      const port = first + (random() % count)
      if (write) handler.writePort(port, width, (value & LIMIT[width]) >>> 0)
      else record(handler.readPort(port, width), width)
    } else if (mmio.length > 0) {
      const [handler, length] = mmio[pick - ports.length]
      const offset = random() % (length - width + 1)
      const at = random() % 4 === 0 ? offset : offset - (offset % width)
      if (write) handler.writeMmio(at, width, (value & LIMIT[width]) >>> 0)
      else record(handler.readMmio(at, width), width)
    }
    if (inputs.length > 0 && random() % 4 === 0) inputs[random() % inputs.length](random())
    if (random() % 8 === 0) timers.advance(random() % 200_000)
  }
  return seen
}
