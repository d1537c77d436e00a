/**
 * The vCPU's state in the shared memory: one table gives every field its offset. Generated code, helpers, the gdb stub,
 * snapshots and the memory viewer all read this table; no offset is written anywhere else.
 */
export const STATE = 0x1000

type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'bytes'

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** Address in the memory. */
  readonly at: number
  readonly bytes: number
}

const fields: Field[] = []
let next = STATE

function field(name: string, type: FieldType, bytes: number): number {
  const align = type === 'bytes' ? 16 : bytes
  next = Math.ceil(next / align) * align
  fields.push({ name, type, at: next, bytes })
  next += bytes
  return next - bytes
}
const u64 = (name: string): number => field(name, 'u64', 8)
const u32 = (name: string): number => field(name, 'u32', 4)

export const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const
export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7

/** General registers, 8 bytes each, in encoding order. They must stand first: records hold their byte offset from STATE in 8 bits. */
const gpr = GPR_NAMES.map(u64)[0]!
/** Always zero: the base or index register that an effective address does not have. */
const zero = u64('zero')
/** XMM0-15, 16 bytes each, at STATE + 0x100. */
next = STATE + 0x100
const xmm = Array.from({ length: 16 }, (_, i) => field(`xmm${i}`, 'bytes', 16))[0]!
/** x87 physical registers R0-R7 at STATE + 0x200: 64-bit significand (also MM0-7), then sign and exponent (16 bits), 16 bytes apart. */
const st = Array.from({ length: 8 }, (_, i) => field(`st${i}`, 'bytes', 16))[0]!

/** Segment registers in encoding order, then LDTR and TR. */
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const
export const ES = 0
export const CS = 1
export const SS = 2
export const DS = 3
export const FS = 4
export const GS = 5
export const LDTR = 6
export const TR = 7
export const SEGMENT_STRIDE = 32
/** Offsets inside one segment: base (u64), limit in bytes (u32, inclusive), attributes (u32: descriptor bits 40-55 as in bits 8-23 of its high word, shifted right by 8), selector (u32), flat (u32: 1 when base 0, limit 4 GiB-1, present, read/write or code readable: no check needed). */
export const SEG = { base: 0, limit: 8, attr: 12, selector: 16, flat: 20 } as const
const segments = SEGMENTS.map((name) => field(name, 'bytes', SEGMENT_STRIDE))[0]!

/** Values of excSoft. state.rip is then the instruction, for faults of the delivery, and nextRip the one after it, which is saved. */
export const SOFTWARE = { int3: 1, into: 1, int: 2, int1: 3 } as const

