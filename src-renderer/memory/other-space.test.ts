import { describe, expect, it } from 'vitest'
import type { MapPiece, MappedRange, PageWalk } from '../../src-main/contract/debug.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import { OtherSpace } from './other-space.ts'

const DIRECT = 0xffff_8880_0000_0000n
const TEXT = 0xffff_ffff_8100_0000n
const USER = 0x5555_5555_4000n

/** [virtual, length, physical]: the text lies in the direct map once more, as in Linux; the user's page lies outside of it. */
type Piece = readonly [bigint, bigint, bigint | undefined]
const usual: readonly Piece[] = [
  [USER, 0x1000n, 0x1_0000_0000n],
  [0xffff_8800_0000_0000n, 0x4000n, undefined],
  [DIRECT, 0x100_0000n, 0n],
  [DIRECT + 0x100_0000n, 0x700_0000n, 0x100_0000n],
  [TEXT, 0x20_0000n, 0x100_0000n],
]

/** Tells the map one range at a time. */
function space(pieces: readonly Piece[]) {
  const state = { pieces }
  const walk = (_id: string, address: bigint) => {
    const found = state.pieces.find(([start, length]) => address >= start && address < start + length)
    const result =
      found?.[2] === undefined
        ? { kind: 'not-present', level: 1 }
        : { kind: 'mapped', physical: found[2] + (address - found[0]), pageBytes: 0x1000 }
    return Promise.resolve({ result } as PageWalk)
  }
  const map = (_id: string, from: bigint) => {
    const [first, second] = state.pieces.filter(([start]) => start >= from)
    const ranges = first === undefined ? [] : [{ start: first[0], end: first[0] + first[1], physical: first[2] }]
    const next = second === undefined ? {} : { next: second[0] }
    return Promise.resolve({ mode: '4-level', ranges: ranges as unknown as MappedRange[], ...next } as MapPiece)
  }
  return { other: new OtherSpace({ walk, map } as unknown as Longmode['debug'], 'a'), state }
}

describe('the same byte in the other space', () => {
  it('lies where the page walk says, and the way back is the way there', async () => {
    const { other } = space(usual)
    expect(await other.of(TEXT + 0x180n, 'physical')).toBe(0x100_0180n)
    expect(await other.of(0x100_0180n, 'virtual')).toBe(TEXT + 0x180n)
    expect(await other.of(0x100_0ff8n, 'virtual')).toBe(TEXT + 0xff8n)
    expect(await other.of(USER + 8n, 'physical')).toBe(0x1_0000_0008n)
    expect(await other.of(0x1_0000_0000n, 'virtual')).toBe(USER)
  })
  it('is in the direct map for whoever came from elsewhere', async () => {
    const { other, state } = space(usual)
    expect(await other.of(0x100_0180n, 'virtual')).toBe(DIRECT + 0x100_0180n)
    await other.of(TEXT, 'physical')
    expect(await other.of(0x100_1000n, 'virtual')).toBe(DIRECT + 0x100_1000n)
    expect(await other.of(0x7ff_ffffn, 'virtual')).toBe(DIRECT + 0x7ff_ffffn)
    // The guest took the text away; the page that it lay in is there still.
    state.pieces = usual.slice(0, 4)
    expect(await other.of(0x100_0000n, 'virtual')).toBe(DIRECT + 0x100_0000n)
  })
  it('is nowhere where nothing is mapped', async () => {
    const { other } = space(usual)
    expect(await other.of(0x1000n, 'physical')).toBeUndefined()
    expect(await other.of(0x800_0000n, 'virtual')).toBeUndefined()
    expect(await other.of(0x1_0000_0000n, 'virtual')).toBeUndefined()
    expect(await space([]).other.of(0n, 'virtual')).toBeUndefined()
  })
})
