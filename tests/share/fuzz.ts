import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { T } from '../../src-main/ninep/messages.ts'
import { MessageWriter } from '../../src-main/ninep/wire.ts'
import type { Fixture } from './fixture.ts'

/** A small generator of repeatable randomness (xorshift32). */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0 || 1
  }

  next(below: number): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return (x >>> 0) % below
  }

  pick<V>(from: readonly V[]): V {
    return from[this.next(from.length)]
  }
}

/** Fields of each T-message: f fid, n name, s other string, b/h/w/d number of 1/2/4/8 bytes, N names of a walk. */
const SHAPES: ReadonlyMap<number, string> = new Map([
  [T.STATFS, 'f'],
  [T.LOPEN, 'fw'],
  [T.LCREATE, 'fnwww'],
  [T.SYMLINK, 'fnsw'],
  [T.MKNOD, 'fnwwww'],
  [T.RENAME, 'ffn'],
  [T.READLINK, 'f'],
  [T.GETATTR, 'fd'],
  [T.SETATTR, 'fwwwwddddd'],
  [T.XATTRWALK, 'ffs'],
  [T.XATTRCREATE, 'fsdw'],
  [T.READDIR, 'fdw'],
  [T.FSYNC, 'fw'],
  [T.LOCK, 'fbwddws'],
  [T.GETLOCK, 'fbddws'],
  [T.LINK, 'ffn'],
  [T.MKDIR, 'fnww'],
  [T.RENAMEAT, 'fnfn'],
  [T.UNLINKAT, 'fnw'],
  [T.AUTH, 'fssw'],
  [T.ATTACH, 'ffssw'],
  [T.FLUSH, 'h'],
  [T.WALK, 'ffN'],
  [T.OPEN, 'fb'],
  [T.CREATE, 'fnwb'],
  [T.READ, 'fdw'],
  [T.WRITE, 'fdwr'],
  [T.CLUNK, 'f'],
  [T.REMOVE, 'f'],
  [T.STAT, 'f'],
])

const TYPES = [...SHAPES.keys()]
const NAMES = [
  'a',
  'b',
  'c',
  'dir',
  'sub',
  'link',
  'out',
  '..',
  '.',
  '',
  'a/b',
  '../outside/secret',
  '/etc/passwd',
  'x\0y',
]
const STRINGS = [
  'user.a',
  'user.b',
  'user.virtfs.mode',
  '',
  'system.posix_acl_access',
  '../outside',
  '/',
  'x'.repeat(300),
]
const NUMBERS = [0, 1, 2, 3, 4, 7, 0o100, 0o200, 0o644, 0o1000, 0o100644, 0o010644, 0o20666, 16, 255, 4096, 65_536]
const EDGES = [0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]
const FIDS = 24

function field(kind: string, random: Random, w: MessageWriter): void {
  const number = (): number => (random.next(12) === 0 ? random.pick(EDGES) : random.pick(NUMBERS))
  const text = (from: readonly string[]): Uint8Array =>
    random.next(30) === 0 ? new Uint8Array(random.next(400)).fill(random.next(256)) : Buffer.from(random.pick(from))
  if (kind === 'f') w.u32(random.next(40) === 0 ? number() : random.next(FIDS))
  else if (kind === 'n') w.string(text(NAMES))
  else if (kind === 's') w.string(text(STRINGS))
  else if (kind === 'b') w.u8(number())
  else if (kind === 'h') w.u16(number())
  else if (kind === 'w') w.u32(number())
  else if (kind === 'd') {
    w.u32(number())
    w.u32(random.next(10) === 0 ? number() : 0)
  } else if (kind === 'r') w.raw(new Uint8Array(random.next(300)))
  else {
    const count = random.next(20) === 0 ? random.next(30) : random.next(4)
    w.u16(count)
    for (let i = 0; i < count; i++) w.string(text(NAMES))
  }
}

/** A message that is mostly right, then (one in three) damaged. */
function nextMessage(random: Random, w: MessageWriter): Uint8Array {
  const type = random.next(200) === 0 ? T.VERSION : random.pick(TYPES)
  w.reset(7, w.bytes.length)
  if (type === T.VERSION) {
    w.u32(random.next(3) === 0 ? random.pick(EDGES) : 8192)
    w.string(Buffer.from('9P2000.L'))
  } else for (const kind of SHAPES.get(type) ?? '') field(kind, random, w)
  const length = w.position
  w.reset(0, 7)
  w.u32(length)
  w.u8(type)
  w.u16(random.next(64))
  const message = w.bytes.slice(0, length)
  if (random.next(3) > 0) return message
  for (let flips = random.next(4); flips >= 0; flips--) message[random.next(length)] = random.next(256)
  return random.next(4) === 0 ? message.slice(0, random.next(length)) : message
}

/** Puts canaries outside the share and a few things inside that lead there. */
export function plantCanaries(share: Fixture): void {
  writeFileSync(join(share.outside, 'secret'), 'canary')
  execFileSync('sh', ['-c', 'mkdir dir dir/sub; ln -s ../outside out; ln -s ../outside/secret link; mkfifo pipe'], {
    cwd: share.path,
  })
}

/** What lies outside, as text that changes with anything. */
export function canaryState(share: Fixture): string {
  const file = join(share.outside, 'secret')
  const stat = lstatSync(file)
  const dir = lstatSync(share.outside)
  const facts = [
    stat.mode,
    stat.uid,
    stat.gid,
    stat.nlink,
    stat.mtimeMs,
    stat.ctimeMs,
    dir.mtimeMs,
    dir.ctimeMs,
    dir.mode,
  ]
  return [readdirSync(share.outside).join(), readFileSync(file, 'latin1'), ...facts].join(' ')
}

export interface FuzzResult {
  readonly answered: number
  readonly succeeded: number
}

/** Sends `count` messages; throws, with the seed's step, when a reply is malformed or takes too long. */
export async function fuzz(share: Fixture, seed: number, count: number): Promise<FuzzResult> {
  const random = new Random(seed)
  const w = new MessageWriter(new Uint8Array(16_384))
  const reply = new Uint8Array(16_384)
  let answered = 0
  let succeeded = 0
  for (let step = 0; step < count; step++) {
    const message = nextMessage(random, w)
    // Cut into pieces, as a descriptor chain is.
    const cut = random.next(message.length + 1)
    const room = random.next(20) === 0 ? random.next(100) : reply.length
    const outcome = share.server.handleSegments(
      [message.subarray(0, cut), message.subarray(cut)],
      [reply.subarray(0, Math.min(room, 9)), reply.subarray(Math.min(room, 9), room)],
    )
    const length = typeof outcome === 'number' ? outcome : await outcome
    if (length === 0) continue
    answered++
    const size = new DataView(reply.buffer).getUint32(0, true)
    const type = reply[4]
    if (length > room || size !== length || (type !== 7 && type !== message[4] + 1)) {
      throw new Error(`seed ${seed} step ${step}: reply of ${length} bytes says ${size}, type ${type} to ${message[4]}`)
    }
    if (type !== 7) succeeded++
  }
  return { answered, succeeded }
}
