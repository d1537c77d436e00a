/** Shared folders from a real guest: several shares and security models, and a host that fails. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { fstabLine, mountCommand } from '../../../src-main/contract/mount-command.ts'
import { must, plainShare, shareGuests, underTest } from './guest.ts'

const { at, boot, end, folder } = shareGuests()

describe(`shares on ${underTest}`, () => {
  it('several at once, each by its own tag and security model', async () => {
    const [none, mapped, passthrough, fixed] = ['none', 'mapped', 'pass', 'fixed'].map(folder)
    fs.writeFileSync(path.join(fixed, 'f'), 'stays')
    const guest = await boot(
      ...['-virtfs', `local,path=${none},mount_tag=first,security_model=none`],
      ...['-virtfs', `local,path=${mapped},mount_tag=second,security_model=mapped-xattr`],
      ...['-fsdev', `local,id=p,path=${passthrough},security_model=passthrough`],
      ...['-device', 'virtio-9p-pci,fsdev=p,mount_tag=third'],
      ...['-fsdev', `local,id=r,path=${fixed},security_model=none,readonly=on`],
      ...['-device', 'virtio-9p-pci,fsdev=r,mount_tag=fourth'],
    )
    const mounts = await must(guest, 'grep 9p /proc/mounts | cut -d" " -f1,2')
    expect(mounts.split('\n').sort()).toEqual([
      'first /root/host_folder',
      'fourth /root/fourth',
      'second /root/second',
      'third /root/third',
    ])
    const work =
      'echo x > f && chown 1234:55 f && chmod 640 f && ln -s /etc/passwd l && mkfifo p && stat -c "%u %g %a" f'
    for (const place of ['/root/second', '/root/third'])
      expect(await must(guest, `cd ${place} && ${work} && readlink l && ls -l p | cut -c1`)).toBe(
        '1234 55 640\n/etc/passwd\np',
      )
    expect(fs.statSync(path.join(mapped, 'f')).uid).toBe(process.getuid?.())
    expect(fs.lstatSync(path.join(mapped, 'l')).isFile()).toBe(true)
    expect(fs.lstatSync(path.join(mapped, 'p')).isFile()).toBe(true)
    if (process.getuid?.() === 0) {
      expect(fs.statSync(path.join(passthrough, 'f'))).toMatchObject({ uid: 1234, gid: 55, mode: 0o100640 })
      expect(fs.lstatSync(path.join(passthrough, 'p')).isFIFO()).toBe(true)
    }
    // A channel serves one mount at a time.
    await must(guest, 'cd / && umount /root/host_folder /root/second')
    await must(guest, mountCommand({ mountTag: 'first', readOnly: false }, '/mnt/by hand'))
    await must(guest, `echo '${fstabLine({ mountTag: 'second', readOnly: true }, '/mnt/fs tab')}' > /etc/fstab`)
    await must(guest, "mkdir '/mnt/fs tab' && mount -a && mount | grep 'by hand' | grep msize=512000")
    expect(await must(guest, "echo y > '/mnt/by hand/g'; cat '/mnt/fs tab/f'")).toBe('x')
    expect(fs.readFileSync(path.join(none, 'g'), 'utf8')).toBe('y\n')
    expect(await must(guest, 'cat /root/fourth/f')).toBe('stays')
    const refused = await guest.run('echo y > /root/fourth/f; rm /root/fourth/f; mkdir /root/fourth/d')
    expect(refused.output.match(/Read-only file system/g)).toHaveLength(3)
    expect(fs.readFileSync(path.join(fixed, 'f'), 'utf8')).toBe('stays')
  })
})

describe(`a host that fails, on ${underTest}`, () => {
  // Only root may mount the small disk; the same failure injected into the server is tested without a guest.
  it.runIf(process.getuid?.() === 0)('a full disk: ENOSPC in the guest, then room again', async () => {
    const place = folder('full')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', place])
    try {
      const guest = await boot(...plainShare(place))
      expect(await must(guest, '/bench/share fill /root/host_folder')).toContain('full: errno 28, then room again')
      if (underTest === 'longmode') expect(guest.log).toContain('the disk is full')
    } finally {
      await end()
      execFileSync('umount', [place])
    }
  })

  it.runIf(process.getuid?.() === 0)('a quota that is used up: EDQUOT in the guest, until there is more', async () => {
    const image = at('quota.img')
    const place = folder('quota')
    execFileSync('truncate', ['-s', '256M', image])
    execFileSync('mkfs.btrfs', ['-q', image])
    execFileSync('mount', ['-o', 'loop', image, place])
    try {
      // Btrfs counts what belongs to root too.
      execFileSync('btrfs', ['quota', 'enable', place])
      execFileSync('btrfs', ['qgroup', 'limit', '4M', place])
      const guest = await boot(...plainShare(place))
      const write = (name: string) => `dd if=/dev/zero of=/root/host_folder/${name} bs=64k count=160 conv=fsync`
      const { output, status } = await guest.run(write('much'))
      expect(output).toMatch(/[Qq]uota exceeded/)
      expect(status).not.toBe(0)
      if (underTest === 'longmode') expect(guest.log).toContain('quota')
      execFileSync('btrfs', ['qgroup', 'limit', 'none', place])
      await must(guest, write('more'))
      expect(fs.statSync(path.join(place, 'more')).size).toBe(160 * 65536)
    } finally {
      await end()
      execFileSync('umount', [place])
    }
  })

  it.runIf(process.getuid?.() === 0)('the disk becomes read-only, and writable again: EROFS meanwhile', async () => {
    const place = folder('read-only')
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place])
    try {
      fs.writeFileSync(path.join(place, 'f'), 'stays')
      const guest = await boot(...plainShare(place))
      const change = 'cd /root/host_folder && echo x > g; mkdir d; rm f; cat f'
      execFileSync('mount', ['-o', 'remount,ro', place])
      const refused = await guest.run(change)
      expect(refused.output.match(/Read-only file system/g)).toHaveLength(3)
      expect(refused.output).toContain('stays')
      if (underTest === 'longmode') {
        const deadline = performance.now() + 30_000
        while (!guest.log.includes('has become read-only') && performance.now() < deadline) await must(guest, ':')
        expect(guest.log).toContain('has become read-only')
      }
      execFileSync('mount', ['-o', 'remount,rw', place])
      await must(guest, 'cd /root/host_folder && echo x > g && mkdir d && rm f')
      expect(fs.readdirSync(place).sort()).toEqual(['d', 'g'])
    } finally {
      await end()
      execFileSync('umount', [place])
    }
  })

  it.runIf(process.getuid?.() === 0)(
    'a disk that stands still: the guest goes on, and so does all it asked when the disk does',
    async () => {
      const [image, place] = [at('still.img'), folder('still')]
      execFileSync('truncate', ['-s', '64M', image])
      execFileSync('mkfs.ext4', ['-q', image])
      execFileSync('mount', ['-o', 'loop', image, place])
      let frozen = false
      const freeze = (on: boolean) => {
        execFileSync('fsfreeze', [on ? '-f' : '-u', place])
        frozen = on
      }
      try {
        const guest = await boot(...plainShare(place))
        await must(guest, 'cd /root/host_folder && echo old > f')
        freeze(true)
        // The shell opens what exists; the write waits for the disk.
        await must(
          guest,
          'sh -c "echo new >> f; echo written > /tmp/told" & sh -c "exec dd if=/dev/zero of=made" & sleep 1',
        )
        expect(await must(guest, 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo $i')).toBe('100000')
        await must(guest, 'kill -9 %2; test ! -e /tmp/told')
        freeze(false)
        await must(guest, 'wait %1; wait; cat /tmp/told')
        expect(await must(guest, 'cat f')).toBe('old\nnew')
        expect(fs.readFileSync(path.join(place, 'f'), 'utf8')).toBe('old\nnew\n')
        await must(guest, 'cd /; umount /root/host_folder')
      } finally {
        if (frozen) freeze(false)
        await end()
        execFileSync('umount', [place])
      }
    },
  )

  it('the folder moved away and another in its place: errors or the old folder, never a hang', async () => {
    const place = folder('moved')
    fs.writeFileSync(path.join(place, 'f'), 'old')
    const guest = await boot(...plainShare(place))
    fs.renameSync(place, at('elsewhere'))
    fs.mkdirSync(place)
    fs.writeFileSync(path.join(place, 'f'), 'new')
    const { output } = await guest.run('cat /root/host_folder/f; echo; echo more > /root/host_folder/g')
    if (underTest === 'longmode') {
      // By descriptor: the guest keeps the folder that it was given.
      expect(output).toContain('old')
      expect(fs.readFileSync(at('elsewhere', 'g'), 'utf8')).toBe('more\n')
      const deadline = performance.now() + 30_000
      while (!guest.log.includes('/moved: is another folder now') && performance.now() < deadline)
        await must(guest, ':')
      expect(guest.log).toContain('/moved: is another folder now')
    }
    fs.rmSync(at('elsewhere'), { recursive: true })
    const gone = await guest.run('ls /root/host_folder; mkdir /root/host_folder/d; cat /root/host_folder/f')
    if (underTest === 'longmode') expect(gone.output).toContain('No such file or directory')
    expect(await must(guest, 'echo alive')).toContain('alive')
  })

  it.runIf(underTest === 'longmode')('another folder behind the tag: from the next mount on', async () => {
    const [first, second] = ['first', 'second'].map((name) => folder(`tag ${name}`))
    fs.writeFileSync(path.join(second, 'f'), 'of the second')
    const guest = await boot(...plainShare(first))
    await must(guest, 'cd /root/host_folder && echo early > early')
    guest.type(`\u0001cchange_share t ${second}\r`)
    await guest.expect('the guest gets it when it mounts t again')
    guest.type('\u0001c\r')
    await must(guest, 'echo late > late && cat early')
    expect(fs.readdirSync(first).sort()).toEqual(['early', 'late'])
    await must(guest, 'cd / && umount /root/host_folder && mount -t 9p -o trans=virtio t /root/host_folder')
    expect(await must(guest, 'cat /root/host_folder/f; echo new > /root/host_folder/g')).toContain('of the second')
    expect(fs.readdirSync(second).sort()).toEqual(['f', 'g'])
    expect(guest.log).toContain('is what the guest has mounted now')
  })

  it('a file that the host cannot read: EIO in the guest', async () => {
    // The memory of this process: a regular file whose first page nobody has mapped.
    const guest = await boot('-virtfs', `local,path=/proc/${process.pid},mount_tag=t,security_model=none,readonly=on`)
    const { output } = await guest.run('cat /root/host_folder/comm && cat /root/host_folder/mem')
    expect(output).toMatch(/^\S+\n[^]*(I\/O|Input\/output) error/)
    if (underTest === 'longmode') expect(guest.log).toContain('the disk failed; the guest got EIO')
    expect(await must(guest, 'echo alive')).toContain('alive')
  })

  it('kill -9 of the program during writes loses nothing that the guest was told is written or durable', async () => {
    const place = folder('killed')
    const guest = await boot(...plainShare(place))
    guest.type('/bench/share sync /root/host_folder/log\n')
    await guest.expect(/durable 159\b/, 300)
    await end()
    const told = [...guest.log.matchAll(/(?:written|durable) (\d+)\r\n/g)].map((match) => Number(match[1]))
    const kept = fs.readFileSync(path.join(place, 'log'), 'utf8').split('\n')
    expect(told.length).toBeGreaterThan(190)
    for (const number of told) expect(kept[number]).toBe(`record ${String(number).padStart(8, '0')}`)
  })
})
