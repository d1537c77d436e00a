import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { acpiConfig, BOOT } from './layout.ts'
import { viewOf } from '../boot/bytes.ts'
import { machine, MIB } from '../boot/test-images.ts'
import { layOutAcpi, placeAcpi } from '../boot/acpi/place.ts'
import { sum8 } from '../boot/acpi/tables.ts'
import { lookUp, parseAml } from './test-aml-reader.ts'
import type { AmlNode } from './test-aml-reader.ts'

const FULL = { cpus: 1, hpet: true, i8042: true, com2: true }
const BARE = { cpus: 4, hpet: false, i8042: false, com2: false }

function tablesOf(parts: typeof FULL): Map<string, Uint8Array> {
  return new Map(layOutAcpi(BOOT, acpiConfig(parts)).map(({ signature, bytes }) => [signature, bytes]))
}

/** Follows the pointers as an operating system does, from the search for the RSDP on. */
function discover(parts: typeof FULL): Map<string, Uint8Array> {
  const { memory } = machine(16 * MIB)
  placeAcpi(memory, BOOT, acpiConfig(parts))
  let rsdp = 0xe_0000
  while (memory.readU64(rsdp) !== 0x2052_5450_2044_5352n) rsdp += 16
  expect(sum8(memory.read(rsdp, 20)!)).toBe(0)
  expect(sum8(memory.read(rsdp, 36)!)).toBe(0)
  const found = new Map<string, Uint8Array>()
  const take = (gpa: number): Uint8Array => {
    const bytes = memory.read(gpa, memory.readU32(gpa + 4)!)!
    const signature = String.fromCharCode(...bytes.subarray(0, 4))
    if (signature !== 'FACS') expect(sum8(bytes), signature).toBe(0)
    found.set(signature, bytes)
    return bytes
  }
  const rsdt = take(memory.readU32(rsdp + 16)!)
  const xsdt = take(Number(memory.readU64(rsdp + 24)))
  const listed = Array.from({ length: (xsdt.length - 36) / 8 }, (_, i) =>
    Number(viewOf(xsdt).getBigUint64(36 + 8 * i, true)),
  )
  expect(Array.from({ length: (rsdt.length - 36) / 4 }, (_, i) => viewOf(rsdt).getUint32(36 + 4 * i, true))).toEqual(
    listed,
  )
  listed.forEach(take)
  const fadt = viewOf(found.get('FACP')!)
  take(fadt.getUint32(36, true))
  take(fadt.getUint32(40, true))
  expect(Number(fadt.getBigUint64(140, true))).toBe(fadt.getUint32(40, true))
  return found
}

describe('ACPI tables', () => {
  it('are found from the RSDP, with right checksums', () => {
    expect([...discover(FULL).keys()].sort()).toEqual(['APIC', 'DSDT', 'FACP', 'FACS', 'HPET', 'RSDT', 'XSDT'])
    expect([...discover(BARE).keys()].sort()).toEqual(['APIC', 'DSDT', 'FACP', 'FACS', 'RSDT', 'XSDT'])
  })

  it('FADT: registers, power button, 8042 only when there is one', () => {
    const fadt = viewOf(discover(FULL).get('FACP')!)
    expect(fadt.byteLength).toBe(244)
    expect([fadt.getUint16(46, true), fadt.getUint32(48, true), fadt.getUint8(52), fadt.getUint8(53)]).toEqual([
      9, 0xb2, 0xf1, 0xf0,
    ])
    expect([56, 64, 76, 80].map((at) => fadt.getUint32(at, true))).toEqual([0x600, 0x604, 0x608, 0xafe0])
    expect(fadt.getUint32(112, true)).toBe(0x4a5)
    expect([fadt.getBigUint64(120, true), fadt.getUint8(128)]).toEqual([0xcf9n, 6])
    expect(fadt.getUint16(109, true)).toBe(7)
    expect(viewOf(discover(BARE).get('FACP')!).getUint16(109, true)).toBe(5)
  })

  it('MADT: processors, IOAPIC, overrides, NMI', () => {
    const madt = discover(BARE).get('APIC')!
    const entries: number[][] = []
    for (let at = 44; at < madt.length; at += madt[at + 1]) entries.push([...madt.subarray(at, at + madt[at + 1])])
    expect(entries.filter(([type]) => type === 0).map((entry) => entry[3])).toEqual([0, 1, 2, 3])
    expect(entries.find(([type]) => type === 1)).toEqual([1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0])
    const overrides = entries.filter(([type]) => type === 2).map((entry) => [entry[3], entry[4], entry[8]])
    expect(overrides).toEqual([[0, 2, 0], [5, 5, 13], [9, 9, 13], [10, 10, 13], [11, 11, 13]]) // prettier-ignore
    expect(entries.at(-1)).toEqual([4, 6, 0xff, 0, 0, 1])
  })

  it('refuses an area that they do not fit', () => {
    const small = { ...BOOT, acpi: { base: BOOT.acpi.base, length: 0x800 } }
    expect(() => layOutAcpi(small, acpiConfig(FULL))).toThrow(/do not fit/)
  })
})

