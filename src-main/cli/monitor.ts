/** A line typed into the monitor: done here, or answered by the engine (contract/monitor.ts says which). */
import { findCommand, monitorHelp, type OwnerCommand } from '../contract/monitor.ts'

export interface MonitorTarget {
  pause(): void
  resume(): void
  reset(): void
  quit(): void
  /** The machine's answer to one line. */
  ask(line: string): Promise<string>
}

const actions: Readonly<Record<Exclude<OwnerCommand, 'help'>, (target: MonitorTarget) => void>> = {
  stop: (target) => target.pause(),
  cont: (target) => target.resume(),
  system_reset: (target) => target.reset(),
  quit: (target) => target.quit(),
}

export async function runMonitorCommand(target: MonitorTarget, line: string): Promise<string> {
  const found = findCommand(line)
  if (found === undefined) return `unknown command: '${line.trim()}'; help lists them all`
  const { command, rest } = found
  if (command.name === 'help') return monitorHelp()
  if (command.by !== 'owner') return await target.ask(rest === '' ? command.name : `${command.name} ${rest}`)
  actions[command.name](target)
  return ''
}
