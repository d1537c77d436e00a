/** Register offsets in the 4 KiB page; the x2APIC MSR is 0x800 + offset / 16 (SDM Vol. 3, tables 11-1 and 11-6). */
// prettier-ignore
export const REG = {
  ID: 0x020, VERSION: 0x030, TPR: 0x080, APR: 0x090, PPR: 0x0a0, EOI: 0x0b0, RRD: 0x0c0, LDR: 0x0d0, DFR: 0x0e0,
  SVR: 0x0f0, ISR: 0x100, TMR: 0x180, IRR: 0x200, ESR: 0x280, ICR: 0x300, ICR_HIGH: 0x310, LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330, LVT_PMC: 0x340, LVT_LINT0: 0x350, LVT_LINT1: 0x360, LVT_ERROR: 0x370, TIMER_INITIAL: 0x380,
  TIMER_CURRENT: 0x390, TIMER_DIVIDE: 0x3e0, SELF_IPI: 0x3f0,
} as const

export const MODE = { FIXED: 0, LOWEST: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const
export const MODE_NAMES = ['fixed', 'lowest priority', 'SMI', 'reserved', 'NMI', 'INIT', 'start-up', 'ExtINT'] as const

export const LVT_MASKED = 0x10000
/** Writable bits of each local vector table entry (SDM Vol. 3 §11.5.1); delivery status and remote IRR are read-only. */
export const LVT_WRITABLE: Readonly<Record<number, number>> = {
  [REG.LVT_TIMER]: 0x700ff,
  [REG.LVT_THERMAL]: 0x107ff,
  [REG.LVT_PMC]: 0x107ff,
  [REG.LVT_LINT0]: 0x1a7ff,
  [REG.LVT_LINT1]: 0x1a7ff,
  [REG.LVT_ERROR]: 0x100ff,
}

export const ESR = { SEND_ILLEGAL_VECTOR: 0x20, RECEIVED_ILLEGAL_VECTOR: 0x40, ILLEGAL_REGISTER: 0x80 } as const
export const SVR_ENABLE = 0x100

export const BASE = { BSP: 0x100n, X2APIC: 0x400n, ENABLE: 0x800n } as const
export const DEFAULT_BASE = 0xfee00000n
/** 40 physical address bits, as CPUID leaf 0x80000008 says; more bits are reserved. */
const BASE_VALID = 0xff_ffff_f000n | BASE.BSP | BASE.X2APIC | BASE.ENABLE

/** May IA32_APIC_BASE go from `now` to `value`? Not with a reserved bit, nor by a forbidden change of mode (SDM Vol. 3 §11.12.5). */
export function mayBecomeBase(now: bigint, value: bigint): boolean {
  const mode = BASE.ENABLE | BASE.X2APIC
  if (value & ~BASE_VALID || (value & mode) === BASE.X2APIC) return false
  if ((value & mode) === mode) return (now & BASE.ENABLE) !== 0n
  return (value & mode) !== BASE.ENABLE || (now & BASE.X2APIC) === 0n
}

/** Version 0x14 (integrated APIC), five the highest local vector table entry, no EOI-broadcast suppression. */
export const VERSION = 0x50014
export const SNAPSHOT_VERSION = 1
export const MSI_ADDRESS = 0xfee00000

/** x2APIC registers that read as their xAPIC namesakes (SDM Vol. 3 table 11-6). */
export const X2APIC_PLAIN: ReadonlySet<number> = new Set([
  ...[REG.VERSION, REG.TPR, REG.PPR, REG.SVR, REG.ESR, REG.TIMER_INITIAL, REG.TIMER_CURRENT, REG.TIMER_DIVIDE],
  ...Object.keys(LVT_WRITABLE).map(Number),
  ...Array.from({ length: 24 }, (_, index) => REG.ISR + 16 * index),
])
