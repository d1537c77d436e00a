/**
 * The guest's clock against the host's, and what an idle machine costs. The figures are printed; what is asserted is what must hold on any
 * computer. LONGMODE_BOOT_ON=qemu measures QEMU in the same way.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BOOT_SECONDS, defaultGuestFlags, PROMPT } from '../../boot/default-guest-flags.ts'
import { GuestConsole, type Machine } from '../../boot/guest-console.ts'

const machine: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'
/** Time over which clocks and processor time are compared, s. */
const SPAN = 60
/** Readings at each end; the one that took the shortest way counts. */
const READINGS = 40
/** Linux counts a process's time in these (sysconf _SC_CLK_TCK), per second. */
const CLOCK_TICKS = 100

let guest: GuestConsole
beforeAll(async () => {
  guest = new GuestConsole(machine, await defaultGuestFlags())
  await guest.expect(PROMPT, BOOT_SECONDS)
  // The kernel refines its idea of the TSC's rate in the first seconds.
  await sleep(10_000)
})
afterAll(async () => {
  await guest.kill()
})

/** Processor time of the machine's process with all its threads, s. */
function processorTime(): number {
  const fields = readFileSync(`/proc/${String(guest.child.pid)}/stat`, 'utf8')
    .split(') ')[1]!
    .split(' ')
  // proc(5): utime and stime are fields 14 and 15, and the third one is the first here
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS
}

/** Host clock less the guest's monotonic one, s: the least of many, for each reading comes a little late. */
async function clockDistance(): Promise<number> {
  let least = Infinity
  for (let n = 0; n < READINGS; n++) {
    guest.type("sed -n 's/^now at /<no''w /p; 3q' /proc/timer_list\n")
    const text = await guest.expect(/<now \d+ nsecs/)
    const host = performance.now() / 1000
    least = Math.min(least, host - Number(/<now (\d+)/.exec(text)![1]) / 1e9)
  }
  return least
}

/** How much slower the guest's clock runs than the host's, as a fraction. */
async function drift(): Promise<number> {
  const before = await clockDistance()
  const start = performance.now()
  await sleep(SPAN * 1000)
  const after = await clockDistance()
  return (after - before) / ((performance.now() - start) / 1000)
}

const percent = (part: number): string => `${(part * 100).toFixed(4)} %`

it('costs next to nothing while it idles', async () => {
  const before = processorTime()
  await sleep(SPAN * 1000)
  const part = (processorTime() - before) / SPAN
  console.log(`${machine}: an idle machine uses ${percent(part)} of a core`)
  expect(part).toBeLessThan(0.02)
})

it("keeps the host's time while it idles", async () => {
  const part = await drift()
  console.log(`${machine}: the clock of an idle guest is slow by ${percent(part)}`)
  expect(Math.abs(part)).toBeLessThan(0.001)
})

it("keeps the host's time while it is busy", async () => {
  guest.type('while :; do :; done &\n')
  await guest.expect(PROMPT)
  const part = await drift()
  console.log(`${machine}: the clock of a busy guest is slow by ${percent(part)}`)
  expect(Math.abs(part)).toBeLessThan(0.001)
  guest.type('kill $!\n')
})
