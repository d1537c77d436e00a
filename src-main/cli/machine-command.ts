/** The terminal machine with QEMU's command line, from its words to its exit code. */
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

/** Runs a machine in this terminal; `given`: the flags that the user gave. */
export async function start(machine: MachineConfig, given: ReadonlySet<string>): Promise<number> {
  let complete = machine
  // A disk without a kernel is not the default guest: its user meant to start what is on the disk, and checkFiles answers that.
  if (machine.kernel === undefined && machine.disks.length === 0) {
    const { withDefaultGuest } = await import('./with-default-guest.ts')
    const found = await withDefaultGuest(machine, given, say)
    if (typeof found === 'string') {
      say(found)
      return 1
    }
    complete = found
  }
  const problem = await checkFiles(complete)
  if (problem === undefined) return await runInTerminal(inTerminal(complete), say)
  say(problem)
  return 1
}

/** Reads QEMU's flags and does what they say. */
export async function runMachineCommand(words: readonly string[]): Promise<number> {
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
      return await start(parsed.machine, parsed.given)
    }
  }
}
