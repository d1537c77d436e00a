import * as fs from 'node:fs'
import { constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadLibc } from '../../src-main/host/folder-libc.ts'
import { ERRNO, errnoFromCode, errnoName } from '../../src-main/ninep/errno.ts'
import { T } from '../../src-main/ninep/messages.ts'
import { makeShare } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import { Random } from './fuzz.ts'
import { NineError } from './nine-client.ts'

/**
 * The same calls made twice: on a plain directory directly, and on the share by the messages v9fs would send. Results, errnos and the trees at
 * the end must agree. Run as root, as the guest's kernel checks permissions before it asks the server.
 */
const AT_FDCWD = -100
const DIRS = ['', 'd1', 'd2', 'd1/s']
const NAMES = ['a', 'b', 'c', 'd1', 'd2', 's', 'x'.repeat(255), 'y'.repeat(256)]
const libc = loadLibc()

/** One step, done directly (0 or errno) and by messages. */
interface Step {
  readonly label: string
  direct(top: string): void
  share(share: Fixture): Promise<unknown>
}

const text = (path: string): Buffer => Buffer.from(`${path}\0`)

function check(outcome: number): void {
  if (outcome < 0) throw Object.assign(new Error('call'), { code: errnoName(outcome) })
}

/** Walks to a directory as the guest's kernel does, a name at a time (the links made here lead nowhere), uses it, gives it back. */
async function inDir<V>({ client, root }: Fixture, dir: string, use: (fid: number) => Promise<V>): Promise<V> {
  const fid = await client.walk(root)
  try {
    for (const part of dir.split('/').filter((each) => each !== '')) {
      await client.walkTo(fid, fid, part)
      const type = (await client.getattr(fid)).mode & 0o170000
      if (type !== 0o040000) throw new NineError(T.WALK, type === 0o120000 ? ERRNO.ENOENT : ERRNO.ENOTDIR)
    }
    return await use(fid)
  } finally {
    await client.clunk(fid)
  }
}

const onNode = <V>(share: Fixture, dir: string, name: string, use: (fid: number) => Promise<V>): Promise<V> =>
  inDir(share, dir, async (dirFid) => {
    const fid = await share.client.walk(dirFid, name)
    try {
      return await use(fid)
    } finally {
      await share.client.clunk(fid)
    }
  })

