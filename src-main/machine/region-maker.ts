/** A maker of regions for a thread of its own: beside the machine, and with the same instruction set. */
import { cpuModel } from '../cpu/helpers/cpu-model.ts'
import { instructionSet } from '../cpu/instruction-set.ts'
import { enumerateVariants } from '../cpu/decode/enumerate.ts'
import { handlerPlaces } from '../cpu/decode/variants.ts'
import type { MemoryMap } from '../cpu/state/layout.ts'
import { RegionMaker } from '../cpu/translator/maker.ts'
import type { MachineConfig } from './config.ts'
import { TSC_HZ } from './machine.ts'

export type { FromRegionThread, Job, RegionThread, ToRegionThread } from '../cpu/translator/jobs.ts'
export type { RegionMaker } from '../cpu/translator/maker.ts'

/** `buffer` is the memory that allocateMemory gave the machine of this configuration. */
export function regionMaker(buffer: SharedArrayBuffer, map: MemoryMap, cpu: MachineConfig['cpu']): RegionMaker {
  const { model } = cpuModel({ ...cpu, tscHz: TSC_HZ })
  const { rows, operations } = instructionSet((feature) => model.has(feature))
  return new RegionMaker({ buffer, map, rows, operations, handlers: handlerPlaces(enumerateVariants(rows)) })
}
