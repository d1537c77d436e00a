/** Guest memory read, written and searched without the guest noticing: no faults, no accessed bits, no device registers. */
import { DebugRefused, MOST_READ, type AddressSpace, type MemoryRead, type SearchResult } from '../contract/debug.ts'
import { mapPiece } from './address-map.ts'
import { ramOffset, type DebugCpu } from './debug-cpu.ts'
import { pagingOf, translate, type Paging } from './paging.ts'

const PAGE = 4096
const TOP = 1n << 64n
/** Physical addresses above this lie beyond any RAM, and may not be exact as numbers. */
const MOST_PHYSICAL = 1n << 52n

interface Piece {
  /** Offset in the request. */
  readonly offset: number
  readonly length: number
  /** Place in the memory, or why there is none. */
  readonly at: number | 'unmapped' | 'not-ram'
}

/** Where a byte range lies, page by page. Addresses wrap around at the top. */
function* pieces(cpu: DebugCpu, space: AddressSpace, address: bigint, length: number): Generator<Piece> {
  const paging = space === 'virtual' ? pagingOf(cpu) : undefined
  for (let offset = 0; offset < length;) {
    const here = BigInt.asUintN(64, address + BigInt(offset))
    const inPage = Number(here & BigInt(PAGE - 1))
    const size = Math.min(length - offset, PAGE - inPage)
    yield { offset, length: size, at: placeOf(cpu, paging, here, size) }
    offset += size
  }
}

function placeOf(cpu: DebugCpu, paging: Paging | undefined, address: bigint, size: number): Piece['at'] {
  let physical: number
  if (paging) {
    const page = translate(cpu, paging, address)
    if (!page) return 'unmapped'
    physical = page.page + Number(address & BigInt(2 ** page.shift - 1))
  } else {
    if (address >= MOST_PHYSICAL) return 'not-ram'
    physical = Number(address)
  }
  const at = ramOffset(cpu, physical, size)
  return at < 0 ? 'not-ram' : at
}

/** Throws DebugRefused for a length that is too large. */
export function readMemory(cpu: DebugCpu, space: AddressSpace, address: bigint, length: number): MemoryRead {
  if (!(Number.isSafeInteger(length) && length >= 0 && length <= MOST_READ))
    throw new DebugRefused(`at most ${MOST_READ} bytes can be read at once`)
  const bytes = new Uint8Array(length)
  const holes: { offset: number; length: number; why: 'unmapped' | 'not-ram' }[] = []
  for (const piece of pieces(cpu, space, address, length)) {
    if (typeof piece.at === 'number') {
      bytes.set(cpu.bytes.subarray(piece.at, piece.at + piece.length), piece.offset)
      continue
    }
    const last = holes.at(-1)
    if (last && last.why === piece.at && last.offset + last.length === piece.offset) last.length += piece.length
    else holes.push({ offset: piece.offset, length: piece.length, why: piece.at })
  }
  return { bytes, holes }
}

/** All or nothing. Throws DebugRefused when a byte of it is not RAM. */
export function writeMemory(cpu: DebugCpu, space: AddressSpace, address: bigint, data: Uint8Array): void {
  if (data.length > MOST_READ) throw new DebugRefused(`at most ${MOST_READ} bytes can be written at once`)
  const places = [...pieces(cpu, space, address, data.length)]
  const bad = places.find(({ at }) => typeof at !== 'number')
  if (bad) {
    const where = BigInt.asUintN(64, address + BigInt(bad.offset)).toString(16)
    throw new DebugRefused(`nothing was written: 0x${where} is ${bad.at === 'unmapped' ? 'not mapped' : 'not RAM'}`)
  }
  for (const { at, offset, length } of places) {
    if (typeof at !== 'number') continue
    cpu.bytes.set(data.subarray(offset, offset + length), at)
    cpu.written(at, length)
  }
}

/** Bytes looked at for one answer: some ten milliseconds. */
const SEARCH_BYTES = 16 << 20
const CHUNK = 1 << 16
const MOST_FOUND = 1000
const MOST_PATTERN = 256

/** Ranges of the space at and above `from` that can hold anything. */
function candidates(cpu: DebugCpu, space: AddressSpace, from: bigint): { ranges: [bigint, bigint][]; next?: bigint } {
  if (space === 'virtual') {
    const { ranges, next } = mapPiece(cpu, from)
    const pairs = ranges.map(({ start, end }): [bigint, bigint] => [start, end])
    return next === undefined ? { ranges: pairs } : { ranges: pairs, next }
  }
  const { lowSize, highSize } = cpu.map
  const high = 1n << 32n
  const all: [bigint, bigint][] = [
    [0n, BigInt(lowSize)],
    [high, high + BigInt(highSize)],
  ]
  const ranges = all
    .filter(([, end]) => end > from)
    .map(([start, end]): [bigint, bigint] => [start > from ? start : from, end])
  return { ranges }
}

/** Finds a pattern in [from, to), also across pages that are neighbours in this space only. */
export function searchMemory(
  cpu: DebugCpu,
  space: AddressSpace,
  from: bigint,
  to: bigint,
  pattern: Uint8Array,
): SearchResult {
  if (pattern.length < 1 || pattern.length > MOST_PATTERN)
    throw new DebugRefused(`a search is for 1 to ${MOST_PATTERN} bytes`)
  const found: bigint[] = []
  const limit = to < TOP ? to : TOP
  const { ranges, next } = candidates(cpu, space, from)
  let left = SEARCH_BYTES
  for (const [start, end] of ranges) {
    for (let at = start; at < end && at < limit;) {
      if (left <= 0 || found.length >= MOST_FOUND) return { found, next: at }
      const stop = [at + BigInt(CHUNK), end, limit].reduce((a, b) => (a < b ? a : b))
      left -= Number(stop - at)
      searchChunk(cpu, space, at, Number(stop - at), limit, pattern, found)
      at = stop
    }
  }
  return next === undefined || next >= limit ? { found } : { found, next }
}

/** Matches that begin in [start, start+length); they may end after it. */
function searchChunk(
  cpu: DebugCpu,
  space: AddressSpace,
  start: bigint,
  length: number,
  limit: bigint,
  pattern: Uint8Array,
  found: bigint[],
): void {
  const beyond = limit - start
  const wanted = length + pattern.length - 1
  const { bytes, holes } = readMemory(cpu, space, start, beyond < BigInt(wanted) ? Number(beyond) : wanted)
  for (let at = bytes.indexOf(pattern[0]!); at >= 0 && at < length; at = bytes.indexOf(pattern[0]!, at + 1)) {
    const end = at + pattern.length
    if (end > bytes.length) return
    if (!pattern.every((byte, n) => bytes[at + n] === byte)) continue
    if (holes.some((hole) => at < hole.offset + hole.length && hole.offset < end)) continue
    found.push(start + BigInt(at))
  }
}
