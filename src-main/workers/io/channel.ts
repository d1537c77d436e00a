/**
 * What the vCPU thread and the io worker share: two rings of numbers, a counter for each disk and share, and a place for
 * private device buffers. Neither side needs the other's event loop, and neither ever waits for the other with the exception of `reset`.
 *
 * Layout of the SharedArrayBuffer, in bytes:
 *   0        control words, Int32: see Word
 *   256      request ring, Float64 numbers (vCPU thread -> worker)
 *   ...      completion ring, Float64 numbers (worker -> vCPU thread)
 *   ...      bounce slots
 */
import { changesWithin } from '../../base/look.ts'

const Word = {
  requestHead: 0,
  requestTail: 1,
  completionHead: 2,
  completionTail: 3,
  /** Requests `reset` that the worker has carried out. */
  resetsDone: 4,
} as const

const CONTROL_BYTES = 256
/** Numbers in the request ring: several times the largest record. A power of two. */
const REQUEST_NUMBERS = 1 << 16
const COMPLETION_NUMBERS = 1 << 10

/** Requests on their way at one time; so the completion ring, four numbers a record, can never be full. */
export const MAX_IN_FLIGHT = 256

/** Private device buffers (PIO) travel through these. */
export const BOUNCE_SLOTS = 8
export const BOUNCE_BYTES = 128 * 1024

/**
 * After a request the worker looks for the next one for so long before it sleeps, ms: a guest that walks through files sends one every 50 to 200 µs.
 */
const NEXT_REQUEST = 0.15

const REQUESTS_AT = CONTROL_BYTES
const COMPLETIONS_AT = REQUESTS_AT + REQUEST_NUMBERS * 8
const BOUNCE_AT = COMPLETIONS_AT + COMPLETION_NUMBERS * 8
export const CHANNEL_BYTES = BOUNCE_AT + BOUNCE_SLOTS * BOUNCE_BYTES

/**
 * A ring of whole records for one producer and one consumer: the first number of a record says how many follow. Head and
 * tail run freely and wrap at 2^32; each is written by one side only, atomically, after the numbers it covers.
 */
class RecordRing {
  readonly #words: Int32Array
  readonly #head: number
  readonly #tail: number
  readonly #numbers: Float64Array
  readonly #mask: number

  constructor(words: Int32Array, head: number, tail: number, numbers: Float64Array) {
    this.#words = words
    this.#head = head
    this.#tail = tail
    this.#numbers = numbers
    this.#mask = numbers.length - 1
  }

