/**
 * Looking into a machine: what the window, the monitor and the gdb stub ask of a vCPU, as plain data. `DebugTable` is the list of all
 * requests; contract/vcpu.ts carries them, `Debuggable` is the same list as methods (MachineHandle.debug).
 *
 * A running vCPU answers between two slices of guest code, a paused one at once. Nothing here changes what the guest sees but
 * writeMemory and setRegister: no accessed or dirty bits, no faults, no device registers (addresses outside RAM count as unmapped).
 * Addresses and register values are bigint, 0 to 2^64-1.
 */

/** Which addresses are meant: guest-physical, or linear in the address space that CR3 names now. */
export type AddressSpace = 'physical' | 'virtual'

/* ---- registers ---- */

export type RegisterGroup = 'general' | 'segment' | 'control' | 'debug' | 'system' | 'x87' | 'sse'

export interface RegisterValue {
  /** As the manual writes it, in small letters: `rax`, `cs`, `fs_base`, `cr0`, `xmm3`, `st0`, `lstar`. */
  readonly name: string
  readonly group: RegisterGroup
  /** Width in bits: 16 to 128. */
  readonly bits: number
  readonly value: bigint
  /** What the set bits mean, in the manual's words; empty where bits have no names. */
  readonly flags: readonly string[]
  /** May be changed with setRegister while the machine is paused. */
  readonly settable: boolean
}

export interface RegisterFile {
  readonly registers: readonly RegisterValue[]
  /** Linear address of the next instruction (CS base + RIP), current privilege level, and operand size of the code in bits. */
  readonly at: bigint
  readonly cpl: 0 | 1 | 2 | 3
  readonly codeBits: 16 | 32 | 64
}

/* ---- memory ---- */

export interface MemoryRead {
  /** As long as was asked for; bytes that are not RAM or not mapped are 0. */
  readonly bytes: Uint8Array
  /** What of it could not be read, in order; offsets into `bytes`. */
  readonly holes: readonly { readonly offset: number; readonly length: number; readonly why: 'unmapped' | 'not-ram' }[]
}

/** One read of memory, in bytes, at most. */
export const MOST_READ = 1 << 20

export interface SearchResult {
  /** Addresses where the pattern begins, ascending. */
  readonly found: readonly bigint[]
  /** Where to go on; undefined when the end was reached. */
  readonly next?: bigint
}

/* ---- paging ---- */

export type PagingMode = 'off' | '32-bit' | 'PAE' | '4-level'

/** What a privilege level may do with a page, everything considered (all levels, WP, SMEP, SMAP, NXE). */
export interface Access {
  readonly read: boolean
  readonly write: boolean
  readonly execute: boolean
}
export interface Rights {
  readonly user: Access
  /** With EFLAGS.AC clear, as SMAP wants it in the kernel's ordinary state. */
  readonly kernel: Access
}

export interface WalkLevel {
  /** What the manual calls the entry. */
  readonly name: 'PML4E' | 'PDPTE' | 'PDE' | 'PTE'
  readonly index: number
  /** Guest-physical address of the entry. */
  readonly at: bigint
  /** The entry; undefined when it lies outside RAM. */
  readonly value: bigint | undefined
  /** Its bits in words: `present`, `writable`, `user`, `write-through`, `cache-disable`, `accessed`, `dirty`, `large page`, `global`, `no-execute`. */
  readonly flags: readonly string[]
  /** Guest-physical address of the table or page that it points to, when present. */
  readonly target: bigint | undefined
}

export interface PageWalk {
  readonly address: bigint
  readonly mode: PagingMode
  readonly cr3: bigint
  readonly levels: readonly WalkLevel[]
  readonly result:
    | {
        readonly kind: 'mapped'
        readonly physical: bigint
        /** 4 KiB, 2 MiB, 4 MiB or 1 GiB, in bytes. */
        readonly pageBytes: number
        readonly rights: Rights
        readonly global: boolean
        readonly backing: 'ram' | 'device'
      }
    /** `level` counts in `levels`. */
    | { readonly kind: 'not-present' | 'reserved-bits' | 'table-outside-ram'; readonly level: number }
    | { readonly kind: 'non-canonical' }
}

