/**
 * Page tables as data (SDM vol. 3, chapter 4): which mode is on, what its levels are called, what an entry says. Written
 * independently of the engine's own walk (cpu/mmu/walk.ts), which the tests compare it with. PCIDs are ignored: CR3 names the table.
 */
import type { PagingMode, Rights } from '../contract/debug.ts'
import { MAXPHYADDR } from '../cpu/mmu/access.ts'
import { AT } from '../cpu/state/layout.ts'
import { ramOffset, u32, u64, type DebugCpu } from './debug-cpu.ts'

export interface Level {
  readonly name: 'PML4E' | 'PDPTE' | 'PDE' | 'PTE'
  /** An entry stands for 2^shift bytes. */
  readonly shift: number
  readonly entries: number
}
const LEVELS: Readonly<Record<PagingMode, readonly Level[]>> = {
  off: [],
  '32-bit': [
    { name: 'PDE', shift: 22, entries: 1024 },
    { name: 'PTE', shift: 12, entries: 1024 },
  ],
  PAE: [
    { name: 'PDPTE', shift: 30, entries: 4 },
    { name: 'PDE', shift: 21, entries: 512 },
    { name: 'PTE', shift: 12, entries: 512 },
  ],
  '4-level': [
    { name: 'PML4E', shift: 39, entries: 512 },
    { name: 'PDPTE', shift: 30, entries: 512 },
    { name: 'PDE', shift: 21, entries: 512 },
    { name: 'PTE', shift: 12, entries: 512 },
  ],
}

export interface Paging {
  readonly mode: PagingMode
  readonly cr3: bigint
  /** Guest-physical address of the first table. */
  readonly root: number
  readonly levels: readonly Level[]
  readonly entryBytes: 4 | 8
  readonly wp: boolean
  readonly smep: boolean
  readonly smap: boolean
  readonly nxe: boolean
  readonly pse: boolean
}

const CR0_PG = 0x8000_0000
const CR0_WP = 0x1_0000
const CR4_PSE = 0x10
const CR4_PAE = 0x20
const CR4_SMEP = 0x10_0000
const CR4_SMAP = 0x20_0000
const EFER_LMA = 0x400
const EFER_NXE = 0x800

export function pagingOf(cpu: DebugCpu): Paging {
  const [cr0, cr4, efer] = [u32(cpu, AT.cr0), u32(cpu, AT.cr4), u32(cpu, AT.efer)]
  const cr3 = u64(cpu, AT.cr3)
  const wide: PagingMode = efer & EFER_LMA ? '4-level' : cr4 & CR4_PAE ? 'PAE' : '32-bit'
  const mode = cr0 & CR0_PG ? wide : 'off'
  const rootMask = mode === '4-level' ? 0xf_ffff_ffff_f000n : mode === 'PAE' ? 0xffff_ffe0n : 0xffff_f000n
  return {
    mode,
    cr3,
    root: Number(cr3 & rootMask),
    levels: LEVELS[mode],
    entryBytes: mode === '32-bit' ? 4 : 8,
    wp: (cr0 & CR0_WP) !== 0,
    smep: (cr4 & CR4_SMEP) !== 0,
    smap: (cr4 & CR4_SMAP) !== 0,
    nxe: (efer & EFER_NXE) !== 0,
    pse: (cr4 & CR4_PSE) !== 0,
  }
}

const P = 1
export const RW = 2
export const US = 4
const PS = 0x80
const GLOBAL = 0x100
const LARGE_PAT = 0x1000
/** Bit 63, in the upper word. */
const NX_HIGH = 0x8000_0000
/** Bits 51 to MAXPHYADDR, in the upper word. */
const ABOVE_HIGH = 0xfffff & ~((1 << (MAXPHYADDR - 32)) - 1)
/** Reserved bits of a PDPTE in PAE mode (4.4.1). */
const PDPTE_RESERVED = 0x1e6

export interface Entry {
  readonly kind: 'absent' | 'reserved' | 'table' | 'page'
  readonly low: number
  readonly high: number
  /** Guest-physical address of the table or page. */
  readonly target: number
}

/** The entry at `at`, a place in the memory. */
export function readEntry(cpu: DebugCpu, paging: Paging, depth: number, at: number): Entry {
  const low = cpu.view.getUint32(at, true)
  const high = paging.entryBytes === 8 ? cpu.view.getUint32(at + 4, true) : 0
  const level = paging.levels[depth]!
  const above = (high & 0xfffff) * 0x1_0000_0000
  const entry = (kind: Entry['kind'], mask: number, upper = above): Entry => ({
    kind,
    low,
    high,
    target: upper + ((low & mask) >>> 0),
  })
  if (!(low & P)) return entry('absent', 0, 0)
  if (paging.entryBytes === 4) {
    if (level.shift === 12 || !(low & PS) || !paging.pse)
      return entry(level.shift === 12 ? 'page' : 'table', 0xffff_f000, 0)
    if (low & (1 << 21)) return entry('reserved', 0, 0)
    // PSE-36: bits 20..13 are address bits 39..32
    return entry('page', 0xffc0_0000, ((low >>> 13) & 0xff) * 0x1_0000_0000)
  }
  if (high & ABOVE_HIGH || (high & NX_HIGH && !paging.nxe)) return entry('reserved', 0, 0)
  if (paging.mode === 'PAE' && level.shift === 30)
    return low & PDPTE_RESERVED || high & NX_HIGH ? entry('reserved', 0, 0) : entry('table', 0xffff_f000)
  if (level.shift === 12) return entry('page', 0xffff_f000)
  if (!(low & PS)) return entry('table', 0xffff_f000)
  const pageMask = (1 << level.shift) - 1
  if (level.shift === 39 || low & pageMask & 0xffff_f000 & ~LARGE_PAT) return entry('reserved', 0, 0)
  return entry('page', ~pageMask)
}

