/**
 * A running machine as its owner sees it: starts the vCPU worker, carries bytes and messages (contract/vcpu.ts), and turns
 * every way in which it can end into one promise that always resolves.
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import { ByteRing } from '../base/byte-ring.ts'
import { ControlBlock, Event } from '../base/control-block.ts'
import { unpacked } from '../base/unpacked.ts'
import {
  INPUT_RING_BYTES,
  OUTPUT_RING_BYTES,
  type ExitReason,
  type FromVcpu,
  type ToVcpu,
  type VcpuBuffers,
} from '../contract/vcpu.ts'
import type { Debuggable } from '../contract/debug.ts'
import { findCommand } from '../contract/monitor.ts'
import type { TerminalSize } from '../devices/backends.ts'
import { consoleNames, type Accelerator, type MachineConfig } from '../machine/config.ts'
import { DebugClient } from './debug-client.ts'
import { changeShare } from './monitor/change-share.ts'
import { examine } from './monitor/examine.ts'
import { IoLink, type ShareEvents } from './io-link.ts'
import { startTranslator, type TranslatorStart } from './translator/start.ts'
import { VCPU_MODULE, vcpuThread } from './vcpu-thread.ts'

export type MachineEnd =
  | { readonly kind: 'exited'; readonly reason: ExitReason; readonly code: number }
  | { readonly kind: 'failed'; readonly sentence: string; readonly details?: string }

export interface MachineEvents {
  /** Output of a console (0: COM1, then the virtio consoles); its next bytes come when the promise has resolved. */
  output(bytes: Uint8Array, console: number): Promise<void>
  note(text: string): void
  /** The machine is built; the first instruction follows. */
  started?(accelerator: Accelerator): void
  /** It stands because somebody asked for it, or goes on. Breakpoints are told by `debug.onStop`. */
  paused?(paused: boolean): void
  /** It begins again. */
  restarted?(): void
}

/** How long a machine may take to flush its disks and end after `quit`, in ms. */
const QUIT_PATIENCE = 5000
const lockstep = new URL(unpacked(new URL('./lockstep/entry.ts', import.meta.url).href))

export class MachineHandle {
  /** Resolves when the machine has ended and all of its output has been delivered. */
  readonly ended: Promise<MachineEnd>
  readonly #worker: Worker
  #translator: Worker | undefined
  readonly #events: MachineEvents
  readonly #control: ControlBlock
  readonly #consoles: readonly { readonly input: ByteRing; readonly output: ByteRing }[]
  readonly #replies = new Map<number, (text: string) => void>()
  /** Looks into the machine: registers, memory, page tables, breakpoints. */
  readonly debug: Debuggable
  readonly #debug: DebugClient
  readonly #io: IoLink
  readonly #shares: MachineConfig['shares']
  #nextReply = 1
  #end: MachineEnd | undefined
  #quitTimer: NodeJS.Timeout | undefined

