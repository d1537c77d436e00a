/**
 * One gdb connected to one machine: the remote serial protocol (GDB manual, appendix E) on top of contract/debug.ts. The machine is one
 * thread, number 1. Packets are answered one after the other; what is not known is answered with the empty packet, as the manual wants.
 */
import { DebugRefused, type Breakpoint, type Debuggable, type Stop } from '../../contract/debug.ts'
import { answerMemory, answerWrite, answerWriteHex } from './memory-packets.ts'
import { BAD_REQUEST, hexBytes, latin1, MOST_PACKET, packet, PacketReader, parseHexBytes } from './packet.ts'
import { readAll, readOne, writeAll, writeOne } from './register-packets.ts'
import { TARGET_XML } from './target.ts'

export interface GdbHost {
  readonly target: Debuggable
  send(bytes: Uint8Array): void
  /** gdb's `monitor LINE`. */
  monitor(line: string): Promise<string>
  /** gdb's `kill`: end the machine. */
  kill(): void
}

const OK = 'OK'
const UNKNOWN = ''
const SIGINT = 2
const SIGTRAP = 5

type Handler = (data: string) => Promise<string | undefined> | string | undefined

export class GdbSession {
  readonly #host: GdbHost
  readonly #reader = new PacketReader()
  readonly #endStops: () => void
  #acknowledge = true
  /** gdb waits for the next stop. */
  #waiting = false
  #interrupted = false
  /** gdb knows the words swbreak and hwbreak in stop replies. */
  #breakWords = false
  #physical = false
  #last: Uint8Array = new Uint8Array(0)
  #stop: Stop | undefined
  readonly #points = new Map<string, Breakpoint>()
  #queue: Promise<void> = Promise.resolve()

