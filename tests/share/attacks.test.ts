import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import { T } from '../../src-main/ninep/messages.ts'
import { makeShare, openDescriptors } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import { bytes } from './nine-client.ts'
import type { NineClient } from './nine-client.ts'

const RDONLY = 0
const RDWR = 2

describe('a hostile guest', () => {
  let share: Fixture
  let c: NineClient
  let root: number

  beforeEach(async () => {
    share = await makeShare({
      securityModel: 'passthrough',
      limits: { maxFids: 500, maxXattrBytes: 100_000, maxLocks: 100 },
    })
    c = share.client
    root = share.root
    writeFileSync(join(share.outside, 'secret'), 'secret')
  })

  afterEach(() => {
    expect(readdirSync(share.outside)).toEqual(['secret'])
    expect(readFileSync(join(share.outside, 'secret'), 'latin1')).toBe('secret')
    share.dispose()
  })

  it('names with a slash, a NUL, `.` and `..` make and reach nothing (CVE-2016-7116, CVE-2017-7471)', async () => {
    for (const name of ['../outside/x', '/etc/passwd', 'a/b', '/', 'a\0b', '..', '.', '']) {
      for (const call of [
        () => c.mkdir(root, name),
        () => c.symlink(root, name, 'x'),
        () => c.mknod(root, name, 0o100644),
        () => c.create(root, name),
        () => c.link(root, root, name),
        () => c.unlinkat(root, name),
        () => c.unlinkat(root, name, 0x200),
        () => c.renameat(root, name, root, 'ok'),
        () => c.rename(root, root, name),
      ]) {
        expect([ERRNO.ENOENT, ERRNO.EINVAL]).toContain(await c.errno(call()))
      }
    }
    for (const name of ['../outside', 'a/b', '/etc', '']) expect(await c.errno(c.walk(root, name))).toBe(ERRNO.ENOENT)
    expect(readdirSync(share.path)).toEqual([])
  })

  it('`..` never leads above the root, however often', async () => {
    const up = await c.walk(root, ...Array.from({ length: 16 }, () => '..'))
    expect((await c.getattr(up)).qid.path).toBe((await c.getattr(root)).qid.path)
    await c.mkdir(root, 'd')
    expect(await c.errno(c.walk(root, 'd', '..', '..', 'outside'))).toBe(ERRNO.ENOENT)
  })

  it('`..` in a listing of the root has the root`s own number', async () => {
    const dir = await c.open(root, '.', RDONLY)
    const dots = (await c.list(dir)).filter((entry) => entry.name.toString().startsWith('.'))
    expect(new Set(dots.map((entry) => entry.qid.path)).size).toBe(1)
  })

  it('`..` of a directory that the host moved out of the folder is refused', async () => {
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    renameSync(share.at('d'), join(share.path, '..', 'moved'))
    expect(await c.errno(c.walk(d, '..'))).toBe(ERRNO.ESTALE)
    expect(await c.errno(c.walk(d, '..', 'outside', 'secret'))).toBe(ERRNO.ESTALE)
    expect(await c.errno(c.remove(d))).toBe(ERRNO.ESTALE)
  })

  it('links of the host are links, never followed: absolute, relative, dangling (CVE-2016-9602)', async () => {
    symlinkSync(share.outside, share.at('absolute'))
    symlinkSync('../outside', share.at('relative'))
    symlinkSync('/nowhere', share.at('dangling'))
    symlinkSync(join(share.outside, 'secret'), share.at('file'))
    for (const name of ['absolute', 'relative', 'dangling', 'file']) {
      const fid = await c.walk(root, name)
      expect((await c.getattr(fid)).mode & 0o170000).toBe(0o120000)
      expect(await c.errno(c.walk(root, name, 'secret'))).toBe(ERRNO.ENOENT)
      expect(await c.errno(c.walk(fid, 'secret'))).toBe(ERRNO.ENOTDIR)
      expect(await c.errno(c.lopen(await c.walk(root, name), RDONLY))).toBe(ERRNO.ELOOP)
      expect(await c.errno(c.create(root, name, RDWR))).toBe(ERRNO.ELOOP)
      expect(await c.errno(c.create(fid, 'x'))).toBe(ERRNO.ENOTDIR)
      expect(await c.errno(c.setattr(fid, { size: 0 }))).toBe(ERRNO.EINVAL)
      expect(await c.errno(c.setattr(fid, { mode: 0o777 }))).toBe(ERRNO.EOPNOTSUPP)
      await c.setattr(fid, { uid: 5, mtime: [1, 0] })
      expect(await c.errno(c.setxattr(fid, 'user.x', 'y'))).not.toBe(0)
    }
    expect(statSync(join(share.outside, 'secret')).uid).toBe(process.getuid?.())
    expect(statSync(join(share.outside, 'secret')).mtimeMs).toBeGreaterThan(1e12)
  })

  it('a directory that is swapped for a link between walk and use stays the directory', async () => {
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    renameSync(share.at('d'), share.at('real'))
    symlinkSync('../outside', share.at('d'))
    await c.clunk(await c.create(d, 'new'))
    expect(readdirSync(share.at('real'))).toEqual(['new'])
    expect(await c.errno(c.stat(d, 'secret'))).toBe(ERRNO.ENOENT)
    await c.unlinkat(d, 'new')
  })

  it('a directory swapped for a link again and again during walks never shows the outside', async () => {
    const script = `
      const fs = require('node:fs')
      process.chdir(process.argv[1])
      for (let i = 0; i < 3000; i++) { try { fs.renameSync('d', 'e'); fs.symlinkSync('../outside', 'd'); fs.unlinkSync('d'); fs.renameSync('e', 'd') } catch {} }
      try { fs.unlinkSync('stop') } catch {}`
    mkdirSync(share.at('d'))
    writeFileSync(share.at('stop'), '')
    const { spawn } = await import('node:child_process')
    const child = spawn(process.execPath, ['-e', script, share.path])
    const gone = new Promise((resolve) => child.once('exit', resolve))
    let tries = 0
    while (existsSync(share.at('stop')) || tries < 500) {
      tries++
      expect(await c.errno(c.stat(root, 'd').then(() => undefined))).toBeTypeOf('number')
      const fid = c.fid()
      const walked = await c.errno(c.walkTo(root, fid, 'd', 'secret').then((q) => expect(q.length).toBeLessThan(2)))
      expect([0, ERRNO.ENOENT, ERRNO.ENOTDIR]).toContain(walked)
      if (child.exitCode !== null) break
    }
    await gone
  })

  it('special files of the host are never opened (CVE-2023-2861)', async () => {
    execFileSync('mkfifo', [share.at('fifo')])
    await c.mknod(root, 'zero', 0o020666, 1, 5)
    await c.mknod(root, 'sock', 0o140666)
    for (const name of ['fifo', 'zero', 'sock']) {
      expect(await c.errno(c.lopen(await c.walk(root, name), RDWR))).toBe(ERRNO.ENXIO)
      expect(await c.errno(c.create(root, name, RDWR))).toBe(ERRNO.ENXIO)
      expect(await c.errno(c.setattr(await c.walk(root, name), { size: 0 }))).toBe(ERRNO.EINVAL)
    }
  })

  it('a file swapped for a FIFO between walk and open opens the file', async () => {
    await c.clunk(await c.create(root, 'f'))
    const fid = await c.walk(root, 'f')
    rmSync(share.at('f'))
    execFileSync('mkfifo', [share.at('f')])
    await c.lopen(fid, RDONLY)
    expect((await c.getattr(fid)).mode & 0o170000).toBe(0o100000)
  })

  it('a hard link can be made only of what was walked to; one made by the host is just a file', async () => {
    expect(await c.errno(c.walk(root, '..', 'outside', 'secret'))).toBe(ERRNO.ENOENT)
    linkSync(join(share.outside, 'secret'), share.at('linked'))
    expect((await c.stat(root, 'linked')).nlink).toBe(2)
  })

  it('fids are bounded and a full table refuses before the host is asked', async () => {
    const before = openDescriptors()
    let last = 0
    for (let i = 0; i < 600 && last === 0; i++) last = await c.errno(c.walk(root, '.'))
    expect(last).toBe(ERRNO.EMFILE)
    expect(share.server.fidCount).toBe(500)
    expect(await c.errno(c.attach())).toBe(ERRNO.EMFILE)
    expect(openDescriptors() - before).toBeLessThan(520)
    share.server.reset()
    expect(share.folder.openCount).toBe(0)
    expect(openDescriptors()).toBeLessThanOrEqual(before)
  })

  it('values of extended attributes are bounded, each and in sum (CVE-2016-9103, CVE-2017-15038)', async () => {
    const file = await c.create(root, 'a')
    expect(await c.errno(c.xattrcreate(await c.walk(file), 'user.x', 65_537, 0))).toBe(ERRNO.E2BIG)
    expect(await c.errno(c.xattrcreate(await c.walk(file), 'user.x', 2 ** 60, 0))).toBe(ERRNO.E2BIG)
    const first = await c.walk(file)
    await c.xattrcreate(first, 'user.x', 60_000, 0)
    expect(await c.errno(c.xattrcreate(await c.walk(file), 'user.y', 60_000, 0))).toBe(ERRNO.ENOMEM)
    expect(await c.errno(c.xattrcreate(first, 'user.x', 10, 0))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.read(first, 0, 100))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.clunk(first))).toBe(ERRNO.EINVAL)
    await c.xattrcreate(await c.walk(file), 'user.y', 60_000, 0)
  })

  it('writing a value past its end or with a gap is refused (CVE-2016-9104)', async () => {
    const fid = await c.walk(await c.create(root, 'a'))
    await c.xattrcreate(fid, 'user.x', 10, 0)
    expect(await c.errno(c.write(fid, 0, 'elevenchars'))).toBe(ERRNO.ENOSPC)
    expect(await c.errno(c.write(fid, 5, 'x'))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.write(fid, 0xffff_ffff_0000, 'x'))).toBe(ERRNO.EINVAL)
    await c.write(fid, 0, 'ten bytes!')
    await c.clunk(fid)
  })

  it('a clunked fid leaves nothing behind: no value, no descriptor (xattr leak)', async () => {
    const file = await c.create(root, 'a')
    await c.setxattr(file, 'user.x', Buffer.alloc(2000))
    for (let i = 0; i < 200; i++) await c.getxattr(file, 'user.x')
    expect(share.server.fidCount).toBe(2)
    expect(share.folder.openCount).toBe(2)
  })

  it('messages that are short, long or lie about their size get an error or nothing', async () => {
    const good = c.build(T.GETATTR, 5, (w) => {
      w.u32(root)
      w.u64(0)
    })
    for (let length = 0; length < good.length; length++) {
      const reply = await c.raw(good.slice(0, length))
      expect(reply.length === 0 || reply[4] === 7).toBe(true)
      const shrunk = good.slice(0, length)
      if (length >= 4) new DataView(shrunk.buffer).setUint32(0, length, true)
      const answer = await c.raw(shrunk)
      expect(answer.length === 0 || answer[4] === 7).toBe(true)
    }
    for (const size of [0, 3, 6, 0xffff_ffff, 0x8000_0000]) {
      const lying = good.slice()
      new DataView(lying.buffer).setUint32(0, size, true)
      expect((await c.raw(lying))[4]).toBe(7)
    }
    expect(await share.server.handle(good, new Uint8Array(8))).toBe(0)
  })

  it('a write that claims more than it carries is refused', async () => {
    const file = await c.create(root, 'a')
    const errno = await c.errno(
      c.call(T.WRITE, (w) => {
        w.u32(file)
        w.u64(0)
        w.u32(1000)
        w.raw(bytes('short'))
      }),
    )
    expect(errno).toBe(ERRNO.EINVAL)
    expect((await c.getattr(file)).size).toBe(0)
  })

  it('a read never gives more than the reply has room for', async () => {
    const file = await c.create(root, 'a')
    await c.write(file, 0, Buffer.alloc(100_000, 1))
    const message = c.build(T.READ, 9, (w) => {
      w.u32(file)
      w.u64(0)
      w.u32(0xffff_ffff)
    })
    const reply = new Uint8Array(1011)
    expect(await share.server.handle(message, reply)).toBe(1011)
  })

  it('offsets past what a file can have are errors', async () => {
    const file = await c.create(root, 'a')
    expect(await c.errno(c.write(file, 2 ** 53, 'x'))).toBe(ERRNO.EFBIG)
    expect(await c.errno(c.write(file, 2 ** 52, 'x'))).toBe(ERRNO.EFBIG)
    expect(await c.errno(c.setattr(file, { size: 2 ** 60 }))).toBe(ERRNO.EFBIG)
    expect(await c.errno(c.read(file, 2 ** 63, 10))).toBe(ERRNO.EINVAL)
  })

  it('Treaddir with a count under one entry is EINVAL, with an odd offset harmless', async () => {
    const dir = await c.open(root, '.', RDONLY)
    expect(await c.errno(c.readdir(dir, 0n, 10))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.readdir(dir, 0n, 0))).toBe(ERRNO.EINVAL)
    for (const offset of [1n, 2n ** 62n, 2n ** 64n - 1n, 12_345n]) {
      const outcome = await c.errno(c.readdir(dir, offset, 4096))
      expect([0, ERRNO.EINVAL]).toContain(outcome)
    }
    expect((await c.list(dir)).length).toBe(2)
    expect(await c.errno(c.readdir(root, 0n, 4096))).toBe(ERRNO.EBADF)
  })

  it('fids used twice: attach, walk, xattrwalk onto one that lives', async () => {
    const errno = await c.errno(
      c.call(T.ATTACH, (w) => {
        w.u32(root)
        w.u32(0)
        w.u32(0)
        w.u32(0)
      }),
    )
    expect(errno).toBe(ERRNO.EINVAL)
    const other = await c.walk(root)
    expect(await c.errno(c.walkTo(root, other))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.clunk(other))).toBe(0)
    expect(await c.errno(c.clunk(other))).toBe(ERRNO.EBADF)
  })

  it('locks: bounded, edges, unlock of what is not held', async () => {
    const file = await c.create(root, 'a')
    expect(await c.lock(file, 2, 0, 0)).toBe(0)
    expect(await c.errno(c.lock(file, 9, 0, 0))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.lock(file, 1, 2 ** 63, 10))).toBe(ERRNO.EOVERFLOW)
    expect(await c.errno(c.lock(root, 1, 0, 0))).toBe(ERRNO.EBADF)
    expect(await c.errno(c.lock(file, 1, 0, 0, 1, 'x'.repeat(300)))).toBe(ERRNO.EINVAL)
    let status = 0
    for (let i = 0; i < 200 && status === 0; i++) status = await c.lock(file, 1, i * 10, 5)
    expect(status).toBe(2)
  })

  it('user.virtfs.* is hidden and untouchable with mapped-xattr (CVE-2017-7493)', async () => {
    const mapped = await makeShare({ securityModel: 'mapped-xattr' })
    const { client } = mapped
    const file = await client.create(mapped.root, 'a', RDWR, 0o4755)
    expect((await client.getxattr(file, '')).length).toBe(0)
    expect(await client.errno(client.xattrwalk(file, 'user.virtfs.mode'))).toBe(ERRNO.EACCES)
    expect(await client.errno(client.setxattr(file, 'user.virtfs.mode', 'abcd'))).toBe(ERRNO.EACCES)
    expect((await client.getattr(file)).mode).toBe(0o104755)
    mapped.dispose()
  })

  it('/proc as the folder: its magic links are not followed', async () => {
    const { openFolder } = await import('../../src-main/host/folder.ts')
    const { NineServer } = await import('../../src-main/ninep/server.ts')
    const { NineClient } = await import('./nine-client.ts')
    const server = new NineServer(openFolder('/proc'), { securityModel: 'passthrough' })
    const client = new NineClient(server)
    await client.version()
    const top = await client.attach()
    const self = String(process.pid)
    expect(await client.errno(client.open(top, 'self', RDONLY))).toBe(ERRNO.ELOOP)
    const cwd = await client.walk(top, self, 'cwd')
    expect(await client.errno(client.lopen(cwd, RDONLY))).toBe(ERRNO.ELOOP)
    expect(await client.errno(client.walk(top, self, 'root', 'etc'))).toBe(ERRNO.ENOENT)
    server.close()
  })

  it('a read-only share refuses every change and reads on', async () => {
    const readOnly = await makeShare({ readOnly: true, securityModel: 'passthrough' })
    const { client } = readOnly
    const top = readOnly.root
    writeFileSync(readOnly.at('a'), 'text')
    const file = await client.walk(top, 'a')
    for (const call of [
      () => client.mkdir(top, 'd'),
      () => client.create(top, 'x'),
      () => client.symlink(top, 'l', 'x'),
      () => client.mknod(top, 'p', 0o010644),
      () => client.link(top, file, 'b'),
      () => client.renameat(top, 'a', top, 'b'),
      () => client.rename(file, top, 'b'),
      () => client.unlinkat(top, 'a'),
      () => client.setattr(file, { mode: 0 }),
      () => client.setxattr(file, 'user.x', 'y'),
      () => client.open(top, 'a', RDWR),
      () => client.open(top, 'a', 0o1000),
      async () => client.remove(await client.walk(top, 'a')),
    ]) {
      expect(await client.errno(call())).toBe(ERRNO.EROFS)
    }
    await client.lopen(file, RDONLY)
    expect((await client.read(file, 0, 9)).toString()).toBe('text')
    expect(readdirSync(readOnly.path)).toEqual(['a'])
    readOnly.dispose()
  })
})
