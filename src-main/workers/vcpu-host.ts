/** What a vCPU worker is to its machine: files, memory, consoles; and what it tells its owner when it cannot go on. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ByteRing } from '../base/byte-ring.ts'
import type { Log } from '../base/log.ts'
import type { ConsoleBuffers, FromVcpu } from '../contract/vcpu.ts'
import type { ConsoleBackend, TerminalSize } from '../devices/backends.ts'
import type { MachineConfig } from '../machine/config.ts'
import { allocateMemory, type MachineBackends, type MachineMemory } from '../machine/machine.ts'
import { IoStartError } from './io/start.ts'

/** Something of the user's cannot be used; the message is one sentence. */
export class HostError extends Error {}

export const noteLog = (post: (message: FromVcpu) => void): Log => ({
  warn: (room, text) => post({ type: 'note', text: `${room}: ${text}` }),
  info: () => undefined,
})

/** A console's other end: two rings. */
export class RingConsole implements ConsoleBackend {
  onReadable: (() => void) | undefined
  onBreak: (() => void) | undefined
  onResize: ((size: TerminalSize) => void) | undefined
  private readonly input: ByteRing
  private readonly output: ByteRing

  constructor({ input, output }: ConsoleBuffers) {
    this.input = new ByteRing(input)
    this.output = new ByteRing(output)
  }
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.output.write(bytes.subarray(at))
      at += taken
      if (taken === 0) this.output.waitForRoom(1000)
    }
  }
  /** A mark in the ring is a break: it comes between the characters that it was sent between, and takes a place as they do. */
  read(max: number): Uint8Array {
    const bytes = this.input.read(max)
    if (bytes.length > 0 || max === 0 || !this.input.takeMark()) return bytes
    this.onBreak?.()
    return this.input.read(max - 1)
  }
}

function readFile(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new HostError(`cannot read the ${what} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

/** What the RTC shows at power-on. */
export function startSeconds(rtc: MachineConfig['rtc']): number {
  const now = Math.floor(Date.now() / 1000)
  if (rtc.base === 'utc') return now
  if (rtc.base === 'date') return Math.floor(Date.parse(`${rtc.at}Z`) / 1000)
  return now - new Date().getTimezoneOffset() * 60
}

export function bootFiles({
  kernel,
  initrd,
}: MachineConfig): Pick<MachineBackends, 'kernel' | 'kernelName' | 'initrd'> {
  return {
    kernel: kernel === undefined ? undefined : readFile(kernel, 'kernel'),
    kernelName: kernel === undefined ? '' : basename(kernel),
    initrd: initrd === undefined ? undefined : readFile(initrd, 'initial RAM disk'),
  }
}

export function allocate({ memory }: MachineConfig): MachineMemory {
  try {
    return allocateMemory(memory)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const mib = memory / 1048576
    throw new HostError(`this computer cannot give the machine ${mib} MiB of memory; ask for less with -m`, { cause })
  }
}

/** The last message of a worker that cannot go on. */
export function failure(error: unknown, crashDetails: () => string): FromVcpu {
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof HostError || error instanceof IoStartError)
    return { type: 'error', cause: 'host', sentence: text }
  const stack = error instanceof Error ? (error.stack ?? text) : text
  return {
    type: 'error',
    cause: 'bug',
    sentence: `the machine stopped by a fault of Longmode: ${text}`,
    details: `${stack}\n${crashDetails()}`,
  }
}
