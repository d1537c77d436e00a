import type { Machine } from '../../src-main/contract/services/machines.ts'
import type { Session } from '../app/session.svelte.ts'

/** Everything that is kept of a console (0: the serial port), as plain text, to a file: chosen in the system's dialog, or downloaded in a browser. */
export async function saveLog(session: Session, machine: Machine, console: number): Promise<void> {
  const text = await session.attempt(() => session.api.machines.consoleText(machine.id, console, { plain: true }))
  if (text === undefined) return
  const which = console === 0 ? '' : `-${machine.consoles[console] ?? ''}`
  const name = `${machine.config.name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}${which}.log`
  if (session.host?.carrier !== 'electron') {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
    link.download = name
    link.click()
    URL.revokeObjectURL(link.href)
    return
  }
  const paths = await session.choose({ purpose: 'save-log', name })
  if (paths?.[0] === undefined) return
  const [path] = paths
  await session.attempt(() => session.api.application.saveText(path, text))
}
