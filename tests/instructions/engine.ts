// The engine as a snippet machine. The harness around the vCPU is made here; until it stands there is none.
import type { SnippetMachine } from './layout.ts'

export function engineMachine(): SnippetMachine | undefined {
  return undefined
}
