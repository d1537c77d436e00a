import { alignUp } from '../bytes.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import type { BootLayout } from '../types.ts'
import type { AcpiConfig } from './config.ts'
import { buildDsdtBody } from './dsdt.ts'
import { buildFacs, buildFadt, buildHpet, buildMadt, buildRsdp, buildRsdt, buildXsdt, table } from './tables.ts'

export interface PlacedTable {
  readonly signature: string
  readonly gpa: number
  readonly bytes: Uint8Array
}

const RSDP_BYTES = 36
const DSDT_REVISION = 2 // integers of 64 bits

/** All tables with their places: the RSDP first, at the start of the ACPI area, the FACS on its own page. */
export function layOutAcpi(layout: BootLayout, config: AcpiConfig): PlacedTable[] {
  const tables: PlacedTable[] = []
  let next = layout.acpi.base + alignUp(RSDP_BYTES, 16)
  const add = (bytes: Uint8Array): number => {
    const gpa = next
    tables.push({ signature: String.fromCharCode(...bytes.subarray(0, 4)), gpa, bytes })
    next = alignUp(gpa + bytes.length, 16)
    if (next > layout.acpi.base + layout.acpi.length) throw new RangeError('the ACPI tables do not fit their area')
    return gpa
  }
  const facs = layout.facs.base
  tables.push({ signature: 'FACS', gpa: facs, bytes: buildFacs() })
  const dsdt = add(table('DSDT', DSDT_REVISION, buildDsdtBody(config)))
  const listed = [add(buildFadt(config, facs, dsdt)), add(buildMadt(config))]
  if (config.hpet) listed.push(add(buildHpet(config.hpet.base)))
  const rsdt = add(buildRsdt(listed))
  const xsdt = add(buildXsdt(listed))
  tables.unshift({ signature: 'RSD ', gpa: layout.acpi.base, bytes: buildRsdp(rsdt, xsdt) })
  return tables
}

/** Writes the tables into guest RAM and returns the RSDP's address. To be called at every reset, before loadKernel. */
export function placeAcpi(memory: GuestMemory, layout: BootLayout, config: AcpiConfig): number {
  for (const { gpa, bytes } of layOutAcpi(layout, config)) {
    if (!memory.write(gpa, bytes)) throw new RangeError('the ACPI area is not RAM')
  }
  return layout.acpi.base
}
