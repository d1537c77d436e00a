import type { KernelTree } from '../../src-main/contract/kernel-tree.ts'
import type { Machine } from '../../src-main/contract/services/machines.ts'
import type { Session } from '../app/session.svelte.ts'
import { t } from '../i18n/i18n.svelte.ts'

/** Gives the machine the tree's kernel and starts it; one that runs is ended first, when the user agrees. */
export function bootTree(session: Session, machine: Machine, { folder }: KernelTree): void {
  const { id } = machine
  const { machines, kernel } = session.api
  const start = async () => {
    await machines.change(id, await kernel.bootConfig({ folder }, id))
    session.tab = 'console'
    await machines.start(id)
  }
  const isIdle = ['off', 'failed'].includes(machine.status.state)
  if (isIdle) {
    void session.attempt(start)
    return
  }
  session.confirm(
    t('kernel.restart'),
    t('kernel.restartText', { name: machine.config.name }),
    t('kernel.restart'),
    () => {
      void session.attempt(async () => {
        await machines.kill(id)
        await start()
      })
    },
  )
}
