import { errnoName } from '../../src-main/ninep/errno.ts'
import { HEADER_SIZE, NOFID, RLERROR, T, messageName } from '../../src-main/ninep/messages.ts'
import type { NineServer } from '../../src-main/ninep/server.ts'
import { MessageReader, MessageWriter } from '../../src-main/ninep/wire.ts'
import type { Attributes, Entry, LockAnswer, Name, Qid, SetAttributes } from './nine-types.ts'

/** The server answered Rlerror. */
export class NineError extends Error {
  readonly errno: number

  constructor(type: number, errno: number) {
    super(`${messageName(type)}: ${errnoName(errno)}`)
    this.errno = errno
  }
}

/** A driver for tests: speaks 9P2000.L to a server in this process, one method a message. */
export class NineClient {
  readonly server: NineServer
  msize = 131_072
  private tag = 0
  private nextFid = 1
  private readonly reply: Uint8Array

  constructor(server: NineServer, msize = 131_072) {
    this.server = server
    this.msize = msize
    this.reply = new Uint8Array(Math.max(msize, 4096))
  }

  fid(): number {
    return this.nextFid++
  }

  /** Sends a whole message as it is; returns a copy of the reply. */
  async raw(message: Uint8Array): Promise<Uint8Array> {
    const outcome = this.server.handle(message, this.reply)
    if (typeof outcome === 'number') return this.reply.slice(0, outcome)
    return this.reply.slice(0, await outcome)
  }

  build(type: number, tag: number, body: (w: MessageWriter) => void): Uint8Array {
    const w = new MessageWriter(new Uint8Array(this.msize + 4096))
    w.reset(HEADER_SIZE, w.bytes.length)
    body(w)
    const length = w.position
    w.reset(0, HEADER_SIZE)
    w.u32(length)
    w.u8(type)
    w.u16(tag)
    return w.bytes.slice(0, length)
  }

  async call(type: number, body: (w: MessageWriter) => void): Promise<MessageReader> {
    this.tag = (this.tag + 1) % 0xfff0
    const { tag } = this
    const reply = await this.raw(this.build(type, tag, body))
    const r = new MessageReader()
    r.reset(reply, 0, reply.length)
    const size = r.u32()
    const answered = r.u8()
    const answeredTag = r.u16()
    if (size !== reply.length || answeredTag !== tag) throw new Error(`bad reply: size ${size} tag ${answeredTag}`)
    if (answered === RLERROR) throw new NineError(type, r.u32())
    if (answered !== type + 1) throw new Error(`${messageName(type)} answered with type ${answered}`)
    return r
  }

  /** The errno a call ends with, 0 for success. */
  async errno(call: Promise<unknown>): Promise<number> {
    try {
      await call
      return 0
    } catch (error) {
      if (error instanceof NineError) return error.errno
      throw error
    }
  }

  async version(msize = this.msize, version = '9P2000.L'): Promise<{ msize: number; version: string }> {
    const r = await this.call(T.VERSION, (w) => {
      w.u32(msize)
      w.string(bytes(version))
    })
    return { msize: r.u32(), version: latin1(r.string()) }
  }

  async attach(uid = 0): Promise<number> {
    const fid = this.fid()
    await this.call(T.ATTACH, (w) => {
      w.u32(fid)
      w.u32(NOFID)
      w.string(bytes('user'))
      w.string(bytes(''))
      w.u32(uid)
    })
    return fid
  }

  async walk(from: number, ...names: Name[]): Promise<number> {
    const fid = this.fid()
    const qids = await this.walkTo(from, fid, ...names)
    if (qids.length < names.length) throw new NineError(T.WALK, 2)
    return fid
  }

  async walkTo(from: number, fid: number, ...names: Name[]): Promise<Qid[]> {
    const r = await this.call(T.WALK, (w) => {
      w.u32(from)
      w.u32(fid)
      w.u16(names.length)
      for (const name of names) w.string(bytes(name))
    })
    return Array.from({ length: r.u16() }, () => qid(r))
  }

  async lopen(fid: number, flags: number): Promise<{ qid: Qid; iounit: number }> {
    const r = await this.call(T.LOPEN, (w) => {
      w.u32(fid)
      w.u32(flags)
    })
    return { qid: qid(r), iounit: r.u32() }
  }

  /** Walks and opens in one. */
  async open(from: number, name: Name, flags: number): Promise<number> {
    const fid = await this.walk(from, name)
    try {
      await this.lopen(fid, flags)
    } catch (error) {
      await this.clunk(fid)
      throw error
    }
    return fid
  }

