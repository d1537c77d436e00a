/** The threads that compile the engine's code step back for those that a guest waits for. */
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'

/** What Node calls the threads on which V8 compiles and collects garbage. */
export const V8_THREADS = 'V8Worker'

/**
 * Gives this process' threads of these names (as in /proc/PID/task/TID/comm, 15 bytes) that niceness, 0 to 19. Best effort: on Linux alone threads have one
 * of their own, and elsewhere, or with threads of other names, everything works as before. Returns how many were found.
 */
export function stepBack(names: readonly string[], niceness: number): number {
  if (process.platform !== 'linux') return 0
  let found = 0
  for (const thread of threads()) {
    try {
      if (!names.includes(readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trimEnd())) continue
      os.setPriority(Number(thread), niceness)
      found++
    } catch {
      // it has ended, or may not be changed
    }
  }
  return found
}

function threads(): string[] {
  try {
    return readdirSync('/proc/self/task')
  } catch {
    return []
  }
}