  /** `worker` is the vCPU worker's module; tests put a small one in its place. */
  constructor(
    config: MachineConfig,
    events: MachineEvents,
    worker: URL = config.accelerator === 'both' ? lockstep : VCPU_MODULE,
  ) {
    this.#events = events
    this.#shares = config.shares
    this.#consoles = consoleNames(config).map(() => ({
      input: ByteRing.allocate(INPUT_RING_BYTES),
      output: ByteRing.allocate(OUTPUT_RING_BYTES),
    }))
    const control = ControlBlock.allocate()
    this.#control = new ControlBlock(control)
    const buffers: VcpuBuffers = {
      control,
      consoles: this.#consoles.map(({ input, output }) => ({ input: input.buffer, output: output.buffer })),
    }
    this.#debug = new DebugClient((message) => this.#post(message))
    this.debug = this.#debug
    this.#io = new IoLink({
      note: (text) => events.note(text),
      failed: (sentence, details) =>
        this.#finish({ kind: 'failed', sentence, ...(details === undefined ? {} : { details }) }),
    })
    this.#worker = vcpuThread(worker, config.name)
    this.#worker.on('message', (message: FromVcpu) => this.#receive(message))
    this.#worker.on('error', (error) => this.#finish(failureOf(error, worker)))
    this.#worker.on('exit', () =>
      this.#finish({ kind: 'failed', sentence: 'the machine stopped without saying why; this is a fault of Longmode' }),
    )
    this.ended = this.#pumpAll()
    const io = this.#io.takeWorkersPort()
    this.#post({ type: 'start', config, buffers, io }, [io])
  }

  /** Types into a console (0: COM1); resolves when the machine's input ring has taken everything. A console that is not there takes nothing. */
  async send(bytes: Uint8Array, console = 0): Promise<void> {
    const input = this.#consoles.at(console)?.input
    for (let sent = 0; input !== undefined && sent < bytes.length && this.#end === undefined;) {
      sent += input.write(bytes.subarray(sent))
      this.#control.raise(Event.input)
      if (sent < bytes.length) await input.roomAvailable()
    }
  }

  /** Tells the guest the size of a virtio console; COM1 has no way to. */
  resize(console: number, { columns, rows }: TerminalSize): void {
    this.#post({ type: 'resize', console, columns, rows })
  }

  /** A break condition on COM1, behind what was typed before it. */
  sendBreak(): void {
    this.#consoles.at(0)?.input.mark()
    this.#control.raise(Event.input)
  }

  pause(): void {
    this.#post({ type: 'pause' })
  }

  resume(): void {
    this.#post({ type: 'resume' })
  }

  reset(): void {
    this.#post({ type: 'reset' })
  }

  /** Asks the guest to switch off. */
  powerButton(): void {
    this.#post({ type: 'powerButton' })
  }

  /** Asks the guest to switch off, and starts it again when it has. */
  restart(): void {
    this.#post({ type: 'restart' })
  }

  /** Ends the machine without asking the guest; by force when it does not answer within five seconds. */
  quit(): void {
    this.#post({ type: 'quit' })
    this.#quitTimer ??= setTimeout(() => {
      this.#finish({ kind: 'exited', reason: 'quit', code: 0 })
    }, QUIT_PATIENCE)
  }

  /** Lists what changes in the machine's shared folders until the function that is returned is called. */
  watchShares(events: ShareEvents): () => void {
    return this.#io.watch(events)
  }

  /**
   * Puts another folder behind a mount tag while the machine runs; `share` is the position in the machine's list. What the guest has mounted stays
   * what it was; it gets the new folder when it mounts the tag again. Undefined, or one sentence that says why it cannot be.
   */
  exchangeFolder(
    share: number,
    folder: { readonly path: string; readonly readOnly: boolean },
  ): Promise<string | undefined> {
    return this.#io.exchange(share, folder)
  }

  /** Its folder was exchanged, and the guest has not mounted it again. */
  waitsForMount(share: number): boolean {
    return this.#io.waitsForMount(share)
  }

  /** A line of the monitor that is not its owner's (contract/monitor.ts); an empty answer when the machine ends first. */
  monitor(line: string): Promise<string> {
    if (this.#end !== undefined) return Promise.resolve('')
    const found = findCommand(line)
    if (found?.command.by === 'shares')
      return changeShare(this.#shares, found.rest, (share, folder) => this.exchangeFolder(share, folder))
    if (found?.command.by === 'debugger')
      return examine(this.#debug, found.command.name === 'x' ? 'virtual' : 'physical', found.rest)
    const id = this.#nextReply++
    return new Promise((resolve) => {
      this.#replies.set(id, resolve)
      this.#post({ type: 'monitor', id, line })
    })
  }

  #post(message: ToVcpu, moved: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, moved)
    this.#control.raise(Event.message)
  }

  #receive(message: FromVcpu): void {
    switch (message.type) {
      case 'reply':
        this.#replies.get(message.id)?.(message.text)
        this.#replies.delete(message.id)
        return
      case 'note':
        this.#events.note(message.text)
        return
      case 'translator':
        this.#startTranslator(message.start as TranslatorStart, message.port as MessagePort)
        return
      case 'exited':
        this.#finish({ kind: 'exited', reason: message.reason, code: message.code })
        return
      case 'error': {
        const { sentence, details } = message
        this.#finish({ kind: 'failed', sentence, ...(details === undefined ? {} : { details }) })
        return
      }
      case 'stopped':
        this.#debug.stopped(message.stop)
        return
      case 'debugged':
        this.#debug.debugged(message.id, message.result)
        return
      case 'resumed':
        this.#events.paused?.(false)
        this.#debug.stopped(undefined)
        return
      case 'reset':
        this.#events.restarted?.()
        return
      case 'started':
        this.#events.started?.(message.accelerator)
        return
      case 'paused':
        this.#events.paused?.(true)
    }
  }

  #startTranslator(start: TranslatorStart, port: MessagePort): void {
    if (this.#end !== undefined) return port.close()
    this.#translator = startTranslator(start, port, (reason) => {
      if (this.#end !== undefined) return
      this.#events.note(`the translator stopped by a fault of Longmode (${reason}); the machine goes on, but slower`)
      this.#post({ type: 'translatorEnded' })
    })
  }

  /** The first reason counts; what follows (the worker's own exit) is its consequence. */
  #finish(end: MachineEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    clearTimeout(this.#quitTimer)
    for (const resolve of this.#replies.values()) resolve('')
    this.#replies.clear()
    this.#debug.close()
    this.#io.close()
    for (const { input, output } of this.#consoles) {
      input.wakeBoth()
      output.wakeBoth()
    }
  }

  async #pumpAll(): Promise<MachineEnd> {
    const ends = await Promise.all(this.#consoles.map(({ output }, console) => this.#pumpOutput(output, console)))
    await Promise.all([this.#worker.terminate(), this.#translator?.terminate()])
    return ends[0]
  }

  async #pumpOutput(output: ByteRing, console: number): Promise<MachineEnd> {
    for (;;) {
      const bytes = output.read()
      if (bytes.length > 0) await this.#events.output(bytes, console)
      else if (this.#end === undefined) await output.dataAvailable()
      else return this.#end
    }
  }
}

function failureOf(error: unknown, worker: URL): MachineEnd {
  if (!(error instanceof Error)) return { kind: 'failed', sentence: `the machine stopped: ${String(error)}` }
  const { code } = error as NodeJS.ErrnoException
  if (code?.endsWith('MODULE_NOT_FOUND') === true && error.message.includes(worker.pathname)) {
    return { kind: 'failed', sentence: 'the engine is missing from this installation (src-main/workers/vcpu.ts)' }
  }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { kind: 'failed', sentence: 'the machine ran out of host memory' }
  return {
    kind: 'failed',
    sentence: `the machine stopped by a fault of Longmode: ${error.message}`,
    details: error.stack ?? error.message,
  }
}
