import type { BlockStatus } from '../../devices/backends.ts'
import { SECTOR, totalLength, type DiskImage } from '../../host/disk/image.ts'
import type { GuestMemory } from '../../memory/guest-memory.ts'
import { RLERROR } from '../../ninep/messages.ts'
import { Field, Op, STATUSES, type IoChannel } from './channel.ts'

/** A 9p server as this worker drives it: src-main/ninep is one. */
export interface NineHandler {
  /** Answer one T-message; resolves with the length of the R-message in `reply`. Never rejects. */
  handleSegments(request: readonly Uint8Array[], reply: readonly Uint8Array[]): number | Promise<number>
  reset(): void
}

/** Where the type stands in a 9p message. */
const TYPE_AT = 4

/**
 * The guest asks for one thing after the other, so the next request is near. Sleeping on the ring itself costs less than through the event
 * loop, and there is no lock of the event loop's that a vCPU thread could hold when its time is up. Ms to sleep for a request, and ms until
 * timers and messages get their turn all the same.
 */
const LINGER = 20
const LONGEST = 50

/** The io worker's end: takes requests from the ring and carries them out side by side, so that a slow disk holds up nobody. */
export class IoServer {
  readonly #channel: IoChannel
  readonly #memory: GuestMemory
  readonly #disks: readonly DiskImage[]
  readonly #shares: readonly NineHandler[]
  readonly #raise: () => boolean
  readonly #diskFailed: (disk: number, status: BlockStatus) => void
  #stopped = false
  /** Requests that are answered by the event loop. */
  #later = 0
  /** The last answer woke the vCPU. It needs a core then, and this thread's may be the only one to be had: so it is not held by looking. */
  #woke = false

  /** `raise` gets the vCPU thread's attention (Event.ioDone) and says whether it slept; `diskFailed` hears what this computer could not do for a disk. */
  constructor(
    parts: { channel: IoChannel; memory: GuestMemory; disks: readonly DiskImage[]; shares: readonly NineHandler[] },
    raise: () => boolean,
    diskFailed: (disk: number, status: BlockStatus) => void = () => undefined,
  ) {
    this.#channel = parts.channel
    this.#memory = parts.memory
    this.#disks = parts.disks
    this.#shares = parts.shares
    this.#raise = raise
    this.#diskFailed = diskFailed
  }

  start(): void {
    const turn = (): void => {
      if (this.#stopped) return
      this.#takeAll()
      for (const end = performance.now() + LONGEST; this.#later === 0 && performance.now() < end; this.#takeAll())
        if (!this.#channel.awaitRequests(LINGER, !this.#woke)) break
      this.#channel.waitForRequests(turn)
    }
    turn()
  }

  stop(): void {
    this.#stopped = true
  }

  #takeAll(): void {
    const { requests } = this.#channel
    for (let record = requests.pop(); record !== undefined; record = requests.pop()) this.#take(record)
  }

  #take(record: readonly number[]): void {
    const id = record[Field.id]
    switch (record[Field.op]) {
      case Op.nineReset:
        this.#shares[record[Field.target]].reset()
        this.#channel.resetDone()
        return
      case Op.nine: {
        this.#nine(record)
        return
      }
      default:
        this.#completeLater(this.#block(record), (status) => {
          const touched = record[Field.op] === Op.read ? record[Field.length] : 0
          this.#complete(id, STATUSES.indexOf(status), touched)
        })
    }
  }

  #completeLater<A>(answer: Promise<A>, complete: (answer: A) => void): void {
    this.#later++
    void answer.then((value) => {
      this.#later--
      complete(value)
    })
  }

  #complete(id: number, value: number, touched: number): void {
    if (!this.#channel.completions.push([id, value, touched])) throw new Error('the completion ring is full')
    const slept = this.#channel.completed()
    this.#woke = this.#raise() || slept
  }

  #nine(record: readonly number[]): void {
    const id = record[Field.id]
    const requests = record[Field.sector]
    const request = this.#segments(record, 0, requests)
    const reply = this.#segments(record, requests, record[Field.segments])
    if (request === undefined || reply === undefined) {
      this.#complete(id, 0, 0)
      return
    }
    const complete = (written: number): void => {
      // A failed read may have filled a part of its data before the error took its place.
      const failed = written === 0 || reply[0].length <= TYPE_AT || reply[0][TYPE_AT] === RLERROR
      this.#complete(id, written, failed ? totalLength(reply) : written)
    }
    const answer = this.#shares[record[Field.target]].handleSegments(request, reply)
    if (typeof answer === 'number') complete(answer)
    else this.#completeLater(answer, complete)
  }

  async #block(record: readonly number[]): Promise<BlockStatus> {
    const disk = this.#disks[record[Field.target]]
    const [sector, length, bounce] = [record[Field.sector], record[Field.length], record[Field.bounce]]
    const op = record[Field.op]
    const position = sector * SECTOR
    if (op === Op.flush) return this.#told(record, disk.flush())
    if (sector + length / SECTOR > disk.sectors) return 'out-of-range'
    if (op !== Op.read && disk.readOnly) return 'read-only'
    if (op === Op.discard) return disk.discard(position, length)
    if (op === Op.writeZeroes) return disk.writeZeroes(position, length)
    const buffers =
      bounce >= 0 ? [this.#channel.bounce(bounce, length)] : this.#segments(record, 0, record[Field.segments])
    if (buffers === undefined || totalLength(buffers) !== length) return 'io-error'
    return this.#told(record, op === Op.read ? disk.read(position, buffers) : disk.write(position, buffers))
  }

  /** What the disk itself answers: a failure is this computer's, not the guest's. */
  async #told(record: readonly number[], answer: Promise<BlockStatus>): Promise<BlockStatus> {
    const status = await answer
    if (status === 'no-space' || status === 'io-error') this.#diskFailed(record[Field.target], status)
    return status
  }

  /** Views of guest memory for the segments from `first` to before `end`, neighbours joined; undefined when one is not in RAM. */
  #segments(record: readonly number[], first: number, end: number): Uint8Array[] | undefined {
    const views: Uint8Array[] = []
    const { bytes } = this.#memory
    let previousEnd = -1
    for (let i = first; i < end; i++) {
      const length = record[Field.first + i * 2 + 1]
      const at = this.#memory.offset(record[Field.first + i * 2], length)
      if (at < 0) return undefined
      const start = at === previousEnd ? previousEnd - views[views.length - 1].length : at
      if (at === previousEnd) views.pop()
      views.push(bytes.subarray(start, at + length))
      previousEnd = at + length
    }
    return views
  }
}
