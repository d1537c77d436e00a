/** Puts the vCPU into the state in which a kernel's boot protocol wants it, firmware's registers included. */
import type { InitialCpuState } from '../boot/cpu-state.ts'
import type { Cpu } from '../cpu/cpu.ts'
import { updateBlocked } from '../cpu/helpers/blocked.ts'
import { refreshMode } from '../cpu/helpers/modes.ts'
import { writeMsr } from '../cpu/helpers/msr.ts'
import { resetCpu } from '../cpu/helpers/reset.ts'
import { writeSegment } from '../cpu/helpers/segments.ts'
import { AT, GPR_NAMES, SEGMENTS } from '../cpu/state/layout.ts'
import { MAXPHYADDR } from '../cpu/mmu/access.ts'
import { MMIO } from './layout.ts'

/** Resets the processor, then loads `state`. */
export function enterKernel(cpu: Cpu, state: InitialCpuState): void {
  resetCpu(cpu)
  setUpMtrrs(cpu)
  for (const [name, value] of Object.entries(state.gprs))
    cpu.setGpr(
      GPR_NAMES.findIndex((n) => n === name),
      BigInt(value),
    )
  for (const [name, s] of Object.entries(state.segments))
    writeSegment(
      cpu,
      SEGMENTS.findIndex((n) => n === name),
      { selector: s.selector, base: BigInt(s.base), limit: s.limit >>> 0, attr: s.access },
    )
  cpu.setU64(AT.gdtrBase, BigInt(state.gdtr.base))
  cpu.setU32(AT.gdtrLimit, state.gdtr.limit)
  cpu.setU64(AT.idtrBase, BigInt(state.idtr.base))
  cpu.setU32(AT.idtrLimit, state.idtr.limit)
  cpu.setU64(AT.cr0, BigInt(state.cr0))
  cpu.setU64(AT.cr3, BigInt(state.cr3))
  cpu.setU64(AT.cr4, BigInt(state.cr4))
  updateBlocked(cpu)
  cpu.setU64(AT.efer, BigInt(state.efer))
  cpu.setU64(AT.rip, BigInt(state.rip))
  cpu.setU32(AT.cpl, 0)
  cpu.rflags = state.rflags
  cpu.flushTlb()
  cpu.dropAllCode()
  refreshMode(cpu)
}

const WRITE_BACK = 6n
/** All eight ranges of a fixed-range MTRR write-back. */
const ALL_WRITE_BACK = 0x0606060606060606n
const FIXED_BELOW_640K = [0x250, 0x258]
const FIXED_ROM = [0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f]
const DEF_TYPE_ENABLED = 0xc00n
const VALID = 0x800n

/** What firmware leaves: write-back but for the VGA window and the range of PCI and APIC (SDM vol. 3, 12.11). */
function setUpMtrrs(cpu: Cpu): void {
  const start = BigInt(MMIO.pciWindow.base)
  const size = (1n << 32n) - start
  const mask = ((1n << BigInt(MAXPHYADDR)) - 1n) & ~(size - 1n)
  const writes: [number, bigint][] = [
    ...[...FIXED_BELOW_640K, ...FIXED_ROM].map((index): [number, bigint] => [index, ALL_WRITE_BACK]),
    [0x200, start],
    [0x201, mask | VALID],
    [0x2ff, DEF_TYPE_ENABLED | WRITE_BACK],
  ]
  for (const [index, value] of writes)
    if (!writeMsr(cpu, index, value)) throw new Error(`MTRR ${index.toString(16)} refused ${value.toString(16)}`)
}
