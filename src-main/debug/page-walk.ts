/** The page walk of one address, level by level, for people. */
import type { PageWalk, WalkLevel } from '../contract/debug.ts'
import { ramOffset, type DebugCpu } from './debug-cpu.ts'
import {
  ALL_RIGHTS,
  canonical,
  entryPlace,
  entryWords,
  indexOf,
  isGlobal,
  joinRights,
  pagingOf,
  readEntry,
  rightsOf,
} from './paging.ts'

const FREE = { read: true, write: true, execute: true }

export function walkPages(cpu: DebugCpu, address: bigint): PageWalk {
  const paging = pagingOf(cpu)
  const { mode, cr3 } = paging
  const levels: WalkLevel[] = []
  const done = (result: PageWalk['result']): PageWalk => ({ address, mode, cr3, levels, result })
  const backing = (physical: number) => (ramOffset(cpu, physical, 1) < 0 ? 'device' : 'ram')
  if (mode === 'off') {
    const physical = address & 0xffff_ffffn
    const rights = { user: FREE, kernel: FREE }
    return done({
      kind: 'mapped',
      physical,
      pageBytes: 4096,
      rights,
      global: false,
      backing: backing(Number(physical)),
    })
  }
  if (mode === '4-level' && !canonical(address)) return done({ kind: 'non-canonical' })
  let table = paging.root
  let rights = ALL_RIGHTS
  for (const [depth, level] of paging.levels.entries()) {
    const index = indexOf(level, address)
    const gpa = BigInt(table + index * paging.entryBytes)
    const place = entryPlace(cpu, paging, table, index)
    if (place < 0) {
      levels.push({ name: level.name, index, at: gpa, value: undefined, flags: [], target: undefined })
      return done({ kind: 'table-outside-ram', level: depth })
    }
    const entry = readEntry(cpu, paging, depth, place)
    const leads = entry.kind === 'table' || entry.kind === 'page'
    const large = entry.kind === 'page' && level.shift > 12 ? ['large page'] : []
    levels.push({
      name: level.name,
      index,
      at: gpa,
      value: (BigInt(entry.high) << 32n) | BigInt(entry.low),
      flags: [...entryWords(entry), ...large],
      target: leads ? BigInt(entry.target) : undefined,
    })
    if (entry.kind === 'absent') return done({ kind: 'not-present', level: depth })
    if (entry.kind === 'reserved') return done({ kind: 'reserved-bits', level: depth })
    rights = joinRights(paging, depth, rights, entry)
    table = entry.target
    if (entry.kind !== 'page') continue
    const pageBytes = 2 ** level.shift
    const physical = entry.target + Number(address & BigInt(pageBytes - 1))
    return done({
      kind: 'mapped',
      physical: BigInt(physical),
      pageBytes,
      rights: rightsOf(paging, rights),
      global: isGlobal(entry),
      backing: backing(physical),
    })
  }
  throw new Error('a page table of the last level leads to another')
}
