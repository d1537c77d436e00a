import type { BlockBackend, BlockRequest, BlockStatus, NineBackend, NineRequest } from '../../devices/backends.ts'
import type { GuestMemory, Segment } from '../../memory/guest-memory.ts'
import {
  BLOCK_OPS,
  BOUNCE_BYTES,
  BOUNCE_SLOTS,
  Done,
  Field,
  MAX_IN_FLIGHT,
  Op,
  STATUSES,
  type IoChannel,
} from './channel.ts'

/** What the io worker said about a disk when it had opened it. */
export interface DiskFacts {
  readonly sectors: number
  readonly readOnly: boolean
  readonly serial: string
}

interface Pending {
  readonly record: number[]
  /** Undefined once its device was reset: the answer is then dropped. */
  complete: ((value: number, touched: number) => void) | undefined
  /** The request brings a private buffer along and needs a bounce slot. */
  readonly outgoing: Uint8Array | undefined
  readonly incoming: Uint8Array | undefined
}

/** Longest wait for the worker in `drain` and `reset`, ms. A disk that takes longer is as good as gone. */
const PATIENCE = 30_000

/**
 * How long a 9p request may hold up the vCPU, ms. Most are answered in a sixth of this; the guest then finds the answer before it has halted for it.
 * Halts for each file: created 3.1 without, 0.4 with; looked up 0.7 and 0.1.
 */
const AT_ONCE = 0.1
/** And so much longer for what it carries, ms a byte: a copy at a slow gigabyte a second. */
const A_BYTE = 1e-6
/**
 * The worker takes a request within some microseconds, or 50 when it slept, ms. One that has not is waiting for a core, perhaps for the vCPU's: then sleeping brings the
 * answer sooner than looking for it.
 */
const TAKEN = 0.05
/** After a request that took longer, so many are not waited for; twice as many each time, up to the second number. */
const SHY = [2, 32] as const

/** The vCPU thread's end of the io worker. Its owner calls `poll` when Event.ioDone was raised. */
export class IoClient {
  readonly #channel: IoChannel
  readonly #memory: GuestMemory
  readonly #inFlight = new Map<number, Pending>()
  readonly #freeIds: number[] = Array.from({ length: MAX_IN_FLIGHT }, (_, i) => MAX_IN_FLIGHT - 1 - i)
  readonly #freeSlots: number[] = Array.from({ length: BOUNCE_SLOTS }, (_, i) => i)
  /** Requests that found no room, in order. */
  readonly #waiting: Pending[] = []
  #resets: number
  /** Requests still to be sent without waiting for them, and how many it will be after the next slow one. */
  #shy = 0
  #nextShy: number = SHY[0]

  constructor(channel: IoChannel, memory: GuestMemory) {
    this.#channel = channel
    this.#memory = memory
    this.#resets = channel.resetsDone
  }

  /** Requests without an answer yet. */
  get busy(): number {
    return this.#inFlight.size + this.#waiting.length
  }

  /** Is the worker at a request, or will it be in some microseconds? Waits for that. */
  served(): boolean {
    return this.busy > 0 && this.#channel.takenWithin(TAKEN)
  }

