/** What Linux keeps where in a 48-bit address space without KASLR for memory regions (Documentation/arch/x86/x86_64/mm.rst). */
import type { Key } from '../i18n/i18n.svelte.ts'

export interface Area {
  readonly start: bigint
  /** First address after it. */
  readonly end: bigint
  readonly name: Key
}

const linuxAreas: readonly Area[] = [
  { start: 0n, end: 0x0000_8000_0000_0000n, name: 'area.user' },
  { start: 0xffff_8000_0000_0000n, end: 0xffff_8880_0000_0000n, name: 'area.guard' },
  { start: 0xffff_8880_0000_0000n, end: 0xffff_c880_0000_0000n, name: 'area.direct' },
  { start: 0xffff_c880_0000_0000n, end: 0xffff_e900_0000_0000n, name: 'area.vmalloc' },
  { start: 0xffff_e900_0000_0000n, end: 0xffff_ec00_0000_0000n, name: 'area.vmemmap' },
  { start: 0xffff_ec00_0000_0000n, end: 0xffff_fe00_0000_0000n, name: 'area.shadow' },
  { start: 0xffff_fe00_0000_0000n, end: 0xffff_ff00_0000_0000n, name: 'area.entry' },
  { start: 0xffff_ff00_0000_0000n, end: 0xffff_ffff_8000_0000n, name: 'area.stacks' },
  { start: 0xffff_ffff_8000_0000n, end: 0xffff_ffff_a000_0000n, name: 'area.text' },
  { start: 0xffff_ffff_a000_0000n, end: 0xffff_ffff_ff00_0000n, name: 'area.modules' },
  { start: 0xffff_ffff_ff00_0000n, end: 0x1_0000_0000_0000_0000n, name: 'area.fixed' },
]

/** With KASLR for memory regions the middle is shuffled, and the kernel's image may take 1 GiB. */
const shuffledAreas: readonly Area[] = [
  { start: 0n, end: 0x0000_8000_0000_0000n, name: 'area.user' },
  { start: 0xffff_8000_0000_0000n, end: 0xffff_8880_0000_0000n, name: 'area.guard' },
  { start: 0xffff_8880_0000_0000n, end: 0xffff_fe00_0000_0000n, name: 'area.shuffled' },
  { start: 0xffff_fe00_0000_0000n, end: 0xffff_ff00_0000_0000n, name: 'area.entry' },
  { start: 0xffff_ff00_0000_0000n, end: 0xffff_ffff_8000_0000n, name: 'area.stacks' },
  { start: 0xffff_ffff_8000_0000n, end: 0xffff_ffff_c000_0000n, name: 'area.text' },
  { start: 0xffff_ffff_c000_0000n, end: 0xffff_ffff_ff00_0000n, name: 'area.modules' },
  { start: 0xffff_ffff_ff00_0000n, end: 0x1_0000_0000_0000_0000n, name: 'area.fixed' },
]

/** Which names fit a map: the direct map begins at its usual place, or it was moved. */
export function areasOf(ranges: readonly { readonly start: bigint }[]): readonly Area[] {
  const usual = ranges.some((range) => range.start >= 0xffff_8880_0000_0000n && range.start < 0xffff_8880_4000_0000n)
  return usual ? linuxAreas : shuffledAreas
}
