import { describe, expect, it } from 'vitest'
import { CodeSlots } from './code-slots.ts'
import { memoryMap } from './state/layout.ts'

const SLOTS = 16
const MODE = 1

function slots() {
  const map = memoryMap(1 << 20, 0, SLOTS)
  const bytes = new Uint8Array(map.pages64K * 65536)
  const emptied: number[] = []
  let flushes = 0
  const code = new CodeSlots(new DataView(bytes.buffer), bytes, map, {
    flushCodeTlb: () => flushes++,
    dropWriteTags: () => undefined,
  })
  code.onEmpty = (page) => emptied.push(page)
  return { code, emptied, flushes: () => flushes }
}

describe('slots for pages of code', () => {
  it('go to new pages from those that were not used since room was made', () => {
    const { code, emptied, flushes } = slots()
    for (let page = 0; page < SLOTS; page++) code.baseFor(page, MODE)
    expect(emptied).toEqual([])
    // all of them were in use: the oldest make room, an eighth at a time
    code.baseFor(100, MODE)
    expect(emptied).toEqual([0, 1])
    expect(flushes()).toBe(1)
    code.baseFor(101, MODE)
    // of what is left only these are still used, although they are the oldest
    code.baseFor(2, MODE)
    code.baseFor(4, MODE)
    code.baseFor(102, MODE)
    expect(emptied).toEqual([0, 1, 3, 5])
    expect(flushes()).toBe(2)
  })
  it('keep a page where it is while its mode stays', () => {
    const { code, emptied } = slots()
    const base = code.baseFor(7, MODE)
    expect(code.baseFor(7, MODE)).toBe(base)
    expect(emptied).toEqual([])
    code.baseFor(7, MODE + 1)
    expect(emptied).toEqual([7])
  })
  it('are all free again when everything is forgotten', () => {
    const { code, emptied } = slots()
    for (let page = 0; page < SLOTS; page++) code.baseFor(page, MODE)
    code.dropAll()
    expect(emptied).toHaveLength(SLOTS)
    for (let page = 0; page < SLOTS; page++) code.baseFor(page, MODE)
    expect(emptied).toHaveLength(SLOTS)
  })
})
