/** The time stamp counter as the guest sees it: the machine's plus IA32_TSC_ADJUST (SDM vol. 3, 18.17). */
import type { Cpu } from '../cpu.ts'

const TSC_ADJUST = 0x3b
const TSC_DEADLINE = 0x6e0

export function readTsc(cpu: Cpu): bigint {
  const adjust = cpu.msrs.get(TSC_ADJUST)
  return adjust ? BigInt.asUintN(64, cpu.host.tsc() + adjust) : cpu.host.tsc()
}

export function writeTsc(cpu: Cpu, value: bigint): boolean {
  return writeTscAdjust(cpu, BigInt.asUintN(64, value - cpu.host.tsc()))
}

/** An armed deadline keeps its value in guest ticks: it is set anew for the machine's counter. */
export function writeTscAdjust(cpu: Cpu, value: bigint): boolean {
  const old = cpu.msrs.get(TSC_ADJUST) ?? 0n
  cpu.msrs.set(TSC_ADJUST, value)
  const deadline = cpu.host.apic.readMsr(TSC_DEADLINE)
  if (deadline) cpu.host.apic.writeMsr(TSC_DEADLINE, BigInt.asUintN(64, deadline + old - value) || 1n)
  return true
}
