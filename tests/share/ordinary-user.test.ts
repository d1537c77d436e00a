import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERRNO } from '../../src-main/ninep/errno.ts'
import type { SecurityModel } from '../../src-main/ninep/owners.ts'

const NOBODY = 65_534
const fixture = JSON.stringify(new URL('fixture.ts', import.meta.url).href)

/** Runs `steps` (with `share`, `c`, `root`, `say`) in a process of an ordinary user; gives what it said. */
function asOrdinaryUser(securityModel: SecurityModel, steps: string): unknown {
  const under = mkdtempSync(join(tmpdir(), 'user-'))
  chmodSync(under, 0o755)
  if (process.getuid?.() === 0) chownSync(under, NOBODY, NOBODY)
  const program = `
    const { makeShare } = await import(${fixture})
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}) }
    const share = await makeShare({ securityModel: '${securityModel}', under: ${JSON.stringify(under)} })
    const { client: c, root } = share
    const said = {}
    ${steps}
    share.dispose()
    console.log(JSON.stringify(said))`
  try {
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
  } finally {
    rmSync(under, { recursive: true })
  }
}

const STEPS = `
  const user = await c.attach(1000)
  const file = await c.walk(user)
  said.create = await c.errno(c.lcreate(file, 'f', 2, 0o640, 1001))
  said.mkdir = await c.errno(c.mkdir(user, 'd', 0o755, 1001))
  said.symlink = await c.errno(c.symlink(user, 'l', 'x', 1001))
  said.device = await c.errno(c.mknod(user, 'dev', 0o020600, 1, 3, 1001))
  said.link = await c.errno(c.link(root, await c.walk(root, 'l'), 'l2'))
  if (said.create === 0) {
    said.owner = (await c.getattr(file)).uid
    said.mode = (await c.getattr(file)).mode
    said.chown = await c.errno(c.setattr(file, { uid: 5 }))
  }`

describe('run by an ordinary user', () => {
  it('mapped-xattr: owners and devices all work, they are attributes', () => {
    const said = asOrdinaryUser('mapped-xattr', STEPS)
    expect(said).toEqual({ create: 0, mkdir: 0, symlink: 0, device: 0, link: 0, owner: 1000, mode: 0o100640, chown: 0 })
  })

  it('none: creating works, owners are the host`s, chown and devices get the host`s EPERM', () => {
    const said = asOrdinaryUser('none', STEPS)
    const owner = process.getuid?.() === 0 ? NOBODY : process.getuid?.()
    const { EPERM } = ERRNO
    expect(said).toEqual({
      create: 0,
      mkdir: 0,
      symlink: 0,
      device: EPERM,
      link: 0,
      owner,
      mode: 0o100640,
      chown: EPERM,
    })
  })

  it('passthrough: what cannot be given its owner is refused and leaves nothing behind', () => {
    const said = asOrdinaryUser(
      'passthrough',
      `const user = await c.attach(1000)
       said.create = await c.errno(c.create(user, 'f', 2, 0o640, 1001))
       said.mkdir = await c.errno(c.mkdir(user, 'd', 0o755, 1001))
       said.left = (await c.list(await c.open(root, '.', 0))).length`,
    )
    expect(said).toEqual({ create: ERRNO.EPERM, mkdir: ERRNO.EPERM, left: 2 })
  })
})