  constructor(host: GdbHost) {
    this.#host = host
    this.#endStops = host.target.onStop((stop) => this.#stopped(stop))
    // gdb takes for granted that what it connects to stands
    this.#enqueue(async () => {
      this.#stop = await host.target.ask('stop', {})
    })
  }

  receive(bytes: Uint8Array): void {
    for (const incoming of this.#reader.read(bytes)) {
      if (incoming.kind === 'interrupt') this.#enqueue(() => this.#interrupt())
      else if (incoming.kind === 'nack') this.#host.send(this.#last)
      else if (incoming.kind === 'broken') this.#raw('-')
      else if (incoming.kind === 'packet') {
        if (this.#acknowledge) this.#raw('+')
        this.#enqueue(() => this.#answer(incoming.data))
      }
    }
  }

  /** gdb is gone, with or without a word: nothing of it stays, and the machine goes on. */
  async close(): Promise<void> {
    this.#endStops()
    await this.#queue
    await this.#leave().catch(ignoreRefusal)
  }

  async #leave(): Promise<void> {
    for (const point of this.#points.values()) await this.#host.target.ask('removeBreakpoint', point)
    this.#points.clear()
    this.#waiting = false
    await this.#host.target.ask('resume', {})
  }

  #enqueue(act: () => Promise<void>): void {
    this.#queue = this.#queue.then(act).catch(ignoreRefusal)
  }
  #raw(text: string): void {
    this.#host.send(latin1(text))
  }
  #reply(data: string): void {
    this.#last = packet(data)
    this.#host.send(this.#last)
  }

  async #interrupt(): Promise<void> {
    this.#interrupted = true
    await this.#host.target.ask('stop', {})
  }

  #stopped(stop: Stop | undefined): void {
    this.#stop = stop
    if (stop === undefined || !this.#waiting) return
    this.#waiting = false
    this.#reply(this.#stopReply(stop))
    this.#interrupted = false
  }

  /** E.3: why the machine stands. */
  #stopReply({ reason }: Stop): string {
    const signal = reason.kind === 'pause' && this.#interrupted ? SIGINT : SIGTRAP
    const head = `T${signal.toString(16).padStart(2, '0')}thread:01;`
    if (reason.kind === 'watchpoint') {
      const word = { write: 'watch', read: 'rwatch', access: 'awatch' }[reason.watch]
      return `${head}${word}:${reason.address.toString(16)};`
    }
    if (reason.kind === 'breakpoint' && this.#breakWords) {
      return head + (this.#points.has(`1,${reason.address.toString(16)},`) ? 'hwbreak:;' : 'swbreak:;')
    }
    return head
  }

  async #answer(data: string): Promise<void> {
    const name = this.#names.find((prefix) => data.startsWith(prefix))
    try {
      const answer = name === undefined ? UNKNOWN : await this.#handlers[name]!(data.slice(name.length))
      if (answer !== undefined) this.#reply(answer)
    } catch (error) {
      if (!(error instanceof DebugRefused)) throw error
      this.#reply(BAD_REQUEST)
    }
  }

  async #go(step: boolean): Promise<undefined> {
    this.#waiting = true
    if (step) void this.#host.target.ask('step', { count: 1 }).catch(ignoreRefusal)
    else await this.#host.target.ask('resume', {})
    return undefined
  }
  /** E.2, `vCont`: one thread, so the first action that steps decides. */
  async #vCont(actions: string): Promise<string | undefined> {
    const words = actions.split(';').filter((word) => word !== '')
    if (!words.every((word) => /^[cCsS]/.test(word))) return UNKNOWN
    return await this.#go(/^[sS]/.test(words[0] ?? 'c'))
  }

  /** Z and z: type, address, length. */
  async #breakpoint(data: string, add: boolean): Promise<string> {
    const match = /^([0-4]),([0-9a-f]+),([0-9a-f]+)/i.exec(data)
    if (!match) return UNKNOWN
    const [, type = '', place = '', size = ''] = match
    const kind = (['execute', 'execute', 'write', 'read', 'access'] as const)[Number(type)]!
    const point: Breakpoint = {
      kind,
      address: BigInt.asUintN(64, BigInt(`0x${place}`)),
      length: kind === 'execute' ? 1 : parseInt(size, 16),
    }
    const key = `${type},${point.address.toString(16)},${kind === 'execute' ? '' : size}`
    if (add) {
      await this.#host.target.ask('addBreakpoint', point)
      this.#points.set(key, point)
      return OK
    }
    this.#points.delete(key)
    // the other kind of breakpoint at the same place stays
    const shared = [...this.#points.values()].some(
      (other) => other.kind === kind && other.address === point.address && other.length === point.length,
    )
    if (!shared) await this.#host.target.ask('removeBreakpoint', point)
    return OK
  }

  #features(range: string): string {
    const [from = 0, length = 0] = range.split(',').map((text) => parseInt(text, 16))
    const piece = TARGET_XML.slice(from, from + length)
    return (from + length >= TARGET_XML.length ? 'l' : 'm') + piece
  }

  async #command(hex: string): Promise<string> {
    const line = new TextDecoder().decode(parseHexBytes(hex) ?? new Uint8Array(0))
    const text = await this.#host.monitor(line)
    return text === '' ? OK : hexBytes(new TextEncoder().encode(text.endsWith('\n') ? text : `${text}\n`))
  }

  /** By the first characters of a packet. */
  readonly #handlers: Readonly<Record<string, Handler>> = {
    '?': () => (this.#stop ? this.#stopReply(this.#stop) : 'T05thread:01;'),
    qSupported: (features) => {
      this.#breakWords = features.includes('swbreak+')
      return `PacketSize=${MOST_PACKET.toString(16)};qXfer:features:read+;vContSupported+;swbreak+;hwbreak+;QStartNoAckMode+`
    },
    QStartNoAckMode: () => {
      this.#acknowledge = false
      return OK
    },
    'qXfer:features:read:target.xml:': (range) => this.#features(range),
    'vCont?': () => 'vCont;c;C;s;S',
    'vCont;': (actions) => this.#vCont(actions),
    'qRcmd,': (hex) => this.#command(hex),
    'Qqemu.PhyMemMode:': (mode) => {
      this.#physical = mode === '1'
      return OK
    },
    'qqemu.PhyMemMode': () => (this.#physical ? '1' : '0'),
    qAttached: () => '1',
    qC: (rest) => (rest === '' ? 'QC01' : UNKNOWN),
    qfThreadInfo: () => 'm01',
    qsThreadInfo: () => 'l',
    H: () => OK,
    T: () => OK,
    g: () => readAll(this.#host.target),
    G: (data) => writeAll(this.#host.target, data),
    p: (data) => readOne(this.#host.target, data),
    P: (data) => writeOne(this.#host.target, data),
    m: (data) => answerMemory(this.#host.target, this.#space, data),
    M: (data) => answerWriteHex(this.#host.target, this.#space, data),
    X: (data) => answerWrite(this.#host.target, this.#space, data),
    Z: (data) => this.#breakpoint(data, true),
    z: (data) => this.#breakpoint(data, false),
    c: (address) => (address === '' ? this.#go(false) : UNKNOWN),
    s: (address) => (address === '' ? this.#go(true) : UNKNOWN),
    C: () => this.#go(false),
    S: () => this.#go(true),
    D: async () => {
      await this.#leave()
      return OK
    },
    k: () => {
      this.#host.kill()
      return undefined
    },
  }
  /** The longest that fits counts. */
  readonly #names = Object.keys(this.#handlers).sort((a, b) => b.length - a.length)

  get #space(): 'physical' | 'virtual' {
    return this.#physical ? 'physical' : 'virtual'
  }
}

function ignoreRefusal(error: unknown): void {
  // the machine has ended; its owner closes the connection
  if (!(error instanceof DebugRefused)) throw error
}