  /** The directory fid becomes the file, as on the wire. */
  async lcreate(fid: number, name: Name, flags: number, mode: number, gid = 0): Promise<void> {
    await this.call(T.LCREATE, (w) => {
      w.u32(fid)
      w.string(bytes(name))
      w.u32(flags)
      w.u32(mode)
      w.u32(gid)
    })
  }

  async create(dir: number, name: Name, flags = 2, mode = 0o644, gid = 0): Promise<number> {
    const fid = await this.walk(dir)
    try {
      await this.lcreate(fid, name, flags, mode, gid)
    } catch (error) {
      await this.clunk(fid)
      throw error
    }
    return fid
  }

  async read(fid: number, offset: number, count: number): Promise<Buffer> {
    const r = await this.call(T.READ, (w) => {
      w.u32(fid)
      w.u64(offset)
      w.u32(count)
    })
    const length = r.u32()
    return Buffer.from(Array.from({ length }, () => r.u8()))
  }

  async write(fid: number, offset: number, data: Name): Promise<number> {
    const r = await this.call(T.WRITE, (w) => {
      w.u32(fid)
      w.u64(offset)
      w.u32(bytes(data).length)
      w.raw(bytes(data))
    })
    return r.u32()
  }

  async clunk(fid: number): Promise<void> {
    await this.call(T.CLUNK, (w) => w.u32(fid))
  }

  async remove(fid: number): Promise<void> {
    await this.call(T.REMOVE, (w) => w.u32(fid))
  }

  async getattr(fid: number): Promise<Attributes> {
    const r = await this.call(T.GETATTR, (w) => {
      w.u32(fid)
      w.u64(0x7ff)
    })
    r.u64()
    return {
      qid: qid(r),
      mode: r.u32(),
      uid: r.u32(),
      gid: r.u32(),
      nlink: r.u64(),
      rdev: r.u64(),
      size: r.u64(),
      blksize: r.u64(),
      blocks: r.u64(),
      atime: [r.i64(), r.u64()],
      mtime: [r.i64(), r.u64()],
      ctime: [r.i64(), r.u64()],
    }
  }

  async stat(dir: number, name: Name): Promise<Attributes> {
    const fid = await this.walk(dir, name)
    try {
      return await this.getattr(fid)
    } finally {
      await this.clunk(fid)
    }
  }

  async setattr(fid: number, to: SetAttributes): Promise<void> {
    const bit = (present: boolean, value: number): number => (present ? value : 0)
    const valid =
      bit(to.mode !== undefined, 1) |
      bit(to.uid !== undefined, 2) |
      bit(to.gid !== undefined, 4) |
      bit(to.size !== undefined, 8) |
      bit(to.atime !== undefined, 0x10) |
      bit(to.mtime !== undefined, 0x20) |
      bit(to.ctime === true, 0x40) |
      bit(Array.isArray(to.atime), 0x80) |
      bit(Array.isArray(to.mtime), 0x100)
    const time = (w: MessageWriter, value: SetAttributes['atime']): void => {
      w.u64(Array.isArray(value) ? value[0] : 0)
      w.u64(Array.isArray(value) ? value[1] : 0)
    }
    await this.call(T.SETATTR, (w) => {
      w.u32(fid)
      w.u32(valid)
      w.u32(to.mode ?? 0)
      w.u32(to.uid ?? 0)
      w.u32(to.gid ?? 0)
      w.u64(to.size ?? 0)
      time(w, to.atime)
      time(w, to.mtime)
    })
  }

  async mkdir(dir: number, name: Name, mode = 0o755, gid = 0): Promise<Qid> {
    return qid(
      await this.call(T.MKDIR, (w) => {
        w.u32(dir)
        w.string(bytes(name))
        w.u32(mode)
        w.u32(gid)
      }),
    )
  }

  async symlink(dir: number, name: Name, target: Name, gid = 0): Promise<Qid> {
    return qid(
      await this.call(T.SYMLINK, (w) => {
        w.u32(dir)
        w.string(bytes(name))
        w.string(bytes(target))
        w.u32(gid)
      }),
    )
  }

  async mknod(dir: number, name: Name, mode: number, major = 0, minor = 0, gid = 0): Promise<Qid> {
    return qid(
      await this.call(T.MKNOD, (w) => {
        w.u32(dir)
        w.string(bytes(name))
        w.u32(mode)
        w.u32(major)
        w.u32(minor)
        w.u32(gid)
      }),
    )
  }

  async readlink(fid: number): Promise<Buffer> {
    return Buffer.from((await this.call(T.READLINK, (w) => w.u32(fid))).string())
  }

