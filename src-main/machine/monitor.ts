/** The engine's counters: for the monitor, the crash report and the window. */
import type { Cpu } from '../cpu/cpu.ts'
import { AT } from '../cpu/state/layout.ts'
import type { TranslatorCounts } from '../cpu/translator/translator.ts'
import type { Machine } from './machine.ts'

/** contract/debug.ts has the same. */
export interface EngineCounter {
  readonly name: string
  readonly value: number
  readonly unit?: 'bytes' | 'ms' | '%'
}

/** Helpers that are listed, those called most. */
const HELPERS_SHOWN = 12

function translatorCounters(counts: TranslatorCounts): EngineCounter[] {
  return [
    { name: 'regions', value: counts.regions },
    { name: 'instructions in them', value: counts.liveInstructions },
    { name: 'regions made', value: counts.made },
    { name: 'regions dropped', value: counts.dropped },
    { name: 'of these to make room', value: counts.evicted },
    { name: 'places refused', value: counts.refused },
    { name: 'jobs of the thread', value: counts.jobs },
    { name: 'jobs waiting', value: counts.waiting },
    { name: 'jobs waiting at most', value: counts.mostWaiting },
    { name: 'jobs postponed', value: counts.postponed },
    { name: 'regions that came too late', value: counts.stale },
    { name: 'modules alive', value: counts.liveModules },
    { name: 'code in them', value: counts.liveBytes, unit: 'bytes' },
    { name: 'modules made', value: counts.modules },
    { name: 'table entries', value: counts.tableEntries },
    { name: 'time of the thread', value: Math.round(counts.threadMilliseconds), unit: 'ms' },
    { name: "time on the vCPU's thread", value: Math.round(counts.milliseconds), unit: 'ms' },
    { name: 'translated instructions', value: counts.instructions },
    { name: 'translated into', value: counts.bytes, unit: 'bytes' },
  ]
}

function helperCounts(cpu: Cpu): Map<string, number> {
  const counts = new Map<string, number>()
  cpu.helperCalls.forEach((calls, handler) => {
    if (calls === 0) return
    const { name } = cpu.core.variants[handler]!
    counts.set(name, (counts.get(name) ?? 0) + calls)
  })
  return counts
}

/** The first is the number of instructions, the last how much code was emitted. Without a translator the latter are missing. */
export function engineCounters({ cpu }: Machine): readonly EngineCounter[] {
  const count = (name: string, field: keyof typeof AT): EngineCounter => ({
    name,
    value: Number(cpu.u64(AT[field])),
  })
  const [retired, inRegions] = [count('retired', 'retired'), count('in regions', 'regionInstructions')]
  const hit = retired.value === 0 ? 0 : Math.round((1000 * inRegions.value) / retired.value) / 10
  const helpers = [...helperCounts(cpu)].sort(([, a], [, b]) => b - a).slice(0, HELPERS_SHOWN)
  return [
    retired,
    inRegions,
    { name: 'in regions, share', value: hit, unit: '%' },
    count('regions entered', 'regionEntries'),
    count('left for the interpreter', 'regionRestarts'),
    count('instructions decoded', 'decoded'),
    count('code pages looked up', 'codeMisses'),
    count('writes to code pages', 'codeDrops'),
    count('TLB misses', 'tlbMisses'),
    count('page walks', 'pageWalks'),
    count('TLB flushes', 'tlbFlushes'),
    ...helpers.map(([name, value]) => ({ name: `helper ${name}`, value })),
    ...(cpu.translator ? translatorCounters(cpu.translator.counts) : []),
  ]
}

export function counterText(machine: Machine): string {
  const lines = engineCounters(machine).map(({ name, value, unit = '' }) => `${name.padEnd(28)} ${value} ${unit}`)
  return lines.map((line) => line.trimEnd()).join('\n')
}
