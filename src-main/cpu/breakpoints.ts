/**
 * Breakpoints of a debugger outside the machine. The guest sees none of them: no byte of its memory and none of its debug registers changes.
 *
 * Execution: a record whose page offset has a breakpoint is not decoded but made HANDLER.breakpoint, in every page, so that addresses that are
 * not mapped yet work too; run() then ends with EXIT.breakpoint and `strikes` compares the whole address.
 * Data: pages with a watched byte never enter the TLB. Their accesses come to `check`, which ends run() before the instruction with the exception
 * WATCH_VECTOR; the run loop runs that instruction again disarmed, and asks `takeHit` what it did.
 *
 * Whoever runs guest code by other means than records has to stay away while `executing` is true.
 */
import type { CodeSlots } from './code-slots.ts'
import { ACCESS } from './mmu/access.ts'
import { AT } from './state/layout.ts'

/** Beyond all exceptions of the guest. */
export const WATCH_VECTOR = 0x100

export interface Watch {
  readonly address: bigint
  readonly length: number
  readonly kind: 'write' | 'read' | 'access'
}
export interface WatchHit {
  readonly watch: Watch
  readonly access: 'write' | 'read'
}

/** What `check` says about an access. */
export const WATCHED = { no: 0, page: 1, hit: 2 } as const

interface BreakpointCpu {
  setU32(at: number, value: number): void
  pend(vector: number): void
  flushTlb(): void
  /** Translated code stops at no breakpoint: all of it goes. */
  dropRegions(): void
}

export class Breakpoints {
  private readonly cpu: BreakpointCpu
  private readonly code: CodeSlots
  private readonly places = new Set<bigint>()
  private readonly offsets = new Set<number>()
  private watches: readonly Watch[] = []
  private suspended = false
  private armed = true
  private hit: WatchHit | undefined

  constructor(cpu: BreakpointCpu, code: CodeSlots) {
    this.cpu = cpu
    this.code = code
  }

  /** Are there breakpoints on instructions? */
  get executing(): boolean {
    return this.places.size > 0
  }

  /** Linear addresses of instructions to stop before. */
  setPlaces(addresses: readonly bigint[]): void {
    const old = [...this.offsets]
    this.places.clear()
    this.offsets.clear()
    for (const address of addresses) {
      this.places.add(address)
      this.offsets.add(Number(address & 0xfffn))
    }
    for (const offset of [...old, ...this.offsets]) this.code.dropRecords(offset)
    if (this.executing) this.cpu.dropRegions()
  }
  setWatches(watches: readonly Watch[]): void {
    this.watches = watches
    this.cpu.setU32(AT.hostWatch, watches.length > 0 ? 1 : 0)
    this.cpu.flushTlb()
  }

  strikes(address: bigint): boolean {
    return this.places.has(address)
  }
  /** Decoding: is this offset of a page to become a breakpoint? */
  wants(offset: number): boolean {
    return !this.suspended && this.offsets.has(offset)
  }
  /** Runs `act`, one instruction at page offset `offset`, as if there were no breakpoints; data accesses are recorded. */
  without<T>(offset: number, act: () => T): T {
    this.suspended = true
    this.armed = false
    this.hit = undefined
    if (this.offsets.has(offset)) this.code.dropRecords(offset)
    try {
      return act()
    } finally {
      this.suspended = false
      this.armed = true
      if (this.offsets.has(offset)) this.code.dropRecords(offset)
    }
  }

  /** A data access that missed the TLB; a value of WATCHED. */
  check(address: bigint, access: number, size: number): number {
    const page = address & ~0xfffn
    const lastPage = (address + BigInt(size - 1)) & ~0xfffn
    let result: number = WATCHED.no
    for (const watch of this.watches) {
      const end = watch.address + BigInt(watch.length)
      if (watch.address < lastPage + 0x1000n && page < end) result = WATCHED.page
      if (end <= address || address + BigInt(size) <= watch.address) continue
      const writes = (access & ACCESS.write) !== 0
      const reads = !writes || (access & ACCESS.read) !== 0
      if (!(writes && watch.kind !== 'read') && !(reads && watch.kind !== 'write')) continue
      if (this.armed) {
        this.cpu.pend(WATCH_VECTOR)
        return WATCHED.hit
      }
      this.hit ??= { watch, access: writes && watch.kind !== 'read' ? 'write' : 'read' }
    }
    return result
  }
  /** What the instruction run by `without` did to watched bytes. */
  takeHit(): WatchHit | undefined {
    const { hit } = this
    this.hit = undefined
    return hit
  }
  /** Deliveries of exceptions and interrupts are no instructions: their accesses cannot be broken off. */
  unarmed<T>(act: () => T): T {
    const before = this.armed
    this.armed = false
    try {
      return act()
    } finally {
      this.armed = before
    }
  }
}
