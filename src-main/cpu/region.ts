/** What interpreter and translator agree on: handler numbers of records, and how a region is entered and left. */

/** Numbers of handlers with a meaning of their own. */
export const HANDLER = {
  /** Not decoded yet (also what zeroed memory says). */
  decode: 0,
  /** The page ends here: look the next one up. */
  pageEnd: 1,
  /** The instruction goes on in the next page. */
  cross: 2,
  /** A debugger's breakpoint. */
  breakpoint: 3,
  /** A region begins here; the record's displacement is its place in table 0. */
  region: 4,
  /** A region that is to show that it is still used: entering it makes the record HANDLER.region again. */
  asleep: 5,
  first: 6,
} as const

/**
 * A region is a function (linear address of its page, instruction budget) -> REGION_EXIT. It leaves the rest of the budget in
 * state.budget and state.rip at the place to go on.
 */
export const REGION_EXIT = {
  /** Go on at state.rip. */
  go: 0,
  /** An exception is pending; state.rip is the faulting instruction. */
  fault: 1,
  /** The interpreter has to run the instruction at state.rip itself, region or not. */
  restart: 2,
  /** HLT. */
  halt: 3,
  /** The run loop must look before it goes on. */
  look: 4,
} as const

/** Near jumps and calls whose targets only running tells; the interpreter notes them in SEEN_TARGETS. */
export const INDIRECT: ReadonlySet<string> = new Set(['jmp_near', 'call_reg', 'call_mem'])

/** Offset, from a slot's first page-end record, of a byte that says whether the page holds translated code. */
export const SLOT_TRANSLATED = 4
/** And of the mode (modeKey of the decoder) that its records were made for. */
export const SLOT_MODE = 5
/** And of a byte that is set whenever the page enters the code TLB. */
export const SLOT_USED = 6
/** And of a u16: stores to the page since it last entered the code TLB the usual way (mmu/data-pages.ts). */
export const SLOT_STORES = 8

/** One jump of that many is counted. */
export const COUNTED_JUMPS = 16
/**
 * A counted jump of the kernel's counts for so many: its code stays for as long as the machine runs and serves every program, so that
 * translating it pays sooner. A boot of Debian's kernel interprets 296 million instructions with 1 and 196 million with 4, at the same CPU
 * time of the vCPU's thread; the translator's and V8's threads take 1.6 s more of it.
 */
export const KERNEL_WEIGHT = 4
