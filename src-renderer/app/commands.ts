/** Everything that menus, shortcuts and the palette can do: one table. */
import type { WindowCommand } from '../../src-main/contract/services/application.ts'
import type { Machine } from '../../src-main/contract/services/machines.ts'
import { t, type Key } from '../i18n/i18n.svelte.ts'
import type { Session, TabId } from './session.svelte.ts'

export interface Command {
  readonly id: WindowCommand
  readonly label: Key
  /**
   * With Ctrl+Shift (Cmd+Shift on a Mac): plain Ctrl belongs to the guest. A key as KeyboardEvent.code, and none that a browser keeps for itself, as Chromium
   * does N, T and W.
   */
  readonly code?: string
  /** The browser does it itself when the keys are pressed (pasting needs no permission then). */
  readonly native?: true
  readonly available?: (session: Session) => boolean
  readonly run: (session: Session) => void
}

const ofMachine = (allowed: readonly Machine['status']['state'][]) => (session: Session) =>
  session.machine !== undefined && allowed.includes(session.machine.status.state)
const alive = ofMachine(['running', 'paused', 'stopping'])

/** Runs a call about the selected machine. */
function call(session: Session, name: 'start' | 'pause' | 'resume' | 'restart' | 'reset' | 'powerOff' | 'kill'): void {
  const id = session.selected
  if (id !== undefined) void session.attempt(() => session.api.machines[name](id))
}

const show = (tab: TabId) => ({
  available: (session: Session) => session.machine !== undefined,
  run: (session: Session) => {
    session.overlay = undefined
    // A second time it is the way out of a console, which takes all other keys.
    if (session.tab === tab) document.getElementById(`tab-panel-${tab}`)?.focus()
    session.tab = tab
  },
})
const panel = (id: WindowCommand) => ({
  id,
  available: (session: Session) => session.panelCommand(id) !== undefined,
  run: (session: Session) => session.panelCommand(id)?.(),
})

/** Asks first: the guest is not told, so what it has not written is gone. Before there is a guest nothing is. */
export function confirmKill(session: Session): void {
  if (session.machine?.status.state === 'preparing') return call(session, 'kill')
  session.confirm(t('machine.kill'), t('machine.killText'), t('machine.kill'), () => call(session, 'kill'))
}

/** As the reset button: the guest is not told either. */
export function confirmReset(session: Session): void {
  session.confirm(t('machine.reset'), t('machine.resetText'), t('machine.reset'), () => call(session, 'reset'))
}

export async function openFiles(session: Session): Promise<void> {
  const paths = await session.choose({ purpose: 'any', multiple: true })
  if (paths !== undefined && paths.length > 0) session.overlay = { kind: 'drop', paths }
}

export async function openKernelTree(session: Session): Promise<void> {
  const paths = await session.choose({ purpose: 'kernel-tree' })
  if (paths?.[0] === undefined) return
  await showTree(session, paths[0])
}

/** The panel is a machine's: on the first page there is none yet. */
export async function showTree(session: Session, folder: string): Promise<void> {
  session.openTree(folder)
  if (session.machine === undefined && (await session.embedded()) === undefined) return
  session.tab = 'kernel'
}

export const commands: readonly Command[] = [
  { id: 'command-palette', label: 'command.palette', code: 'KeyP', run: (s) => (s.overlay = { kind: 'palette' }) },
  { id: 'new-machine', label: 'command.newMachine', code: 'KeyM', run: (s) => (s.overlay = { kind: 'new-machine' }) },
  { id: 'import-command', label: 'command.import', code: 'KeyI', run: (s) => (s.overlay = { kind: 'import' }) },
  { id: 'open-files', label: 'command.open', code: 'KeyO', run: (s) => void openFiles(s) },
  { id: 'open-kernel-tree', label: 'command.openTree', run: (s) => void openKernelTree(s) },
  { id: 'show-console', label: 'command.showConsole', code: 'Digit1', ...show('console') },
  { id: 'show-memory', label: 'command.showMemory', code: 'Digit2', ...show('memory') },
  { id: 'show-kernel', label: 'command.showKernel', code: 'Digit3', ...show('kernel') },
  { id: 'show-share', label: 'command.showShare', code: 'Digit4', ...show('share') },
  { id: 'show-disks', label: 'command.showDisks', code: 'Digit5', ...show('disks') },
  { id: 'show-settings', label: 'command.showSettings', code: 'Digit6', ...show('settings') },
  {
    id: 'machine-start',
    label: 'machine.start',
    code: 'Enter',
    available: ofMachine(['off', 'failed']),
    run: (s) => call(s, 'start'),
  },
  {
    id: 'machine-pause',
    label: 'command.pause',
    code: 'Period',
    available: ofMachine(['running', 'paused']),
    run: (s) => call(s, s.machine?.status.state === 'paused' ? 'resume' : 'pause'),
  },
  {
    id: 'machine-restart',
    label: 'machine.restart',
    available: ofMachine(['running', 'paused']),
    run: (s) => call(s, 'restart'),
  },
  {
    id: 'machine-power-off',
    label: 'machine.powerOff',
    available: ofMachine(['running']),
    run: (s) => call(s, 'powerOff'),
  },
  { id: 'machine-reset', label: 'machine.reset', available: alive, run: confirmReset },
  {
    id: 'machine-kill',
    label: 'machine.kill',
    available: ofMachine(['preparing', 'starting', 'running', 'paused', 'stopping']),
    run: confirmKill,
  },
  { ...panel('find'), label: 'command.find', code: 'KeyF' },
  { ...panel('copy'), label: 'command.copy', code: 'KeyC' },
  { ...panel('paste'), label: 'command.paste', code: 'KeyV', native: true },
  { ...panel('select-all'), label: 'command.selectAll', code: 'KeyA' },
  { ...panel('zoom-in'), label: 'command.zoomIn', code: 'Equal' },
  { ...panel('zoom-out'), label: 'command.zoomOut', code: 'Minus' },
  { ...panel('zoom-reset'), label: 'command.zoomReset', code: 'Digit0' },
  { id: 'settings', label: 'command.preferences', code: 'Comma', run: (s) => (s.overlay = { kind: 'preferences' }) },
  { id: 'about', label: 'command.about', run: (s) => (s.overlay = { kind: 'about' }) },
]

export function runCommand(session: Session, id: WindowCommand): void {
  const command = commands.find((candidate) => candidate.id === id)
  if (command !== undefined && (command.available?.(session) ?? true)) command.run(session)
}

/** The shortcut as it is shown: "Ctrl+Shift+F", "⇧⌘F". */
export function keysOf(command: Command, platform: string | undefined): string | undefined {
  if (command.code === undefined) return undefined
  const names: Readonly<Record<string, string>> = { Equal: '+', Minus: '−', Comma: ',', Period: '.', Enter: '↵' }
  const key = names[command.code] ?? command.code.replace(/^(Key|Digit)/, '')
  return platform === 'darwin' ? `⇧⌘${key}` : `Ctrl+Shift+${key}`
}

/** The command of a key press, if it is one. */
export function commandOf(event: KeyboardEvent, platform: string | undefined): Command | undefined {
  const mod = platform === 'darwin' ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
  if (!mod || !event.shiftKey || event.altKey) return undefined
  return commands.find((command) => command.code === event.code)
}
