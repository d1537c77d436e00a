/** What goes between a vCPU and whoever makes its regions: plain data, so that this may be another thread. */
import type { DecodeMode } from '../decode/record.ts'
import type { Operation } from '../semantics/context.ts'

/** Where a region is to begin. */
export interface Place {
  /** Number of the RAM page, and offset in it. */
  readonly page: number
  readonly offset: number
  /** The place's predecoded record. */
  readonly record: number
  readonly mode: DecodeMode
  /** The RAM page that follows in linear addresses, and its code slot, where they are at hand: the region may go on there. */
  readonly after: { readonly page: number; readonly slot: number } | undefined
}

export interface MadeRegion {
  /** The function that the batch's module exports. */
  readonly name: string
  /** Ranges, [from, to), that the region was made from, and what stood there, all one after the other. From 4096 on they are the page after. */
  readonly ranges: readonly (readonly [number, number])[]
  readonly code: Uint8Array
  readonly instructions: number
  /** Places in REGION_RECORDS that are the region's; to be given back with it. */
  readonly records: readonly number[]
}

/** Regions that were made together, in one module. */
export interface Batch {
  readonly module: WebAssembly.Module
  /** Of the module's code. */
  readonly bytes: number
  /** In the order of the places; undefined where there was nothing to gain. */
  readonly regions: readonly (MadeRegion | undefined)[]
}

/** To the thread. */
export interface Job extends Place {
  readonly id: number
}
export interface ToRegionThread {
  readonly jobs: readonly Job[]
  /** REGION_RECORDS that no region needs any more. */
  readonly returned: readonly number[]
}
/** From the thread: answers in any order, each job once. */
export interface FromRegionThread {
  readonly ids: readonly number[]
  /** Undefined when no job of these led to a region. */
  readonly batch: Batch | undefined
  /** CPU time of the thread since it began, ms. */
  readonly milliseconds: number
}

/** A thread that makes regions, as the vCPU sees it. Its answers come through Translator.receive. */
export interface RegionThread {
  /** Never waits. */
  send(message: ToRegionThread): void
}

export interface TranslateOptions {
  /** The interpreter's, but in tests. */
  readonly operations?: Readonly<Record<string, Operation>>
  /** Without one, regions are made at once on the vCPU's own thread: then a run can be repeated. */
  readonly thread?: RegionThread
  /** The counted jumps are halved every so many guest instructions (`cooling.ts`); without it they only grow. */
  readonly coolEvery?: number
}
