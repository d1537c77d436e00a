import { describe, expect, it } from 'vitest'
import { makeShare, openDescriptors } from './fixture.ts'
import { canaryState, fuzz, plantCanaries } from './fuzz.ts'

/** The long run (tests/long/share/fuzz.test.ts) sends a million. */
const ROUNDS = process.env['LONGMODE_FUZZ'] === undefined ? 4000 : Number(process.env['LONGMODE_FUZZ']) / 3

describe('mutated messages', () => {
  it.each(['none', 'passthrough', 'mapped-xattr'] as const)(
    'crash nothing, leak nothing and touch nothing outside: %s',
    { timeout: 3_600_000 },
    async (securityModel) => {
      const before = openDescriptors()
      const share = await makeShare({ securityModel, limits: { maxFids: 1000 } })
      plantCanaries(share)
      const canaries = canaryState(share)
      let succeeded = 0
      for (let seed = 1; seed * 1000 <= ROUNDS; seed++) {
        await share.client.version()
        for (let uid = 0; uid < 3; uid++) {
          await share.client.attach(uid)
        }
        succeeded += (await fuzz(share, seed, 1000)).succeeded
        expect(canaryState(share)).toBe(canaries)
        share.server.reset()
        expect(share.folder.openCount).toBe(0)
      }
      expect(succeeded).toBeGreaterThan(ROUNDS / 20)
      expect(share.warnings.filter((text) => text.includes('inside the server'))).toEqual([])
      share.dispose()
      expect(openDescriptors()).toBeLessThanOrEqual(before)
    },
  )
})
