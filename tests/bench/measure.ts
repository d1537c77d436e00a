import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { PROMPT, shareFlags } from '../boot/default-guest-flags.ts'
import { GuestConsole, type Machine } from '../boot/guest-console.ts'
import { checksumOf, preparation, type Workload } from './workloads.ts'

/** Seconds; CPU is user and system time of the whole process with all its threads. */
export interface Cost {
  readonly cpu: number
  readonly wall: number
  readonly checksum?: string
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** proc(5), /proc/PID/stat: fields 14 and 15, counted after the command name, which may hold blanks. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Largest resident memory so far, MiB. */
function peakMemory(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}

export interface Run {
  readonly machine: Machine
  readonly boot: Cost
  readonly costs: ReadonlyMap<string, Cost>
  /** MiB at the end. */
  readonly memory: number
  /** The engine's own counters (`info jit`), Longmode only. */
  readonly counters: string
}

export interface BenchMachine {
  readonly kernel: string
  readonly initrd: string
  readonly append: string
  readonly disk: string
  readonly share: string
}

const PATIENCE = 1200

async function timed(guest: GuestConsole, act: () => Promise<string>): Promise<Cost> {
  const pid = guest.child.pid!
  const cpu = cpuSeconds(pid)
  const begun = performance.now()
  const checksum = checksumOf(await act())
  const wall = (performance.now() - begun) / 1000
  return { cpu: cpuSeconds(pid) - cpu, wall, ...(checksum === undefined ? {} : { checksum }) }
}

async function counters(guest: GuestConsole): Promise<string> {
  if (guest.machine !== 'longmode') return ''
  guest.type('\u0001cinfo jit\r')
  const text = await guest.expect(/info jit[\s\S]*\(longmode\) /, 20)
  guest.type('\u0001c\r')
  await guest.expect(PROMPT)
  return text.split('\n').slice(1, -1).join('\n').trim()
}

function startGuest(machine: Machine, parts: BenchMachine): GuestConsole {
  return new GuestConsole(machine, [
    ...['-nographic', '-cpu', 'max', '-m', '512M', '-kernel', parts.kernel, '-initrd', parts.initrd],
    ...['-append', `${parts.append} quiet`, '-drive', `file=${parts.disk},format=raw,index=0,media=disk`],
    ...shareFlags(parts.share),
  ])
}

/** The cost in the middle, by CPU time. */
function median(costs: readonly Cost[]): Cost {
  return [...costs].sort((a, b) => a.cpu - b.cpu)[Math.floor((costs.length - 1) / 2)]
}

/** A boot to the prompt and nothing else. */
async function bootOnly(machine: Machine, parts: BenchMachine): Promise<Cost> {
  const guest = startGuest(machine, parts)
  try {
    return await timed(guest, () => guest.expect(PROMPT, PATIENCE))
  } finally {
    await guest.kill()
  }
}

/** `runs` boots of one machine, the last of them with every workload in it, each `runs` times: medians. */
export async function measure(
  machine: Machine,
  parts: BenchMachine,
  rows: readonly Workload[],
  runs: number,
): Promise<Run> {
  const boots: Cost[] = []
  for (let n = 1; n < runs; n++) boots.push(await bootOnly(machine, parts))
  const guest = startGuest(machine, parts)
  try {
    boots.push(await timed(guest, () => guest.expect(PROMPT, PATIENCE)))
    const boot = median(boots)
    console.log(`${machine}: boot ${boot.cpu.toFixed(2)} s`)
    const command = async (text: string) => {
      const { output, status } = await guest.run(text, PATIENCE)
      if (status !== 0) throw new Error(`${machine}: "${text}" ended with ${status}: ${output}`)
      return output
    }
    await command(preparation)
    const costs = new Map<string, Cost>()
    for (const row of rows) {
      if (row.warm === true) await command(row.command)
      const all: Cost[] = []
      for (let n = 0; n < runs; n++) all.push(await timed(guest, () => command(row.command)))
      const cost = median(all)
      costs.set(row.name, cost)
      console.log(`${machine}: ${row.name} ${cost.cpu.toFixed(2)} s`)
    }
    return { machine, boot, costs, memory: peakMemory(guest.child.pid!), counters: await counters(guest) }
  } finally {
    await guest.kill()
  }
}
