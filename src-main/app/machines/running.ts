/** One run of a machine: what state it is in, whatever happens to its worker. */
import type { Debuggable, Stop } from '../../contract/debug.ts'
import type { Progress } from '../../contract/services/common.ts'
import type { LastEnd, MachineState, MachineStatus } from '../../contract/services/machines.ts'
import type { Accelerator, MachineConfig } from '../../machine/config.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { ShareEvents } from '../../workers/io-link.ts'
import { MachineHandle } from '../../workers/machine-handle.ts'

export interface RunEvents {
  status(status: MachineStatus): void
  output(bytes: Uint8Array, console: number): Promise<void>
  note(text: string): void
  stopped(stop: Stop | undefined): void
}

/** Makes the machine ready to start: files are found or made. Rejects with TroubleError (or a fault of ours), soon after the signal in any case. */
export type Prepare = (progress: (progress: Progress) => void, signal: AbortSignal) => Promise<MachineConfig>

export class MachineRun {
  readonly #events: RunEvents
  readonly #worker: URL | undefined
  #handle: MachineHandle | undefined
  #status: MachineStatus = { state: 'preparing', since: Date.now() }
  #killed = false
  readonly #preparation = new AbortController()
  #asked: MachineStatus['asked']
  /** Resolves when the run is over, with how. */
  readonly ended: Promise<LastEnd>
  /** Resolves when the machine is built and runs; rejects with TroubleError when it ends before. */
  readonly started: Promise<void>

  /** `worker` stands in for the engine in tests. */
  constructor(prepare: Prepare, events: RunEvents, worker?: URL) {
    this.#events = events
    this.#worker = worker
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    this.started = promise
    // Whoever started the machine hears of it; without a listener it is no unhandled rejection, for `ended` tells the same.
    promise.catch(() => undefined)
    this.ended = this.#run(prepare, () => resolve(undefined)).then((end) => {
      reject(new TroubleError(troubleOfEnd(end)))
      return end
    })
  }

  get status(): MachineStatus {
    return this.#status
  }

  /** Looks into the machine. Throws TroubleError while there is none. */
  get debug(): Debuggable {
    return this.#running().debug
  }

  /** The machine itself. Throws TroubleError while there is none. */
  #running(): MachineHandle {
    if (this.#handle === undefined) throw TroubleError.user('the machine does not run yet; wait a moment')
    return this.#handle
  }

  send(bytes: Uint8Array, console = 0): Promise<void> {
    return this.#running().send(bytes, console)
  }
  resizeConsole(console: number, size: { readonly columns: number; readonly rows: number }): void {
    this.#running().resize(console, size)
  }
  sendBreak(): void {
    this.#running().sendBreak()
  }
  monitor(line: string): Promise<string> {
    return this.#running().monitor(line)
  }
  pause(): void {
    this.#running().pause()
  }
  resume(): void {
    this.#running().resume()
  }
  reset(): void {
    this.#running().reset()
  }

  /** See MachineHandle.exchangeFolder. */
  exchangeFolder(
    share: number,
    folder: { readonly path: string; readonly readOnly: boolean },
  ): Promise<string | undefined> {
    return this.#running().exchangeFolder(share, folder)
  }

  waitsForMount(share: number): boolean {
    return this.#running().waitsForMount(share)
  }

  watchShares(events: ShareEvents): () => void {
    return this.#running().watchShares(events)
  }

  /** Asks the guest to switch off; a paused one goes on for that. */
  powerOff(): void {
    this.#ask('power-off').powerButton()
  }
  /** Asks the guest to switch off, and begins again when it has. */
  restart(): void {
    this.#ask('restart').restart()
  }

  #ask(what: 'power-off' | 'restart'): MachineHandle {
    const handle = this.#running()
    if (this.#status.state === 'paused') handle.resume()
    this.#setAsked(what)
    return handle
  }

  /** The state goes on; only what the guest was asked for is another. */
  #setAsked(what: MachineStatus['asked']): void {
    if (what === this.#asked) return
    this.#asked = what
    const { asked: _before, ...status } = this.#status
    this.#status = { ...status, ...(what === undefined ? {} : { asked: what }) }
    this.#events.status(this.#status)
  }

  /** Ends the run at once, in whatever state it is. */
  kill(): void {
    this.#killed = true
    if (this.#handle === undefined) return this.#preparation.abort()
    this.#enter('stopping')
    this.#handle.quit()
  }

  #enter(state: MachineState, more: Partial<MachineStatus> = {}): void {
    const { accelerator } = this.#status
    const asked = this.#asked === undefined || state === 'off' || state === 'failed' ? {} : { asked: this.#asked }
    this.#status = {
      state,
      since: Date.now(),
      ...(accelerator === undefined ? {} : { accelerator }),
      ...asked,
      ...more,
    }
    this.#events.status(this.#status)
  }

  async #run(prepare: Prepare, onStarted: () => void): Promise<LastEnd> {
    this.#events.status(this.#status)
    let end: LastEnd
    try {
      const config = await prepare((progress) => this.#enter('preparing', { progress }), this.#preparation.signal)
      end = this.#killed ? endBeforeStart : await this.#live(config, onStarted)
    } catch (error) {
      end = this.#preparation.signal.aborted ? endBeforeStart : endOfError(error)
    }
    this.#enter(end.kind === 'failed' ? 'failed' : 'off', { end })
    return end
  }

  async #live(config: MachineConfig, onStarted: () => void): Promise<LastEnd> {
    this.#enter('starting')
    const handle = new MachineHandle(
      config,
      {
        output: (bytes, console) => this.#events.output(bytes, console),
        note: (text) => this.#events.note(text),
        started: (accelerator) => {
          this.#started(config, accelerator)
          onStarted()
        },
        paused: (paused) => this.#paused(paused),
        restarted: () => this.#setAsked(undefined),
      },
      this.#worker,
    )
    this.#handle = handle
    handle.debug.onStop((stop) => this.#stopped(stop))
    return await handle.ended
  }

  #started(config: MachineConfig, accelerator: Accelerator): void {
    if (this.#status.state === 'starting') this.#enter(config.startPaused ? 'paused' : 'running', { accelerator })
  }

  #paused(paused: boolean): void {
    const { state } = this.#status
    if (paused && state === 'running') this.#enter('paused')
    if (!paused && state === 'paused') this.#enter('running')
  }

  #stopped(stop: Stop | undefined): void {
    this.#paused(stop !== undefined)
    this.#events.stopped(stop)
  }
}

const endBeforeStart: LastEnd = { kind: 'exited', reason: 'quit', code: 0 }

function endOfError(error: unknown): LastEnd {
  if (error instanceof TroubleError) {
    const { sentence, details } = error.trouble
    return { kind: 'failed', sentence, ...(details === undefined ? {} : { details }) }
  }
  const text = error instanceof Error ? error.message : String(error)
  const details = error instanceof Error ? (error.stack ?? text) : text
  return { kind: 'failed', sentence: `the machine could not be started by a fault of Longmode: ${text}`, details }
}

function troubleOfEnd(end: LastEnd) {
  if (end.kind === 'exited') return { cause: 'user', sentence: 'the machine ended before it ran' } as const
  return {
    cause: 'user',
    sentence: end.sentence,
    ...(end.details === undefined ? {} : { details: end.details }),
  } as const
}
