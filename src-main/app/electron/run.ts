/** Starts Electron on the built main process and becomes its exit code. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export function runElectron(program: string, say: (sentence: string) => void): Promise<number> {
  const main = fileURLToPath(new URL('../../../dist/main/main.js', import.meta.url))
  return new Promise((resolve) => {
    const child = spawn(program, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
    child.on('error', (error) => {
      say(`Electron could not be started: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}
