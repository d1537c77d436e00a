/** Real work on a shared folder from a real guest: every byte of random operations, large trees, locks, git and make. */
import { execFileSync, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { must, plainShare, shareGuests, underTest } from './guest.ts'

const { at, boot, folder } = shareGuests()
const on = '/root/host_folder'
const remounted = (options: string) => `umount ${on} && mount -t 9p -o trans=virtio,${options} t ${on}`

describe(`work on a share, on ${underTest}`, () => {
  it.each([
    ['as mounted', undefined, 100_000, ''],
    ['memory maps, cache=mmap', 'cache=mmap', 30_000, 'mmap'],
    ['cache=loose', 'cache=loose', 20_000, ''],
    ['small messages', 'msize=8192', 10_000, ''],
  ])('random operations by four processes: %s', async (_name, options, operations, maps) => {
    const place = folder(`exercise${options}`)
    const guest = await boot(...plainShare(place))
    if (options !== undefined) await must(guest, remounted(options))
    const work = `/bench/share exercise ${on} ${operations} 1 4 ${maps}`
    expect(await must(guest, work, 3000)).toContain('every byte as written')
    expect(fs.readdirSync(place).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  // With O_APPEND the data go to their place, but these kernels (6.12) then show zeros for them: netfs_unbuffered_write_iter() drops the cached
  // pages of the range that it takes before generic_write_checks() says where the end is. So nothing is appended here.
  it('random operations, cache=readahead: by kernels that know it, from 6.4 on', async () => {
    const guest = await boot(...plainShare(folder('readahead')))
    const [major, minor] = (await must(guest, 'uname -r')).split('.').map(Number) as [number, number]
    if (major * 100 + minor >= 604) {
      await must(guest, remounted('cache=readahead'))
      // These kernels show the bits that the word stands for: CACHE_FILE.
      expect(await must(guest, `grep ${on} /proc/mounts`)).toMatch(/cache=(readahead|0x1),/)
    } else {
      const { output, status } = await guest.run(remounted('cache=readahead'))
      expect(`${status} ${output}`).toMatch(/^[1-9].*Invalid argument/)
      await must(guest, `mount -t 9p -o trans=virtio t ${on}`)
    }
    expect(await must(guest, `/bench/share exercise ${on} 20000 1 4 no-append`, 3000)).toContain(
      'every byte as written',
    )
  })

  it('locks: between processes of the guest, and between guest and host', async () => {
    const place = folder('locks')
    const file = path.join(place, 'counter')
    const tool = at('share-tool')
    const guest = await boot(...plainShare(place))
    expect(await must(guest, `/bench/share locks ${on} 4 200`, 1200)).toContain('800 increments, none lost')
    const guestTries = () => must(guest, `/bench/share trylock ${on}/counter 0`)
    const hostTries = () => execFileSync(tool, ['trylock', file, '0'], { encoding: 'utf8' }).trim()
    expect(await guestTries()).toBe('free')
    const holder = spawn(tool, ['trylock', file, '1000'])
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    if (underTest === 'longmode') expect(await guestTries()).toBe('taken')
    const ended = new Promise((resolve) => holder.once('close', resolve))
    holder.kill()
    await ended
    expect(await guestTries()).toBe('free')
    await must(guest, `/bench/share trylock ${on}/counter 1000 & sleep 1`)
    if (underTest === 'longmode') expect(hostTries()).toBe('taken')
    await must(guest, 'kill %1; wait; :')
    expect(hostTries()).toBe('free')
  })

  it('a tree of 50,000 files copied, compared, removed', async () => {
    const place = folder('trees')
    for (let i = 0; i < 500; i++) {
      const below = path.join(place, 'from', `${i % 20}`, `${i}`)
      fs.mkdirSync(below, { recursive: true })
      for (let j = 0; j < 100; j++) fs.writeFileSync(path.join(below, `f${j}`), `${i} ${j}\n`.repeat(j))
    }
    const guest = await boot(...plainShare(place))
    await must(guest, `cd ${on} && cp -r from to`, 3000)
    execFileSync('diff', ['-r', path.join(place, 'from'), path.join(place, 'to')])
    // The guest's kernel may have something to say on the console when its computer was busy with the comparison above.
    expect(await must(guest, 'diff -r from/7 to/7 && find to -type f | wc -l', 3000)).toMatch(/^50000$/m)
    await must(guest, 'rm -r to && ls', 3000)
    expect(fs.readdirSync(place)).toEqual(['from'])
  })

  it('git clone, make and git status, with the programs of the host itself', async () => {
    const place = folder('work')
    const source = writeProject(path.join(place, 'source'))
    fs.mkdirSync(path.join(place, 'tmp'))
    const guest = await boot(
      ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on'],
      ...['-virtfs', `local,path=${place},mount_tag=work,security_model=none`],
    )
    // The compiler is read again and again, so its pages are kept.
    await must(guest, `umount ${on} && mount -t 9p -o trans=virtio,ro,cache=loose,msize=512000 host ${on}`)
    await must(guest, `mount -t proc proc ${on}/proc && mount --bind /dev ${on}/dev`)
    await must(guest, `umount /root/work && mount -t 9p -o trans=virtio work ${on}/mnt`)
    const inside = (command: string, seconds: number) =>
      must(guest, `chroot ${on} env -i PATH=/usr/bin:/bin HOME=/mnt TMPDIR=/mnt/tmp sh -c '${command}'`, seconds)
    await inside('cd /mnt && git clone -q source copy', 1200)
    expect(await inside('cd /mnt/copy && make -j4 >/mnt/log 2>&1 && ./program', 3000)).toBe(`sum ${SUM}`)
    expect(await inside('cd /mnt/copy && git status --porcelain && git fsck --no-progress 2>&1', 1200)).toBe('')
    const copy = path.join(place, 'copy')
    expect(execFileSync(path.join(copy, 'program'), { encoding: 'utf8' })).toBe(`sum ${SUM}\n`)
    expect(git(copy, 'status', '--porcelain')).toBe('')
    expect(git(source, 'log', '--format=%s')).toBe('all of it\n')
  })
})

const git = (place: string, ...words: string[]) =>
  execFileSync('git', ['-C', place, '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], {
    encoding: 'utf8',
  })

/** Files of the C project, as many as a small driver has, in folders of ten. */
const PARTS = Array.from({ length: 40 }, (_, i) => ({ name: `part${i}`, folder: `dir${Math.floor(i / 10)}`, value: i }))
const SUM = PARTS.reduce((sum, { value }) => sum + value, 0)

/** A C project under git; its make descends into folders, as the kernel's does. */
function writeProject(source: string): string {
  const put = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(source, name)), { recursive: true })
    fs.writeFileSync(path.join(source, name), text)
  }
  put('include/parts.h', PARTS.map(({ name }) => `int ${name}(void);\n`).join(''))
  for (const { name, folder, value } of PARTS)
    put(`${folder}/${name}.c`, `#include "../include/parts.h"\nint ${name}(void) { return ${value}; }\n`)
  const folders = [...new Set(PARTS.map(({ folder }) => folder))]
  for (const folder of folders) {
    const objects = PARTS.filter((part) => part.folder === folder).map(({ name }) => `${name}.o`)
    put(`${folder}/Makefile`, `all.a: ${objects.join(' ')}\n\t$(AR) rcs $@ $^\n`)
  }
  const sum = PARTS.map(({ name }) => `${name}()`).join(' + ')
  put(
    'main.c',
    `#include <stdio.h>\n#include "include/parts.h"\nint main(void) { printf("sum %d\\n", ${sum}); return 0; }\n`,
  )
  put('.gitignore', '*.o\n*.a\nprogram\n')
  put(
    'Makefile',
    [
      `FOLDERS = ${folders.join(' ')}`,
      'program: main.o $(FOLDERS:%=%/all.a)',
      '\t$(CC) -o $@ $^',
      '%/all.a: FORCE',
      '\t$(MAKE) -C $* all.a',
      'FORCE:',
      '',
    ].join('\n'),
  )
  git(source, 'init', '-q')
  git(source, 'add', '.')
  git(source, 'commit', '-q', '-m', 'all of it')
  return source
}