/** Rights of all levels together: RW and US must be set in all, NX in one is enough. Start with ALL_RIGHTS. */
export const ALL_RIGHTS = RW | US
const NX = 8
export function joinRights(paging: Paging, depth: number, rights: number, entry: Entry): number {
  // PDPTEs of PAE have no rights of their own
  if (paging.mode === 'PAE' && depth === 0) return rights
  const nx = entry.high & NX_HIGH ? NX : 0
  return (rights & entry.low & (RW | US)) | (rights & NX) | nx
}
export const isGlobal = (entry: Entry): boolean => (entry.low & GLOBAL) !== 0

export function rightsOf(paging: Paging, rights: number): Rights {
  const user = (rights & US) !== 0
  const writable = (rights & RW) !== 0
  const execute = (rights & NX) === 0
  const kernelData = !(user && paging.smap)
  return {
    user: { read: user, write: user && writable, execute: user && execute },
    kernel: {
      read: kernelData,
      write: kernelData && (writable || !paging.wp),
      execute: execute && !(user && paging.smep),
    },
  }
}

const WORDS: readonly (readonly [bit: number, word: string])[] = [
  [P, 'present'],
  [RW, 'writable'],
  [US, 'user'],
  [8, 'write-through'],
  [0x10, 'cache-disable'],
  [0x20, 'accessed'],
  [0x40, 'dirty'],
  [GLOBAL, 'global'],
]
/** An entry's bits in words; the lower bits of what is not present belong to the system. */
export function entryWords(entry: Entry): string[] {
  if (entry.kind === 'absent') return []
  const leaf = entry.kind === 'page'
  const words = WORDS.filter(([bit]) => entry.low & bit && (leaf || (bit !== 0x40 && bit !== GLOBAL))).map(
    ([, word]) => word,
  )
  return [...words, ...(entry.high & NX_HIGH ? ['no-execute'] : [])]
}

/** Index of an address in the table of a level. */
export const indexOf = (level: Level, address: bigint): number =>
  Number((address >> BigInt(level.shift)) & BigInt(level.entries - 1))

/** Place in the memory of entry `index` of the table at `table`, or -1. */
export const entryPlace = (cpu: DebugCpu, paging: Paging, table: number, index: number): number =>
  ramOffset(cpu, table + index * paging.entryBytes, paging.entryBytes)

/** 48 address bits: bit 47 and all above are the same. */
export const canonical = (address: bigint): boolean => BigInt.asIntN(48, address) === BigInt.asIntN(64, address)

/** The page that holds `address`: where it begins in guest-physical memory, and 2^shift bytes long. Undefined when there is none. */
export function translate(cpu: DebugCpu, paging: Paging, address: bigint): { page: number; shift: number } | undefined {
  if (paging.mode === 'off') return { page: Number(address & 0xffff_f000n), shift: 12 }
  if (paging.mode === '4-level' && !canonical(address)) return undefined
  let table = paging.root
  for (let depth = 0; depth < paging.levels.length; depth++) {
    const level = paging.levels[depth]!
    const at = entryPlace(cpu, paging, table, indexOf(level, address))
    if (at < 0) return undefined
    const entry = readEntry(cpu, paging, depth, at)
    if (entry.kind === 'page') return { page: entry.target, shift: level.shift }
    if (entry.kind !== 'table') return undefined
    table = entry.target
  }
  return undefined
}

/** Every page in order of address: its entry and size (2^shift). `visit` returns false to stop; the result tells whether all were seen. */
export function eachPage(
  cpu: DebugCpu,
  paging: Paging,
  visit: (address: bigint, entry: Entry, shift: number) => boolean,
): boolean {
  const table = (depth: number, gpa: number, base: bigint): boolean => {
    const level = paging.levels[depth]!
    for (let index = 0; index < level.entries; index++) {
      const at = entryPlace(cpu, paging, gpa, index)
      if (at < 0) continue
      const entry = readEntry(cpu, paging, depth, at)
      const upper = paging.mode === '4-level' && depth === 0 && index >= 256 ? 0xffff_0000_0000_0000n : 0n
      const address = base + upper + (BigInt(index) << BigInt(level.shift))
      if (entry.kind === 'page' && !visit(address, entry, level.shift)) return false
      if (entry.kind === 'table' && !table(depth + 1, entry.target, address)) return false
    }
    return true
  }
  return table(0, paging.root, 0n)
}
