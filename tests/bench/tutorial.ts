/** A machine as the tutorial has it: its own kernel, a Debian disk with systemd. How long to the login, and from a reset to the kernel's first line. */
import { GuestConsole, type Machine } from '../boot/guest-console.ts'
import { debianDisk, HOST_NAME } from '../long/tutorial/debian-disk.ts'
import { tutorialKernel } from '../long/tutorial/tutorial-kernel.ts'
import { BOOT_LIMIT, isCost, reasonOf, timed, type Outcome } from './measure.ts'

export const TUTORIAL_ROWS = [
  'boot of the tutorial kernel with systemd to the login',
  'reset to the next first line',
] as const

export async function measureTutorial(machine: Machine): Promise<ReadonlyMap<string, Outcome>> {
  const costs = new Map<string, Outcome>()
  const note = (name: string, outcome: Outcome): void => {
    costs.set(name, outcome)
    console.log(`${machine}: ${name} ${isCost(outcome) ? `${outcome.cpu.toFixed(2)} s` : outcome.failed}`)
  }
  let guest: GuestConsole | undefined
  const [boot, reset] = TUTORIAL_ROWS
  try {
    const flags = [
      ...['-drive', `file=${debianDisk()},format=raw,index=0,media=disk,snapshot=on`],
      ...['-m', '512M', '-nographic', '-cpu', 'max', '-kernel', tutorialKernel()],
      ...['-append', 'root=/dev/sda rw console=ttyS0 loglevel=6'],
    ]
    const started = new GuestConsole(machine, flags)
    guest = started
    note(boot, await timed(started, () => started.expect(`${HOST_NAME} login: `, BOOT_LIMIT)))
    // Ctrl-a c: the monitor, on both
    started.type('\u0001c')
    await started.expect(/\((qemu|longmode)\) /, 20)
    const restart = (): Promise<string> => {
      started.type('system_reset\r')
      return started.expect('Linux version', 60)
    }
    note(reset, await timed(started, restart))
  } catch (error) {
    note(costs.has(boot) ? reset : boot, { failed: reasonOf(error) })
  } finally {
    await guest?.kill()
  }
  return costs
}
