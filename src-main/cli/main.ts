/** `longmode <flags>`: the terminal machine with QEMU's command line. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { defaultMachine, type MachineConfig } from '../machine/config.ts'
import { helpText } from '../machine/qemu-flags/help.ts'
import { parseFlags } from '../machine/qemu-flags/parse.ts'
import { checkFiles } from './check-files.ts'
import { runInTerminal } from './terminal-machine.ts'

const say = (sentence: string) => void process.stderr.write(`longmode: ${sentence}\n`)

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** There is no window on this way in: without a word about the console it is the terminal, as with -nographic. */
function inTerminal(machine: MachineConfig): MachineConfig {
  if (machine.display === 'none') return machine
  const mux = machine.monitor === 'none' && machine.serial.kind === defaultMachine.serial.kind
  return { ...machine, display: 'none', monitor: mux ? 'mux' : machine.monitor }
}

async function main(words: readonly string[]): Promise<number> {
  const parsed = parseFlags(words)
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(`${helpText('longmode')}\n`)
      return 0
    case 'version':
      process.stdout.write(`Longmode ${version()}\n`)
      return 0
    case 'error':
      say(parsed.sentence)
      return parsed.exitCode
    case 'machine': {
      parsed.notes.forEach(say)
      const problem = await checkFiles(parsed.machine)
      if (problem !== undefined) {
        say(problem)
        return 1
      }
      return await runInTerminal(inTerminal(parsed.machine), say)
    }
  }
}

process.exit(await main(process.argv.slice(2)))
