import { silentLog } from '../base/log.ts'
import type { Log } from '../base/log.ts'
import { ERRNO } from './errno.ts'
import { HANDLERS } from './handlers.ts'
import type { HostFolder } from './host-folder.ts'
import {
  ERROR_REPLY_SIZE,
  HEADER_SIZE,
  MIN_MSIZE,
  NOTAG,
  READ_REPLY_HEADER_SIZE,
  RLERROR,
  T,
  WRITE_HEADER_SIZE,
  messageName,
} from './messages.ts'
import { ownerModel } from './owners.ts'
import type { SecurityModel } from './owners.ts'
import { readFile } from './read.ts'
import { copyAt, dropFront, gather, scatter, totalLength } from './segments.ts'
import { DEFAULT_LIMITS, Session } from './session.ts'
import type { Limits, Touch } from './session.ts'
import { MessageWriter } from './wire.ts'
import { writeFile } from './write.ts'

export interface NineServerOptions {
  securityModel?: SecurityModel
  readOnly?: boolean
  /** Largest message we agree to, in bytes: 4096 .. 1 MiB (the default). */
  msizeMax?: number
  log?: Log
  limits?: Partial<Limits>
  /** Told what the guest changes, right after it changed. */
  touch?: Touch
}

/** Messages other than Twrite are a few names long; two strings of 64 KiB is the most the protocol can say. */
const MAX_SMALL_REQUEST = 2 * 65_536 + 64
const MAX_MSIZE = 1 << 20
/**
 * Room for Rlerror, the reply that is always possible. A driver offers no more where that and the expected reply need no more (Linux since
 * 6.1.17: p9_msg_buf_size).
 */
const MIN_REPLY = ERROR_REPLY_SIZE
/** Rversion: header, msize u32, the dialect's name as a string. */
const VERSION_REPLY_SIZE = HEADER_SIZE + 4 + 2 + '9P2000.L'.length

/**
 * A 9P2000.L server over one folder, for one guest. It knows nothing of virtio: a request is a list of byte ranges, a reply is a list
 * of byte ranges, both usually guest memory. It never throws for anything a guest sends.
 */
export class NineServer {
  private readonly session: Session
  private readonly log: Log
  private readonly msizeMax: number
  private readonly small = new Uint8Array(MAX_SMALL_REQUEST)
  private readonly late = new MessageWriter(new Uint8Array(64))
  private readonly versionReply = new MessageWriter(new Uint8Array(64))
  /** Requests not yet answered, by tag. */
  private readonly pending = new Map<number, Promise<number>>()
  /** Grows with every reset: what was begun before must not touch the guest's memory any more. */
  private generation = 0

  constructor(folder: HostFolder, options: NineServerOptions = {}) {
    this.log = options.log ?? silentLog
    this.msizeMax = Math.min(options.msizeMax ?? MAX_MSIZE, MAX_MSIZE)
    this.session = new Session(folder, ownerModel(options.securityModel ?? 'none', folder), {
      readOnly: options.readOnly ?? false,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      log: this.log,
      touch: options.touch,
    })
  }

  /** Fids the guest holds. */
  get fidCount(): number {
    return this.session.fids.size
  }

  /** Requests in flight. */
  get pendingCount(): number {
    return this.pending.size
  }

  handle(request: Uint8Array, reply: Uint8Array): number | Promise<number> {
    return this.handleSegments([request], [reply])
  }

  /**
   * Answers one T-message. Returns the length of the R-message written to `reply`: at once when it could be done without waiting, else
   * a promise (which never rejects). 0: no reply is possible (not even a header, or `reply` has no room for Rlerror), or the server was reset
   * meanwhile. File data goes straight between the file and the segments. Requests may overlap; the caller must leave the
   * segments alone until the answer.
   */
  handleSegments(request: readonly Uint8Array[], reply: readonly Uint8Array[]): number | Promise<number> {
    const available = totalLength(request)
    const capacity = totalLength(reply)
    if (available < HEADER_SIZE || capacity < MIN_REPLY) {
      this.log.warn('ninep', `a request of ${available} bytes with room for ${capacity} cannot be answered`)
      return 0
    }
    const headLength = gather(request, this.small, WRITE_HEADER_SIZE)
    const { reader } = this.session
    reader.reset(this.small, 0, headLength)
    const size = reader.u32()
    const type = reader.u8()
    const tag = reader.u16()
    const bad = this.checkEnvelope(size, type, tag, available)
    if (bad !== 0) return this.finish(type, tag, bad, reply)
    let outcome: number | Promise<number>
    try {
      outcome = this.dispatch(type, size, request, reply, capacity)
    } catch (error) {
      outcome = this.ourBug(type, error)
    }
    return typeof outcome === 'number'
      ? this.finish(type, tag, outcome, reply)
      : this.finishLater(type, tag, outcome, reply)
  }

