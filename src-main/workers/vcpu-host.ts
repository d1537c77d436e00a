/** What a vCPU worker is to its machine: files, memory, consoles; and what it tells its owner when it cannot go on. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { ByteRing } from '../base/byte-ring.ts'
import type { Log } from '../base/log.ts'
import type { ConsoleBuffers, FromVcpu, ToVcpu, VcpuBuffers } from '../contract/vcpu.ts'
import type { BlockBackend, ConsoleBackend, NineBackend, TerminalSize } from '../devices/backends.ts'
import type { MachineConfig } from '../machine/config.ts'
import { allocateMemory, type MachineBackends, type MachineMemory } from '../machine/machine.ts'
import { Ram } from '../memory/ram.ts'
import { IoChannel } from './io/channel.ts'
import { IoClient } from './io/client.ts'
import { IoStartError, startIo } from './io/start.ts'

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

/** What a vCPU worker is given, once, by its owner. */
export interface VcpuStart {
  readonly config: MachineConfig
  readonly buffers: VcpuBuffers
  /** The io worker's end of the owner's port. */
  readonly ioEvents: MessagePort
}

export interface Io {
  readonly client: IoClient
  /** In the order of the configuration. */
  readonly disks: readonly BlockBackend[]
  readonly shares: readonly NineBackend[]
  close(): Promise<void>
}

/** Starts the io worker, and gives the disks and shares of the machine whose memory this is. `written`: the host has filled RAM there. */
export async function openIo(
  { config, buffers, ioEvents }: VcpuStart,
  { map, memory }: MachineMemory,
  written: (gpa: number, length: number) => void,
): Promise<Io> {
  const ram = { base: map.ramBase, lowSize: map.lowSize, highSize: map.highSize }
  const channel = IoChannel.allocate()
  // the memory was allocated as a shared one
  const shared = memory.buffer as SharedArrayBuffer
  const handle = await startIo({
    memory: shared,
    ram,
    channel: channel.buffer,
    control: buffers.control,
    controlOffset: 0,
    disks: config.disks,
    shares: config.shares,
    events: ioEvents,
  })
  const client = new IoClient(channel, new Ram(shared, ram, written))
  return {
    client,
    disks: handle.disks.map((facts, n) => client.disk(n, facts)),
    shares: config.shares.map((share, n) => client.share(n, share.mountTag)),
    close: () => handle.close(),
  }
}

/** A vCPU worker: made when its owner's first message comes, and run to its end. */
export function serveOwner(
  port: MessagePort,
  make: (start: VcpuStart) => { start(): Promise<void>; crashDetails(): string },
): void {
  port.once('message', (message: ToVcpu) => {
    if (message.type !== 'start') throw new Error(`the first message was ${message.type}`)
    const { config, buffers, io } = message
    const worker = make({ config, buffers, ioEvents: io as MessagePort })
    worker.start().catch((error: unknown) => port.postMessage(failure(error, () => worker.crashDetails())))
  })
}

/** The last message of a worker that cannot go on. */
function failure(error: unknown, crashDetails: () => string): FromVcpu {
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
