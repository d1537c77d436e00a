import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadLibc } from '../../src-main/host/folder-libc.ts'
import { LinuxFolder } from '../../src-main/host/folder-linux.ts'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import type { HostFolder } from '../../src-main/ninep/host-folder.ts'
import { T } from '../../src-main/ninep/messages.ts'
import { makeShare, openDescriptors } from './fixture.ts'

const RDWR = 2

/** The folder with some calls replaced. */
function withCalls(folder: HostFolder, calls: Partial<HostFolder>): HostFolder {
  return new Proxy(folder, {
    get: (target, name) => {
      const replaced: unknown = Reflect.get(calls, name)
      if (replaced !== undefined) return replaced
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function later<V>(ms: number, value: V): Promise<V> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms))
}

describe('host failures reach the guest as they are', () => {
  it.each(['ENOSPC', 'EIO', 'EDQUOT'] as const)('%s', async (name) => {
    const errno = -ERRNO[name]
    const wrap = (folder: HostFolder): HostFolder =>
      withCalls(folder, {
        write: () => errno,
        sync: () => Promise.resolve(errno),
        mkdir: () => errno,
        create: () => errno,
      })
    const whole = await makeShare({ wrap })
    const { client: c, root } = whole
    writeFileSync(whole.at('f'), '')
    const file = await c.open(root, 'f', RDWR)
    expect(await c.errno(c.write(file, 0, 'x'))).toBe(-errno)
    expect(await c.errno(c.fsync(file))).toBe(-errno)
    expect(await c.errno(c.mkdir(root, 'd'))).toBe(-errno)
    expect(await c.errno(c.create(root, 'g'))).toBe(-errno)
    whole.dispose()
  })

  it('late failures too: a write and a read done off the thread', async () => {
    const wrap = (folder: HostFolder): HostFolder =>
      withCalls(folder, {
        write: () => later(5, -ERRNO.ENOSPC),
        read: () => undefined,
        readLater: () => later(5, -ERRNO.EIO),
      })
    const share = await makeShare({ wrap })
    const file = await share.client.create(share.root, 'f')
    expect(await share.client.errno(share.client.write(file, 0, 'x'))).toBe(ERRNO.ENOSPC)
    expect(await share.client.errno(share.client.read(file, 0, 5))).toBe(ERRNO.EIO)
    share.dispose()
  })

  it('a full disk says ENOSPC, and room comes back', { timeout: 60_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'full-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' })
    } catch {
      // No right to mount here: the injected ENOSPC above stands for it.
      rmSync(dir, { recursive: true })
      return
    }
    try {
      const share = await makeShare({ under: dir })
      const { client: c, root } = share
      const file = await c.create(root, 'f')
      const fill = async (): Promise<void> => {
        for (let at = 0; ;) at += await c.write(file, at, Buffer.alloc(30_000))
      }
      expect(await c.errno(fill())).toBe(ERRNO.ENOSPC)
      await c.setattr(file, { size: 0 })
      expect(await c.write(file, 0, 'fits')).toBe(4)
      share.dispose()
    } finally {
      execFileSync('umount', [dir])
      rmSync(dir, { recursive: true })
    }
  })

  it('a file-size limit says EFBIG', () => {
    const program = `
      import { makeShare } from ${JSON.stringify(fileURLToPath(new URL('fixture.ts', import.meta.url)))}
      const share = await makeShare()
      const file = await share.client.create(share.root, 'f')
      process.stdout.write(String(await share.client.errno(share.client.write(file, 5_000_000, 'x'))))
      share.dispose()`
    const shell = `ulimit -f 1000; exec "$0" --input-type=module -e "$1"`
    const said = execFileSync('bash', ['-c', shell, process.execPath, program], { encoding: 'utf8' })
    expect(Number(said)).toBe(ERRNO.EFBIG)
  })

  it('the folder removed under a mounted share: errnos, no hang, nothing made elsewhere', async () => {
    const share = await makeShare()
    const { client: c, root } = share
    const file = await c.create(root, 'f')
    rmSync(share.path, { recursive: true })
    expect(await c.errno(c.mkdir(root, 'd'))).toBe(ERRNO.ENOENT)
    expect(await c.errno(c.walk(root, 'f'))).toBe(ERRNO.ENOENT)
    expect(await c.write(file, 0, 'x')).toBe(1)
    expect((await c.getattr(root)).nlink).toBe(0)
    share.dispose()
  })

  it('the folder exchanged for another: the guest keeps the one it mounted', async () => {
    const share = await makeShare()
    const { client: c, root } = share
    renameSync(share.path, `${share.path}-old`)
    mkdirSync(share.path)
    await c.mkdir(root, 'd')
    expect(await c.errno(c.stat(root, 'd'))).toBe(0)
    expect(() => renameSync(`${share.path}-old/d`, `${share.path}-old/e`)).not.toThrow()
    share.dispose()
  })
})