  /** The driver reset the device: forgets every fid and lock. Nothing that was begun earlier writes to guest memory after this returns. */
  reset(): void {
    this.generation++
    this.pending.clear()
    this.session.clear()
  }

  /** Frees everything, the folder included. The server must not be used any more. */
  close(): void {
    this.reset()
    this.session.folder.dispose()
  }

  private checkEnvelope(size: number, type: number, tag: number, available: number): number {
    if (size < HEADER_SIZE || size > available) return -ERRNO.EINVAL
    if (type !== T.VERSION && size > this.session.msize) return -ERRNO.EMSGSIZE
    if (type !== T.WRITE && size > MAX_SMALL_REQUEST) return -ERRNO.EMSGSIZE
    if (tag !== NOTAG && this.pending.has(tag)) {
      this.log.warn('ninep', `tag ${tag} used again while its request is still pending`)
      return -ERRNO.EINVAL
    }
    return 0
  }

  private dispatch(
    type: number,
    size: number,
    request: readonly Uint8Array[],
    reply: readonly Uint8Array[],
    capacity: number,
  ): number | Promise<number> {
    const { session } = this
    const limit = type === T.VERSION ? capacity : Math.min(capacity, session.msize)
    session.writer.reset(HEADER_SIZE, limit)
    if (type === T.WRITE) {
      const data = dropFront(request, WRITE_HEADER_SIZE, size - WRITE_HEADER_SIZE)
      return writeFile(session, data, size - WRITE_HEADER_SIZE)
    }
    session.reader.reset(this.small, HEADER_SIZE, gather(request, this.small, size))
    if (type === T.READ) return this.read(dropFront(reply, READ_REPLY_HEADER_SIZE, limit - READ_REPLY_HEADER_SIZE))
    if (type === T.VERSION) return capacity < VERSION_REPLY_SIZE ? -ERRNO.EMSGSIZE : this.version()
    if (type === T.FLUSH) return this.flush()
    const row = HANDLERS.get(type)
    if (row === undefined) {
      this.log.warn('ninep', `${messageName(type)} is not supported: answered with ENOTSUP`)
      return -ERRNO.EOPNOTSUPP
    }
    return row.changes && session.readOnly ? -ERRNO.EROFS : row.handler(session)
  }

  /** Data that had to be waited for comes in private memory and is dropped when the device was reset meanwhile. */
  private read(target: readonly Uint8Array[]): number | Promise<number> {
    const outcome = readFile(this.session, target)
    if (typeof outcome === 'number') return outcome
    const { generation } = this
    return outcome.then((data) => {
      if (typeof data === 'number') return data
      if (generation === this.generation) scatter(data, target)
      return data.length
    })
  }

  /** Tversion starts the session anew; whatever is in flight ends first, so that its answers still belong to the old one. */
  private version(): number | Promise<number> {
    if (this.pending.size === 0) return this.agree()
    const { reader } = this.session
    const wanted = reader.u32()
    const name = reader.string()
    const { short } = reader
    return Promise.all(this.pending.values()).then(() => (short ? -ERRNO.EINVAL : this.agreeTo(wanted, name)))
  }

  private agree(): number {
    const { reader } = this.session
    const wanted = reader.u32()
    const name = reader.string()
    return reader.short ? -ERRNO.EINVAL : this.agreeTo(wanted, name)
  }

