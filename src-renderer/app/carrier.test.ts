// @vitest-environment jsdom
import { describe, expect, it } from 'vitest'
import { TOKEN_KEY } from '../../src-main/contract/bridge.ts'
import { takeToken } from './carrier.ts'

describe('the token', () => {
  it('is taken out of the address and kept for a reload', () => {
    history.replaceState(null, '', '/?a=b#secret')
    sessionStorage.clear()
    expect(takeToken(location, sessionStorage, history)).toBe('secret')
    expect(location.hash).toBe('')
    expect(location.search).toBe('?a=b')
    expect(sessionStorage.getItem(TOKEN_KEY)).toBe('secret')
    expect(takeToken(location, sessionStorage, history)).toBe('secret')
  })
})
