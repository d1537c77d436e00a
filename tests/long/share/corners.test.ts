/** Files, folders and mounts that are unlike others, from a real guest. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { must, plainShare, shareGuests, underTest } from './guest.ts'

const { boot, folder } = shareGuests()
const on = '/root/host_folder'
const virtfs = (place: string, tag: string, model: string) => [
  '-virtfs',
  `local,path=${place},mount_tag=${tag},security_model=${model}`,
]

/** What corners.c has left in its folder, as the host sees it. */
function expectOddFiles(place: string): void {
  expect(fs.statSync(path.join(place, 'sparse')).size).toBe(2 ** 32 + 5)
  expect(fs.readFileSync(path.join(place, 'log'), 'utf8')).toBe('aab'.repeat(50))
  expect(fs.readFileSync(path.join(place, 'old'), 'utf8')).toBe('new')
  expect(fs.statSync(path.join(place, 'second')).nlink).toBe(2)
  const names = fs.readdirSync(place, { encoding: 'buffer' }).map((name) => name.toString('latin1'))
  expect(names).toContain('latin \xe9\xff \xc3')
  expect(names).toContain('n'.repeat(255))
  expect(names).toContain('line\nbreak\\')
  expect(names).not.toContain('gone')
}

/** Makes and removes files in `place`, all the time until the returned function is called. */
function keepChanging(place: string): () => Promise<void> {
  let stop = false
  const file = (n: number, i: number) => path.join(place, `other${n}-${i}`)
  const changes = (async () => {
    for (let n = 0; !stop; n++) {
      for (let i = 0; i < 20; i++) fs.writeFileSync(file(n, i), '')
      for (let i = 0; i < 20 && n >= 5; i++) fs.rmSync(file(n - 5, i))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    stop = true
    await changes
  }
}

describe(`unusual files and mounts, on ${underTest}`, () => {
  it('holes, 5 GiB, appending, O_DIRECT, odd names, links, files without a name; who may do what', async () => {
    const [none, mapped, owned] = ['none', 'mapped', 'owned'].map(folder)
    fs.mkdirSync(path.join(owned, 'open'))
    fs.chmodSync(path.join(owned, 'open'), 0o777)
    fs.writeFileSync(path.join(owned, 'secret'), 'x', { mode: 0o600 })
    const guest = await boot(
      ...virtfs(none, 't', 'none'),
      ...virtfs(mapped, 'mapped', 'mapped-xattr'),
      ...virtfs(owned, 'owned', 'passthrough'),
    )
    // QEMU 7.2 answers ENXIO to a guest's own mkfifo where that makes a FIFO of the host.
    const words = underTest === 'qemu' ? [`${on} no-fifo`, '/root/mapped'] : [on, '/root/mapped']
    for (const place of words)
      expect(await must(guest, `/bench/corners files ${place}`)).toContain('all as on a local disk')
    expectOddFiles(none)
    expectOddFiles(mapped)
    // With access=any and access=UID Linux attaches once, as the one who mounts.
    for (const [access, owner] of Object.entries({ client: 1000, user: 1000, any: 0, 1000: 0 })) {
      await must(guest, `umount /root/owned && mount -t 9p -o trans=virtio,access=${access} owned /root/owned`)
      expect(await must(guest, `/bench/corners as 1000 /root/owned/open/${access}`)).toContain('errno 0')
      expect(await must(guest, `/bench/corners look 1000 /root/owned/secret`)).toContain('errno 13')
      expect(`${access} ${fs.statSync(path.join(owned, 'open', access)).uid}`).toBe(`${access} ${owner}`)
      // To one user alone, only that one gets in.
      const asRoot = await guest.run(`cat /root/owned/open/${access}`)
      expect(asRoot.status === 0).toBe(access !== '1000')
    }
  })

  it('what the host changes is what the next open shows: also with the same length and time', async () => {
    const place = folder('changing')
    const [file, other] = ['f', 'other'].map((name) => path.join(place, name))
    const guest = await boot(...plainShare(place))
    const time = new Date('2001-02-03T04:05:06Z')
    for (let round = 0; round < 60; round++) {
      const text = `round ${String(round).padStart(3, '0')} `.repeat(1 + (round % 3 === 0 ? 0 : 900))
      const target = round % 2 === 0 ? file : other
      fs.writeFileSync(target, text)
      fs.utimesSync(target, time, time)
      if (target === other) fs.renameSync(other, file)
      expect(await must(guest, `md5sum < ${on}/f`)).toContain(createHash('md5').update(text).digest('hex'))
    }
    fs.rmSync(file)
    expect((await guest.run(`cat ${on}/f`)).output).toContain('No such file or directory')
    fs.mkdirSync(file)
    await must(guest, `rmdir ${on}/f`)
  })

  it('a folder of 100,000 files, while the host makes and removes others in it', async () => {
    const place = folder('many')
    for (let i = 0; i < 100_000; i++) fs.writeFileSync(path.join(place, `f${i}`), '')
    const guest = await boot(...plainShare(place))
    const stop = keepChanging(place)
    for (let round = 0; round < 3; round++)
      expect(await must(guest, `/bench/corners list ${on} 100000`, 900)).toContain('100000 listed once each')
    await stop()
  })
})
