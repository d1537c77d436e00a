import { describe, expect, it } from 'vitest'
import { SPACE_END } from './address.ts'
import { Place } from './place.svelte.ts'

function place(): Place {
  const fresh = new Place()
  fresh.rows = 30
  return fresh
}

describe('the place that is looked at', () => {
  it('shows a jump a third from above and comes back', () => {
    const at = place()
    at.jump(0xffffffff81000008n)
    expect(at.cursor).toBe(0xffffffff81000008n)
    expect(at.top).toBe(0xffffffff81000000n - 160n)
    at.jump(0x1000n, 'physical')
    expect([at.space, at.canGoBack, at.canGoForward]).toEqual(['physical', true, false])
    at.back()
    expect([at.space, at.cursor, at.canGoForward]).toEqual(['virtual', 0xffffffff81000008n, true])
    at.forward()
    expect(at.cursor).toBe(0x1000n)
  })
  it('does not scroll for a jump within the screen', () => {
    const at = place()
    at.jump(0x10n)
    expect(at.top).toBe(0n)
  })
  it('keeps what is seen when rows become shorter or longer', () => {
    const at = place()
    at.jump(0x10_0000n)
    at.move(16n * 15n)
    const { cursor, top } = at
    at.rowBytes = 8
    expect([at.cursor, at.bottom - at.top]).toEqual([cursor, 240n])
    expect(at.cursor < at.bottom && at.cursor >= at.top).toBe(true)
    at.scroll(1)
    at.rowBytes = 16
    expect(at.top % 16n).toBe(0n)
    at.back()
    at.forward()
    expect(at.top % 16n).toBe(0n)
    expect(top % 16n).toBe(0n)
  })
  it('follows the cursor and stops at both ends', () => {
    const at = place()
    at.move(-1n)
    expect(at.cursor).toBe(0n)
    at.move(16n * 30n)
    expect(at.top).toBe(16n)
    at.scroll(-100)
    expect(at.top).toBe(0n)
    at.jump(SPACE_END - 1n)
    expect(at.bottom).toBe(SPACE_END)
    at.move(1n)
    expect(at.cursor).toBe(SPACE_END - 1n)
    at.scroll(5)
    expect(at.bottom).toBe(SPACE_END)
  })
})
