/** One machine in this terminal, from start to exit code. */
import { createWriteStream, type WriteStream } from 'node:fs'
import { StdioConsole } from '../host/terminal/stdio-console.ts'
import type { MachineConfig } from '../machine/config.ts'
import { MachineHandle } from '../workers/machine-handle.ts'
import type { GdbServer } from '../workers/gdb-server.ts'
import { runMonitorCommand, type MonitorTarget } from './monitor.ts'

/** Writes to a file in order; resolves when the system has taken the bytes. */
function fileSink(stream: WriteStream) {
  return (bytes: Uint8Array) => new Promise<void>((resolve) => stream.write(bytes, () => resolve()))
}

/** Opens the -serial file:PATH target, or says why not. */
async function openSerialFile(path: string): Promise<WriteStream | string> {
  const stream = createWriteStream(path)
  return await new Promise((resolve) => {
    stream.once('open', () => resolve(stream))
    stream.once('error', (error) => resolve(`-serial file:${path}: ${error.message}`))
  })
}

/**
 * Opens the port of -gdb when the machine is there to be looked at (gdb waits two seconds for an answer), or says why not; undefined when
 * none is wanted or the machine has ended before.
 */
async function openGdb(
  { gdbPort }: MachineConfig,
  handle: MachineHandle,
  target: MonitorTarget,
): Promise<GdbServer | string | undefined> {
  if (gdbPort === undefined) return undefined
  const isThere = await handle.debug.ask('breakpoints', {}).then(
    () => true,
    () => false,
  )
  if (!isThere) return undefined
  const { openGdbServer } = await import('../workers/gdb-server.ts')
  return await openGdbServer(gdbPort, {
    target: handle.debug,
    monitor: (line) => runMonitorCommand(target, line),
    kill: () => handle.quit(),
  })
}

/** Runs the machine to its end and gives the program's exit code. `say` prints one line for people. */
export async function runInTerminal(
  machine: MachineConfig,
  say: (sentence: string) => void,
  worker?: URL,
): Promise<number> {
  const { serial } = machine
  const file = serial.kind === 'file' ? await openSerialFile(serial.path) : undefined
  if (typeof file === 'string') {
    say(file)
    return 1
  }
  file?.on('error', (error) => say(`-serial: ${error.message}`))
  const toFile = file === undefined ? undefined : fileSink(file)
  const events = {
    // The virtio consoles are the window's; a terminal has room for one.
    output: (bytes: Uint8Array, console: number) =>
      console > 0 ? Promise.resolve() : toFile === undefined ? stdio.write(bytes) : toFile(bytes),
    note: (text: string) => stdio.note(`longmode: ${text}`),
  }
  const handle: MachineHandle = new MachineHandle(machine, events, worker)
  const target = {
    pause: () => handle.pause(),
    resume: () => handle.resume(),
    reset: () => handle.reset(),
    quit: () => handle.quit(),
    ask: (line: string) => handle.monitor(line),
  }
  const stdio: StdioConsole = new StdioConsole(
    {
      send: (bytes) => (serial.kind === 'stdio' ? handle.send(bytes) : Promise.resolve()),
      sendBreak: () => handle.sendBreak(),
      quit: () => handle.quit(),
      monitor: (line) => runMonitorCommand(target, line),
    },
    { serial: serial.kind === 'stdio', monitor: machine.monitor === 'stdio' ? 'only' : machine.monitor },
  )
  stdio.open()
  const gdb = await openGdb(machine, handle, target)
  if (typeof gdb === 'string') handle.quit()
  const end = await handle.ended
  stdio.close()
  await new Promise<void>((resolve) => (file === undefined ? resolve() : file.end(() => resolve())))
  if (typeof gdb === 'string') {
    say(gdb)
    return 1
  }
  gdb?.close()
  if (end.kind === 'exited') return end.code
  say(end.sentence)
  if (end.details !== undefined) say(end.details)
  return 1
}
