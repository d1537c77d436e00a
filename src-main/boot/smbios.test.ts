import { describe, expect, it } from 'vitest'
import { sum8 } from './acpi/tables.ts'
import { viewOf } from './bytes.ts'
import { buildSmbios } from './smbios.ts'

const BASE = 0xf_0000
const bytes = buildSmbios(BASE, { version: '0.1.0', ram: { low: 0xc000_0000, high: 0x4000_0000 } })
const view = viewOf(bytes)

/** Walks the structures as dmidecode does: by length, then to the double NUL after the strings. */
function structures(): { type: number; formatted: Uint8Array; strings: string[] }[] {
  const found = []
  let at = view.getUint32(0x18, true) - BASE
  const end = at + view.getUint16(0x16, true)
  while (at < end) {
    const formatted = bytes.subarray(at, at + bytes[at + 1])
    let stop = at + bytes[at + 1]
    while (bytes[stop] !== 0 || bytes[stop + 1] !== 0) stop++
    const text = String.fromCharCode(...bytes.subarray(at + formatted.length, stop))
    found.push({ type: bytes[at], formatted, strings: text.split('\0').filter((value) => value !== '') })
    at = stop + 2
  }
  expect(at).toBe(end)
  return found
}

describe('SMBIOS', () => {
  it('has an entry point with both checksums', () => {
    expect(String.fromCharCode(...bytes.subarray(0, 4), ...bytes.subarray(0x10, 0x15))).toBe('_SM__DMI_')
    expect(sum8(bytes.subarray(0, 31))).toBe(0)
    expect(sum8(bytes.subarray(0x10, 31))).toBe(0)
    expect(view.getUint16(0x1c, true)).toBe(structures().length)
  })

  it('says who made the system, and how much memory it has', () => {
    const [bios, system, , array, module] = structures()
    expect(bios.strings).toEqual(['Longmode', '0.1.0', '01/01/2026'])
    expect(system.strings[0]).toBe('Longmode')
    expect(viewOf(array.formatted).getUint32(7, true)).toBe(4 * 1024 * 1024) // KiB
    expect(viewOf(module.formatted).getUint16(12, true)).toBe(4096) // MiB
    expect(structures().map(({ type, formatted }) => [type, formatted.length])).toEqual([[0, 24], [1, 27], [3, 22], [16, 23], [17, 40], [127, 4]]) // prettier-ignore
  })
})
