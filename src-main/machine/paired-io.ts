/**
 * What the outside world is to two machines that run side by side. The first one (the leader) speaks to the host; what the host answers is kept
 * for the second (the follower), which has to ask for the same. Nothing is carried out while guest code runs: settle() does so when both have
 * made the same instructions, so both see every answer at the same one. What they ask or say differently is told to `differs`.
 */
import type {
  BlockBackend,
  BlockRequest,
  BlockStatus,
  CharBackend,
  ConsoleBackend,
  NineBackend,
  NineRequest,
  RandomBackend,
  TerminalSize,
} from '../devices/backends.ts'
import type { Segment } from '../memory/guest-memory.ts'
import type { Ram } from '../memory/ram.ts'

export type Differs = (what: string) => void
/** Runs the host's side until nothing is under way. */
export type Wait = () => void

interface Answer {
  /** What was asked, with the bytes that went to the host. */
  readonly asked: string
  readonly sent: readonly Uint8Array[]
  readonly result: number | BlockStatus
  /** What the host wrote, by range. */
  readonly data: readonly Uint8Array[]
}
/** A request of either kind. */
interface Asked {
  readonly asked: string
  /** Ranges with what goes to the host, and ranges that it writes. */
  readonly out: readonly Segment[]
  readonly into: readonly Segment[]
  /** Instead of ranges: a device's own. */
  readonly buffer: Uint8Array | undefined
  readonly reads: boolean
  /** To the host; calls `answered` at once or while `wait` runs. */
  carryOut(answered: (result: number | BlockStatus) => void): void
  done(result: number | BlockStatus): void
}

const bytesOf = (ram: Ram, segments: readonly Segment[]): Uint8Array[] =>
  segments.map(({ gpa, length }) => ram.read(gpa, length) ?? new Uint8Array(0))
const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((bytes, n) => equal(bytes, b[n]!))
const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, n) => byte === b[n])

/** Requests of one device of both machines. */
class Pair {
  private leading: Asked[] = []
  private following: Asked[] = []
  private answers: Answer[] = []
  private readonly name: string
  private readonly world: PairedWorld

  constructor(name: string, world: PairedWorld) {
    this.name = name
    this.world = world
  }
  lead(asked: Asked): void {
    this.leading.push(asked)
  }
  follow(asked: Asked): void {
    this.following.push(asked)
  }
  resetLeader(): void {
    this.leading = []
  }
  resetFollower(): void {
    this.following = []
  }
  settleLeader(): void {
    for (let next = this.leading.shift(); next !== undefined; next = this.leading.shift()) {
      const { asked, out, into, buffer, reads } = next
      const ram = this.world.leader!
      const sent = buffer && !reads ? [buffer.slice()] : bytesOf(ram, out)
      const given: { result?: number | BlockStatus } = {}
      next.carryOut((result) => (given.result = result))
      if (given.result === undefined) this.world.wait()
      const { result } = given
      if (result === undefined) throw new Error(`${this.name}: the host does not answer`)
      const data = buffer && reads ? [buffer.slice()] : bytesOf(ram, into)
      this.answers.push({ asked, sent, result, data })
      next.done(result)
    }
  }
  settleFollower(): void {
    while (this.following.length > 0 && this.answers.length > 0) {
      const next = this.following.shift()!
      const { asked, sent, result, data } = this.answers.shift()!
      const ram = this.world.follower!
      const { buffer, reads } = next
      if (asked !== next.asked) this.world.differs(`${this.name}: ${asked} translated, ${next.asked} interpreted`)
      else if (!same(sent, buffer && !reads ? [buffer] : bytesOf(ram, next.out)))
        this.world.differs(`${this.name}: ${asked}: other bytes translated than interpreted`)
      else if (buffer && reads) buffer.set(data[0]!)
      else next.into.forEach(({ gpa }, n) => ram.write(gpa, data[n]!))
      next.done(result)
    }
    if (this.following.length === 0 && this.answers.length === 0) return
    const [who, what] =
      this.answers.length > 0
        ? ['the translator', this.answers[0]!.asked]
        : ['the interpreter', this.following[0]!.asked]
    this.world.differs(`${this.name}: only ${who} asks for ${what}`)
  }
}

const show = (segments: readonly Segment[]): string =>
  segments.map(({ gpa, length }) => `${gpa.toString(16)}+${length}`).join(' ')

export class PairedWorld {
  /** RAM of the two machines, once they are there. */
  leader: Ram | undefined
  follower: Ram | undefined
  readonly differs: Differs
  readonly wait: Wait
  private readonly pairs: Pair[] = []
  private readonly streams: PairedStream[] = []

  constructor(differs: Differs, wait: Wait) {
    this.differs = differs
    this.wait = wait
  }

  /** Both have made the same instructions: the host's work is done, and told to both. */
  settle(): void {
    for (const pair of this.pairs) pair.settleLeader()
    for (const pair of this.pairs) pair.settleFollower()
    for (const stream of this.streams) stream.settle()
  }

