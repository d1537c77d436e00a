import * as nodeFs from 'node:fs'
import { readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toGuestName, toHostName } from '../../src-main/host/folder-portable-names.ts'
import type { FsCalls } from '../../src-main/host/folder-portable-paths.ts'
import { PortableFolder } from '../../src-main/host/folder-portable.ts'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import { makeShare, openDescriptors } from './fixture.ts'
import { foldingCalls } from './folding-calls.ts'
import { canaryState, fuzz, plantCanaries } from './fuzz.ts'

const RDWR = 2
const EXCL = 0o200
const TRUNC = 0o1000
/** A thousand messages each; LONGMODE_FUZZ says how many messages, as in fuzz.test.ts. */
const SEEDS = Math.max(3, Number(process.env['LONGMODE_FUZZ'] ?? 0) / 1000)

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** node:fs as Windows has it, where that differs and matters: no links without the right to, only one permission bit. */
const windowsCalls: FsCalls = {
  ...nodeFs,
  symlinkSync: () => {
    throw failure('EPERM')
  },
  chmodSync: (path, mode) => nodeFs.chmodSync(path, (Number(mode) & 0o200) !== 0 ? 0o666 : 0o444),
}

describe('names on other systems', () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text)

  it.each([
    'a:b',
    'what?',
    'con',
    'AUX.txt',
    'lpt1',
    'ends.',
    'ends ',
    'tab\t',
    'del\u007f\u0085',
    'back\\slash',
    'é ü',
    'plain',
  ])('Windows: %j comes back as it was and is allowed there', (name) => {
    const host = toHostName(bytes(name), 'win32') ?? ''
    expect(host).not.toMatch(/[<>:"|?*\\\t]|[. ]$|^(con|aux|lpt1)(\.|$)/i)
    expect(Buffer.from(toGuestName(host, 'win32')).toString()).toBe(name)
  })

  it('what is not UTF-8 is refused there and kept byte for byte on Linux', () => {
    const odd = Uint8Array.of(0xff, 0x80)
    expect(toHostName(odd, 'win32')).toBeUndefined()
    expect(toHostName(odd, 'darwin')).toBeUndefined()
    expect([...toGuestName(toHostName(odd, 'linux') ?? '', 'linux')]).toEqual([0xff, 0x80])
  })

  it('a private-use character that would come back as another name is refused', () => {
    expect(toHostName(bytes('\uf03a'), 'win32')).toBeUndefined()
    expect(toHostName(bytes('\uf03a'), 'darwin')).toBe('\uf03a')
  })
})

