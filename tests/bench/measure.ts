import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { PROMPT, shareFlags } from '../boot/default-guest-flags.ts'
import { GuestConsole, type Machine } from '../boot/guest-console.ts'
import { programPreparation, secondDisk } from './programs.ts'
import { checksumOf, preparation, type Workload } from './workloads.ts'

/** Seconds; CPU is user and system time of the whole process with all its threads. */
export interface Cost {
  readonly cpu: number
  readonly wall: number
  readonly checksum?: string
  /** How much was done, for rows that run for a fixed time. */
  readonly rate?: number
}
/** Why there is no cost. */
export interface Failure {
  readonly failed: string
}
export type Outcome = Cost | Failure
export const isCost = (outcome: Outcome): outcome is Cost => 'cpu' in outcome

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
  readonly boot: Outcome
  readonly costs: ReadonlyMap<string, Outcome>
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

/** Wall seconds that a boot, and a run of a workload, may take on this computer before they count as failed. */
export const BOOT_LIMIT = 180
const ROW_LIMIT = 90

/** The first line of what went wrong; a console's last output follows it. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 200)

export async function timed(guest: GuestConsole, act: () => Promise<string>, rate?: RegExp): Promise<Cost> {
  const pid = guest.child.pid!
  const cpu = cpuSeconds(pid)
  const begun = performance.now()
  const output = await act()
  const wall = (performance.now() - begun) / 1000
  const checksum = checksumOf(output)
  const done = rate === undefined ? undefined : Number(rate.exec(output)?.[1])
  if (done !== undefined && !(done > 0)) throw new Error(`no rate in "${output.trim().slice(-80)}"`)
  return {
    cpu: cpuSeconds(pid) - cpu,
    wall,
    ...(checksum === undefined ? {} : { checksum }),
    ...(done === undefined ? {} : { rate: done }),
  }
}

async function counters(guest: GuestConsole): Promise<string> {
  if (guest.machine !== 'longmode') return ''
  guest.type('\u0001cinfo jit\r')
  // the monitor's line is drawn again with each key, so only the answer says that the command was taken
  const text = await guest.expect(/retired [\s\S]*?translated into .*\r?\n/, 20)
  guest.type('\u0001c\r')
  await guest.expect(PROMPT, 20)
  return text.slice(text.search(/retired +\d/)).trim()
}

function startGuest(machine: Machine, parts: BenchMachine): GuestConsole {
  return new GuestConsole(machine, [
    ...['-nographic', '-cpu', 'max', '-m', '512M', '-kernel', parts.kernel, '-initrd', parts.initrd],
    ...['-append', `${parts.append} quiet`, '-drive', `file=${parts.disk},format=raw,index=0,media=disk`],
    ...secondDisk().flags,
    ...shareFlags(parts.share),
  ])
}

/** The cost in the middle, by CPU time. */
function median(costs: readonly Cost[]): Cost {
  return [...costs].sort((a, b) => a.cpu - b.cpu)[Math.floor((costs.length - 1) / 2)]!
}

/** A boot to the prompt and nothing else. */
async function bootOnly(machine: Machine, parts: BenchMachine): Promise<Cost> {
  const guest = startGuest(machine, parts)
  try {
    return await timed(guest, () => guest.expect(PROMPT, BOOT_LIMIT))
  } finally {
    await guest.kill()
  }
}

async function command(guest: GuestConsole, text: string): Promise<string> {
  const { output, status } = await guest.run(text, ROW_LIMIT)
  if (status !== 0) throw new Error(`ended with ${status}: ${output.trim().replaceAll('\n', ' ')}`)
  return output
}

/** A command that hangs is broken off; false when that does not help either. */
async function isWell(guest: GuestConsole): Promise<boolean> {
  guest.type('\u0003\n')
  try {
    await guest.run('true', 30)
    return true
  } catch {
    return false
  }
}

async function measureRow(guest: GuestConsole, row: Workload, runs: number): Promise<Outcome> {
  try {
    if (row.warm === true) await command(guest, row.command)
    const all: Cost[] = []
    for (let n = 0; n < runs; n++) {
      if (n > 0 && row.undo !== undefined) await command(guest, row.undo)
      all.push(await timed(guest, () => command(guest, row.command), row.rate))
    }
    return median(all)
  } catch (error) {
    return { failed: reasonOf(error) }
  }
}

async function measureRows(
  guest: GuestConsole,
  rows: readonly Workload[],
  runs: number,
): Promise<Map<string, Outcome>> {
  const costs = new Map<string, Outcome>()
  const { missing } = secondDisk()
  let lost: string | undefined
  for (const row of rows) {
    const why = lost ?? (row.group === 'programs' && row.rate === undefined ? missing : undefined)
    const outcome = why === undefined ? await measureRow(guest, row, runs) : { failed: why }
    costs.set(row.name, outcome)
    console.log(`${guest.machine}: ${row.name} ${isCost(outcome) ? `${outcome.cpu.toFixed(2)} s` : outcome.failed}`)
    if (!isCost(outcome) && lost === undefined && !(await isWell(guest))) lost = `the machine was lost in "${row.name}"`
  }
  return costs
}

/** `runs` boots of one machine, the last of them with every workload in it, each `runs` times: medians. */
export async function measure(
  machine: Machine,
  parts: BenchMachine,
  rows: readonly Workload[],
  runs: number,
): Promise<Run> {
  const boots: Cost[] = []
  const guest = startGuest(machine, parts)
  try {
    boots.push(await timed(guest, () => guest.expect(PROMPT, BOOT_LIMIT)))
    await command(guest, preparation)
    if (secondDisk().missing === undefined) await command(guest, programPreparation)
    const costs = await measureRows(guest, rows, runs)
    const memory = peakMemory(guest.child.pid!)
    const text = await counters(guest).catch((error: unknown) => reasonOf(error))
    await guest.kill()
    for (let n = 1; n < runs; n++) boots.push(await bootOnly(machine, parts))
    const boot = median(boots)
    console.log(`${machine}: boot ${boot.cpu.toFixed(2)} s`)
    return { machine, boot, costs, memory, counters: text }
  } catch (error) {
    const failed = reasonOf(error)
    console.log(`${machine}: ${failed}`)
    return { machine, boot: { failed }, costs: new Map(), memory: 0, counters: '' }
  } finally {
    await guest.kill()
  }
}
