/** Bare vCPUs for tests: without a machine, and in 64-bit mode with all memory flat. */
import { generateCore } from './core.ts'
import { Cpu } from './cpu.ts'
import type { CpuHost } from './cpu-host.ts'
import { instructionSet, type InstructionSet } from './instruction-set.ts'
import { AT, memoryMap, segAt } from './state/layout.ts'

/** A machine in which there is nothing but the vCPU. */
const noDevices: CpuHost = {
  mmioRead: (_gpa, target) => target.fill(0xff),
  mmioWrite: () => undefined,
  portRead: () => 0xff,
  portWrite: () => undefined,
  tsc: () => 0n,
  apic: { getTaskPriority: () => 0, setTaskPriority: () => undefined, readMsr: () => undefined, writeMsr: () => false },
  random: (target) => target.fill(4),
  warn: () => undefined,
}

/** A vCPU with RAM and nothing else, as it is before reset. `cachePages`: slots for pages of predecoded code. */
export function bareCpu(
  ramBytes: number,
  cachePages: number,
  set: InstructionSet = instructionSet(() => true),
  host: Partial<CpuHost> = {},
): Cpu {
  const map = memoryMap(ramBytes, 0, cachePages)
  const memory = new WebAssembly.Memory({ initial: map.pages64K, maximum: map.pages64K, shared: true })
  return new Cpu(memory, map, { ...noDevices, ...host }, generateCore(map, set))
}

const PML4 = 0x1000
const PDPT = 0x2000
/** Present, writable; and a 1 GiB page. */
const TABLE = 0x3n
const LARGE_PAGE = 0x83n

/** Puts a vCPU into 64-bit mode: physical = linear through one 1 GiB page, CPL 0. */
export function enterFlat64(cpu: Cpu): void {
  const ram = cpu.map.ramBase
  cpu.view.setBigUint64(ram + PML4, BigInt(PDPT) | TABLE, true)
  cpu.view.setBigUint64(ram + PDPT, LARGE_PAGE, true)
  cpu.setU64(AT.cr3, BigInt(PML4))
  cpu.setU64(AT.cr0, 0x8005_0033n)
  cpu.setU64(AT.cr4, 0x20n)
  cpu.setU64(AT.efer, 0xd01n)
  cpu.setU32(AT.codeSize, 8)
  cpu.setU32(AT.stackSize, 8)
  cpu.setU64(segAt(1, 'base'), 0n)
}

/** Code stands here when a test does not say otherwise. */
export const FLAT_CODE = 0x10000

/** A vCPU in 64-bit mode at `code`, RSP = 0x80000. */
export function flat64(code: readonly number[], ramMiB = 16): Cpu {
  const cpu = bareCpu(ramMiB * 1048576, 64)
  enterFlat64(cpu)
  cpu.bytes.set(code, cpu.map.ramBase + FLAT_CODE)
  cpu.setU64(AT.rip, BigInt(FLAT_CODE))
  cpu.setGpr(4, 0x80000n)
  return cpu
}
