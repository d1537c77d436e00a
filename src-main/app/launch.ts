/**
 * `npm start` and `longmode` without flags: the window. Where there is no Electron or no display it says so in one line and serves the
 * same app to the browser; the default machine's console is in this terminal too.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { buildWindow } from './build/window.ts'
import { serveInTerminal } from './serve/terminal.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Electron's program, or why there is none. */
export function findElectron(): { readonly program: string } | { readonly reason: string } {
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(root, 'node_modules/electron/dist')
  const names: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
    darwin: 'Electron.app/Contents/MacOS/Electron',
    win32: 'electron.exe',
  }
  const program = path.join(folder, names[process.platform] ?? 'electron')
  if (!existsSync(program))
    return { reason: "Electron's program is not here (it is downloaded by: npx electron --version)" }
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (process.platform === 'linux' && (DISPLAY ?? '') === '' && (WAYLAND_DISPLAY ?? '') === '')
    return { reason: 'there is no display' }
  return { program }
}

export async function launch(say: (sentence: string) => void): Promise<number> {
  const problem = await buildWindow(say)
  if (problem !== undefined) {
    say(problem)
    return 1
  }
  const electron = findElectron()
  if ('reason' in electron) return await serveInTerminal(electron.reason, say)
  const { runElectron } = await import('./electron/run.ts')
  return await runElectron(electron.program, say)
}