/** Neighbouring pages with the same rights, mapped in order or not. */
export interface MappedRange {
  /** First address, and the first one after it (2^64 at the very end). */
  readonly start: bigint
  readonly end: bigint
  readonly rights: Rights
  readonly global: boolean
  /** Largest and smallest page in it, in bytes. */
  readonly pageBytes: { readonly least: number; readonly most: number }
  /** Where it lies, when it lies in one piece. */
  readonly physical: bigint | undefined
}

/** A piece of the map of the address space. A range that reaches `next` may go on in the following piece. */
export interface MapPiece {
  readonly mode: PagingMode
  readonly ranges: readonly MappedRange[]
  /** Where to go on; undefined when the end was reached. */
  readonly next?: bigint
}

/* ---- stopping ---- */

export interface Breakpoint {
  /** Before the instruction at a linear address; after a write, a read, or either. */
  readonly kind: 'execute' | 'write' | 'read' | 'access'
  readonly address: bigint
  /** Bytes watched, 1 to 4096; 1 for `execute`. */
  readonly length: number
}

export type StopReason =
  | { readonly kind: 'pause' }
  /** Before the first instruction (-S), or of the kernel after a reset while stopped. */
  | { readonly kind: 'start' }
  | { readonly kind: 'step' }
  | { readonly kind: 'breakpoint'; readonly address: bigint }
  /** `address` is the watched one, `access` what the instruction did. */
  | {
      readonly kind: 'watchpoint'
      readonly address: bigint
      readonly watch: 'write' | 'read' | 'access'
      readonly access: 'write' | 'read'
    }

export interface Stop {
  readonly reason: StopReason
  /** RIP, and the linear address of the next instruction. */
  readonly rip: bigint
  readonly at: bigint
}

/** One of the engine's counters, as `info jit` shows them: since the machine was started. */
export interface EngineCounter {
  readonly name: string
  readonly value: number
  readonly unit?: 'bytes' | 'ms' | '%'
}

/* ---- requests ---- */

/** Every request: what is asked, and what is answered. */
export interface DebugTable {
  registers: { ask: object; answer: RegisterFile }
  /** Only while paused. Refused for names that cannot be set and values that do not fit. */
  setRegister: { ask: { name: string; value: bigint }; answer: undefined }
  /** `length` up to MOST_READ. */
  readMemory: { ask: { space: AddressSpace; address: bigint; length: number }; answer: MemoryRead }
  /** All or nothing. Rights are not looked at: what is mapped to RAM is written. */
  writeMemory: { ask: { space: AddressSpace; address: bigint; bytes: Uint8Array }; answer: undefined }
  walk: { ask: { address: bigint }; answer: PageWalk }
  /** The mapped ranges at and above `from`; bounded work, so go on at `next`. */
  map: { ask: { from: bigint }; answer: MapPiece }
  /** The pattern (1 to 256 bytes) in [from, to); bounded work, so go on at `next`. */
  search: { ask: { space: AddressSpace; from: bigint; to: bigint; pattern: Uint8Array }; answer: SearchResult }
  /** Pauses; answered when the vCPU stands. */
  stop: { ask: object; answer: Stop }
  resume: { ask: object; answer: undefined }
  /** `count` instructions (1 to 1e6) while paused; ends sooner at a breakpoint. Interrupts wait meanwhile. */
  step: { ask: { count: number }; answer: Stop }
  addBreakpoint: { ask: Breakpoint; answer: undefined }
  /** Removing one that is not there is no error. */
  removeBreakpoint: { ask: Breakpoint; answer: undefined }
  breakpoints: { ask: object; answer: readonly Breakpoint[] }
  /** What the engine did: instructions by tier, regions, times, memory, and why code took the slow way. */
  counters: { ask: object; answer: readonly EngineCounter[] }
}

export type DebugKind = keyof DebugTable
export type DebugAnswer<K extends DebugKind> = DebugTable[K]['answer']
/** One request as it is posted. */
export type DebugRequest = {
  [K in DebugKind]: { readonly kind: K; readonly ask: Readonly<DebugTable[K]['ask']> }
}[DebugKind]

/** A request that could not be fulfilled; the message is one plain sentence. */
export class DebugRefused extends Error {}

/** A machine to look into. Promises reject with DebugRefused: the request is refused, or the machine has ended. */
export interface Debuggable {
  ask<K extends DebugKind>(kind: K, ask: DebugTable[K]['ask']): Promise<DebugAnswer<K>>
  /** Called at every stop, whoever wanted it, and at every resumption (undefined). Returns what ends that. */
  onStop(listener: (stop: Stop | undefined) => void): () => void
}
