/** A segment register with its hidden part. */
export interface SegmentState {
  readonly selector: number
  readonly base: number
  /** In bytes, inclusive: 0xffff_ffff for a flat segment. */
  readonly limit: number
  /**
   * Access rights as bits 8..23 of a descriptor's high half, shifted down by 8 (SDM 3A §3.4.5): type 0-3, S 4, DPL 5-6, P 7,
   * AVL 12, L 13, D/B 14, G 15. 0 (not present) means unusable.
   */
  readonly access: number
}

export interface TableState {
  readonly base: number
  /** In bytes, inclusive. */
  readonly limit: number
}

/** General registers that are not named are 0. Values are unsigned and below 2^53. */
export type InitialRegisters = Partial<Record<'rax' | 'rbx' | 'rcx' | 'rdx' | 'rsi' | 'rdi' | 'rbp' | 'rsp', number>>

/** What the boot CPU is to be in when the kernel gets it. Everything else is as after RESET (SDM 3A §10.1.1). */
export interface InitialCpuState {
  readonly rip: number
  readonly rflags: number
  readonly gprs: InitialRegisters
  readonly segments: Readonly<Record<'cs' | 'ds' | 'es' | 'ss' | 'fs' | 'gs' | 'ldtr' | 'tr', SegmentState>>
  readonly gdtr: TableState
  readonly idtr: TableState
  readonly cr0: number
  readonly cr3: number
  readonly cr4: number
  readonly efer: number
}

export const CR0_PE = 0x1
export const CR0_ET = 0x10
export const CR0_PG = 0x8000_0000
export const CR4_PAE = 0x20
export const EFER_LME = 0x100
export const EFER_LMA = 0x400
/** Bit 1 of RFLAGS is always set; IF, DF, TF and VM are clear. */
export const RFLAGS_RESET = 0x2

/** Selectors that the Linux boot protocol names __BOOT_CS and __BOOT_DS. */
export const BOOT_CS = 0x10
export const BOOT_DS = 0x18
export const BOOT_TR = 0x20

const ACCESS_CODE32 = 0xc09b // G, D; present, code, execute/read, accessed
const ACCESS_CODE64 = 0xa09b // G, L
const ACCESS_DATA = 0xc093 // G, B; present, data, read/write, accessed
const ACCESS_TSS_BUSY = 0x008b // 32-bit TSS, and the 64-bit one in long mode
const FLAT_LIMIT = 0xffff_ffff
const TSS_LIMIT = 0x67

const UNUSABLE: SegmentState = { selector: 0, base: 0, limit: 0, access: 0 }

/** Five descriptors: null, unused, __BOOT_CS, __BOOT_DS, and a TSS that nobody switches to (PVH asks for one). */
export function bootGdt(mode: 'protected' | 'long'): Uint8Array {
  const gdt = new Uint8Array(GDT_BYTES)
  const view = new DataView(gdt.buffer)
  view.setBigUint64(BOOT_CS, descriptor(FLAT_LIMIT, mode === 'long' ? ACCESS_CODE64 : ACCESS_CODE32), true)
  view.setBigUint64(BOOT_DS, descriptor(FLAT_LIMIT, ACCESS_DATA), true)
  // A 64-bit TSS would need a second entry, so long mode has no descriptor to reload TR from; it is set in the hidden part.
  if (mode === 'protected') view.setBigUint64(BOOT_TR, descriptor(TSS_LIMIT, ACCESS_TSS_BUSY), true)
  return gdt
}

export const GDT_BYTES = 40

/** A descriptor with base 0 (SDM 3A figure 3-8). */
function descriptor(limit: number, access: number): bigint {
  const units = access & 0x8000 ? Math.floor(limit / 4096) : limit
  const high = ((units >>> 16) << 16) | ((access & 0xf000) << 8) | ((access & 0xff) << 8)
  return (BigInt(high >>> 0) << 32n) | BigInt(units & 0xffff)
}

export interface EntryState {
  readonly rip: number
  readonly gprs: InitialRegisters
  /** Where bootGdt's bytes lie. */
  readonly gdt: number
}

/** 32-bit protected mode, flat segments, paging off. */
export function protectedModeState(entry: EntryState): InitialCpuState {
  return flatState(entry, ACCESS_CODE32, { cr0: CR0_PE | CR0_ET, cr3: 0, cr4: 0, efer: 0 })
}

/** 64-bit mode with paging on; `pml4` is the physical address of the tables that identityPageTables made. */
export function longModeState(entry: EntryState, pml4: number): InitialCpuState {
  const cr0 = CR0_PG + CR0_ET + CR0_PE // a sum: bit 31 would make `|` negative
  return flatState(entry, ACCESS_CODE64, { cr0, cr3: pml4, cr4: CR4_PAE, efer: EFER_LME | EFER_LMA })
}

function flatState(
  entry: EntryState,
  codeAccess: number,
  control: Pick<InitialCpuState, 'cr0' | 'cr3' | 'cr4' | 'efer'>,
): InitialCpuState {
  const data: SegmentState = { selector: BOOT_DS, base: 0, limit: FLAT_LIMIT, access: ACCESS_DATA }
  return {
    rip: entry.rip,
    rflags: RFLAGS_RESET,
    gprs: entry.gprs,
    segments: {
      cs: { selector: BOOT_CS, base: 0, limit: FLAT_LIMIT, access: codeAccess },
      ds: data,
      es: data,
      ss: data,
      fs: data,
      gs: data,
      ldtr: UNUSABLE,
      tr: { selector: BOOT_TR, base: 0, limit: TSS_LIMIT, access: ACCESS_TSS_BUSY },
    },
    gdtr: { base: entry.gdt, limit: GDT_BYTES - 1 },
    idtr: { base: 0, limit: 0 },
    ...control,
  }
}
