import { describe, expect, it } from 'vitest'
import { instructionSet } from '../instruction-set.ts'
import { deadFlags } from './dead-flags.ts'
import { InstructionReader, type Insn } from './instructions.ts'

const set = instructionSet(() => true)
const reader = new InstructionReader(set.rows, set.operations, new Map())

function read(bytes: readonly number[]): Insn[] {
  const insns: Insn[] = []
  for (let at = 0; at < bytes.length; at = insns.at(-1)!.next)
    insns.push(reader.read(Uint8Array.from(bytes), at, { codeSize: 8, stackSize: 8 })!)
  return insns
}
const dead = (...insns: readonly number[][]): number[] => [...deadFlags(read(insns.flat()))].sort()

const ADD = [0x01, 0xd8]
const MOV = [0x89, 0xc1]
const XOR = [0x31, 0xd2]
const COMPARE_MEMORY = [0x3b, 0x0e]
const ADC = [0x83, 0xd3, 0]
const INC = [0xff, 0xc0]
const SHIFT = [0xd3, 0xe0]
const JZ = [0x74, 0]

describe('dead flags', () => {
  it('are those that the next instruction with flags sets all', () => {
    expect(dead(ADD, MOV, XOR)).toEqual([0])
    expect(dead(ADD, ADD, ADD)).toEqual([0, 1])
  })
  it('are not those that somebody reads', () => {
    expect(dead(ADD, ADC, XOR)).toEqual([])
    expect(dead(ADD, INC, XOR)).toEqual([])
    expect(dead(ADD, JZ)).toEqual([])
  })
  it('are not those that a fault, a shift by zero or the end of the block lets be seen', () => {
    expect(dead(ADD, COMPARE_MEMORY, XOR)).toEqual([1])
    expect(dead(ADD, SHIFT, XOR)).toEqual([])
    expect(dead(ADD, MOV)).toEqual([])
  })
})
