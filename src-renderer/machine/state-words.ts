/** How the states of a machine look: their words' keys and their colours. */
import type { LastEnd, MachineState } from '../../src-main/contract/services/machines.ts'
import { t } from '../i18n/i18n.svelte.ts'

export const stateWord = (state: MachineState): string => t(`state.${state}`)

export const stateColour: Readonly<Record<MachineState, string>> = {
  off: 'var(--ink-3)',
  preparing: 'var(--accent)',
  starting: 'var(--accent)',
  running: 'var(--good)',
  paused: 'var(--warn)',
  stopping: 'var(--warn)',
  failed: 'var(--bad)',
}

/** How the last run ended, as a short sentence. */
export function endWords(end: LastEnd): string {
  if (end.kind === 'failed') return end.sentence
  return t(`end.${end.reason}`, { code: end.code })
}