export const AT = {
  gpr,
  zero,
  xmm,
  st,
  segments,
  /** Instruction pointer: of the current instruction while it runs in a cold handler or helper, else of the next one. */
  rip: u64('rip'),
  /** Instruction pointer after the current instruction; set for cold handlers and helpers. */
  nextRip: u64('nextRip'),
  /** Effective (linear) address of the current memory operand, for helpers. */
  ea: u64('ea'),
  /** Lazy flags: result and second operand at their natural width; see semantics/flags.ts. */
  ccRes: u64('ccRes'),
  ccB: u64('ccB'),
  ccOp: u32('ccOp'),
  /** RFLAGS without CF PF AF ZF SF OF: TF IF DF IOPL NT RF VM AC VIF VIP ID; bit 1 is kept as zero here. */
  eflags: u32('eflags'),
  cpl: u32('cpl'),
  /** Code size of the current CS: 2, 4 or 8 bytes (16-, 32-, 64-bit mode). */
  codeSize: u32('codeSize'),
  /** Stack address size: 2, 4 or 8. */
  stackSize: u32('stackSize'),
  /** Address of the data TLB set in use (user, supervisor, supervisor with AC). */
  tlb: u64('tlb'),
  /** Address of the code TLB set in use. */
  codeTlb: u64('codeTlb'),
  /** Instructions left in this slice; copied back when the interpreter leaves. */
  budget: u32('budget'),
  /** While rip equals this, interrupts (shadow 1), or debug traps and NMI too (2), wait for one more instruction. */
  shadowRip: u64('shadowRip'),
  shadow: u32('shadow'),
  /** Set while something waits for interrupts to be enabled, or wants the run loop's attention. */
  attention: u32('attention'),
  /** Pending exception: vector, error code, whether there is one, and for a trap of INT n, INT3, INTO, INT1 which (SOFTWARE), else 0. */
  excVector: u32('excVector'),
  excError: u32('excError'),
  excHasError: u32('excHasError'),
  excSoft: u32('excSoft'),
  /** A store went to scratch memory and has to be committed: kind (0 none, 1 MMIO, 2 two pages), gpa or addresses, size. */
  commitKind: u32('commitKind'),
  commitSize: u32('commitSize'),
  commitA: u64('commitA'),
  commitB: u64('commitB'),
  /** Instructions retired since power-on. */
  retired: u64('retired'),
  cr0: u64('cr0'),
  cr2: u64('cr2'),
  cr3: u64('cr3'),
  cr4: u64('cr4'),
  efer: u64('efer'),
  dr: Array.from({ length: 8 }, (_, i) => u64(`dr${i}`))[0]!,
  gdtrBase: u64('gdtrBase'),
  gdtrLimit: u32('gdtrLimit'),
  idtrBase: u64('idtrBase'),
  idtrLimit: u32('idtrLimit'),
  star: u64('star'),
  lstar: u64('lstar'),
  cstar: u64('cstar'),
  fmask: u64('fmask'),
  kernelGsBase: u64('kernelGsBase'),
  sysenterCs: u64('sysenterCs'),
  sysenterEsp: u64('sysenterEsp'),
  sysenterEip: u64('sysenterEip'),
  tscAux: u64('tscAux'),
  pat: u64('pat'),
  xcr0: u64('xcr0'),
  mxcsr: u32('mxcsr'),
  /** Why SSE, MMX and x87 instructions may not run (BLOCKED of helpers/blocked.ts); follows CR0 and CR4. */
  simdBlocked: u32('simdBlocked'),
  /** x87: control, status without TOP, TOP, tags (2 bits per physical register as in the full tag word), last opcode, instruction and data pointers. */
  fcw: u32('fcw'),
  fsw: u32('fsw'),
  ftop: u32('ftop'),
  ftw: u32('ftw'),
  fop: u32('fop'),
  fip: u64('fip'),
  fdp: u64('fdp'),
  fcs: u32('fcs'),
  fds: u32('fds'),
  /** CPUID says GenuineIntel: SYSENTER, SYSCALL and SYSRET behave as Intel's. */
  intel: u32('intel'),
  /** Nonzero while a data breakpoint is armed: accesses to the pages in DR0-3 take the slow path and are compared there. */
  watch: u32('watch'),
  /** DR6 bits of data breakpoints hit by the current instruction. */
  watchHit: u32('watchHit'),
  /** Nonzero while a debugger watches data: accesses that miss the TLB are shown to it. */
  hostWatch: u32('hostWatch'),
  /** An NMI has been delivered and no IRET followed: further ones wait. */
  nmiBlocked: u32('nmiBlocked'),
  /** Mode (decoder's modeKey) for which each code TLB set, user and supervisor, was filled. */
  codeModeUser: u32('codeModeUser'),
  codeModeSupervisor: u32('codeModeSupervisor'),
  /** Of the last page walk: bit 0 the page may be written without another walk, bit 1 global. */
  pageRights: u32('pageRights'),
  /** How often a place must be jumped to before it is offered to the translator; HOT_NEVER: never. */
  hotAt: u32('hotAt'),
  /** Of that many jumps one is counted (a power of 2). */
  hotEvery: u32('hotEvery'),
  /** For how many a counted jump of privilege level 0 counts. */
  hotKernel: u32('hotKernel'),
  /** A region has been dropped since this was last cleared. */
  regionDropped: u32('regionDropped'),
  /** Where a region stopped: offset in its page | instructions not done << 16. */
  regionWhere: u32('regionWhere'),
  /** 0, or 1 + number of a RAM page whose code slot is to be emptied before the next slice: see mmu/data-pages.ts. */
  dataPage: u32('dataPage'),
  /** Counters for `info jit` and the crash report. */
  tlbMisses: u64('tlbMisses'),
  pageWalks: u64('pageWalks'),
  tlbFlushes: u64('tlbFlushes'),
  codeMisses: u64('codeMisses'),
  decoded: u64('decoded'),
  codeDrops: u64('codeDrops'),
  /** Entries from the interpreter into regions, and what they left for it: see REGION_EXIT. */
  regionEntries: u64('regionEntries'),
  regionRestarts: u64('regionRestarts'),
  regionInstructions: u64('regionInstructions'),
} as const