  async link(dir: number, fid: number, name: Name): Promise<void> {
    await this.call(T.LINK, (w) => {
      w.u32(dir)
      w.u32(fid)
      w.string(bytes(name))
    })
  }

  async renameat(fromDir: number, from: Name, toDir: number, to: Name): Promise<void> {
    await this.call(T.RENAMEAT, (w) => {
      w.u32(fromDir)
      w.string(bytes(from))
      w.u32(toDir)
      w.string(bytes(to))
    })
  }

  async rename(fid: number, toDir: number, to: Name): Promise<void> {
    await this.call(T.RENAME, (w) => {
      w.u32(fid)
      w.u32(toDir)
      w.string(bytes(to))
    })
  }

  async unlinkat(dir: number, name: Name, flags = 0): Promise<void> {
    await this.call(T.UNLINKAT, (w) => {
      w.u32(dir)
      w.string(bytes(name))
      w.u32(flags)
    })
  }

  async readdir(fid: number, offset: bigint, count: number): Promise<Entry[]> {
    const r = await this.call(T.READDIR, (w) => {
      w.u32(fid)
      w.u64Exact(offset)
      w.u32(count)
    })
    r.u32()
    const entries: Entry[] = []
    while (r.left > 0) entries.push({ qid: qid(r), offset: r.u64Exact(), type: r.u8(), name: Buffer.from(r.string()) })
    return entries
  }

  /** Every entry of an open directory. */
  async list(fid: number, count = 8192): Promise<Entry[]> {
    const all: Entry[] = []
    for (let offset = 0n; ;) {
      const some = await this.readdir(fid, offset, count)
      if (some.length === 0) return all
      all.push(...some)
      offset = some[some.length - 1].offset
    }
  }

  async xattrwalk(fid: number, name: Name): Promise<{ fid: number; size: number }> {
    const made = this.fid()
    const r = await this.call(T.XATTRWALK, (w) => {
      w.u32(fid)
      w.u32(made)
      w.string(bytes(name))
    })
    return { fid: made, size: r.u64() }
  }

  async getxattr(fid: number, name: Name): Promise<Buffer> {
    const { fid: value, size } = await this.xattrwalk(fid, name)
    const data = await this.read(value, 0, size)
    await this.clunk(value)
    return data
  }

  async xattrcreate(fid: number, name: Name, size: number, flags: number): Promise<void> {
    await this.call(T.XATTRCREATE, (w) => {
      w.u32(fid)
      w.string(bytes(name))
      w.u64(size)
      w.u32(flags)
    })
  }

  async setxattr(fid: number, name: Name, value: Name, flags = 0): Promise<void> {
    const copy = await this.walk(fid)
    try {
      await this.xattrcreate(copy, name, bytes(value).length, flags)
      if (value.length > 0) await this.write(copy, 0, value)
    } catch (error) {
      await this.errno(this.clunk(copy))
      throw error
    }
    await this.clunk(copy)
  }

  async fsync(fid: number, dataOnly = false): Promise<void> {
    await this.call(T.FSYNC, (w) => {
      w.u32(fid)
      w.u32(dataOnly ? 1 : 0)
    })
  }

  async lock(fid: number, type: number, start: number, length: number, pid = 1, client = 'guest'): Promise<number> {
    const r = await this.call(T.LOCK, (w) => {
      w.u32(fid)
      w.u8(type)
      w.u32(0)
      w.u64(start)
      w.u64(length)
      w.u32(pid)
      w.string(bytes(client))
    })
    return r.u8()
  }

  async getlock(fid: number, type: number, start: number, length: number, pid = 1): Promise<LockAnswer> {
    const r = await this.call(T.GETLOCK, (w) => {
      w.u32(fid)
      w.u8(type)
      w.u64(start)
      w.u64(length)
      w.u32(pid)
      w.string(bytes('guest'))
    })
    return { type: r.u8(), start: r.u64(), length: r.u64(), pid: r.u32() }
  }

  async statfs(fid: number): Promise<{ type: number; bsize: number; blocks: number; namelen: number }> {
    const r = await this.call(T.STATFS, (w) => w.u32(fid))
    const found = { type: r.u32(), bsize: r.u32(), blocks: r.u64(), namelen: 0 }
    for (let skipped = 0; skipped < 5; skipped++) r.u64()
    return { ...found, namelen: r.u32() }
  }

  async flush(oldTag: number): Promise<void> {
    await this.call(T.FLUSH, (w) => w.u16(oldTag))
  }
}

export function bytes(value: Name): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1')
}

function qid(r: MessageReader): Qid {
  return { type: r.u8(), version: r.u32(), path: r.u64Exact() }
}
