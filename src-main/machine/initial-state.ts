/** Puts a vCPU into the state of RESET (SDM vol. 3, table 9-1) and then into the one in which a kernel is entered. */
import type { InitialCpuState } from '../boot/cpu-state.ts'
import type { Cpu } from '../cpu/cpu.ts'
import { updateBlocked } from '../cpu/helpers/blocked.ts'
import { setCpl, setSegment, updateMode } from '../cpu/helpers/segments.ts'
import { AT, GPR_NAMES, SEGMENTS, STATE_FIELDS } from '../cpu/state/layout.ts'

const PAT_RESET = 0x0007040600070406n
/** Fields that are not the guest's: what the engine counts and where its tables are. */
const KEPT: ReadonlySet<string> = new Set([
  'tlb',
  'codeTlb',
  'retired',
  'tlbMisses',
  'tlbFlushes',
  'codeMisses',
  'decoded',
  'codeDrops',
])

function reset(cpu: Cpu): void {
  for (const { name, at, bytes } of STATE_FIELDS) if (!KEPT.has(name)) cpu.bytes.fill(0, at, at + bytes)
  cpu.msrs.clear()
  cpu.setU64(AT.pat, PAT_RESET)
  cpu.setU64(AT.xcr0, 1n)
  cpu.setU32(AT.mxcsr, 0x1f80)
  cpu.setU32(AT.fcw, 0x40)
  cpu.setU32(AT.ftw, 0x5555)
  cpu.setU64(AT.dr + 48, 0xffff0ff0n)
  cpu.setU64(AT.dr + 56, 0x400n)
  cpu.setU64(AT.shadowRip, (1n << 64n) - 1n)
}

export function enterKernel(cpu: Cpu, state: InitialCpuState): void {
  reset(cpu)
  GPR_NAMES.forEach((name, n) => {
    const value = (state.gprs as Readonly<Record<string, number | undefined>>)[name]
    cpu.setGpr(n, BigInt(value ?? 0))
  })
  cpu.setU64(AT.cr0, BigInt(state.cr0))
  cpu.setU64(AT.cr3, BigInt(state.cr3))
  cpu.setU64(AT.cr4, BigInt(state.cr4))
  updateBlocked(cpu)
  cpu.setU64(AT.efer, BigInt(state.efer))
  SEGMENTS.forEach((name, n) => {
    const { selector, base, limit, access } = state.segments[name]
    setSegment(cpu, n, { selector, base: BigInt(base), limit, attr: access })
  })
  cpu.setU64(AT.gdtrBase, BigInt(state.gdtr.base))
  cpu.setU32(AT.gdtrLimit, state.gdtr.limit)
  cpu.setU64(AT.idtrBase, BigInt(state.idtr.base))
  cpu.setU32(AT.idtrLimit, state.idtr.limit)
  setCpl(cpu, 0)
  updateMode(cpu)
  cpu.rflags = state.rflags
  cpu.setU64(AT.rip, BigInt(state.rip))
  cpu.flushTlb()
  cpu.dropAllCode()
}
