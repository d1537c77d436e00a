import { describe, expect, it } from 'vitest'
import { matches } from './match.ts'

describe('the palette finds', () => {
  it('every word anywhere, without accents and case', () => {
    expect(matches('maq nova', 'Nova máquina')).toBe(true)
    expect(matches('', 'anything')).toBe(true)
    expect(matches('nova xyz', 'Nova máquina')).toBe(false)
  })
})
