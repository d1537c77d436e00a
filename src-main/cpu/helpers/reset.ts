/** The processor after RESET (SDM vol. 3, table 10-1). */
import type { Cpu } from '../cpu.ts'
import { AT, CS, LDTR, RDX, STATE_FIELDS, TR } from '../state/layout.ts'
import { updateBlocked } from './blocked.ts'
import { DR6_FIXED, DR7_FIXED } from './debug-registers.ts'
import { CR0, refreshMode } from './modes.ts'
import { writeSegment } from './segments.ts'

/** Counters for people: they survive a reset. */
const KEPT: ReadonlySet<string> = new Set([
  'retired',
  'hotAt',
  'hotEvery',
  'hotKernel',
  'regionEntries',
  'regionRestarts',
  'regionInstructions',
  'tlbMisses',
  'pageWalks',
  'tlbFlushes',
  'codeMisses',
  'decoded',
  'codeDrops',
  'tlb',
  'codeTlb',
])
/** Write-back, uncached-, write-through as at power-on (12.12.4). */
const PAT_RESET = 0x0007040600070406n
const DATA = 0x93
/** No instruction pointer is this: no interrupt shadow. */
const NOWHERE = (1n << 64n) - 1n

export function resetCpu(cpu: Cpu): void {
  for (const field of STATE_FIELDS) if (!KEPT.has(field.name)) cpu.bytes.fill(0, field.at, field.at + field.bytes)
  cpu.msrs.clear()
  cpu.setU32(AT.intel, cpu.model.vendor === 'GenuineIntel' ? 1 : 0)
  cpu.setU64(AT.cr0, BigInt(CR0.CD) + BigInt(CR0.NW) + BigInt(CR0.ET))
  cpu.setU64(AT.rip, 0xfff0n)
  cpu.setGpr(RDX, BigInt(cpu.model.signature), 4)
  for (let n = 0; n < 8; n++) writeSegment(cpu, n, { selector: 0, base: 0n, limit: 0xffff, attr: DATA })
  writeSegment(cpu, CS, { selector: 0xf000, base: 0xffff_0000n, limit: 0xffff, attr: DATA })
  writeSegment(cpu, LDTR, { selector: 0, base: 0n, limit: 0xffff, attr: 0x82 })
  writeSegment(cpu, TR, { selector: 0, base: 0n, limit: 0xffff, attr: 0x8b })
  cpu.setU32(AT.gdtrLimit, 0xffff)
  cpu.setU32(AT.idtrLimit, 0xffff)
  cpu.setU64(AT.dr + 48, DR6_FIXED)
  cpu.setU64(AT.dr + 56, DR7_FIXED)
  cpu.setU64(AT.shadowRip, NOWHERE)
  cpu.setU64(AT.pat, PAT_RESET)
  cpu.setU64(AT.xcr0, 1n)
  cpu.setU32(AT.mxcsr, 0x1f80)
  cpu.setU32(AT.fcw, 0x40)
  cpu.setU32(AT.ftw, 0x5555)
  cpu.rflags = 0
  updateBlocked(cpu)
  cpu.flushTlb()
  refreshMode(cpu)
}