describe('DSDT', () => {
  const parsed = (parts: typeof FULL): AmlNode[] => parseAml(tablesOf(parts).get('DSDT')!.subarray(36))

  it('turns off by SLP_TYP 0', () => {
    const zero: AmlNode = { kind: 'integer', value: 0 }
    expect(lookUp(parsed(FULL), '_S5')).toEqual({ kind: 'package', elements: [zero, zero, zero, zero] })
  })

  it('names the devices that are there, by their EISA ids', () => {
    const ids: [string, number][] = [
      ['PCI0', 0x030a_d041], // PNP0A03
      ['PCI0.ISA.RTC', 0x000b_d041],
      ['PCI0.ISA.COM1', 0x0105_d041],
      ['PCI0.ISA.KBD', 0x0303_d041],
      ['HPET', 0x0301_d041],
    ]
    for (const [path, id] of ids) {
      expect(lookUp(parsed(FULL), `_SB.${path}._HID`), path).toEqual({ kind: 'integer', value: id })
    }
    for (const path of ['PCI0.ISA.KBD', 'PCI0.ISA.COM2', 'HPET']) {
      expect(() => lookUp(parsed(BARE), `_SB.${path}`)).toThrow(/no /)
    }
  })

  it('routes every pin of every slot to a link, and each link to its IRQ, level and active high', () => {
    const dsdt = parsed(FULL)
    const routes = lookUp(dsdt, '_SB.PCI0._PRT')
    if (routes.kind !== 'package') throw new Error('_PRT is no package')
    expect(routes.elements).toHaveLength(31 * 4)
    const linkOf = (slot: number, pin: number): unknown => {
      const entry = routes.elements[(slot - 1) * 4 + pin]
      if (entry.kind !== 'package') throw new Error('a route is no package')
      expect(entry.elements.slice(0, 2)).toEqual([
        { kind: 'integer', value: slot * 0x1_0000 + 0xffff },
        { kind: 'integer', value: pin },
      ])
      return entry.elements[2]
    }
    expect(linkOf(1, 0)).toEqual({ kind: 'reference', path: '\\_SB_.LNKS' })
    expect(linkOf(3, 0)).toEqual({ kind: 'reference', path: '\\_SB_.LNKC' })
    expect(linkOf(4, 1)).toEqual({ kind: 'reference', path: '\\_SB_.LNKA' })
    const irqs = { LNKA: 10, LNKB: 10, LNKC: 11, LNKD: 11, LNKS: 9 }
    for (const [link, irq] of Object.entries(irqs)) {
      const setting = { kind: 'buffer', bytes: Uint8Array.of(0x89, 6, 0, 9, 1, irq, 0, 0, 0, 0x79, 0) }
      expect(lookUp(dsdt, `_SB.${link}._CRS`)).toEqual(setting)
      expect(lookUp(dsdt, `_SB.${link}._PRS`)).toEqual(setting)
    }
  })

  const hasIasl = spawnSync('iasl', ['-v']).status === 0
  it.runIf(hasIasl)('iasl takes every table apart and compiles the DSDT again without a remark', () => {
    const folder = mkdtempSync(join(tmpdir(), 'longmode-acpi-'))
    try {
      for (const parts of [FULL, BARE]) {
        for (const [signature, bytes] of tablesOf(parts)) {
          if (signature === 'RSD ') continue
          const name = join(folder, `${signature}.dat`)
          writeFileSync(name, bytes)
          const said = execFileSync('iasl', ['-d', name], { encoding: 'utf8', stdio: 'pipe' })
          expect(said, signature).not.toMatch(/error|warning|incorrect/i)
          expect(readFileSync(join(folder, `${signature}.dsl`), 'utf8')).not.toMatch(/Invalid|Incorrect checksum/)
        }
        const compiled = execFileSync('iasl', ['-we', join(folder, 'DSDT.dsl')], { encoding: 'utf8', stdio: 'pipe' })
        expect(compiled).toMatch(/0 Errors, 0 Warnings, 0 Remarks/)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
