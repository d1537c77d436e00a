import { describe, expect, it } from 'vitest'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import { SPACE_END } from './address.ts'
import { MemorySearch } from './memory-search.svelte.ts'

/** A space with the text at these addresses, looked through in pieces. */
function search(...places: bigint[]) {
  const asked: (readonly [bigint, bigint])[] = []
  const api = {
    search: (_id: string, { from, to }: { from: bigint; to: bigint }) => {
      asked.push([from, to])
      const end = from + 0x4000_0000_0000_0000n < to ? from + 0x4000_0000_0000_0000n : to
      const found = places.filter((place) => place >= from && place < end).slice(0, 1)
      return Promise.resolve({ found, ...(end < to ? { next: end } : {}) })
    },
  } as unknown as Longmode['debug']
  return { search: new MemorySearch(api, 'a'), asked }
}

describe('a search', () => {
  it('goes upwards, and round the end', async () => {
    const { search: of } = search(0x1000n, 0x9000n)
    expect(await of.next('virtual', 'Linux', 0x1001n)).toBe(0x9000n)
    expect(await of.next('virtual', 'Linux', 0x9001n)).toBe(0x1000n)
    expect(await of.next('physical', 'Linux', SPACE_END - 1n)).toBe(0x1000n)
    expect([of.found, of.exhausted, of.running]).toEqual([{ address: 0x1000n, length: 5 }, false, false])
  })
  it('that finds nothing has looked everywhere, and once', async () => {
    const { search: of, asked } = search()
    expect(await of.next('virtual', 'Linux', 0x1000n)).toBeUndefined()
    expect(of.exhausted).toBe(true)
    expect(asked.at(-1)).toEqual([0n, 0x1004n])
    expect(asked.filter(([from]) => from < 0x1000n)).toHaveLength(1)
    expect(await of.next('virtual', '', 0n)).toBeUndefined()
  })
})
