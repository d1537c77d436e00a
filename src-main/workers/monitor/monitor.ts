/** The monitor's commands that the engine answers (contract/monitor.ts), on the vCPU's thread between two slices of guest code. */
import { findCommand, type EngineCommand } from '../../contract/monitor.ts'
import type { MachineConfig } from '../../machine/config.ts'
import type { Machine } from '../../machine/machine.ts'
import { counterText } from '../../machine/monitor.ts'
import { infoBlock, infoIrq, infoMtree, infoPic } from './devices.ts'
import { infoMem, infoTlb } from './memory.ts'
import { infoRegisters } from './registers.ts'

export interface MonitorHost {
  readonly machine: Machine
  readonly config: MachineConfig
  readonly paused: boolean
}

const done = (act: () => void): string => {
  act()
  return ''
}

const commands: Readonly<Record<EngineCommand, (host: MonitorHost) => string>> = {
  'info block': ({ config }) => infoBlock(config),
  'info irq': ({ machine }) => infoIrq(machine),
  'info jit': ({ machine }) => counterText(machine),
  'info mem': ({ machine }) => infoMem(machine),
  'info mtree': ({ machine }) => infoMtree(machine),
  'info pic': ({ machine }) => infoPic(machine),
  'info registers': ({ machine }) => infoRegisters(machine),
  'info status': ({ paused }) => `VM status: ${paused ? 'paused' : 'running'}`,
  'info tlb': ({ machine }) => infoTlb(machine),
  nmi: ({ machine }) => done(() => machine.apic.onNmi?.()),
  system_powerdown: ({ machine }) => done(() => machine.powerButton()),
}

export function monitorReply(host: MonitorHost, line: string): string {
  const found = findCommand(line)
  if (found?.command.by !== 'engine') return `unknown command: '${line.trim()}'`
  return commands[found.command.name](host)
}