  /** Producer: false when there is no room for the whole record. */
  push(record: readonly number[]): boolean {
    const tail = Atomics.load(this.#words, this.#tail)
    const used = (tail - Atomics.load(this.#words, this.#head)) >>> 0
    if (used + record.length + 1 > this.#numbers.length) return false
    this.#numbers[tail & this.#mask] = record.length
    for (let i = 0; i < record.length; i++) this.#numbers[(tail + 1 + i) & this.#mask] = record[i]
    Atomics.store(this.#words, this.#tail, (tail + 1 + record.length) | 0)
    return true
  }

  /** Consumer: the next record, or undefined. */
  pop(): number[] | undefined {
    const head = Atomics.load(this.#words, this.#head)
    if (head === Atomics.load(this.#words, this.#tail)) return undefined
    const length = this.#numbers[head & this.#mask]
    const record: number[] = []
    for (let i = 0; i < length; i++) record.push(this.#numbers[(head + 1 + i) & this.#mask])
    Atomics.store(this.#words, this.#head, (head + 1 + length) | 0)
    return record
  }
}

/** Both ends' view of the shared buffer. */
export class IoChannel {
  readonly buffer: SharedArrayBuffer
  readonly requests: RecordRing
  readonly completions: RecordRing
  readonly #words: Int32Array

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer, 0, CONTROL_BYTES / 4)
    const numbers = (at: number, length: number): Float64Array => new Float64Array(buffer, at, length)
    const ring = (head: number, tail: number, at: number, length: number): RecordRing =>
      new RecordRing(this.#words, head, tail, numbers(at, length))
    this.requests = ring(Word.requestHead, Word.requestTail, REQUESTS_AT, REQUEST_NUMBERS)
    this.completions = ring(Word.completionHead, Word.completionTail, COMPLETIONS_AT, COMPLETION_NUMBERS)
  }

  static allocate(): IoChannel {
    return new IoChannel(new SharedArrayBuffer(CHANNEL_BYTES))
  }

  bounce(slot: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, BOUNCE_AT + slot * BOUNCE_BYTES, length)
  }

  /** vCPU thread: the worker has something to look at. */
  ring(): void {
    Atomics.notify(this.#words, Word.requestTail)
  }

  /** Worker: call `wake` in a later turn of the event loop, once something may have been pushed since the ring was found empty. */
  waitForRequests(wake: () => void): void {
    const tail = Atomics.load(this.#words, Word.requestTail)
    if (tail === Atomics.load(this.#words, Word.requestHead)) {
      const wait = Atomics.waitAsync(this.#words, Word.requestTail, tail)
      if (wait.async) {
        void wait.value.then(wake)
        return
      }
    }
    setImmediate(wake)
  }

  /**
   * Worker: wait until a request is there, at most `milliseconds`, with the event loop at rest; false when none came. `looks`: look for it before sleeping.
   */
  awaitRequests(milliseconds: number, looks: boolean): boolean {
    const tail = Atomics.load(this.#words, Word.requestTail)
    if (tail !== Atomics.load(this.#words, Word.requestHead)) return true
    if (looks && changesWithin(this.#words, Word.requestTail, tail, NEXT_REQUEST)) return true
    return Atomics.wait(this.#words, Word.requestTail, tail, milliseconds) !== 'timed-out'
  }

  /** vCPU thread: sleep until a completion is there, at most `milliseconds`. */
  waitForCompletion(milliseconds: number): void {
    const tail = Atomics.load(this.#words, Word.completionTail)
    if (tail === Atomics.load(this.#words, Word.completionHead)) {
      Atomics.wait(this.#words, Word.completionTail, tail, milliseconds)
    }
  }

  /** vCPU thread: has the worker taken what was pushed, or takes it within `milliseconds`? */
  takenWithin(milliseconds: number): boolean {
    const head = Atomics.load(this.#words, Word.requestHead)
    if (head === Atomics.load(this.#words, Word.requestTail)) return true
    return changesWithin(this.#words, Word.requestHead, head, milliseconds)
  }

  /** vCPU thread: look for a completion, at most `milliseconds`; false when none came. */
  lookForCompletion(milliseconds: number): boolean {
    const tail = Atomics.load(this.#words, Word.completionTail)
    if (tail !== Atomics.load(this.#words, Word.completionHead)) return true
    return changesWithin(this.#words, Word.completionTail, tail, milliseconds)
  }

  /** Worker: wakes waitForCompletion; true when somebody slept there. */
  completed(): boolean {
    return Atomics.notify(this.#words, Word.completionTail) > 0
  }

  get resetsDone(): number {
    return Atomics.load(this.#words, Word.resetsDone)
  }

  /** Worker: one more reset was carried out. */
  resetDone(): void {
    Atomics.add(this.#words, Word.resetsDone, 1)
    Atomics.notify(this.#words, Word.resetsDone)
  }

  /** vCPU thread: wait until `count` resets were carried out; false when that took longer than `milliseconds`. */
  waitForResets(count: number, milliseconds: number): boolean {
    for (let done = this.resetsDone; done !== count; done = this.resetsDone) {
      if (Atomics.wait(this.#words, Word.resetsDone, done, milliseconds) === 'timed-out') return false
    }
    return true
  }
}

/**
 * A completion record: id, value (a block status or the length of the R-message), and how many bytes of the request's segments may have been written.
 */
export const Done = { id: 0, value: 1, touched: 2 } as const

/** What a request record asks for. */
export const Op = { read: 0, write: 1, flush: 2, discard: 3, writeZeroes: 4, nine: 5, nineReset: 6 } as const

export const BLOCK_OPS = {
  read: Op.read,
  write: Op.write,
  flush: Op.flush,
  discard: Op.discard,
  'write-zeroes': Op.writeZeroes,
} as const

/** Block statuses by the number that stands for them in completion records. */
export const STATUSES = ['ok', 'io-error', 'no-space', 'read-only', 'out-of-range'] as const

/**
 * A request record: id, op, target (number of the disk or share), sector, length in bytes, bounce slot or -1, number of
 * segments, then gpa and length of each segment; for 9p `sector` is the number of segments that belong to the request,
 * the others are the reply's.
 */
export const Field = { id: 0, op: 1, target: 2, sector: 3, length: 4, bounce: 5, segments: 6, first: 7 } as const
