import type { BootLayout, RamSplit } from './types.ts'

/** Address range types of INT 15h E820 (ACPI §15.2). */
export const E820_RAM = 1
export const E820_RESERVED = 2
export const E820_ACPI = 3
export const E820_NVS = 4

export interface E820Entry {
  readonly base: number
  readonly length: number
  readonly type: number
}

/** The memory map that every boot protocol hands over, ascending and without overlaps. */
export function e820Map(layout: BootLayout, ram: RamSplit): E820Entry[] {
  const { ebda, acpi, facs, smbios, firmwareEnd, highRamBase } = layout
  const map: E820Entry[] = [
    { base: 0, length: ebda.base, type: E820_RAM },
    { base: ebda.base, length: ebda.length, type: E820_RESERVED },
    { base: acpi.base, length: acpi.length, type: E820_ACPI },
    { base: facs.base, length: facs.length, type: E820_NVS },
    { base: smbios.base, length: firmwareEnd - smbios.base, type: E820_RESERVED },
  ]
  if (ram.low > firmwareEnd) map.push({ base: firmwareEnd, length: ram.low - firmwareEnd, type: E820_RAM })
  if (ram.high > 0) map.push({ base: highRamBase, length: ram.high, type: E820_RAM })
  return map
}
