import { expect, it } from 'vitest'
import { bareMachine } from './test-bare-machine.ts'
import { counterText, engineCounters } from './monitor.ts'

/** cpuid; mov ecx, 100000; L: add eax, ecx; dec ecx; jnz L; mov byte [rip - 8], 0xc0 (the add's second byte, as it was); hlt. */
const CODE = [
  ...[0x0f, 0xa2, 0xb9, 0xa0, 0x86, 0x01, 0x00, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa],
  ...[0xc6, 0x05, 0xf4, 0xff, 0xff, 0xff, 0xc8, 0xf4],
]

it('counts what the engine did', () => {
  const { built } = bareMachine(CODE)
  const { cpu } = built.machine
  cpu.translateHot(10)
  expect(built.boot().ok).toBe(true)
  const counters = (): Record<string, number> =>
    Object.fromEntries(engineCounters(built.machine).map(({ name, value }) => [name, value]))
  // the machine has run a loop of its own before (warm-up.ts)
  const before = counters()
  cpu.run(200_000)
  const during = counters()
  expect(during['helper cpuid']).toBe(1)
  expect(during['in regions']! / (during.retired! - before.retired!)).toBeGreaterThan(0.99)
  expect(during).toMatchObject({ regions: 1, 'modules alive': 1, 'jobs of the thread': 0 })
  expect(during['code in them']).toBe(during['translated into'])
  cpu.run(200_000)
  const after = counters()
  expect(after.retired! - before.retired!).toBe(300_004)
  expect(after).toMatchObject({ regions: 0, 'regions dropped': 1, 'modules alive': 0, 'code in them': 0 })
  expect(counterText(built.machine)).toMatch(/^retired +\d+\n[\s\S]*\ntranslated into +\d+ bytes$/)
})