/** Everything above, in order of address. */
export const STATE_FIELDS: readonly Field[] = fields
if (next > STATE + 0x1000) throw new Error('vCPU state is larger than its page')
if (AT.xmm !== STATE + 0x100 || AT.st !== STATE + 0x200) throw new Error('register files moved')

/** Address of a field of a segment register. */
export const segAt = (segment: number, what: keyof typeof SEG): number =>
  AT.segments + segment * SEGMENT_STRIDE + SEG[what]

/** Below this address nothing is valid: host address 0 means "fault". */
/** 64 bytes for a value that has no single place in RAM (MMIO, two pages). */
export const SCRATCH = 0x2000
/** A predecoded record for an instruction that lies on two pages, followed by 16 page-end records. */
export const CROSS_RECORD = 0x2100
export const CONSTANTS = 0x2800

/** Code TLB: 1024 entries of 16 bytes a set: tag (linear page), slot base (u32), unused. */
export const CODE_TLB_ENTRIES = 1024
export const CODE_TLB_SET = CODE_TLB_ENTRIES * 16
export const CODE_TLB_INVALID = 0x30000
export const CODE_TLB_USER = 0x28000
export const CODE_TLB_SUPERVISOR = CODE_TLB_USER + CODE_TLB_SET

/** u32 for each entry of both code TLB sets: number of the RAM page, and whether the translation is a global one. */
export const CODE_PAGES = 0x40000
export const CODE_PAGE_GLOBAL = 0x8000_0000
/** Records of instructions on two pages; see interpreter/cross.ts. */
export const CROSS_CACHE = 0x44000
export const CROSS_ENTRIES = 512
export const CROSS_ENTRY = 48

/**
 * Where indirect jumps and calls were seen to go (cpu/seen-targets.ts): sets by the instruction's record, ways by the target, 8 bytes
 * each: record, then target less instruction (i32).
 */
export const SEEN_TARGETS = 0x50000
export const SEEN_SETS = 4096
export const SEEN_WAYS = 8

/** Second-level TLB (mmu/second-tlb.ts): 16 bytes an entry, then two u64 keys and what it notes of large pages. */
export const SECOND_TLB = 0xa0000
export const SECOND_ENTRIES = 8192
export const SECOND_KEYS = SECOND_TLB + SECOND_ENTRIES * 16
export const LARGE_PAGES = SECOND_KEYS + 16
export const LARGE_PAGES_BYTES = 2048 + 512
/** Entries of the first level with pages that are not global (mmu/local-pages.ts): their number (8 bytes), then a u32 each. */
export const LOCAL_PAGES = 0x8000
export const LOCAL_PAGES_MOST = 2000

/** Data TLB: entries of 32 bytes a set: read tag, write tag, addend (host address - linear address), gpa of the page and its rights. */
export const TLB_ENTRIES = 4096
export const TLB_STRIDE = 32
export const TLB_SET = TLB_ENTRIES * TLB_STRIDE
export const TLB_USER = 0x100000
export const TLB_SUPERVISOR = TLB_USER + TLB_SET
/** Supervisor with EFLAGS.AC = 1 (SMAP lets it touch user pages). */
export const TLB_SUPERVISOR_AC = TLB_SUPERVISOR + TLB_SET
/** Always empty: in use while every access has to take the slow path (alignment checks). */
export const TLB_NEVER = TLB_SUPERVISOR_AC + TLB_SET
/** A set of entries that match nothing: tag bits 12.. differ from the index. Flushing copies it. */
export const TLB_INVALID = TLB_NEVER + TLB_SET

