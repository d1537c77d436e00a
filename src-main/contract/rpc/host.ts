/** The process side: checks each call against its schema, runs the handler, answers; sends events to every window or to one. */
import * as v from 'valibot'
import type { ServiceHandlers, Services, ValueOf } from './definition.ts'
import { TroubleError, troubleOf, type FromHost, type Trouble } from './messages.ts'

/** One connected window. */
export interface Peer<T extends Services = Services> {
  /** Sends an event to this window alone; after its end it does nothing. */
  emit<S extends keyof T & string, E extends keyof T[S]['events'] & string>(
    service: S,
    event: E,
    value: ValueOf<T[S]['events'][E]>,
  ): void
  /** Runs `listener` when the window has gone; at once when it already has. */
  onEnd(listener: () => void): void
}

export type AllHandlers<T extends Services> = { readonly [Name in keyof T]: ServiceHandlers<T[Name], Peer<T>> }

/** What a carrier does with a connected window. */
export interface Connection {
  /** Whatever came over the carrier; what is no message of ours is dropped and told through `onBug`. */
  receive(message: unknown): void
  end(): void
}

const callSchema = v.strictObject({
  type: v.literal('call'),
  id: v.pipe(v.number(), v.safeInteger()),
  service: v.string(),
  method: v.string(),
  args: v.array(v.unknown()),
})

type AnyHandler = (peer: Peer, ...args: readonly unknown[]) => unknown

export class ServiceHost<T extends Services> {
  readonly #services: T
  readonly #handlers: AllHandlers<T>
  readonly #onBug: (trouble: Trouble) => void
  readonly #windows = new Set<WindowPeer>()

  /** `onBug` hears of every call that failed by a fault of ours; the window is told as well. */
  constructor(services: T, handlers: AllHandlers<T>, onBug: (trouble: Trouble) => void) {
    this.#services = services
    this.#handlers = handlers
    this.#onBug = onBug
  }

  /** Is there a window? */
  get isWatched(): boolean {
    return this.#windows.size > 0
  }

  /** A new window; `send` must keep the order. */
  connect(send: (message: FromHost) => void): Connection {
    const peer = new WindowPeer(send)
    this.#windows.add(peer)
    return {
      receive: (message) => void this.#receive(peer, message),
      end: () => {
        this.#windows.delete(peer)
        peer.end()
      },
    }
  }

  /** Sends an event to every window. */
  emit<S extends keyof T & string, E extends keyof T[S]['events'] & string>(
    service: S,
    event: E,
    value: ValueOf<T[S]['events'][E]>,
  ): void {
    for (const window of this.#windows) window.emit(service, event, value)
  }

  async #receive(peer: WindowPeer, message: unknown): Promise<void> {
    const read = v.safeParse(callSchema, message)
    if (!read.success) {
      this.#onBug({ cause: 'bug', sentence: 'a window sent something that is no call; it was dropped' })
      return
    }
    const { id, service, method, args } = read.output
    try {
      const value = await this.#call(peer, service, method, args)
      peer.send({ type: 'result', id, value })
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble.cause === 'bug') this.#onBug(trouble)
      peer.send({ type: 'failure', id, trouble })
    }
  }

  async #call(peer: WindowPeer, service: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const methods = Object.hasOwn(this.#services, service) ? this.#services[service].methods : {}
    if (!Object.hasOwn(methods, method)) throw new Error(`there is no call ${service}.${method}`)
    const checked = v.safeParse(methods[method].check, args)
    if (!checked.success) {
      const [issue] = checked.issues
      // A rule with a sentence of its own is about what the user has typed; all others are about what our window sent.
      if (issue.kind === 'validation' && !issue.message.startsWith('Invalid')) throw TroubleError.user(issue.message)
      throw new Error(`${service}.${method}: argument ${v.getDotPath(issue) ?? ''}: ${issue.message}`)
    }
    const handlers = this.#handlers[service] as unknown as Readonly<Record<string, AnyHandler>>
    return await handlers[method](peer as Peer, ...(checked.output as readonly unknown[]))
  }
}

class WindowPeer implements Peer {
  readonly #send: (message: FromHost) => void
  readonly #listeners: (() => void)[] = []
  #open = true

  constructor(send: (message: FromHost) => void) {
    this.#send = send
  }

  send(message: FromHost): void {
    if (this.#open) this.#send(message)
  }

  emit(service: string, event: string, value: unknown): void {
    this.send({ type: 'event', service, event, value })
  }

  onEnd(listener: () => void): void {
    if (this.#open) this.#listeners.push(listener)
    else listener()
  }

  end(): void {
    this.#open = false
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
