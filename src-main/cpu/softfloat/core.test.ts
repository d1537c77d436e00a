import { describe, expect, it } from 'vitest'
import * as core from './core.ts'
import { doubleBits, floatBits, fromDouble, pack, toDouble, unpack } from './pack.ts'

const environment = (over: Partial<core.FloatEnv> = {}): core.FloatEnv => ({
  rounding: core.ROUND.nearest,
  masks: 0x3f,
  flushToZero: false,
  wrap: false,
  chooseNaN: (a, b) => (a.kind === 'nan' ? a : b),
  flags: 0,
  roundedUp: false,
  ...over,
})

/** Doubles of all exponents and many near-ties, from a fixed seed. */
function* doubles(count: number): Generator<number> {
  let x = 0x9e3779b97f4a7c15n
  const view = new DataView(new ArrayBuffer(8))
  const corners = [0, -0, 1, -1, 0.5, 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, Infinity, -Infinity]
  yield* corners
  for (let i = 0; i < count; i++) {
    x = BigInt.asUintN(64, x * 6364136223846793005n + 1442695040888963407n)
    const mixed = x ^ (x >> 29n)
    // half of them close to 1, so that sums cancel and round
    view.setBigUint64(0, i & 1 ? mixed : (mixed & 0x800fffffffffffffn) | ((0x3f0n + (mixed & 31n)) << 52n))
    const value = view.getFloat64(0)
    if (!Number.isNaN(value)) yield value
  }
}

describe('softfloat core', () => {
  it('agrees with the host on add, sub, mul, div, sqrt, to float', () => {
    const list = [...doubles(600)]
    const binary = {
      add: (a: number, b: number) => a + b,
      sub: (a: number, b: number) => a - b,
      mul: (a: number, b: number) => a * b,
      div: (a: number, b: number) => a / b,
    }
    for (let i = 0; i < list.length; i++) {
      const a = list[i]!
      for (const b of [list[(i * 7 + 3) % list.length]!, list[(i * 13 + 5) % list.length]!, a, -a]) {
        for (const name of ['add', 'sub', 'mul', 'div'] as const) {
          const want = binary[name](a, b)
          const got = toDouble(core[name](core.F64, fromDouble(a), fromDouble(b), environment()))
          if (!Object.is(got, want)) throw new Error(`${name} ${a} ${b}: ${got}, not ${want}`)
        }
        const got = core.compare(fromDouble(a), fromDouble(b), environment(), false)
        if (got !== (a < b ? -1 : a > b ? 1 : 0)) throw new Error(`compare ${a} ${b}: ${got}`)
      }
      expect(toDouble(core.sqrt(core.F64, fromDouble(a), environment()))).toBe(Math.sqrt(a))
      const single = pack(core.F32, core.convert(core.F32, fromDouble(a), environment()))
      expect(single).toBe(floatBits(Math.fround(a)))
    }
  })
  it('rounds as directed', () => {
    const third = (rounding: number, sign = 1) =>
      toDouble(core.div(core.F64, fromDouble(sign), fromDouble(3), environment({ rounding })))
    expect(third(core.ROUND.nearest)).toBe(1 / 3)
    expect(third(core.ROUND.down)).toBe(1 / 3)
    expect(third(core.ROUND.up)).toBe(1 / 3 + 2 ** -54)
    expect(third(core.ROUND.up, -1)).toBe(-1 / 3)
    expect(third(core.ROUND.zero, -1)).toBe(-1 / 3)
    expect(third(core.ROUND.down, -1)).toBe(-1 / 3 - 2 ** -54)
  })
  it('flags inexact, overflow, underflow, invalid, division by zero, denormal', () => {
    const flags = (name: 'add' | 'mul' | 'div', a: number, b: number, over = {}) => {
      const env = environment(over)
      core[name](core.F64, fromDouble(a), fromDouble(b), env)
      return env.flags
    }
    expect(flags('add', 1, 1)).toBe(0)
    expect(flags('add', 1, 1e-20)).toBe(core.FLAG.inexact)
    expect(flags('mul', 1e300, 1e300)).toBe(core.FLAG.overflow | core.FLAG.inexact)
    expect(flags('mul', 1e-300, 1e-300)).toBe(core.FLAG.underflow | core.FLAG.inexact)
    expect(flags('mul', 2 ** -1000, 2 ** -60)).toBe(0)
    expect(flags('mul', 2 ** -1000, 2 ** -60, { masks: 0x2f })).toBe(core.FLAG.underflow)
    expect(flags('mul', 2 ** -1000, 2 ** -60, { flushToZero: true })).toBe(core.FLAG.underflow | core.FLAG.inexact)
    expect(flags('div', 1, 0)).toBe(core.FLAG.zeroDivide)
    expect(flags('div', 0, 0)).toBe(core.FLAG.invalid)
    expect(flags('add', Infinity, -Infinity)).toBe(core.FLAG.invalid)
    expect(flags('add', 5e-324, 1)).toBe(core.FLAG.denormal | core.FLAG.inexact)
  })
  it('does not call a result tiny that rounds up to the smallest normal', () => {
    // (1 - 2^-53) * 2^-1022 lies above the largest denormal; with 53 bits it needs no rounding, with 54 it rounds up
    const env = environment()
    const value = core.round(core.F64, 0, (1n << 54n) - 1n, -1022 - 54, env)
    expect(toDouble(value)).toBe(2 ** -1022)
    expect(env.flags).toBe(core.FLAG.inexact)
  })
  it('propagates NaNs: quieted, payload kept through formats', () => {
    const env = environment()
    const signaling = unpack(core.F32, 0xffa12345n, false)
    const result = core.convert(core.F64, signaling, env)
    expect(pack(core.F64, result)).toBe(0xfffc2468a0000000n)
    expect(env.flags).toBe(core.FLAG.invalid)
    expect(pack(core.F64, core.DEFAULT_NAN)).toBe(0xfff8000000000000n)
  })
  it('converts integers both ways', () => {
    const env = environment()
    expect(core.toInteger(fromDouble(2.5), 32, core.ROUND.nearest, env)).toBe(2n)
    expect(core.toInteger(fromDouble(-2.5), 32, core.ROUND.down, env)).toBe(-3n)
    expect(core.toInteger(fromDouble(-2147483648.5), 32, core.ROUND.zero, env)).toBe(-2147483648n)
    expect(env.flags).toBe(core.FLAG.inexact)
    expect(core.toInteger(fromDouble(2147483648), 32, core.ROUND.zero, env)).toBe(undefined)
    expect(env.flags).toBe(core.FLAG.inexact | core.FLAG.invalid)
    expect(toDouble(core.fromInteger(core.F64, (1n << 53n) + 1n, env))).toBe(2 ** 53)
    expect(doubleBits(toDouble(core.roundToIntegral(fromDouble(-0.3), core.ROUND.nearest, env)))).toBe(1n << 63n)
  })
})