/** Records of instructions that regions hand to the interpreter's handlers: a region keeps its own, whatever becomes of the page's. */
export const REGION_RECORDS = 0xc1000
export const REGION_RECORD_COUNT = 0x3f00

/** u16 for each place that is jumped to (a hash of its record): how often that happened. */
export const HOT_COUNTERS = TLB_INVALID + TLB_SET
export const HOT_COUNTER_BYTES = 0x100000
/** A threshold that no counter ever is at: they are compared after they have been raised. */
export const HOT_NEVER = 0

/** u32 for each RAM page: 0, or 1 + number of the code slot that holds its predecoded records. */
export const PAGE_INFO = HOT_COUNTERS + HOT_COUNTER_BYTES

/** A predecoded record is 16 bytes; a slot has one for each byte of a page, then 16 page-end records. */
export const RECORD = 16
export const SLOT_BYTES = 4096 * RECORD + 16 * RECORD

/** All areas below the slots, in order: [begin, bytes]. Constants that stand far from each other must not meet. */
const AREAS: readonly (readonly [number, number])[] = [
  [STATE, 0x1000],
  [LOCAL_PAGES, 8 + 4 * (LOCAL_PAGES_MOST + 1)],
  [CODE_TLB_USER, 2 * CODE_TLB_SET],
  [CODE_TLB_INVALID, CODE_TLB_SET],
  [CODE_PAGES, 2 * CODE_TLB_ENTRIES * 4],
  [CROSS_CACHE, CROSS_ENTRIES * CROSS_ENTRY],
  [SEEN_TARGETS, SEEN_SETS * SEEN_WAYS * 8],
  [SECOND_TLB, SECOND_ENTRIES * 16 + 16 + LARGE_PAGES_BYTES],
  [REGION_RECORDS, REGION_RECORD_COUNT * RECORD],
  [TLB_USER, 5 * TLB_SET],
  [HOT_COUNTERS, HOT_COUNTER_BYTES],
  [PAGE_INFO, 0],
]
AREAS.forEach(([begin, bytes], n) => {
  const next = AREAS[n + 1]
  if (next && begin + bytes > next[0]) throw new Error(`the areas at ${begin} and ${next[0]} overlap`)
})

/** Where everything of one machine lies in its memory. */
export interface MemoryMap {
  readonly is64: boolean
  readonly slots: number
  /** A byte for each RAM page: the first-level TLB may have write tags for it (mmu/write-tags.ts). */
  readonly writeMarks: number
  readonly slotBase: number
  readonly ramBase: number
  /** RAM below the PCI hole, and above 4 GiB, in bytes. */
  readonly lowSize: number
  readonly highSize: number
  readonly pages64K: number
}

/** Largest memory32. */
const MAX_MEMORY32 = 65535 * 65536

export function memoryMap(lowSize: number, highSize: number, slots = 4096): MemoryMap {
  const ramPages = (lowSize + highSize) / 4096
  const align = (x: number) => Math.ceil(x / 65536) * 65536
  const writeMarks = PAGE_INFO + ramPages * 4
  const slotBase = align(writeMarks + ramPages)
  const ramBase = align(slotBase + slots * SLOT_BYTES)
  const total = align(ramBase + lowSize + highSize)
  return {
    is64: total > MAX_MEMORY32,
    slots,
    writeMarks,
    slotBase,
    ramBase,
    lowSize,
    highSize,
    pages64K: total / 65536,
  }
}

/** Place of a guest-physical address in the memory, or -1 when it is not RAM. */
export function ramAddress({ ramBase, lowSize, highSize }: MemoryMap, gpa: number): number {
  if (gpa < lowSize) return ramBase + gpa
  if (gpa >= 0x1_0000_0000 && gpa < 0x1_0000_0000 + highSize) return ramBase + lowSize + gpa - 0x1_0000_0000
  return -1
}