function nextStep(random: Random): Step {
  const dir = random.pick(DIRS)
  const name = random.pick(NAMES)
  const toDir = random.pick(DIRS)
  const toName = random.pick(NAMES)
  const mode = random.pick([0, 0o600, 0o644, 0o755, 0o4755, 0o2711, 0o1777])
  const path = (top: string): string => join(top, dir, name)
  const target = (top: string): string => join(top, toDir, toName)
  // A set-group-id directory hands on its group: v9fs, not the server, sees to that in a guest.
  const dirMode = mode & ~0o2000
  const ids = [random.next(3) * 1000, random.next(3) * 1000] as const
  const size = random.pick([0, 1, 5000, 5_000_000_000])
  const steps: Record<string, Omit<Step, 'label'>> = {
    create: {
      direct: (top) => {
        const fd = fs.openSync(path(top), constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, mode)
        fs.fchmodSync(fd, mode)
        fs.closeSync(fd)
      },
      share: (s) => inDir(s, dir, async (d) => s.client.clunk(await s.client.create(d, name, 0o202, mode))),
    },
    write: {
      direct: (top) => {
        const fd = fs.openSync(path(top), constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
        fs.writeSync(fd, 'some data', size % 7000)
        fs.closeSync(fd)
      },
      share: (s) =>
        inDir(s, dir, async (d) => {
          const file = await s.client.open(d, name, 1)
          await s.client.write(file, size % 7000, 'some data')
          await s.client.clunk(file)
        }),
    },
    mkdir: {
      direct: (top) => {
        mkdirSync(path(top), { mode: 0o700 })
        fs.chmodSync(path(top), dirMode)
      },
      share: (s) => inDir(s, dir, (d) => s.client.mkdir(d, name, dirMode)),
    },
    symlink: {
      direct: (top) => fs.symlinkSync('../anywhere', path(top)),
      share: (s) => inDir(s, dir, (d) => s.client.symlink(d, name, '../anywhere')),
    },
    mknod: {
      direct: (top) => {
        check(libc.mknodat(AT_FDCWD, text(path(top)), 0o010000, 0))
        fs.chmodSync(path(top), mode)
      },
      share: (s) => inDir(s, dir, (d) => s.client.mknod(d, name, 0o010000 | mode)),
    },
    link: {
      direct: (top) => check(libc.linkat(AT_FDCWD, text(path(top)), AT_FDCWD, text(target(top)), 0)),
      share: (s) => onNode(s, dir, name, (fid) => inDir(s, toDir, (d) => s.client.link(d, fid, toName))),
    },
    rename: {
      direct: (top) => check(libc.renameat(AT_FDCWD, text(path(top)), AT_FDCWD, text(target(top)))),
      share: (s) => inDir(s, dir, (from) => inDir(s, toDir, (to) => s.client.renameat(from, name, to, toName))),
    },
    unlink: {
      direct: (top) => check(libc.unlinkat(AT_FDCWD, text(path(top)), 0)),
      share: (s) => inDir(s, dir, (d) => s.client.unlinkat(d, name)),
    },
    rmdir: {
      direct: (top) => check(libc.unlinkat(AT_FDCWD, text(path(top)), 0x200)),
      share: (s) => inDir(s, dir, (d) => s.client.unlinkat(d, name, 0x200)),
    },
    chown: {
      direct: (top) => fs.lchownSync(path(top), ...ids),
      share: (s) => onNode(s, dir, name, (fid) => s.client.setattr(fid, { uid: ids[0], gid: ids[1] })),
    },
    chmod: {
      direct: (top) => {
        if (fs.lstatSync(path(top)).isSymbolicLink()) throw Object.assign(new Error('link'), { code: 'EOPNOTSUPP' })
        fs.chmodSync(path(top), dirMode)
      },
      share: (s) => onNode(s, dir, name, (fid) => s.client.setattr(fid, { mode: dirMode })),
    },
    utimes: {
      direct: (top) => fs.lutimesSync(path(top), 1000, 2000),
      share: (s) => onNode(s, dir, name, (fid) => s.client.setattr(fid, { atime: [1000, 0], mtime: [2000, 0] })),
    },
    truncate: {
      direct: (top) => {
        const fd = fs.openSync(path(top), constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
        fs.ftruncateSync(fd, size)
        fs.closeSync(fd)
      },
      share: (s) =>
        inDir(s, dir, async (d) => {
          const file = await s.client.open(d, name, 1)
          await s.client.setattr(file, { size })
          await s.client.clunk(file)
        }),
    },
  }
  const label = random.pick(Object.keys(steps))
  return { label: `${label} ${dir}/${name.slice(0, 9)} ${toDir}/${toName.slice(0, 9)}`, ...steps[label] }
}

/** Everything in a tree, told so that two trees compare. */
function snapshot(top: string, dir = ''): string[] {
  return fs
    .readdirSync(join(top, dir))
    .toSorted()
    .flatMap((name) => {
      const path = join(dir, name)
      const { mode, uid, gid, nlink, size, mtimeMs } = fs.lstatSync(join(top, path))
      const isDir = (mode & 0o170000) === 0o040000
      const old = mtimeMs === 2_000_000 ? 'old' : 'new'
      const facts = `${path} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${isDir ? '' : `${size} ${old}`}`
      return [facts, ...(isDir ? snapshot(top, path) : [])]
    })
}

describe('the share against the same calls made directly', { skip: process.getuid?.() !== 0 }, () => {
  it.each([1, 2, 3, 4, 5, 6])('seed %i: results, errnos and trees agree', async (seed) => {
    const share = await makeShare({ securityModel: 'passthrough' })
    const twin = share.outside
    const random = new Random(seed * 7919)
    let failures = 0
    for (let index = 0; index < 700; index++) {
      const step = nextStep(random)
      let direct = 0
      try {
        step.direct(twin)
      } catch (error) {
        direct = errnoFromCode((error as NodeJS.ErrnoException).code)
        failures++
      }
      const shared = await share.client.errno(step.share(share))
      // FIFOs: a direct non-blocking open for writing says ENXIO too. A link: ELOOP on both sides.
      expect([index, step.label, errnoName(shared)]).toEqual([index, step.label, errnoName(direct)])
    }
    expect(failures).toBeGreaterThan(50)
    expect(snapshot(share.path)).toEqual(snapshot(twin))
    share.server.reset()
    expect(share.folder.openCount).toBe(0)
    share.dispose()
  })
})
