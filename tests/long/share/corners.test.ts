/** Files, folders and mounts that are unlike others, from a real guest. */
import * as fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { must, plainShare, shareGuests, underTest } from './guest.ts'

const { boot, folder } = shareGuests()
const on = '/root/host_folder'
const remounted = (options: string) => `cd / && umount ${on} && mount -t 9p -o trans=virtio,${options} t ${on}`

describe(`unusual files, on ${underTest}`, () => {
  it.each(['none', 'mapped-xattr'])(
    'holes, 5 GiB, appending, O_DIRECT, odd names, links, no name: %s',
    async (model) => {
      const place = folder(`files ${model}`)
      const guest = await boot('-virtfs', `local,path=${place},mount_tag=t,security_model=${model}`)
      expect(await must(guest, `/bench/corners files ${on}`)).toBe('all as on a local disk')
      expect(fs.statSync(path.join(place, 'sparse')).size).toBe(2 ** 32 + 5)
      expect(fs.readFileSync(path.join(place, 'log'), 'utf8')).toBe('aab'.repeat(50))
      expect(fs.readFileSync(path.join(place, 'old'), 'utf8')).toBe('new')
      expect(fs.statSync(path.join(place, 'second')).nlink).toBe(2)
      const names = fs.readdirSync(place, { encoding: 'buffer' }).map((name) => name.toString('latin1'))
      expect(names).toContain('latin \xe9\xff \xc3')
      expect(names).toContain('n'.repeat(255))
      expect(names).toContain('line\nbreak\\')
      expect(names).not.toContain('gone')
    },
  )

  it('a folder of 100,000 files, while the host makes and removes others in it', async () => {
    const place = folder('many')
    for (let i = 0; i < 100_000; i++) fs.writeFileSync(path.join(place, `f${i}`), '')
    const guest = await boot(...plainShare(place))
    let stop = false
    const changes = (async () => {
      for (let n = 0; !stop; n++) {
        for (let i = 0; i < 20; i++) fs.writeFileSync(path.join(place, `other${n}-${i}`), '')
        for (let i = 0; i < 20 && n > 5; i++) fs.rmSync(path.join(place, `other${n - 5}-${i}`))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    for (let round = 0; round < 3; round++)
      expect(await must(guest, `/bench/corners list ${on} 100000`, 900)).toContain('100000 listed once each')
    stop = true
    await changes
  })
})

describe(`who may do what, on ${underTest}`, () => {
  it.each([
    ['access=client', 1000, 'errno 13'],
    ['access=user', 1000, 'errno 13'],
    ['access=any', 1000, 'errno 13'],
    ['access=1000', 1000, 'errno 13'],
  ])('%s', async (access, owner, denied) => {
    const place = folder(access)
    fs.mkdirSync(path.join(place, 'open'))
    fs.chmodSync(path.join(place, 'open'), 0o777)
    fs.writeFileSync(path.join(place, 'secret'), 'x', { mode: 0o600 })
    const guest = await boot('-virtfs', `local,path=${place},mount_tag=t,security_model=passthrough`)
    await must(guest, remounted(access))
    expect(await must(guest, `/bench/corners as 1000 ${on}/open/f`)).toBe('errno 0')
    expect(await must(guest, `/bench/corners look 1000 ${on}/secret`)).toBe(denied)
    expect(fs.statSync(path.join(place, 'open/f')).uid).toBe(owner)
  })
})