  /** A disk for the leader and one for the follower. */
  disk(name: string, host: BlockBackend): readonly [BlockBackend, BlockBackend] {
    const pair = this.pair(name)
    const asked = (request: BlockRequest): Asked => {
      const { op, sector, length, segments = [], buffer } = request
      return {
        asked: `${op} of ${length} bytes at sector ${sector} ${show(segments)}`.trim(),
        out: op === 'write' ? segments : [],
        into: op === 'read' ? segments : [],
        buffer,
        reads: op === 'read',
        carryOut: (answered) => host.submit({ ...request, done: answered }),
        done: (result) => request.done(result as BlockStatus),
      }
    }
    const { sectors, readOnly, serial } = host
    return [
      { sectors, readOnly, serial, submit: (r) => pair.lead(asked(r)), drain: () => pair.settleLeader() },
      { sectors, readOnly, serial, submit: (r) => pair.follow(asked(r)), drain: () => pair.settleFollower() },
    ]
  }
  share(name: string, host: NineBackend): readonly [NineBackend, NineBackend] {
    const pair = this.pair(name)
    const asked = (request: NineRequest): Asked => ({
      asked: `a request in ${show(request.request)} for ${show(request.reply)}`,
      out: request.request,
      into: request.reply,
      buffer: undefined,
      reads: false,
      carryOut: (answered) => host.submit({ ...request, done: answered }),
      done: (result) => request.done(result as number),
    })
    const { mountTag } = host
    const reset = (): void => {
      pair.resetLeader()
      host.reset()
    }
    return [
      { mountTag, submit: (request) => pair.lead(asked(request)), reset },
      { mountTag, submit: (request) => pair.follow(asked(request)), reset: () => pair.resetFollower() },
    ]
  }
  console(name: string, host: ConsoleBackend): readonly [ConsoleBackend, ConsoleBackend] {
    const stream = new PairedStream(name, host, this.differs)
    this.streams.push(stream)
    return stream.sides
  }
  /** The same bytes for both. */
  random(host: RandomBackend): readonly [RandomBackend, RandomBackend] {
    const kept: Uint8Array[] = []
    const lead = (target: Uint8Array): void => {
      host.fill(target)
      kept.push(target.slice())
    }
    const follow = (target: Uint8Array): void => {
      const bytes = kept.shift()
      if (bytes?.length === target.length) target.set(bytes)
      else this.differs(`${target.length} random bytes interpreted, ${bytes?.length ?? 'none'} translated`)
    }
    return [{ fill: lead }, { fill: follow }]
  }

  private pair(name: string): Pair {
    const pair = new Pair(name, this)
    this.pairs.push(pair)
    return pair
  }
}

/** What is read from a console in one go, bytes. */
const MOST_READ = 4096
const BREAK = -1

class Side implements ConsoleBackend {
  onReadable: (() => void) | undefined
  onBreak: (() => void) | undefined
  onResize: ((size: TerminalSize) => void) | undefined
  readonly written: number[] = []
  /** Bytes, and BREAK. */
  readonly waiting: number[] = []
  private readonly host: CharBackend | undefined

  constructor(host?: CharBackend) {
    this.host = host
  }
  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.written.push(byte)
    this.host?.write(bytes)
  }
  read(max: number): Uint8Array {
    if (max > 0 && this.waiting[0] === BREAK) {
      this.waiting.shift()
      this.onBreak?.()
      return this.read(max - 1)
    }
    const mark = this.waiting.indexOf(BREAK)
    return Uint8Array.from(this.waiting.splice(0, Math.min(max, mark < 0 ? max : mark)))
  }
}

/** A console of both machines: what is typed reaches both between two slices, and both have to say the same. */
class PairedStream {
  readonly sides: readonly [Side, Side]
  private readonly name: string
  private readonly host: ConsoleBackend
  private readonly differs: Differs
  private size: TerminalSize | undefined

  constructor(name: string, host: ConsoleBackend, differs: Differs) {
    this.name = name
    this.host = host
    this.differs = differs
    this.sides = [new Side(host), new Side()]
    host.onBreak = () => this.type([BREAK])
    host.onResize = (size) => {
      this.size = size
    }
  }
  private type(input: Iterable<number>): void {
    for (const each of input) for (const side of this.sides) side.waiting.push(each)
  }
  settle(): void {
    const [a, b] = this.sides
    const said = a.written.splice(0)
    const other = b.written.splice(0)
    if (said.length !== other.length || said.some((byte, n) => byte !== other[n]))
      this.differs(`${this.name}: ${text(said)} translated, ${text(other)} interpreted`)
    // what the guest does not take stays where it was typed
    if (a.waiting.length < MOST_READ) this.type(this.host.read(MOST_READ))
    for (const side of this.sides) {
      if (side.waiting.length > 0) side.onReadable?.()
      if (this.size) side.onResize?.(this.size)
    }
    this.size = undefined
  }
}
const text = (bytes: readonly number[]): string => JSON.stringify(String.fromCharCode(...bytes))
