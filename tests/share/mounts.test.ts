/** File systems and folders that the host has mounted inside the shared one. Only root may mount, so only root runs these. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import { makeShare } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import type { NineClient } from './nine-client.ts'

const RDONLY = 0

describe.runIf(process.getuid?.() === 0)('mounts inside the folder', () => {
  let share: Fixture
  let c: NineClient
  let root: number
  const mounted: string[] = []

  const mount = (name: string, ...words: string[]): void => {
    mkdirSync(share.at(name), { recursive: true })
    execFileSync('mount', [...words, share.at(name)])
    mounted.push(share.at(name))
  }

  beforeEach(async () => {
    share = await makeShare({ securityModel: 'passthrough' })
    c = share.client
    root = share.root
    mkdirSync(join(share.outside, 'inner'))
    writeFileSync(join(share.outside, 'inner', 'file'), 'behind the mount')
    writeFileSync(join(share.outside, 'secret'), 'secret')
  })

  afterEach(() => {
    // Before anything is removed: what is mounted here is not ours. Lazily, for the server may hold it.
    for (const place of mounted.splice(0)) execFileSync('umount', ['-l', place])
    expect(readFileSync(join(share.outside, 'inner', 'file'), 'latin1')).toBe('behind the mount')
    expect(readdirSync(share.outside).toSorted()).toEqual(['inner', 'secret'])
    share.dispose()
  })

  it('a folder of the host that is bound there shows itself, and `..` of it is the share', async () => {
    mount('bound', '--bind', join(share.outside, 'inner'))
    const bound = await c.walk(root, 'bound')
    const file = await c.open(bound, 'file', RDONLY)
    expect((await c.read(file, 0, 99)).toString()).toBe('behind the mount')
    const { qid } = await c.getattr(root)
    expect((await c.getattr(await c.walk(bound, '..'))).qid.path).toBe(qid.path)
    expect((await c.getattr(await c.walk(bound, '..', '..', '..'))).qid.path).toBe(qid.path)
    expect(await c.errno(c.walk(bound, '..', 'secret'))).toBe(ERRNO.ENOENT)
    expect(await c.errno(c.walk(bound, '..', 'outside'))).toBe(ERRNO.ENOENT)
  })

  it('a folder bound there that the host moves away meanwhile leads nowhere else', async () => {
    mkdirSync(join(share.outside, 'inner', 'deep'))
    mount('bound', '--bind', join(share.outside, 'inner'))
    const deep = await c.walk(root, 'bound', 'deep')
    // Its parent is now a folder that the mount does not show.
    execFileSync('mv', [join(share.outside, 'inner', 'deep'), join(share.outside, 'deep')])
    const up = await c.errno(c.walk(deep, '..'))
    expect([ERRNO.ENOENT, ERRNO.ESTALE]).toContain(up)
    expect([ERRNO.ENOENT, ERRNO.ESTALE]).toContain(await c.errno(c.walk(deep, '..', 'secret')))
    execFileSync('rmdir', [join(share.outside, 'deep')])
  })

  it('neither links nor renames cross it, and it cannot be removed', async () => {
    mount('other', '-t', 'tmpfs', 'tmpfs')
    await c.clunk(await c.create(root, 'f'))
    const file = await c.walk(root, 'f')
    const other = await c.walk(root, 'other')
    expect(await c.errno(c.link(other, file, 'g'))).toBe(ERRNO.EXDEV)
    expect(await c.errno(c.renameat(root, 'f', other, 'f'))).toBe(ERRNO.EXDEV)
    expect(await c.errno(c.rename(file, other, 'f'))).toBe(ERRNO.EXDEV)
    expect(await c.errno(c.unlinkat(root, 'other', 0x200))).toBe(ERRNO.EBUSY)
    expect(readdirSync(share.at('other'))).toEqual([])
  })

  it('files with the same inode number on two file systems are two files to the guest', async () => {
    mount('one', '-t', 'tmpfs', 'tmpfs')
    mount('two', '-t', 'tmpfs', 'tmpfs')
    expect(statSync(share.at('one')).ino).toBe(statSync(share.at('two')).ino)
    const paths = [(await c.stat(root, 'one')).qid.path, (await c.stat(root, 'two')).qid.path]
    expect(paths[0]).not.toBe(paths[1])
  })

  it('what is taken away under the guest keeps to itself', async () => {
    mount('gone', '-t', 'tmpfs', 'tmpfs')
    mkdirSync(share.at('gone/d'))
    const d = await c.walk(root, 'gone', 'd')
    execFileSync('umount', ['-l', mounted.pop()!])
    expect(await c.errno(c.walk(d, '..', '..', 'outside'))).not.toBe(0)
    await c.clunk(await c.create(d, 'new'))
    expect(readdirSync(share.at('gone'))).toEqual([])
    expect((await c.stat(root, 'gone')).qid.path).not.toBe((await c.getattr(d)).qid.path)
  })
})
