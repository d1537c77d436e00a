/** What the monitor shows of memory: `x`, `xp`, `info mem`, `info tlb`. */
import type { AddressSpace } from '../../contract/debug.ts'
import { mapPiece } from '../../debug/address-map.ts'
import { readMemory } from '../../debug/memory.ts'
import { eachPage, pagingOf } from '../../debug/paging.ts'
import { readRegisters } from '../../debug/registers.ts'
import type { Machine } from '../../machine/machine.ts'
import { MonitorError, parseAddress, parseFormat, type Format } from './address.ts'

const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0')

export function examine(machine: Machine, space: AddressSpace, rest: string): string {
  const match = /^(?:\/(\S*)\s*)?(.*)$/.exec(rest)!
  if (match[2] === '') throw new MonitorError('an address is missing')
  const format = parseFormat(match[1] ?? '')
  const { count, size } = format
  const address = parseAddress(match[2]!, () => readRegisters(machine.cpu))
  const { bytes, holes } = readMemory(machine.cpu, space, address, count * size)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // a hole in the first value: nothing to show
  const readable = holes.length === 0 ? count : Math.floor(holes[0]!.offset / size)
  const perLine = (size === 1 ? 8 : 16) / size
  const lines: string[] = []
  for (let first = 0; first < readable; first += perLine) {
    const values: string[] = []
    for (let n = first; n < Math.min(first + perLine, readable); n++)
      values.push(show(valueAt(view, n * size, size), format))
    lines.push(`${hex(BigInt.asUintN(64, address + BigInt(first * size)))}: ${values.join(' ')}`)
  }
  if (readable < count)
    lines.push(`Cannot access memory at 0x${hex(BigInt.asUintN(64, address + BigInt(readable * size)), 1)}`)
  return lines.join('\n')
}

function valueAt(view: DataView, at: number, size: Format['size']): bigint {
  if (size === 8) return view.getBigUint64(at, true)
  if (size === 4) return BigInt(view.getUint32(at, true))
  return BigInt(size === 2 ? view.getUint16(at, true) : view.getUint8(at))
}

function show(value: bigint, { letter, size }: Format): string {
  switch (letter) {
    case 'x':
      return `0x${hex(value, size * 2)}`
    case 'o':
      return `0${value.toString(8).padStart(Math.ceil((size * 8) / 3), '0')}`
    case 'd':
      return BigInt.asIntN(size * 8, value).toString()
    case 'u':
      return value.toString()
    case 'c':
      return `'${value >= 32n && value < 127n ? String.fromCharCode(Number(value)) : `\\x${hex(value, 2)}`}'`
  }
}

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
