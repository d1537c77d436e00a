/** The engine's counters for the monitor and the crash report. */
import { AT } from '../cpu/state/layout.ts'
import type { Machine } from './machine.ts'

export function engineCounters(machine: Machine): string {
  const { cpu } = machine
  const names = ['retired', 'decoded', 'codeMisses', 'codeDrops', 'tlbMisses', 'pageWalks', 'tlbFlushes'] as const
  const lines = names.map((name) => `${name.padEnd(18)} ${cpu.u64(AT[name])}`)
  const counts = cpu.translator?.counts
  if (counts)
    lines.push(
      `in regions         ${cpu.u64(AT.regionInstructions)} instructions, entered ${cpu.u64(AT.regionEntries)} times, restarts ${cpu.u64(AT.regionRestarts)}`,
      `regions            ${counts.regions} now, ${counts.made} made, ${counts.dropped} dropped (${counts.evicted} to make room), ${counts.refused} places refused`,
      `thread             ${counts.jobs} jobs, ${counts.waiting} waiting (${counts.mostWaiting} at most), ${counts.postponed} postponed, ${counts.stale} came too late, ${counts.threadMilliseconds.toFixed(0)} ms of CPU`,
      `translated         ${counts.instructions} instructions into ${counts.bytes} bytes in ${counts.modules} modules; ${counts.milliseconds.toFixed(0)} ms on the vCPU's thread`,
    )
  return lines.join('\n')
}
