/**
 * A stream of bytes between two threads: one producer, one consumer, no locks, no event loop needed on either side.
 *
 * Layout of the SharedArrayBuffer: Int32 `head` (consumed so far), Int32 `tail` (produced so far), Int32 `mark` (a value of `tail`), Int32
 * `marked` (1 while there is a mark), then the bytes. The counters run freely and wrap at 2^32; their difference is the fill level. Only
 * the consumer writes `head`, only the producer `tail` and `mark`, and each publishes with an atomic store after it has touched the bytes, so
 * the other side never sees a byte too early.
 */
const HEAD = 0
const TAIL = 1
const MARK = 2
const MARKED = 3
const HEADER_BYTES = 16

export class ByteRing {
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
  readonly #counters: Int32Array<SharedArrayBuffer>
  readonly #bytes: Uint8Array
  readonly #mask: number

  /** Both ends wrap the same buffer, made once by `ByteRing.allocate`. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.capacity = buffer.byteLength - HEADER_BYTES
    if (this.capacity < 1 || (this.capacity & (this.capacity - 1)) !== 0) {
      throw new Error(`a byte ring needs a power of two bytes, not ${this.capacity}`)
    }
    this.#counters = new Int32Array(buffer, 0, 4)
    this.#bytes = new Uint8Array(buffer, HEADER_BYTES)
    this.#mask = this.capacity - 1
  }

  /** An empty ring for `capacity` bytes (a power of two, up to 2^30). */
  static allocate(capacity: number): ByteRing {
    return new ByteRing(new SharedArrayBuffer(HEADER_BYTES + capacity))
  }

  /** Bytes waiting for the consumer. */
  get length(): number {
    return (Atomics.load(this.#counters, TAIL) - Atomics.load(this.#counters, HEAD)) >>> 0
  }

  /** Bytes the producer can add now. */
  get room(): number {
    return this.capacity - this.length
  }

  /** Producer: adds as much of `bytes` as fits and returns how many that was; wakes a consumer that waits. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.room)
    if (count === 0) return 0
    const tail = Atomics.load(this.#counters, TAIL)
    const at = tail & this.#mask
    const first = Math.min(count, this.capacity - at)
    this.#bytes.set(bytes.subarray(0, first), at)
    this.#bytes.set(bytes.subarray(first, count), 0)
    Atomics.store(this.#counters, TAIL, (tail + count) | 0)
    Atomics.notify(this.#counters, TAIL)
    return count
  }

  /** Producer: marks the place behind what was written so far. There is one mark at most; a new one takes the place of one not taken yet. */
  mark(): void {
    Atomics.store(this.#counters, MARK, Atomics.load(this.#counters, TAIL))
    Atomics.store(this.#counters, MARKED, 1)
    Atomics.notify(this.#counters, TAIL)
  }

  /** Consumer: is the mark next? Takes it. */
  takeMark(): boolean {
    if (this.#beforeMark() !== 0) return false
    Atomics.store(this.#counters, MARKED, 0)
    return true
  }
  /** Bytes before the mark. */
  #beforeMark(): number {
    if (Atomics.load(this.#counters, MARKED) === 0) return this.capacity
    return (Atomics.load(this.#counters, MARK) - Atomics.load(this.#counters, HEAD)) >>> 0
  }

  /** Consumer: takes up to `max` bytes, possibly none, and none behind a mark, as a private copy; wakes a producer that waits. */
  read(max: number = this.capacity): Uint8Array {
    const available = this.length
    const count = Math.min(max, available, this.#beforeMark())
    const out = new Uint8Array(count)
    if (count === 0) return out
    const head = Atomics.load(this.#counters, HEAD)
    const at = head & this.#mask
    const first = Math.min(count, this.capacity - at)
    out.set(this.#bytes.subarray(at, at + first), 0)
    out.set(this.#bytes.subarray(0, count - first), first)
    Atomics.store(this.#counters, HEAD, (head + count) | 0)
    Atomics.notify(this.#counters, HEAD)
    return out
  }

  /** Producer, on a thread that may block: returns when a byte fits, or false after `timeout` ms. */
  waitForRoom(timeout?: number): boolean {
    const head = Atomics.load(this.#counters, HEAD)
    if (this.room > 0) return true
    Atomics.wait(this.#counters, HEAD, head, timeout)
    return this.room > 0
  }

  /** Producer, on a thread that may not block: resolves when something was taken out, at once when there is room. */
  async roomAvailable(): Promise<void> {
    const head = Atomics.load(this.#counters, HEAD)
    if (this.room > 0) return
    await Atomics.waitAsync(this.#counters, HEAD, head).value
  }

  /** Consumer, on a thread that may not block: resolves when a byte is there, at once when one already is. */
  async dataAvailable(): Promise<void> {
    const tail = Atomics.load(this.#counters, TAIL)
    if (this.length > 0) return
    await Atomics.waitAsync(this.#counters, TAIL, tail).value
  }

  /** Ends the waiting of the other side (it finds nothing new): for the end of a machine. */
  wakeBoth(): void {
    Atomics.notify(this.#counters, HEAD)
    Atomics.notify(this.#counters, TAIL)
  }
}