describe('the folder by paths', () => {
  it.each(['linux', 'darwin'] as const)('does the everyday work: %s', async (platform) => {
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, platform) })
    const { client: c, root } = share
    const file = await c.create(root, 'f', RDWR, 0o640)
    await c.write(file, 0, 'hello')
    expect((await c.read(file, 0, 9)).toString()).toBe('hello')
    await c.fsync(file)
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    await c.renameat(root, 'f', d, 'g')
    expect((await c.stat(d, 'g')).mode).toBe(0o100640)
    expect((await c.getattr(file)).size).toBe(5)
    await c.symlink(d, 'l', '../../outside')
    expect((await c.readlink(await c.walk(d, 'l'))).toString()).toBe('../../outside')
    await c.link(root, await c.walk(d, 'g'), 'hard')
    expect((await c.stat(root, 'hard')).nlink).toBe(2)
    const listed = await c.list(await c.open(d, '.', 0), 60)
    expect(listed.map((entry) => entry.name.toString()).toSorted()).toEqual(['.', '..', 'g', 'l'])
    await c.renameat(root, 'd', root, 'e')
    expect((await c.stat(d, 'g')).size).toBe(5)
    expect(await c.errno(c.mknod(root, 'p', 0o010644))).toBe(ERRNO.EPERM)
    expect(await c.errno(c.unlinkat(root, 'e'))).toBe(ERRNO.EISDIR)
    expect(await c.errno(c.unlinkat(root, 'hard', 0x200))).toBe(ERRNO.ENOTDIR)
    await c.unlinkat(d, 'g')
    expect((await c.read(file, 0, 9)).toString()).toBe('hello')
    share.server.reset()
    expect(share.folder.openCount).toBe(0)
    share.dispose()
  })

  it('O_TRUNC cuts, for readers too; where it may not, nothing stays open', async () => {
    const refusing: FsCalls = {
      ...nodeFs,
      ftruncateSync: () => {
        throw failure('EIO')
      },
    }
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, 'linux') })
    const { client: c, root } = share
    writeFileSync(share.at('f'), 'text')
    await c.clunk(await c.open(root, 'f', TRUNC))
    expect(readFileSync(share.at('f'), 'utf8')).toBe('')
    share.dispose()
    const broken = await makeShare({ openWith: (path) => new PortableFolder(path, 'linux', refusing) })
    writeFileSync(broken.at('f'), 'text')
    const before = openDescriptors()
    expect(await broken.client.errno(broken.client.open(broken.root, 'f', RDWR | TRUNC))).toBe(ERRNO.EIO)
    expect(openDescriptors()).toBe(before)
    expect(broken.folder.openCount).toBe(1)
    broken.dispose()
  })

  it('never follows a link, nor goes on where a directory was swapped for one', async () => {
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, 'linux') })
    const { client: c, root } = share
    writeFileSync(join(share.outside, 'secret'), 'canary')
    symlinkSync('../outside', share.at('out'))
    const out = await c.walk(root, 'out')
    expect(await c.errno(c.walk(out, 'secret'))).toBe(ERRNO.ENOTDIR)
    expect(await c.errno(c.lopen(out, 0))).toBe(ERRNO.ELOOP)
    await c.mkdir(root, 'd')
    const d = await c.walk(root, 'd')
    renameSync(share.at('d'), share.at('was'))
    symlinkSync('../outside', share.at('d'))
    expect(await c.errno(c.walk(d, 'secret'))).toBe(ERRNO.ESTALE)
    expect(await c.errno(c.create(d, 'new'))).toBe(ERRNO.ESTALE)
    expect(await c.errno(c.unlinkat(d, 'secret'))).toBe(ERRNO.ESTALE)
    expect(readdirSync(share.outside)).toEqual(['secret'])
    rmSync(share.at('d'))
    share.dispose()
  })

  it('mutated messages crash nothing, leak nothing and touch nothing outside', { timeout: 3_600_000 }, async () => {
    const before = openDescriptors()
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, 'linux') })
    plantCanaries(share)
    const canaries = canaryState(share)
    let succeeded = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      await share.client.version()
      await share.client.attach(0)
      succeeded += (await fuzz(share, seed, 1000)).succeeded
      expect(canaryState(share)).toBe(canaries)
    }
    expect(succeeded).toBeGreaterThan(SEEDS * 50)
    share.server.reset()
    expect(share.folder.openCount).toBe(0)
    expect(share.warnings.filter((text) => text.includes('inside the server'))).toEqual([])
    share.dispose()
    expect(openDescriptors()).toBeLessThanOrEqual(before)
  })

  it.each(['darwin', 'win32'] as const)('%s folds case: one file, listed as it was first written', async (platform) => {
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, platform, foldingCalls(path)) })
    const { client: c, root } = share
    const file = await c.create(root, 'ReadMe', RDWR)
    await c.write(file, 0, 'text')
    expect(await c.errno(c.create(root, 'README', RDWR | EXCL))).toBe(ERRNO.EEXIST)
    expect(await c.errno(c.mkdir(root, 'readme'))).toBe(ERRNO.EEXIST)
    expect((await c.stat(root, 'readme')).qid.path).toBe((await c.getattr(file)).qid.path)
    expect((await c.read(await c.open(root, 'README', 0), 0, 9)).toString()).toBe('text')
    await c.mkdir(root, 'Folder')
    const folder = await c.walk(root, 'FOLDER')
    await c.renameat(root, 'readme', folder, 'Other')
    expect(readdirSync(share.at('Folder'))).toEqual(['Other'])
    await c.renameat(folder, 'other', folder, 'oTHER')
    expect(readdirSync(share.at('Folder'))).toEqual(['oTHER'])
    expect((await c.read(await c.open(folder, 'Other', 0), 0, 9)).toString()).toBe('text')
    // What was walked to in another case than it is renamed in is not found by that walk any more, and nothing else is found for it.
    await c.renameat(root, 'folder', root, 'moved')
    await c.mkdir(root, 'FOLDER')
    expect(await c.errno(c.walk(folder, 'Other'))).toBe(ERRNO.ESTALE)
    await c.unlinkat(await c.walk(root, 'Moved'), 'OTHER')
    expect(readdirSync(share.at('moved'))).toEqual([])
    expect((await c.read(file, 0, 9)).toString()).toBe('text')
    share.dispose()
  })

  it('Windows: modes show the read-only attribute, odd names are written otherwise, links need a right', async () => {
    const share = await makeShare({ openWith: (path) => new PortableFolder(path, 'win32', windowsCalls) })
    const { client: c, root } = share
    const file = await c.create(root, 'a:b?', RDWR, 0o600)
    expect(readdirSync(share.path)).toEqual(['a\uf03ab\uf03f'])
    const listed = (await c.list(await c.open(root, '.', 0))).map((entry) => entry.name.toString())
    expect(listed).toContain('a:b?')
    expect((await c.getattr(file)).mode).toBe(0o100755)
    await c.setattr(await c.walk(root, 'a:b?'), { mode: 0o400 })
    expect((await c.getattr(file)).mode).toBe(0o100555)
    expect(await c.errno(c.setattr(file, { uid: 5 }))).toBe(ERRNO.EPERM)
    expect(await c.errno(c.symlink(root, 'l', 'x'))).toBe(ERRNO.EPERM)
    expect(await c.errno(c.create(root, Uint8Array.of(0xff)))).toBe(ERRNO.EINVAL)
    expect((await c.getattr(root)).mode).toBe(0o040755)
    share.dispose()
  })
})
