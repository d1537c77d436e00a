/** Starts Electron on the built program and becomes its exit code. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import { appFolder, buildApp } from '../build/app.ts'
import { ELECTRON_V8_WORD } from '../build/v8-flags.ts'

export function runElectron(program: string, say: (sentence: string) => void): Promise<number> {
  buildApp()
  return new Promise((resolve) => {
    const child = spawn(program, [ELECTRON_V8_WORD, appFolder, ...process.argv.slice(2)], { stdio: 'inherit' })
    child.on('error', (error) => {
      say(`Electron could not be started: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}
