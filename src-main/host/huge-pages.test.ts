import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { preferHugePages } from './huge-pages.ts'

const MIB = 1048576
describe('memory in large pages', () => {
  it('is asked for', () => {
    // a size that no other area of this process has
    const { buffer } = new WebAssembly.Memory({ initial: 1111, maximum: 1111, shared: true })
    expect(preferHugePages(buffer as SharedArrayBuffer)).toBe(true)
    new Uint8Array(buffer)[32 * MIB] = 1
    const areas = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    const area = areas.find((text) => /^Size: +71104 kB$/m.test(text))
    expect(area).toMatch(/^VmFlags:.* hg/m)
  })
})
