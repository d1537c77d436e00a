/** Kinds of access to linear memory, as bits. */
export const ACCESS = {
  write: 1,
  user: 2,
  fetch: 4,
  /** A write that reads first (read-modify-write), or a plain read when `write` is not set: MMIO must be read. */
  read: 8,
  /** By the processor itself for descriptor tables and task state: supervisor whatever the CPL, not subject to EFLAGS.AC. */
  implicit: 16,
  /** Relative to SS: a non-canonical address raises #SS instead of #GP. */
  stack: 32,
} as const

/** What state.pageRights says of the page that was walked to: it may be written without another walk; it is a global page. */
export const RIGHT = { write: 1, global: 2 } as const

/** Page-fault error code bits (SDM vol. 3, 4.7). */
export const PF_ERROR = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const

export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const

/** Physical address bits that CPUID 8000_0008h reports. */
export const MAXPHYADDR = 40
