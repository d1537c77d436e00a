/** A bare vCPU in 64-bit mode for tests. */
import { Cpu } from './cpu.ts'
import type { CpuHost } from './cpu-host.ts'
import { instructionSet } from './instruction-set.ts'
import { AT, memoryMap, segAt } from './state/layout.ts'

const host: CpuHost = {
  mmioRead: (_gpa, target) => target.fill(0xff),
  mmioWrite: () => undefined,
  portRead: () => 0xff,
  portWrite: () => undefined,
  tsc: () => 0n,
  apic: { getTaskPriority: () => 0, setTaskPriority: () => undefined, readMsr: () => undefined, writeMsr: () => false },
  random: (target) => target.fill(4),
  warn: () => undefined,
}

/** A vCPU in 64-bit mode at `code`, physical = linear through one 1 GiB page, CPL 0. */
export function flat64(code: readonly number[], ramMiB = 16): Cpu {
  const map = memoryMap(ramMiB * 1048576, 0, 64)
  const memory = new WebAssembly.Memory({ initial: map.pages64K, maximum: map.pages64K, shared: true })
  const cpu = new Cpu(
    memory,
    map,
    host,
    instructionSet(() => true),
  )
  const ram = map.ramBase
  cpu.view.setBigUint64(ram + 0x1000, 0x2003n, true)
  cpu.view.setBigUint64(ram + 0x2000, 0x83n, true)
  cpu.setU64(AT.cr3, 0x1000n)
  cpu.setU64(AT.cr0, 0x80050033n)
  cpu.setU64(AT.cr4, 0x20n)
  cpu.setU64(AT.efer, 0xd01n)
  cpu.setU32(AT.codeSize, 8)
  cpu.setU32(AT.stackSize, 8)
  cpu.setU64(segAt(1, 'base'), 0n)
  cpu.bytes.set(code, ram + 0x10000)
  cpu.setU64(AT.rip, 0x10000n)
  cpu.setGpr(4, 0x80000n)
  return cpu
}
