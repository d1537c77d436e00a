import type { GuestMemory } from '../memory/guest-memory.ts'
import type { BlockBackend, BlockRequest, BlockStatus } from './backends.ts'

/** For unit tests: a disk in an array. Requests wait until the test lets them complete, in the order it chooses. */
export class TestBlock implements BlockBackend {
  readonly sectors: number
  readonly readOnly: boolean
  readonly serial = 'LM0001'
  readonly data: Uint8Array
  readonly waiting: BlockRequest[] = []
  /** What was asked for, in order. */
  readonly trace: string[] = []
  readonly #memory: GuestMemory
  #failure: BlockStatus | undefined

  constructor(memory: GuestMemory, sectors: number, readOnly = false) {
    this.#memory = memory
    this.sectors = sectors
    this.readOnly = readOnly
    const words = Uint32Array.from({ length: 128 }, (_, i) => Math.imul(i + 1, 0x9e3779b1))
    this.data = new Uint8Array(sectors * 512)
    const view = new Uint32Array(this.data.buffer)
    for (let sector = 0; sector < sectors; sector++) {
      view.set(words, sector * 128)
      view[sector * 128] = sector
    }
  }

  submit(request: BlockRequest): void {
    this.trace.push(`${request.op} ${request.sector}+${request.length / 512}`)
    this.waiting.push(request)
  }

  failNext(status: BlockStatus): void {
    this.#failure = status
  }

  /** Complete everything that waits, and what that leads to. */
  run(): void {
    for (let limit = 10_000; this.waiting.length > 0; limit--) {
      if (limit === 0) throw new Error('requests without end')
      this.completeOne()
    }
  }

  completeOne(index = 0): void {
    const [request] = this.waiting.splice(index, 1)
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) this.#carryOut(request)
    request.done(failure ?? 'ok')
  }

  #carryOut({ op, sector, length, segments, buffer }: BlockRequest): void {
    const at = sector * 512
    if (op === 'discard' || op === 'write-zeroes') this.data.fill(0, at, at + length)
    if (op !== 'read' && op !== 'write') return
    const part = this.data.subarray(at, at + length)
    if (buffer !== undefined) (op === 'read' ? buffer : part).set(op === 'read' ? part : buffer)
    let done = 0
    for (const segment of segments ?? []) {
      const piece = part.subarray(done, done + segment.length)
      if (op === 'read') this.#memory.write(segment.gpa, piece)
      else piece.set(this.#memory.read(segment.gpa, segment.length) ?? new Uint8Array(0))
      done += segment.length
    }
  }
}
