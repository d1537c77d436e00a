import type { MachineConfig } from '../../src-main/contract/machine-config.ts'
import type { Session } from '../app/session.svelte.ts'

/** Puts a machine into the library, shows it, and starts it when asked to. */
export async function newMachine(session: Session, config: MachineConfig, start: boolean): Promise<void> {
  const machine = await session.attempt(() => session.api.machines.create(config))
  if (machine === undefined) return
  session.machines.set(machine.id, machine)
  session.select(machine.id)
  session.tab = start ? 'console' : 'settings'
  session.close()
  if (start) await session.attempt(() => session.api.machines.start(machine.id))
}