  /** The disk with this number in the worker's list. */
  disk(target: number, facts: DiskFacts): BlockBackend {
    return { ...facts, submit: (request) => this.#submitBlock(target, request), drain: () => void this.drain() }
  }

  /** The share with this number in the worker's list. */
  share(target: number, mountTag: string): NineBackend {
    return {
      mountTag,
      submit: (request) => this.#submitNine(target, request),
      reset: () => this.#reset(target),
    }
  }

  /** Take what the worker has finished and tell the devices. */
  poll(): void {
    for (let record = this.#channel.completions.pop(); record !== undefined; record = this.#channel.completions.pop()) {
      const id = record[Done.id]
      const pending = this.#inFlight.get(id)
      if (pending === undefined) throw new Error(`the io worker answered request ${id}, which does not exist`)
      this.#inFlight.delete(id)
      this.#freeIds.push(id)
      const slot = pending.record[Field.bounce]
      if (slot >= 0) {
        if (pending.incoming !== undefined) {
          pending.incoming.set(this.#channel.bounce(slot, pending.incoming.length))
        }
        this.#freeSlots.push(slot)
      }
      pending.complete?.(record[Done.value], record[Done.touched])
    }
    this.#pushWaiting()
  }

  /** Before a snapshot or a machine reset: wait until nothing is in flight. False when the worker does not answer. */
  drain(): boolean {
    const end = performance.now() + PATIENCE
    this.poll()
    while (this.busy > 0) {
      if (performance.now() > end) return false
      this.#channel.waitForCompletion(100)
      this.poll()
    }
    return true
  }

  #submitBlock(target: number, request: BlockRequest): void {
    const { op, sector, length, segments, buffer } = request
    if (buffer !== undefined && buffer.length > BOUNCE_BYTES) throw new Error(`a PIO buffer of ${buffer.length} bytes`)
    const record = [0, BLOCK_OPS[op], target, sector, length, -1, segments?.length ?? 0]
    if (segments !== undefined) add(record, segments)
    this.#submit({
      record,
      outgoing: op === 'write' ? buffer : undefined,
      incoming: op === 'read' ? buffer : undefined,
      complete: (value, touched) => {
        this.#written(segments ?? [], touched)
        const status: BlockStatus = STATUSES[value]
        request.done(status)
      },
    })
  }

  #submitNine(target: number, nine: NineRequest): void {
    const { request, reply } = nine
    const record = [0, Op.nine, target, request.length, 0, -1, request.length + reply.length]
    const carried = add(record, request) + add(record, reply)
    const pending: Pending = {
      record,
      outgoing: undefined,
      incoming: undefined,
      complete: (value, touched) => {
        this.#written(reply, touched)
        nine.done(value)
      },
    }
    this.#submit(pending)
    this.#waitBriefly(pending, carried)
  }

  /** `carried`: bytes of the message and its reply. */
  #waitBriefly(pending: Pending, carried: number): void {
    if (this.#shy > 0) {
      this.#shy--
      return
    }
    const id = pending.record[Field.id]
    const isUnderWay = () => this.#inFlight.get(id) === pending
    const most = AT_ONCE + carried * A_BYTE
    for (let left = most, end = performance.now() + left; isUnderWay(); left = end - performance.now()) {
      if (left <= 0) {
        this.#shy = this.#nextShy
        this.#nextShy = Math.min(this.#nextShy * 2, SHY[1])
        return
      }
      if (this.#channel.takenWithin(Math.min(left, TAKEN))) this.#channel.lookForCompletion(left)
      else this.#channel.waitForCompletion(left)
      this.poll()
    }
    this.#nextShy = SHY[0]
  }

  /** Nothing that was asked before may be answered, or write guest memory, after this. So it waits for the worker: some microseconds. */
  #reset(target: number): void {
    const isItsOwn = ({ record }: Pending): boolean => record[Field.op] === Op.nine && record[Field.target] === target
    for (const pending of this.#inFlight.values()) if (isItsOwn(pending)) pending.complete = undefined
    const others = this.#waiting.filter((pending) => !isItsOwn(pending))
    this.#waiting.splice(0, this.#waiting.length, ...others)
    while (!this.#channel.requests.push([0, Op.nineReset, target])) this.#channel.waitForCompletion(1)
    this.#channel.ring()
    this.#resets = (this.#resets + 1) | 0
    if (!this.#channel.waitForResets(this.#resets, PATIENCE)) throw new Error('the io worker does not answer')
  }

  #submit(pending: Pending): void {
    if (this.#waiting.length > 0 || !this.#push(pending)) this.#waiting.push(pending)
  }

  #pushWaiting(): void {
    while (this.#waiting.length > 0 && this.#push(this.#waiting[0])) this.#waiting.shift()
  }

  #push(pending: Pending): boolean {
    const buffer = pending.outgoing ?? pending.incoming
    const id = this.#freeIds.at(-1)
    const slot = buffer === undefined ? -1 : this.#freeSlots.at(-1)
    if (id === undefined || slot === undefined) return false
    pending.record[Field.id] = id
    pending.record[Field.bounce] = slot
    if (pending.outgoing !== undefined) this.#channel.bounce(slot, pending.outgoing.length).set(pending.outgoing)
    if (!this.#channel.requests.push(pending.record)) return false
    this.#freeIds.pop()
    if (slot >= 0) this.#freeSlots.pop()
    this.#inFlight.set(id, pending)
    this.#channel.ring()
    return true
  }

  #written(segments: readonly Segment[], bytes: number): void {
    let left = bytes
    for (const { gpa, length } of segments) {
      if (left <= 0) return
      this.#memory.written(gpa, Math.min(length, left))
      left -= length
    }
  }
}

/** Adds the segments to a request record; how many bytes they are. */
function add(record: number[], segments: readonly Segment[]): number {
  let bytes = 0
  for (const { gpa, length } of segments) {
    record.push(gpa, length)
    bytes += length
  }
  return bytes
}
