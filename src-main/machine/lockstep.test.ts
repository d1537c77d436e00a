import { describe, expect, it } from 'vitest'
import { INTEGER } from '../cpu/semantics/integer.ts'
import type { Operation } from '../cpu/semantics/context.ts'
import { Lockstep, type Difference, type Stepped } from './lockstep.ts'
import { bareMachine } from './test-bare-machine.ts'

/** Entered in 64-bit mode: mov ecx, 100000; L: add eax, ecx; xor edx, eax; shl eax, 1; mov [0x300000], eax; dec ecx; jnz L; hlt. */
const code = [
  ...[0xb9, 0xa0, 0x86, 0x01, 0x00],
  ...[0x01, 0xc8, 0x31, 0xc2, 0xd1, 0xe0, 0x89, 0x04, 0x25, 0x00, 0x00, 0x30, 0x00, 0xff, 0xc9, 0x75, 0xef],
  0xf4,
]

function side(operations: Readonly<Record<string, Operation>> | undefined): Stepped {
  const side = bareMachine(code)
  const { built } = side
  if (operations) built.machine.cpu.translateHot(10, { operations })
  const result = built.boot()
  if (!result.ok) throw new Error(result.error.message)
  return side
}

function run(lockstep: Lockstep): Difference | undefined {
  for (let steps = 0; steps < 100; steps++) {
    const difference = lockstep.step()
    if (difference) return difference
  }
  expect(lockstep.compareMemory()).toBe(-1)
  return undefined
}

describe('lockstep', () => {
  it('finds no difference between the translator and the interpreter', () => {
    const translated = side(undefined)
    const { counts } = translated.built.machine.cpu.translateHot(10)
    expect(run(new Lockstep(translated, side(undefined)))).toBeUndefined()
    expect(counts.made).toBeGreaterThan(0)
  })
  it('catches an operation that the translator has wrong, and where', () => {
    const broken: Operation = (c) => {
      const r = c.f.tmp(c.get(0).or(c.get(1)))
      c.set(0, r)
      c.flags('result', r, 0)
    }
    const difference = run(new Lockstep(side({ ...INTEGER, xor: broken }), side(undefined)))
    expect(difference?.fields.join()).toMatch(/rdx: [0-9a-f]{16} translated, [0-9a-f]{16} interpreted/)
  })
})
