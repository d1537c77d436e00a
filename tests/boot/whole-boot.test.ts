/** One boot of Debian's stock kernel on Longmode, with everything, that says nothing at all to complain. More boots: stock-kernel.test.ts. */
import { afterAll, expect, it } from 'vitest'
import { Workbench, wholeSession } from './session.ts'
import { newTroubles } from './troubles.ts'

const bench = new Workbench()
afterAll(async () => {
  await bench.stopAll()
  bench.remove()
})

it("Debian's stock kernel boots, uses disk and share, powers off, and complains about nothing", async () => {
  const log = await wholeSession(bench, 'longmode')
  expect(log).not.toMatch(/Unable to calibrate/)
  expect(newTroubles(log, '')).toEqual([])
}, 1_200_000)
