import { lstatSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import { NOFID, T, WRITE_HEADER_SIZE, messageName } from '../../src-main/ninep/messages.ts'
import type { SecurityModel } from '../../src-main/ninep/owners.ts'
import { makeShare } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import { NineClient, bytes } from './nine-client.ts'

const RDONLY = 0
const RDWR = 2
const EXCL = 0o200
const APPEND = 0o2000
const DIRECT = 0o40000

const MODELS: readonly SecurityModel[] = ['none', 'passthrough', 'mapped-xattr']

describe.each(MODELS)('each message, security_model=%s', (securityModel) => {
  let share: Fixture
  let c: NineClient
  let root: number

  beforeEach(async () => {
    share = await makeShare({ securityModel })
    c = share.client
    root = share.root
  })

  afterEach(() => share.dispose())

  it('Tversion agrees on the smaller msize and the one dialect', async () => {
    expect(await c.version(1 << 24)).toEqual({ msize: 1 << 20, version: '9P2000.L' })
    expect(await c.version(8192)).toEqual({ msize: 8192, version: '9P2000.L' })
    expect(await c.version(8192, '9P2000.u')).toEqual({ msize: 8192, version: 'unknown' })
    expect(await c.errno(c.version(100))).toBe(ERRNO.EMSGSIZE)
  })

  it('a message of 1 MiB carries all but its header, both ways; one byte more is EMSGSIZE', async () => {
    const large = new NineClient(share.server, 1 << 20)
    expect(await large.version()).toMatchObject({ msize: 1 << 20 })
    const file = await large.create(await large.attach(0), 'large')
    const data = Buffer.alloc((1 << 20) - WRITE_HEADER_SIZE + 1, 'abcdefg')
    expect(await c.errno(large.write(file, 0, data))).toBe(ERRNO.EMSGSIZE)
    expect(await large.write(file, 0, data.subarray(1))).toBe(data.length - 1)
    expect((await large.read(file, 0, 1 << 20)).equals(data.subarray(1))).toBe(true)
  })

  it('Tversion ends the session: its fids are gone', async () => {
    await c.version()
    expect(share.server.fidCount).toBe(0)
    expect(await c.errno(c.getattr(root))).toBe(ERRNO.EBADF)
    expect(share.folder.openCount).toBe(0)
  })

  it('Tauth is refused by name', async () => {
    expect(await c.errno(c.call(T.AUTH, () => undefined))).toBe(ERRNO.EOPNOTSUPP)
    expect(share.warnings.join()).toContain('Tauth')
  })

  it('Tstat, Twstat and types nobody defined are refused by name', async () => {
    for (const type of [T.STAT, T.WSTAT, 200]) {
      expect(await c.errno(c.call(type, () => undefined))).toBe(ERRNO.EOPNOTSUPP)
      expect(share.warnings.join()).toContain(messageName(type))
    }
  })

  it('Tattach twice gives two fids of the same root', async () => {
    const other = await c.attach(1000)
    expect((await c.getattr(other)).qid.path).toBe((await c.getattr(root)).qid.path)
  })

  it('Tlcreate, Twrite, Tread, Tclunk: a small file', async () => {
    const file = await c.create(root, 'a', RDWR, 0o640)
    expect(await c.write(file, 0, 'hello')).toBe(5)
    expect((await c.read(file, 1, 100)).toString()).toBe('ello')
    expect((await c.read(file, 5, 100)).length).toBe(0)
    await c.clunk(file)
    expect(readFileSync(share.at('a'), 'latin1')).toBe('hello')
    const stat = await c.stat(root, 'a')
    expect(stat.mode).toBe(0o100640)
    expect(stat.size).toBe(5)
  })

  it('Tlcreate with O_EXCL says EEXIST, without it opens what is there', async () => {
    await c.clunk(await c.create(root, 'a', RDWR))
    writeFileSync(share.at('a'), 'here')
    expect(await c.errno(c.create(root, 'a', RDWR | EXCL))).toBe(ERRNO.EEXIST)
    const file = await c.create(root, 'a', RDWR)
    expect((await c.read(file, 0, 10)).toString()).toBe('here')
  })

  it('O_APPEND appends wherever the offset is; O_DIRECT is tolerated', async () => {
    const file = await c.create(root, 'a', RDWR | APPEND | DIRECT)
    await c.write(file, 0, 'one')
    await c.write(file, 0, 'two')
    expect((await c.read(file, 0, 10)).toString()).toBe('onetwo')
  })

  it('Twalk: many names, a partial walk, no names, too many names', async () => {
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    await c.mkdir(d, 'e')
    expect(await c.walkTo(root, 900, 'd', 'e')).toHaveLength(2)
    expect(await c.walkTo(root, 901, 'd', 'missing', 'x')).toHaveLength(1)
    expect(await c.errno(c.clunk(901))).toBe(ERRNO.EBADF)
    expect(await c.errno(c.walkTo(root, 901, 'missing'))).toBe(ERRNO.ENOENT)
    expect(await c.walkTo(root, 902)).toHaveLength(0)
    expect(await c.errno(c.walkTo(root, 903, ...Array.from({ length: 17 }, () => '.')))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.walkTo(root, 902, 'd'))).toBe(ERRNO.EINVAL)
    expect((await c.getattr(await c.walk(d, '..'))).qid.path).toBe((await c.getattr(root)).qid.path)
  })

  it('Twalk in place moves the fid', async () => {
    await c.mkdir(root, 'd')
    const fid = await c.walk(root)
    await c.walkTo(fid, fid, 'd')
    expect((await c.getattr(fid)).qid.path).toBe((await c.stat(root, 'd')).qid.path)
    expect(await c.errno(c.walkTo(fid, fid, 'missing'))).toBe(ERRNO.ENOENT)
    expect((await c.getattr(fid)).qid.path).toBe((await c.stat(root, 'd')).qid.path)
  })

  it('a clone of an open fid outlives it', async () => {
    const file = await c.create(root, 'a')
    await c.write(file, 0, 'data')
    const clone = await c.walk(file)
    await c.clunk(file)
    expect((await c.getattr(clone)).size).toBe(4)
    await c.lopen(clone, RDONLY)
    expect((await c.read(clone, 0, 9)).toString()).toBe('data')
  })

  it('Tlopen: a directory only for reading, an open fid not again', async () => {
    const fid = await c.walk(root)
    expect(await c.errno(c.lopen(fid, RDWR))).toBe(ERRNO.EISDIR)
    expect((await c.lopen(fid, RDONLY)).iounit).toBe(126_976)
    expect(await c.errno(c.lopen(fid, RDONLY))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.read(fid, 0, 10))).toBe(ERRNO.EISDIR)
  })

  it('Topen and Tcreate of the older dialect open too', async () => {
    const fid = await c.walk(root)
    await c.call(T.CREATE, (w) => {
      w.u32(fid)
      w.string(bytes('old'))
      w.u32(0o644)
      w.u8(2)
    })
    await c.write(fid, 0, 'x')
    const again = await c.walk(root, 'old')
    await c.call(T.OPEN, (w) => {
      w.u32(again)
      w.u8(0)
    })
    expect((await c.read(again, 0, 5)).toString()).toBe('x')
  })

  it('Tmkdir, Tunlinkat with and without AT_REMOVEDIR', async () => {
    await c.mkdir(root, 'd', 0o1750)
    expect((await c.stat(root, 'd')).mode).toBe(0o041750)
    expect(await c.errno(c.mkdir(root, 'd'))).toBe(ERRNO.EEXIST)
    expect(await c.errno(c.unlinkat(root, 'd'))).toBe(ERRNO.EISDIR)
    await c.unlinkat(root, 'd', 0x200)
    expect(await c.errno(c.stat(root, 'd'))).toBe(ERRNO.ENOENT)
    await c.clunk(await c.create(root, 'f'))
    expect(await c.errno(c.unlinkat(root, 'f', 0x200))).toBe(ERRNO.ENOTDIR)
    expect(await c.errno(c.unlinkat(root, 'f', 1))).toBe(ERRNO.EINVAL)
    await c.unlinkat(root, 'f')
  })

  it('Tunlinkat of a directory that is not empty says ENOTEMPTY', async () => {
    await c.mkdir(root, 'd')
    await c.mkdir(await c.walk(root, 'd'), 'e')
    expect(await c.errno(c.unlinkat(root, 'd', 0x200))).toBe(ERRNO.ENOTEMPTY)
  })

  it('Tsymlink and Treadlink keep any target as it is', async () => {
    for (const [index, target] of ['x', '../../etc/passwd', '/absolute', 'a'.repeat(4095)].entries()) {
      const made = await c.symlink(root, `l${index}`, target)
      expect(made.type).toBe(2)
      const fid = await c.walk(root, `l${index}`)
      expect((await c.readlink(fid)).toString()).toBe(target)
      expect((await c.getattr(fid)).mode & 0o170000).toBe(0o120000)
      expect((await c.getattr(fid)).size).toBe(target.length)
      expect(await c.errno(c.lopen(await c.walk(root, `l${index}`), RDONLY))).toBe(ERRNO.ELOOP)
    }
    expect(await c.errno(c.symlink(root, 'long', 'a'.repeat(4096)))).toBe(ERRNO.ENAMETOOLONG)
    expect(await c.errno(c.readlink(root))).toBe(ERRNO.EINVAL)
    if (securityModel === 'mapped-xattr') expect(lstatSync(share.at('l1')).isFile()).toBe(true)
    else expect(readlinkSync(share.at('l1'))).toBe('../../etc/passwd')
  })

  it('Tmknod makes FIFOs, sockets and devices that only the guest opens', async () => {
    await c.mknod(root, 'fifo', 0o010644)
    await c.mknod(root, 'sock', 0o140600)
    await c.mknod(root, 'plain', 0o100600)
    expect((await c.stat(root, 'fifo')).mode).toBe(0o010644)
    expect((await c.stat(root, 'sock')).mode).toBe(0o140600)
    expect((await c.stat(root, 'plain')).mode).toBe(0o100600)
    await c.mknod(root, 'null', 0o020666, 1, 300)
    const device = await c.stat(root, 'null')
    expect(device.mode).toBe(0o020666)
    // new_encode_dev(1, 300)
    expect(device.rdev).toBe((300 & 0xff) | (1 << 8) | ((300 & ~0xff) << 12))
    expect(await c.errno(c.lopen(await c.walk(root, 'fifo'), RDONLY))).toBe(ERRNO.ENXIO)
    expect(await c.errno(c.mknod(root, 'dir', 0o040755))).toBe(ERRNO.EINVAL)
    if (securityModel === 'mapped-xattr') expect(lstatSync(share.at('null')).isFile()).toBe(true)
  })

  it('Tlink: one inode, two names; never a directory', async () => {
    const file = await c.create(root, 'a')
    await c.link(root, file, 'b')
    expect((await c.stat(root, 'b')).nlink).toBe(2)
    expect((await c.stat(root, 'b')).qid.path).toBe((await c.stat(root, 'a')).qid.path)
    expect(await c.errno(c.link(root, file, 'b'))).toBe(ERRNO.EEXIST)
    expect(await c.errno(c.link(root, root, 'c'))).toBe(ERRNO.EPERM)
    await c.symlink(root, 'l', 'nowhere')
    await c.link(root, await c.walk(root, 'l'), 'l2')
    expect((await c.readlink(await c.walk(root, 'l2'))).toString()).toBe('nowhere')
  })

  it('Trenameat and Trename, also over an open file, which stays readable', async () => {
    const old = await c.create(root, 'target')
    await c.write(old, 0, 'old')
    const fresh = await c.create(root, 'fresh')
    await c.write(fresh, 0, 'new')
    await c.renameat(root, 'fresh', root, 'target')
    expect((await c.read(old, 0, 9)).toString()).toBe('old')
    expect((await c.getattr(old)).nlink).toBe(0)
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    await c.rename(fresh, d, 'moved')
    expect((await c.stat(d, 'moved')).size).toBe(3)
    await c.rename(fresh, root, 'again')
    expect((await c.stat(root, 'again')).size).toBe(3)
    expect(await c.errno(c.renameat(root, 'missing', root, 'x'))).toBe(ERRNO.ENOENT)
    expect(await c.errno(c.renameat(root, 'd', d, 'inside'))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.rename(root, d, 'x'))).toBe(ERRNO.EBUSY)
  })

  it('an open file that was unlinked stays readable, writable and describable', async () => {
    const file = await c.create(root, 'a')
    await c.unlinkat(root, 'a')
    await c.write(file, 0, 'still')
    expect((await c.read(file, 0, 9)).toString()).toBe('still')
    await c.setattr(file, { size: 2, mode: 0o600 })
    expect((await c.getattr(file)).size).toBe(2)
    expect((await c.getattr(file)).nlink).toBe(0)
  })

  it('Tremove removes what the fid is called now, and the fid in any case', async () => {
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    const file = await c.walk(root)
    await c.lcreate(file, 'f', RDWR, 0o644)
    await c.renameat(root, 'f', d, 'g')
    await c.remove(file)
    expect(await c.errno(c.stat(d, 'g'))).toBe(ERRNO.ENOENT)
    expect(await c.errno(c.clunk(file))).toBe(ERRNO.EBADF)
    await c.remove(d)
    expect(await c.errno(c.stat(root, 'd'))).toBe(ERRNO.ENOENT)
    const clone = await c.walk(root)
    expect(await c.errno(c.remove(clone))).toBe(ERRNO.EBUSY)
    expect(await c.errno(c.clunk(clone))).toBe(ERRNO.EBADF)
  })

  it('Tsetattr: mode, owner, size and exact nanoseconds', async () => {
    const file = await c.create(root, 'a')
    await c.setattr(file, { mode: 0o4755 })
    expect((await c.getattr(file)).mode).toBe(0o104755)
    await c.setattr(file, { uid: 1234, gid: 567 })
    const owned = await c.getattr(file)
    expect([owned.uid, owned.gid]).toEqual([1234, 567])
    await c.setattr(file, { size: 5_000_000_000 })
    expect((await c.getattr(file)).size).toBe(5_000_000_000)
    await c.setattr(file, { atime: [123_456_789, 987_654_321], mtime: [-5, 789] })
    const times = await c.getattr(file)
    expect(times.atime).toEqual([123_456_789, 987_654_321])
    expect(times.mtime).toEqual([-5, 789])
    await c.setattr(file, { mtime: 'now' })
    expect((await c.getattr(file)).mtime[0]).toBeGreaterThan(1_700_000_000)
    expect((await c.getattr(file)).atime).toEqual([123_456_789, 987_654_321])
    expect(await c.errno(c.setattr(file, { mtime: [0, 1_000_000_000] }))).toBe(ERRNO.EINVAL)
    expect(await c.errno(c.setattr(root, { size: 0 }))).toBe(ERRNO.EISDIR)
  })

  it('Tsetattr with the first and last time that there is: the host keeps what it can', async () => {
    const file = await c.create(root, 'a')
    const set = (time: bigint) =>
      c.call(T.SETATTR, (w) => {
        for (const value of [file, 0x1b0, 0, 0, 0]) w.u32(value)
        for (const value of [0n, time, 0n, time, 0n]) w.u64Exact(value)
      })
    await set(2n ** 63n - 1n)
    expect((await c.getattr(file)).mtime[0]).toBeGreaterThan(4e9)
    await set(-(2n ** 63n))
    expect((await c.getattr(file)).mtime[0]).toBeLessThan(0)
    expect(share.warnings).toEqual([])
  })

  it('Tsetattr of a link changes the link: owner and times', async () => {
    await c.symlink(root, 'l', 'nowhere')
    const link = await c.walk(root, 'l')
    await c.setattr(link, { uid: 77, gid: 78, mtime: [1000, 5] })
    const stat = await c.getattr(link)
    expect([stat.uid, stat.gid, stat.mtime]).toEqual([77, 78, [1000, 5]])
    expect(stat.mode & 0o170000).toBe(0o120000)
  })

  it('a change of ctime alone is done', async () => {
    const file = await c.create(root, 'a')
    const before = (await c.getattr(file)).ctime
    await new Promise((resolve) => setTimeout(resolve, 20))
    await c.setattr(file, { ctime: true })
    expect((await c.getattr(file)).ctime).not.toEqual(before)
  })

  it('who creates owns: uid of the attach, gid of the message', async () => {
    const asUser = await c.attach(1001)
    await c.clunk(await c.create(asUser, 'f', RDWR, 0o600, 1002))
    await c.mkdir(asUser, 'd', 0o700, 1002)
    await c.symlink(asUser, 'l', 'x', 1002)
    await c.mknod(asUser, 'p', 0o010600, 0, 0, 1002)
    for (const name of ['f', 'd', 'l', 'p']) {
      const stat = await c.stat(root, name)
      expect([name, stat.uid, stat.gid]).toEqual([name, 1001, 1002])
    }
    if (securityModel === 'mapped-xattr') expect(statSync(share.at('f')).uid).toBe(process.getuid?.())
  })

  it('a write or truncate by another than root clears set-user-id and set-group-id', async () => {
    const asUser = await c.attach(1001)
    for (const cut of [false, true]) {
      const file = await c.create(asUser, `s${cut}`, RDWR, 0o777)
      await c.setattr(file, { mode: 0o6777 })
      if (cut) await c.setattr(file, { size: 0 })
      else await c.write(file, 0, 'x')
      expect((await c.getattr(file)).mode & 0o7777).toBe(0o777)
    }
    const byRoot = await c.open(root, 'sfalse', RDWR)
    await c.setattr(byRoot, { mode: 0o6777 })
    await c.write(byRoot, 0, 'x')
    expect((await c.getattr(byRoot)).mode & 0o7777).toBe(0o6777)
  })

  it('Treaddir lists everything once, in pieces of any size', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `file-${index}`)
    for (const name of names) await c.clunk(await c.create(root, name))
    for (const count of [64, 300, 60_000]) {
      const dir = await c.open(root, '.', RDONLY)
      const found = (await c.list(dir, count)).map((entry) => entry.name.toString())
      expect(found.toSorted()).toEqual(['.', '..', ...names].toSorted())
      await c.clunk(dir)
    }
  })

  it('Treaddir gives types and inode numbers that agree with Tgetattr', async () => {
    await c.mkdir(root, 'd')
    await c.symlink(root, 'l', 'x')
    await c.mknod(root, 'p', 0o010644)
    await c.clunk(await c.create(root, 'f'))
    const dir = await c.open(root, '.', RDONLY)
    for (const entry of await c.list(dir)) {
      if (entry.name.toString() === '..') continue
      const stat = await c.stat(root, entry.name)
      expect([entry.name.toString(), entry.type]).toEqual([entry.name.toString(), (stat.mode & 0o170000) >> 12])
      expect(entry.qid.path).toBe(stat.qid.path)
    }
  })

  it('extended attributes: create, replace, list, remove', async () => {
    const file = await c.create(root, 'a')
    await c.setxattr(file, 'user.one', 'first', 1)
    expect((await c.getxattr(file, 'user.one')).toString()).toBe('first')
    expect(await c.errno(c.setxattr(file, 'user.one', 'x', 1))).toBe(ERRNO.EEXIST)
    expect(await c.errno(c.setxattr(file, 'user.two', 'x', 2))).toBe(ERRNO.ENODATA)
    await c.setxattr(file, 'user.one', Buffer.alloc(3000, 7), 2)
    expect(await c.getxattr(file, 'user.one')).toEqual(Buffer.alloc(3000, 7))
    await c.setxattr(file, 'user.empty', '', 0)
    expect((await c.getxattr(file, 'user.empty')).length).toBe(0)
    expect((await c.getxattr(file, '')).toString().split('\0').toSorted()).toEqual(['', 'user.empty', 'user.one'])
    await c.setxattr(file, 'user.one', '', 2)
    expect(await c.errno(c.xattrwalk(file, 'user.one'))).toBe(ERRNO.ENODATA)
    expect(await c.errno(c.xattrwalk(file, 'nonsense.x'))).toBe(ERRNO.EOPNOTSUPP)
  })

  it('Tfsync answers for files and directories, not for fids that are not open', async () => {
    const file = await c.create(root, 'a')
    await c.fsync(file)
    await c.fsync(file, true)
    await c.fsync(await c.open(root, '.', RDONLY))
    expect(await c.errno(c.fsync(await c.walk(root)))).toBe(ERRNO.EBADF)
  })

  it('Tstatfs says what the host says', async () => {
    const found = await c.statfs(root)
    expect(found.namelen).toBe(255)
    expect(found.blocks).toBeGreaterThan(0)
  })

  it('Tflush of a tag that is not pending answers at once', async () => {
    await c.flush(77)
  })

  it('names are bytes: not UTF-8, 255 long, not 256', async () => {
    const odd = Buffer.from([0xff, 0xfe, 0x80, 0x20, 0x0a])
    await c.clunk(await c.create(root, odd))
    const dir = await c.open(root, '.', RDONLY)
    expect((await c.list(dir)).some((entry) => entry.name.equals(odd))).toBe(true)
    await c.renameat(root, odd, root, Buffer.alloc(255, 0xe9))
    expect((await c.stat(root, Buffer.alloc(255, 0xe9))).size).toBe(0)
    expect(await c.errno(c.create(root, 'a'.repeat(256)))).toBe(ERRNO.ENAMETOOLONG)
    expect(await c.errno(c.walk(root, 'a'.repeat(256)))).toBe(ERRNO.ENAMETOOLONG)
  })

  it('files over 4 GiB and holes', async () => {
    const file = await c.create(root, 'big')
    await c.write(file, 6_000_000_000, 'end')
    expect((await c.read(file, 6_000_000_000, 10)).toString()).toBe('end')
    expect(await c.read(file, 5_000_000_000, 3)).toEqual(Buffer.alloc(3))
    const stat = await c.getattr(file)
    expect(stat.size).toBe(6_000_000_003)
    expect(stat.blocks).toBeLessThan(100)
  })

  it('a fid that does not exist is EBADF for every message', async () => {
    const all = Object.values(T).filter(
      (type) => ![T.VERSION, T.FLUSH, T.AUTH, T.LERROR, T.ERROR].includes(type as 100),
    )
    for (const type of all.filter((each) => ![T.STAT, T.WSTAT, T.ATTACH].includes(each as 124))) {
      const errno = await c.errno(
        c.call(type, (w) => {
          w.u32(NOFID)
          for (let filler = 0; filler < 16; filler++) w.u32(0)
        }),
      )
      expect([messageName(type), errno]).toEqual([messageName(type), ERRNO.EBADF])
    }
  })

  it('everything is given back', async () => {
    await c.clunk(root)
    expect(share.folder.openCount).toBe(0)
  })
})
