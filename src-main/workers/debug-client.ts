/** The owner's end of contract/debug.ts: requests out, answers and stops in. */
import {
  DebugRefused,
  type Debuggable,
  type DebugAnswer,
  type DebugKind,
  type DebugRequest,
  type DebugTable,
  type Stop,
} from '../contract/debug.ts'
import type { FromVcpu, ToVcpu } from '../contract/vcpu.ts'

type Result = Extract<FromVcpu, { type: 'debugged' }>['result']

export class DebugClient implements Debuggable {
  readonly #post: (message: ToVcpu) => void
  readonly #waiting = new Map<number, (result: Result) => void>()
  readonly #listeners = new Set<(stop: Stop | undefined) => void>()
  #next = 1
  #closed = false

  constructor(post: (message: ToVcpu) => void) {
    this.#post = post
  }

  ask<K extends DebugKind>(kind: K, ask: DebugTable[K]['ask']): Promise<DebugAnswer<K>> {
    if (this.#closed) return Promise.reject(new DebugRefused('the machine has ended'))
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (result) => {
        if (result.ok) resolve(result.answer as DebugAnswer<K>)
        else reject(new DebugRefused(result.sentence))
      })
      this.#post({ type: 'debug', id, request: { kind, ask } as DebugRequest })
    })
  }

  onStop(listener: (stop: Stop | undefined) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  stopped(stop: Stop | undefined): void {
    for (const listener of this.#listeners) listener(stop)
  }

  debugged(id: number, result: Result): void {
    this.#waiting.get(id)?.(result)
    this.#waiting.delete(id)
  }

  /** The machine has ended: what is still asked is refused. */
  close(): void {
    this.#closed = true
    for (const finish of this.#waiting.values()) finish({ ok: false, sentence: 'the machine has ended' })
    this.#waiting.clear()
  }
}
