// Where a snippet lives and what its state looks like: the one place, shared by the generator, the native runner
// (native/runner.c repeats the numbers) and the engine's harness.

/** One page of code: a batch of snippets, one a slot, every other byte INT3. */
export const CODE_BASE = 0x2000_0000
export const SLOT_BYTES = 64
/** Offset of the instruction in its slot: room for backward branches before it, for forward ones after it. */
export const ENTRY = 24
/** Snippets in a batch, also the number of cases under one committed hash. */
export const BATCH = 50

/** Two mapped pages with unmapped neighbours; the window lies across their border. The rest of the pages is zero. */
export const WINDOW_PAGES = 0x3000_0000
export const WINDOW_PAGE_BYTES = 0x2000
export const WINDOW_BASE = WINDOW_PAGES + 0xe00
export const WINDOW_BYTES = 1024
/** Selectors of user code and data, as Linux has them; DS, ES, SS and GS hold USER_DS, FS is null. */
export const USER32_CS = 0x23
export const USER_DS = 0x2b
export const USER64_CS = 0x33
/** Base of GS: brings the window into reach of 16-bit addresses. DS, ES, SS and FS have base 0 (FS is never used). */
export const GS_BASE = 0x2fff_8000

/** RFLAGS bits. */
export const FLAG = {
  CF: 1 << 0,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  DF: 1 << 10,
  OF: 1 << 11,
  NT: 1 << 14,
  AC: 1 << 18,
  ID: 1 << 21,
} as const
export const STATUS_FLAGS = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF
/** What a snippet may start with; the rest of RFLAGS is as in a fresh user process: 0x202. */
export const INPUT_FLAGS = STATUS_FLAGS | FLAG.DF | FLAG.AC
/** What is compared afterwards. */
export const COMPARED_FLAGS = INPUT_FLAGS | FLAG.NT | FLAG.ID

/**
 * Byte offsets in a state record (little endian, STATE_BYTES long), before and after alike. Vector 3 is the regular end:
 * RIP then points behind the INT3 that was hit. CS is the selector afterwards. CR2 is zero unless the vector is 14.
 */
export const STATE = {
  gpr: 0, // 16 x u64 in encoding order
  rip: 128,
  rflags: 136,
  vector: 144, // u16
  cs: 146, // u16
  error: 148, // u32
  cr2: 152,
  fx: 160, // FXSAVE64 image, 512 bytes, of which 416 are used
  window: 672,
} as const
export const STATE_BYTES = STATE.window + WINDOW_BYTES

/** Offsets inside the FXSAVE image (SDM vol. 1, 10.5.1). */
export const FX = {
  fcw: 0,
  fsw: 2,
  ftw: 4,
  fop: 6,
  fip: 8,
  fdp: 16,
  mxcsr: 24,
  mxcsrMask: 28,
  st: 32,
  xmm: 160,
  end: 416,
} as const

/** Vectors. */
export const VECTOR = {
  DE: 0,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  XM: 19,
} as const

export type Mode = 'long64' | 'compat32'

/** One instruction with everything it starts from. */
export interface SnippetCase {
  readonly mode: Mode
  /** SLOT_BYTES long, the instruction at ENTRY. */
  readonly code: Uint8Array
  /** STATE_BYTES long; rip, vector, error and cr2 are unused. */
  readonly before: Uint8Array
}

/** Runs up to BATCH snippets, each in the slot of its position, and returns their after-states. */
export interface SnippetMachine {
  run(batch: readonly SnippetCase[]): Uint8Array[]
}
