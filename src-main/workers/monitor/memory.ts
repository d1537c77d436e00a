/** What the monitor shows of the page tables: `info mem`, `info tlb`. */
import { mapPiece } from '../../debug/address-map.ts'
import { eachPage, pagingOf } from '../../debug/paging.ts'
import type { Machine } from '../../machine/machine.ts'

const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0')

export function infoMem(machine: Machine): string {
  const lines: string[] = []
  for (let from: bigint | undefined = 0n; from !== undefined;) {
    const piece = mapPiece(machine.cpu, from)
    if (piece.mode === 'off') return 'PG disabled'
    for (const { start, end, rights } of piece.ranges) {
      const { user, kernel } = rights
      const letters = `${user.read ? 'u' : '-'}r${user.write || kernel.write ? 'w' : '-'}`
      lines.push(`${hex(start)}-${hex(end)} ${hex(end - start)} ${letters}`)
    }
    from = piece.next
  }
  return lines.join('\n')
}

/** Lines of one answer; a Linux has some ten thousand pages mapped. */
const MOST_PAGES = 20_000
/** Bits of an entry from the left: no-execute, global, large, dirty, accessed, cache-disable, write-through, user, writable. */
const ENTRY_BITS = [
  [0x100, 'G'],
  [0x80, 'P'],
  [0x40, 'D'],
  [0x20, 'A'],
  [0x10, 'C'],
  [0x8, 'T'],
  [0x4, 'U'],
  [0x2, 'W'],
] as const

export function infoTlb(machine: Machine): string {
  const { cpu } = machine
  const paging = pagingOf(cpu)
  if (paging.mode === 'off') return 'PG disabled'
  const lines: string[] = []
  const whole = eachPage(cpu, paging, (address, entry, shift) => {
    // bit 7 of a 4 KiB page's entry is PAT, not "large"
    const low = shift === 12 ? entry.low & ~0x80 : entry.low
    const bits = ENTRY_BITS.map(([bit, letter]) => (low & bit ? letter : '-')).join('')
    lines.push(`${hex(address)}: ${hex(BigInt(entry.target))} ${entry.high >>> 31 ? 'X' : '-'}${bits}`)
    return lines.length < MOST_PAGES
  })
  if (!whole) lines.push(`(the first ${MOST_PAGES} pages; info mem shows all of them as ranges)`)
  return lines.join('\n')
}
