import { ByteWriter } from './bytes.ts'
import type { GpaRange } from './types.ts'

const TABLE_BYTES = 4096
const ENTRIES = 512
const GIGABYTES = 4
const LARGE_PAGE = 0x20_0000
const PRESENT_WRITE = 0x3
const PAGE_SIZE = 0x80 // in a page directory entry: maps 2 MiB

/**
 * Identity mapping of the first 4 GiB in 2 MiB pages (SDM 3A §4.5): PML4, PDPT and four page directories, in this order.
 * 2 MiB pages, because every 64-bit CPU has them. All that the loader places lies below 4 GiB.
 */
export function identityPageTables(place: GpaRange): Uint8Array {
  const pdpt = place.base + TABLE_BYTES
  const directories = pdpt + TABLE_BYTES
  const out = new ByteWriter()
  out.u64(pdpt + PRESENT_WRITE).zeroes(TABLE_BYTES - 8)
  for (let i = 0; i < GIGABYTES; i++) out.u64(directories + i * TABLE_BYTES + PRESENT_WRITE)
  out.align(TABLE_BYTES)
  for (let i = 0; i < GIGABYTES * ENTRIES; i++) out.u64(i * LARGE_PAGE + PAGE_SIZE + PRESENT_WRITE)
  return out.done()
}
