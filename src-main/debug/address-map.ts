/** What is mapped in the whole address space, as ranges with the same rights; piece by piece, so that a vCPU is not held up. */
import type { MapPiece, MappedRange } from '../contract/debug.ts'
import type { DebugCpu } from './debug-cpu.ts'
import {
  ALL_RIGHTS,
  entryPlace,
  isGlobal,
  joinRights,
  pagingOf,
  readEntry,
  rightsOf,
  type Entry,
  type Paging,
} from './paging.ts'

/** Entries looked at for one piece: a few milliseconds. */
const ENTRIES = 1 << 16
const RANGES = 4096

interface Open {
  start: bigint
  end: bigint
  rights: number
  global: boolean
  least: number
  most: number
  /** First byte, while it lies in one piece. */
  physical: number | undefined
}

class MapWalk {
  readonly ranges: MappedRange[] = []
  next: bigint | undefined
  private readonly cpu: DebugCpu
  private readonly paging: Paging
  private readonly from: bigint
  private left: number
  private open: Open | undefined

  constructor(cpu: DebugCpu, paging: Paging, from: bigint, entries: number) {
    this.cpu = cpu
    this.paging = paging
    this.from = from
    this.left = entries
  }

  /** False when the work for this piece is done; `next` says where to go on. */
  table(depth: number, gpa: number, base: bigint, rights: number): boolean {
    const { cpu, paging, from } = this
    const level = paging.levels[depth]!
    const step = 1n << BigInt(level.shift)
    for (let index = 0; index < level.entries; index++) {
      // the upper half of 48-bit addresses is the top of 64-bit ones
      const upper = paging.mode === '4-level' && depth === 0 && index >= 256 ? 0xffff_0000_0000_0000n : 0n
      const start = base + upper + BigInt(index) * step
      if (start + step <= from) continue
      if (this.left-- <= 0 || this.ranges.length >= RANGES) {
        this.next = start > from ? start : from
        return false
      }
      const at = entryPlace(cpu, paging, gpa, index)
      if (at < 0 || !(cpu.view.getUint8(at) & 1)) continue
      const entry = readEntry(cpu, paging, depth, at)
      if (entry.kind === 'reserved') continue
      const joined = joinRights(paging, depth, rights, entry)
      if (entry.kind === 'page') this.page(start, level.shift, joined, entry)
      else if (!this.table(depth + 1, entry.target, start, joined)) return false
    }
    return true
  }

  private page(start: bigint, shift: number, rights: number, entry: Entry): void {
    const bytes = 2 ** shift
    const global = isGlobal(entry)
    const cut = start < this.from ? Number(this.from - start) : 0
    const first = start + BigInt(cut)
    const end = start + BigInt(bytes)
    const physical = entry.target + cut
    const { open } = this
    if (open && open.end === first && open.rights === rights && open.global === global) {
      if (open.physical !== undefined && open.physical + Number(first - open.start) !== physical)
        open.physical = undefined
      open.end = end
      open.least = Math.min(open.least, bytes)
      open.most = Math.max(open.most, bytes)
      return
    }
    this.close()
    this.open = { start: first, end, rights, global, least: bytes, most: bytes, physical }
  }

  close(): void {
    const { open } = this
    if (!open) return
    const { start, end, global, least, most, physical } = open
    this.ranges.push({
      start,
      end,
      rights: rightsOf(this.paging, open.rights),
      global,
      pageBytes: { least, most },
      physical: physical === undefined ? undefined : BigInt(physical),
    })
    this.open = undefined
  }
}

/** The ranges at and above `from`. `entries` bounds the work. */
export function mapPiece(cpu: DebugCpu, from: bigint, entries = ENTRIES): MapPiece {
  const paging = pagingOf(cpu)
  const { mode } = paging
  if (mode === 'off') {
    const all = { read: true, write: true, execute: true }
    const end = 0x1_0000_0000n
    const range: MappedRange = {
      start: from,
      end,
      rights: { user: all, kernel: all },
      global: false,
      pageBytes: { least: 4096, most: 4096 },
      physical: from,
    }
    return { mode, ranges: from < end ? [range] : [] }
  }
  const walk = new MapWalk(cpu, paging, from, entries)
  walk.table(0, paging.root, 0n, ALL_RIGHTS)
  walk.close()
  return walk.next === undefined ? { mode, ranges: walk.ranges } : { mode, ranges: walk.ranges, next: walk.next }
}
