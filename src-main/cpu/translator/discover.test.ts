import { describe, expect, it } from 'vitest'
import { instructionSet } from '../instruction-set.ts'
import { Discovery, type Plan } from './discover.ts'
import { InstructionReader } from './instructions.ts'

const set = instructionSet(() => true)
const reader = new InstructionReader(set.rows, set.operations, new Map())
const NOP = 0x90
const RET = 0xc3
const CALL = 0xe8
/** cmp eax, 1 */
const COMPARE = [0x83, 0xf8, 1]
const JE = 0x74

/** A plan from the beginning of a page that holds these bytes at these offsets, and RETs elsewhere. */
function plan(
  places: Readonly<Record<number, readonly number[]>>,
  isWarm = (_at: number) => true,
  pages = 1,
  targets: Readonly<Record<number, readonly number[]>> = {},
): Plan {
  const code = new Uint8Array(4096 * pages).fill(RET)
  for (const [at, bytes] of Object.entries(places)) code.set(bytes, Number(at))
  return new Discovery(
    reader,
    code,
    { codeSize: 8, stackSize: 8 },
    { isWarm, targets: (at) => targets[at] ?? [] },
  ).plan(0)!
}
/** call to an offset from an offset. */
const call = (from: number, to: number): number[] => {
  const distance = to - from - 5
  return [CALL, distance & 255, (distance >> 8) & 255, (distance >> 16) & 255, distance >> 24]
}

describe('discovery', () => {
  it('follows a branch that was seen taken, and what comes after one that was not', () => {
    const places = { 0: [...COMPARE, JE, 0x20, NOP, RET], 0x25: [NOP, NOP, RET] }
    expect(plan(places).instructions).toBe(7)
    const cold = plan(places, () => false)
    expect(cold.instructions).toBe(4)
    expect(cold.ranges).toEqual([[0, 7]])
  })
  it('takes a function in once for each call, whose RET leads to the place behind it', () => {
    const { blocks, instructions } = plan({ 0: [...call(0, 0x100), ...call(5, 0x100), RET], 0x100: [NOP, RET] })
    expect(instructions).toBe(7)
    const returns = [...blocks.values()].map((block) => block.landings.map(({ at }) => at))
    expect(returns.filter((list) => list.length > 0)).toEqual([[5], [10]])
  })
  it('leads a recursive call to the function that is being run', () => {
    // both RETs of the one copy may lead behind both calls
    const { blocks, instructions } = plan({ 0: [...COMPARE, JE, 11, ...call(5, 0), ...call(10, 0), RET, RET] })
    expect(instructions).toBe(6)
    const returns = [...blocks.values()].map((block) => block.landings.map(({ at }) => at).sort((a, b) => a - b))
    expect(returns.filter((list) => list.length > 0)).toEqual([
      [10, 15],
      [10, 15],
    ])
  })
  it('does not call what was never called, nor deeper than a few levels', () => {
    expect(plan({ 0: [...call(0, 0x100), RET] }, () => false).instructions).toBe(1)
    const chain = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [n * 0x100, call(n * 0x100, n * 0x100 + 0x100)]),
    )
    // four calls, and a RET behind each of the first three
    expect(plan(chain).instructions).toBe(7)
  })
  it('follows indirect jumps and calls to where they were seen to go, if that is near and warm', () => {
    const jump = plan({ 0: [0xff, 0xe0], 0x100: [NOP, RET] }, (at) => at !== 0x200, 1, { 0: [0x100, 0x200, -8, 5000] })
    expect(jump.instructions).toBe(3)
    const places = { 0: [0xff, 0xd0, RET], 0x100: [NOP, RET], 0x200: [RET] }
    const { blocks, instructions } = plan(places, undefined, 1, { 0: [0x100, 0x200] })
    // both functions return behind the call
    expect(instructions).toBe(5)
    const landings = [...blocks.values()].map((block) => block.landings.map(({ at }) => at))
    expect(landings.filter((list) => list.length > 0)).toEqual([[0x100, 0x200], [2], [2]])
  })
  it('goes on in the second page where it has one', () => {
    const jump = [0xe9, 0xf9, 0x0f, 0, 0]
    expect(plan({ 0: jump, 0xffe: [NOP, 0x83] }).instructions).toBe(2)
    const both = plan({ 0: jump, 0xffe: [NOP, 0x83, 0xc0, 3, RET] }, undefined, 2)
    expect(both.instructions).toBe(4)
    expect(both.ranges).toEqual([
      [0, 5],
      [0xffe, 0x1003],
    ])
  })
})
