/** Guest memory of every layout: as little as QEMU gives when nothing is said, all below the PCI hole, and above 4 GiB too. */
import { afterAll, afterEach, expect, it } from 'vitest'
import { BOOT_SECONDS, defaultGuestFlags, PROMPT } from '../default-guest-flags.ts'
import { Workbench } from '../session.ts'
import { newTroubles } from '../troubles.ts'

const bench = new Workbench()
afterEach(() => bench.stopAll())
afterAll(() => bench.remove())

/** Memory that the kernel keeps for itself, at most, in MiB: its image and tables, and a 64th for the page descriptors. */
const taken = (mib: number): number => 80 + mib / 32

it.each([128, 1024, 3072, 4096])('a machine of %i MiB boots and knows all of it', async (mib) => {
  const guest = bench.start('longmode', await defaultGuestFlags('', `${String(mib)}M`))
  await guest.expect(PROMPT, BOOT_SECONDS)
  const { output } = await guest.run('grep MemTotal /proc/meminfo')
  const total = Number(/(\d+) kB/.exec(output)![1]) / 1024
  expect(total).toBeLessThanOrEqual(mib)
  expect(total).toBeGreaterThan(mib - taken(mib))
  guest.type('poweroff\n')
  expect(await guest.exited).toBe(0)
  expect(newTroubles(guest.log, '')).toEqual([])
})
