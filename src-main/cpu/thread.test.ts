import { expect, describe, it } from 'vitest'
import { enumerateVariants } from './decode/enumerate.ts'
import { handlerPlaces } from './decode/variants.ts'
import { EXIT } from './interpreter/loop.ts'
import { instructionSet } from './instruction-set.ts'
import { AT, RAX, RECORD } from './state/layout.ts'
import { flat64 } from './test-flat64.ts'
import type { FromRegionThread, Job, RegionThread } from './translator/jobs.ts'
import { RegionMaker } from './translator/maker.ts'

const { rows, operations } = instructionSet(() => true)
const handlers = handlerPlaces(enumerateVariants(rows))

/** mov ecx, 1000; L: inc eax; dec ecx; jnz L; hlt: the loop's body at offset 5. */
const LOOP = [0xb9, 0xe8, 3, 0, 0, 0xff, 0xc0, 0xff, 0xc9, 0x75, 0xfa, 0xf4]

/** A thread that works when the test says so. */
function machine(code: readonly number[]) {
  const cpu = flat64(code)
  cpu.setGpr(RAX, 0n)
  const maker = new RegionMaker({ buffer: cpu.bytes.buffer, map: cpu.map, rows, operations, handlers })
  let jobs: Job[] = []
  const returned: number[] = []
  const thread: RegionThread = {
    send: (message) => {
      jobs.push(...message.jobs)
      returned.push(...message.returned)
      maker.give(message.returned)
    },
  }
  const translator = cpu.translateHot(5, { thread })
  const work = (): FromRegionThread => {
    const answer = { ids: jobs.map(({ id }) => id), batch: maker.make(jobs), milliseconds: 1 }
    jobs = []
    return answer
  }
  return { cpu, translator, work, returned, asked: () => jobs.length }
}

describe('regions from another thread', () => {
  it('are entered from the moment they are there', () => {
    const { cpu, translator, work, asked } = machine(LOOP)
    expect(cpu.run(300)).toBe(EXIT.budget)
    expect(asked()).toBe(1)
    expect(cpu.u64(AT.regionInstructions)).toBe(0n)
    translator.receive(work(), true)
    expect(cpu.run(10_000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(1000n)
    expect(cpu.u64(AT.regionInstructions)).toBeGreaterThan(2000n)
    expect(translator.counts).toMatchObject({ made: 1, jobs: 1, waiting: 0, stale: 0, threadMilliseconds: 1 })
  })
  it('are thrown away when the code has changed meanwhile, and made again when it is hot again', () => {
    const { cpu, translator, work, asked } = machine(LOOP)
    cpu.run(300)
    const late = work()
    const done = cpu.gpr(RAX)
    // inc eax becomes dec eax
    cpu.bytes[cpu.map.ramBase + 0x10006] = 0xc8
    cpu.written(cpu.map.ramBase + 0x10006, 1)
    translator.receive(late, true)
    expect(translator.counts).toMatchObject({ made: 0, stale: 1 })
    cpu.run(300)
    expect(asked()).toBe(1)
    translator.receive(work(), true)
    expect(cpu.run(10_000)).toBe(EXIT.halt)
    expect(BigInt.asIntN(32, cpu.gpr(RAX))).toBe(2n * done - 1000n)
    expect(translator.counts).toMatchObject({ made: 1, regions: 1 })
  })
  it('are thrown away when all code was dropped, and when nobody wants them', () => {
    const { cpu, translator, work } = machine(LOOP)
    cpu.run(300)
    const first = work()
    cpu.dropAllCode()
    translator.receive(first, true)
    cpu.run(300)
    translator.receive(work(), false)
    expect(translator.counts).toMatchObject({ made: 0, stale: 2 })
    expect(cpu.run(10_000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(1000n)
  })
  it('share a module, less those that are not worth it', () => {
    const { cpu } = machine(LOOP)
    // mov eax, imm32, whose last bytes are on the next page
    cpu.bytes[cpu.map.ramBase + 0x10fff] = 0xb8
    const maker = new RegionMaker({ buffer: cpu.bytes.buffer, map: cpu.map, rows, operations, handlers })
    const mode = { codeSize: 8, stackSize: 8 } as const
    const at = (offset: number) => ({
      page: 0x10,
      offset,
      record: cpu.map.slotBase + offset * RECORD,
      mode,
      after: undefined,
    })
    const batch = maker.make([0xfff, 0, 5].map(at))!
    expect(batch.regions[0]).toBeUndefined()
    expect(batch.regions.slice(1).map((region) => region!.instructions)).toEqual([5, 4])
    const { exports } = WebAssembly.Module as unknown as { exports: (module: unknown) => { name: string }[] }
    expect(exports(batch.module).map(({ name }) => name)).toEqual(batch.regions.slice(1).map((region) => region!.name))
    expect(maker.make([at(0xfff)])).toBeUndefined()
  })
  it('are not waited for, and a machine without its thread goes on', () => {
    const { cpu, translator, asked } = machine(LOOP)
    cpu.run(300)
    translator.stop()
    expect(cpu.run(10_000)).toBe(EXIT.halt)
    expect(cpu.gpr(RAX)).toBe(1000n)
    expect(asked()).toBe(1)
    expect(translator.counts.waiting).toBe(0)
  })
})