  private agreeTo(wanted: number, name: Uint8Array): number {
    const { session } = this
    session.clear()
    if (wanted < MIN_MSIZE) {
      this.log.warn('ninep', `the guest wants messages of ${wanted} bytes; the least we speak is ${MIN_MSIZE}`)
      return -ERRNO.EMSGSIZE
    }
    session.msize = Math.min(wanted, this.msizeMax)
    if (session.writer.bytes.length < session.msize) session.writer = new MessageWriter(new Uint8Array(session.msize))
    const known = String.fromCharCode(...name.subarray(0, 32)) === VERSION_L
    if (!known) this.log.warn('ninep', `the guest asked for a dialect other than ${VERSION_L}`)
    this.versionReply.reset(HEADER_SIZE, 64)
    this.versionReply.u32(session.msize)
    this.versionReply.string(ascii(known ? VERSION_L : 'unknown'))
    return 0
  }

  /** Rflush comes after the answer of the flushed request: work that has begun is let finish, as QEMU does. */
  private flush(): number | Promise<number> {
    const old = this.session.reader.u16()
    if (this.session.reader.short) return -ERRNO.EINVAL
    return this.pending.get(old)?.then(() => 0) ?? 0
  }

  private ourBug(type: number, error: unknown): number {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.log.warn('ninep', `${messageName(type)} failed inside the server, answered with EIO: ${text}`)
    return -ERRNO.EIO
  }

  private finish(type: number, tag: number, outcome: number, reply: readonly Uint8Array[]): number {
    const { writer } = this.session
    if (outcome >= 0 && writer.overflow) outcome = -ERRNO.EMSGSIZE
    if (outcome < 0) return this.sendError(tag, outcome, reply)
    if (type === T.READ) return this.sendCount(type, tag, outcome, reply, outcome)
    return sendWriter(type === T.VERSION ? this.versionReply : writer, type, tag, reply)
  }

  private finishLater(
    type: number,
    tag: number,
    outcome: Promise<number>,
    reply: readonly Uint8Array[],
  ): Promise<number> {
    const { generation } = this
    const answer = outcome
      .catch((error: unknown) => this.ourBug(type, error))
      .then((value) => {
        if (generation !== this.generation) return 0
        if (this.pending.get(tag) === answer) this.pending.delete(tag)
        if (value < 0) return this.sendError(tag, value, reply)
        if (type === T.READ) return this.sendCount(type, tag, value, reply, value)
        if (type === T.WRITE) return this.sendCount(type, tag, value, reply, 0)
        if (type === T.VERSION) return sendWriter(this.versionReply, type, tag, reply)
        this.late.reset(HEADER_SIZE, HEADER_SIZE)
        return sendWriter(this.late, type, tag, reply)
      })
    if (type !== T.FLUSH && type !== T.VERSION) this.pending.set(tag, answer)
    return answer
  }

  private sendError(tag: number, outcome: number, reply: readonly Uint8Array[]): number {
    const { late } = this
    const trouble = HOST_TROUBLES.get(-outcome)
    if (trouble !== undefined) this.log.warn('ninep', trouble)
    late.reset(HEADER_SIZE, ERROR_REPLY_SIZE)
    late.u32(-outcome)
    return sendWriter(late, RLERROR - 1, tag, reply)
  }

  /** Header and count; `data` bytes are in place behind them already. */
  private sendCount(type: number, tag: number, count: number, reply: readonly Uint8Array[], data: number): number {
    const { late } = this
    late.reset(0, READ_REPLY_HEADER_SIZE)
    late.u32(READ_REPLY_HEADER_SIZE + data)
    late.u8(type + 1)
    late.u16(tag)
    late.u32(count)
    copyAt(late.bytes, READ_REPLY_HEADER_SIZE, reply)
    return READ_REPLY_HEADER_SIZE + data
  }
}

/** Failures that a person can do something about. */
const HOST_TROUBLES: ReadonlyMap<number, string> = new Map([
  [ERRNO.ENOSPC, 'the disk is full; the guest got ENOSPC'],
  [ERRNO.EDQUOT, 'the disk quota is used up; the guest got EDQUOT'],
  [ERRNO.EIO, 'the disk failed; the guest got EIO'],
])

const VERSION_L = '9P2000.L'

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Fills in the header of what the writer holds and copies the message out. */
function sendWriter(writer: MessageWriter, type: number, tag: number, reply: readonly Uint8Array[]): number {
  const length = writer.position
  writer.reset(0, writer.bytes.length)
  writer.u32(length)
  writer.u8(type + 1)
  writer.u16(tag)
  copyAt(writer.bytes, length, reply)
  return length
}