describe('order', () => {
  it('Tfsync is answered only after the host`s fsync succeeded', async () => {
    const trace: string[] = []
    const wrap = (folder: HostFolder): HostFolder =>
      withCalls(folder, {
        sync: async (file, dataOnly) => {
          trace.push('begin')
          const outcome = await folder.sync(file, dataOnly)
          await later(20, 0)
          trace.push('done')
          return outcome
        },
      })
    const share = await makeShare({ wrap })
    const file = await share.client.create(share.root, 'f')
    await share.client.fsync(file)
    trace.push('answered')
    expect(trace).toEqual(['begin', 'done', 'answered'])
    share.dispose()
  })

  it('a slow request holds up nobody, Tflush waits for its own, and a clunk meanwhile is safe', async () => {
    const order: string[] = []
    const wrap = (folder: HostFolder): HostFolder => withCalls(folder, { sync: () => later(30, 0) })
    const share = await makeShare({ wrap })
    const { client: c, root, server } = share
    const file = await c.create(root, 'f')
    const fsync = c.build(T.FSYNC, 70, (w) => {
      w.u32(file)
      w.u32(0)
    })
    const slow = Promise.resolve(server.handle(fsync, new Uint8Array(64))).then(() => order.push('fsync'))
    const flushing = Promise.resolve(
      server.handle(
        c.build(T.FLUSH, 71, (w) => w.u16(70)),
        new Uint8Array(64),
      ),
    ).then(() => order.push('flush'))
    expect(server.pendingCount).toBe(1)
    expect((await c.raw(fsync))[4]).toBe(7)
    await c.getattr(root)
    order.push('getattr')
    await c.clunk(file)
    expect(share.folder.openCount).toBe(2)
    await Promise.all([slow, flushing])
    expect(order).toEqual(['getattr', 'fsync', 'flush'])
    expect(share.folder.openCount).toBe(1)
    share.dispose()
  })

  it('after reset() nothing that was under way touches the guest`s memory', async () => {
    const data = new Uint8Array(16).fill(7)
    const wrap = (folder: HostFolder): HostFolder =>
      withCalls(folder, { read: () => undefined, readLater: () => later(20, data) })
    const share = await makeShare({ wrap })
    const file = await share.client.create(share.root, 'f')
    const message = share.client.build(T.READ, 3, (w) => {
      w.u32(file)
      w.u64(0)
      w.u32(16)
    })
    const memory = new Uint8Array(64)
    const answer = share.server.handle(message, memory)
    share.server.reset()
    expect(await answer).toBe(0)
    expect(memory.every((byte) => byte === 0)).toBe(true)
    expect(share.server.fidCount).toBe(0)
    expect(share.folder.openCount).toBe(0)
    share.dispose()
  })

  it('Tversion waits for what is under way', async () => {
    const share = await makeShare({ wrap: (folder) => withCalls(folder, { sync: () => later(20, 0) }) })
    const file = await share.client.create(share.root, 'f')
    const answers: string[] = []
    const syncing = share.client.fsync(file).then(() => answers.push('fsync'))
    await share.client.version()
    answers.push('version')
    await syncing
    expect(answers).toEqual(['fsync', 'version'])
    share.dispose()
  })
})

describe('descriptors', () => {
  it('far more fids than descriptors: nodes are put aside, found again, and followed through renames', async () => {
    let made: LinuxFolder | undefined
    const share = await makeShare({
      openWith: (path) => (made = new LinuxFolder(loadLibc(), openSync(path, 0o10200000), 100)),
    })
    const { client: c, root } = share
    await c.mkdir(root, 'd')
    const before = openDescriptors()
    const fids: number[] = []
    for (let i = 0; i < 600; i++) {
      writeFileSync(share.at(`d/f${i}`), String(i))
      fids.push(await c.walk(root, 'd', `f${i}`))
    }
    expect(openDescriptors() - before).toBeLessThan(120)
    await c.renameat(root, 'd', root, 'e')
    const e = await c.walk(root, 'e')
    await c.renameat(e, 'f0', root, 'moved')
    for (const [i, fid] of fids.entries()) expect((await c.getattr(fid)).size).toBe(String(i).length)
    const file = fids[0]
    await c.lopen(file, 0)
    expect((await c.read(file, 0, 9)).toString()).toBe('0')
    rmSync(share.at('e/f1'))
    writeFileSync(share.at('e/f1'), 'another')
    for (const fid of fids.slice(100)) await c.getattr(fid)
    expect([0, ERRNO.ESTALE]).toContain(await c.errno(c.getattr(fids[1])))
    share.server.reset()
    expect(made?.openCount).toBe(0)
    share.dispose()
    expect(openDescriptors()).toBeLessThanOrEqual(before)
  })
})

