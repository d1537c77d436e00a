import { describe, expect, it } from 'vitest'
import { convert, F64, type FloatEnv, type Value } from './core.ts'
import { fromDouble, toDouble } from './pack.ts'
import { approximate, arcTangent, cosine, log2, log2Plus1, powerMinusOne, sine, tangent } from './transcendental.ts'
import { packExtended } from './extended.ts'

const env = (): FloatEnv => ({
  rounding: 0,
  masks: 0x3f,
  flushToZero: false,
  wrap: false,
  chooseNaN: (a) => a,
  flags: 0,
  roundedUp: false,
})
const double = (v: Value): number => toDouble(convert(F64, v, env()))
/** Within two units in the last place of a double, which the host's functions keep. */
function close(a: number, b: number): void {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(Math.abs(b) * 2 ** -51)
}
const SAMPLES = [1e-30, 1e-9, 0.001, 0.25, 0.3, 0.5, 0.7071, 0.9, 0.999999]

describe('transcendental functions', () => {
  it('agree with doubles in the middle', () => {
    for (const magnitude of SAMPLES)
      for (const x of [magnitude, -magnitude]) {
        close(double(powerMinusOne(fromDouble(x))), Math.expm1(x * Math.LN2))
        close(double(log2Plus1(fromDouble(x))), Math.log1p(x) / Math.LN2)
        close(double(sine(fromDouble(x), env())), Math.sin(x))
        close(double(cosine(fromDouble(x), env())), Math.cos(x))
        close(double(tangent(fromDouble(x), env())), Math.tan(x))
        for (const y of [3, -0.4, 1e-12, 1e40])
          close(double(arcTangent(fromDouble(y), fromDouble(x)).value), Math.atan2(y, x))
      }
    for (const x of [1e-300, 0.1, 0.9999999, 1.0000001, 1.4, 1.6, 3, 1e300])
      close(double(log2(fromDouble(x))), Math.log2(x))
  })
  it('reduce large angles by all of pi', () => {
    close(double(sine(fromDouble(1e15), env())), Math.sin(1e15))
    close(double(cosine(fromDouble(1e18), env())), Math.cos(1e18))
    close(double(tangent(fromDouble(-(2 ** 60)), env())), Math.tan(-(2 ** 60)))
  })
  it('gives 64 bits', () => {
    const bits = (v: Value): string => packExtended(approximate(v, env())).significand.toString(16)
    // log2(3) and pi/4, by their binary expansions
    expect(bits(log2(fromDouble(3)))).toBe('cae00d1cfdeb43d0')
    expect(bits(arcTangent(fromDouble(1), fromDouble(1)).value)).toBe('c90fdaa22168c235')
    // sqrt(2) - 1
    expect(bits(powerMinusOne(fromDouble(0.5)))).toBe('d413cccfe7799211')
  })
  it('of tiny values lies next to them', () => {
    const down = { ...env(), rounding: 3 }
    const x = fromDouble(2 ** -200)
    expect(packExtended(sine(x, down)).significand).toBe(0xffffffffffffffffn)
    expect(down.flags).toBe(0x20)
    expect(packExtended(tangent(x, { ...env(), rounding: 2 })).significand).toBe(0x8000000000000001n)
  })
})
