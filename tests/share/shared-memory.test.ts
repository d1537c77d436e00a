import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import { T } from '../../src-main/ninep/messages.ts'
import { openFolder } from '../../src-main/host/folder.ts'
import { PortableFolder } from '../../src-main/host/folder-portable.ts'
import type { HostFolder } from '../../src-main/ninep/host-folder.ts'
import { makeShare } from './fixture.ts'
import type { Fixture, FixtureOptions } from './fixture.ts'
import { NineClient } from './nine-client.ts'

const PAGE = 65_536

/**
 * Speaks as a guest does: requests and replies lie in pieces of shared WebAssembly memory, and a reply gets just the room that Linux's driver
 * gives it: what the reply needs, but never less than an Rlerror (p9_msg_buf_size in net/9p/protocol.c).
 */
class GuestClient extends NineClient {
  private readonly memory = new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true })
  /** Bytes for the next replies; undefined: plenty. */
  room: number | undefined

  override async raw(message: Uint8Array): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.memory.buffer)
    const half = message.length >> 1
    bytes.set(message.subarray(0, half), 5)
    bytes.set(message.subarray(half), 8 * PAGE - 3)
    const room = this.room ?? 300_000
    const reply = [bytes.subarray(16 * PAGE, 16 * PAGE + 11), bytes.subarray(18 * PAGE + 1, 18 * PAGE + 1 + room - 11)]
    const request = [bytes.subarray(5, 5 + half), bytes.subarray(8 * PAGE - 3, 8 * PAGE - 3 + message.length - half)]
    const length = await this.server.handleSegments(request, reply)
    expect(length).toBeGreaterThanOrEqual(7)
    return Buffer.concat(reply).subarray(0, length)
  }
}

/** `late`: reads and writes are done off the thread, as with a disk that has to be waited for. */
const WAYS: readonly (readonly [string, FixtureOptions])[] = [
  ['at once', {}],
  ['late', { openWith: lateFolder }],
  ['by paths', { openWith: (path) => new PortableFolder(path, 'linux') }],
]

describe.each(WAYS)('guest memory is shared, file data %s', (_way, options) => {
  let share: Fixture
  let c: GuestClient
  let root: number

  beforeEach(async () => {
    share = await makeShare(options)
    c = new GuestClient(share.server)
    await c.version()
    root = await c.attach(0)
  })
  afterEach(() => share.dispose())

  it('writes and reads a file', async () => {
    const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
    const file = await c.create(root, 'f')
    expect(await c.write(file, 0, data)).toBe(data.length)
    expect(await c.read(file, 0, 120_000)).toEqual(data)
    await c.fsync(file)
    await c.clunk(file)
  })

  it('lists, names, attributes', async () => {
    await c.mkdir(root, 'd')
    writeFileSync(share.at('d/a'), 'hello')
    await c.symlink(root, 'l', 'd/a')
    const d = await c.walk(root, 'd')
    expect((await c.stat(d, 'a')).size).toBe(5)
    await c.lopen(d, 0)
    const names = (await c.readdir(d, 0n, 4096)).map(({ name }) => Buffer.from(name).toString())
    expect(names.sort()).toEqual(['.', '..', 'a'])
    expect((await c.readlink(await c.walk(root, 'l'))).toString()).toBe('d/a')
  })
})

function lateFolder(path: string): HostFolder {
  const folder = openFolder(path)
  // SLOW_WRITE of the folder is not reachable here, so its slow way is taken by hand.
  const late = folder as unknown as { slowUntil: number; read: HostFolder['read'] }
  late.slowUntil = Infinity
  late.read = () => undefined
  return folder
}

describe('a reply that has just the room it needs', () => {
  it('is given: 11 bytes for a walk, an open directory clunked, an error', async () => {
    const share = await makeShare()
    const c = new GuestClient(share.server)
    await c.version()
    const root = await c.attach(0)
    c.room = 11
    const fid = c.fid()
    expect(await c.walkTo(root, fid)).toEqual([])
    await c.clunk(fid)
    expect(await c.errno(c.clunk(fid))).toBe(ERRNO.EBADF)
    expect(await c.errno(c.getattr(root))).toBe(ERRNO.EMSGSIZE)
    expect(await c.errno(c.version())).toBe(ERRNO.EMSGSIZE)
    c.room = 21
    expect(await c.version(8192)).toEqual({ msize: 8192, version: '9P2000.L' })
    share.dispose()
  })

  it('under 11 bytes there is none', async () => {
    const share = await makeShare()
    const message = share.client.build(T.CLUNK, 1, (w) => w.u32(share.root))
    expect(await share.server.handle(message, new Uint8Array(10))).toBe(0)
    share.dispose()
  })
})