/** Arguments for Node: a program that locks the whole file for writing, says so, and holds it until its input ends; status 3 when it cannot. */
function locker(path: string): string[] {
  const libc = JSON.stringify(new URL('../../src-main/host/folder-libc.ts', import.meta.url).href)
  const program = `
    import { openSync } from 'node:fs'
    import { loadLibc } from ${libc}
    const flock = Buffer.alloc(32)
    flock.writeInt16LE(1, 0)
    if (loadLibc().setlk(openSync(${JSON.stringify(path)}, 'r+'), flock) < 0) process.exit(3)
    console.log('held')
    process.stdin.resume()`
  return ['--input-type=module', '-e', program]
}

describe('locks', () => {
  it('among the guest`s processes, whose kernel has decided: the later wins, readers share, Tgetlock', async () => {
    const share = await makeShare()
    const { client: c, root } = share
    const [READ, WRITE, UNLOCK] = [0, 1, 2]
    const a = await c.create(root, 'f')
    const b = await c.open(root, 'f', RDWR)
    expect(await c.lock(a, WRITE, 0, 100, 1)).toBe(0)
    expect(await c.lock(b, READ, 50, 10, 2)).toBe(0)
    expect(await c.lock(b, READ, 50, 10, 1)).toBe(0)
    expect(await c.getlock(b, WRITE, 0, 0, 2)).toEqual({ type: WRITE, start: 0, length: 50, pid: 1 })
    expect(await c.getlock(b, READ, 50, 10, 2)).toEqual({ type: UNLOCK, start: 50, length: 10, pid: 2 })
    expect(await c.getlock(b, WRITE, 60, 0, 2)).toEqual({ type: WRITE, start: 60, length: 40, pid: 1 })
    expect(await c.lock(a, UNLOCK, 0, 0, 1)).toBe(0)
    expect(await c.getlock(a, WRITE, 0, 0, 1)).toEqual({ type: READ, start: 50, length: 10, pid: 2 })
    expect(await c.lock(b, WRITE, 0, 0, 2)).toBe(0)
    // An unlock that comes after the next holder's lock takes nothing from him.
    expect(await c.lock(a, WRITE, 0, 0, 1)).toBe(0)
    expect(await c.lock(b, UNLOCK, 0, 0, 2)).toBe(0)
    expect(await c.getlock(b, READ, 7, 1, 2)).toEqual({ type: WRITE, start: 0, length: 0, pid: 1 })
    expect(await c.lock(a, UNLOCK, 0, 0, 1)).toBe(0)
    await c.clunk(a)
    await c.clunk(b)
    expect(share.folder.openCount).toBe(1)
    share.dispose()
  })

  it('against a program of the host, both ways', async () => {
    const share = await makeShare()
    const { client: c, root } = share
    const file = await c.create(root, 'f')
    const tryLock = (): boolean => spawnSync(process.execPath, locker(share.at('f'))).status === 0
    expect(await c.lock(file, 0, 10, 5, 1)).toBe(0)
    expect(tryLock()).toBe(false)
    expect(await c.lock(file, 2, 0, 0, 1)).toBe(0)
    expect(tryLock()).toBe(true)
    const child = spawn(process.execPath, locker(share.at('f')), { stdio: ['pipe', 'pipe', 'ignore'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect(await c.lock(file, 1, 0, 0, 1)).toBe(1)
    for (const type of [0, 2])
      expect(await c.getlock(file, type, 3, 4, 1)).toEqual({ type: 1, start: 0, length: 0, pid: 0 })
    child.stdin.end()
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await c.getlock(file, 1, 0, 0, 1)).toEqual({ type: 2, start: 0, length: 0, pid: 1 })
    expect(await c.lock(file, 1, 0, 0, 1)).toBe(0)
    share.dispose()
  })
})
