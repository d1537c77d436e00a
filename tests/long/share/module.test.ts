/** A kernel module, a file system of Linux's own, built on the share by the guest with the host's programs, loaded there and used. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { download, unpack } from '../../../src-main/host/default-guest/debian.ts'
import { must, shareGuests } from './guest.ts'

const { at, boot, folder } = shareGuests()
const on = '/root/host_folder'
const SOURCE = '/usr/src/linux-source-6.1.tar.xz'

/** Debian's headers for the kernel `release`, below `place`, which the guest sees as `seen`; the path of its tree in the guest. */
async function headers(release: string, place: string, seen: string): Promise<string> {
  const own = `linux-headers-${release}`
  const common = own.replace(/-[a-z0-9]+$/, '-common')
  for (const name of [own, common]) await unpack(await download(name, at()), place, ['./usr/src'])
  await unpack(await download('linux-kbuild-6.1', at()), place, ['./usr/lib'])
  // They name each other by absolute paths.
  for (const name of [own, common]) {
    const file = path.join(place, 'usr/src', name, 'Makefile')
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('/usr/', `${seen}/usr/`))
  }
  return `${seen}/usr/src/${own}`
}

it('make of a module: the Minix file system', async () => {
  const place = folder('module')
  fs.mkdirSync(path.join(place, 'tmp'))
  execFileSync('tar', ['-xf', SOURCE, '-C', place, '--strip-components=2', 'linux-source-6.1/fs/minix'])
  const disk = at('disk.img')
  execFileSync('truncate', ['-s', '1M', disk])
  execFileSync('mkfs.minix', [disk])
  const guest = await boot(
    ...['-drive', `file=${disk},format=raw,index=0,media=disk`],
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on'],
    ...['-virtfs', `local,path=${place},mount_tag=work,security_model=none`],
  )
  const tree = await headers(await must(guest, 'uname -r'), place, '/mnt')
  // The compiler is read again and again, so its pages are kept.
  await must(guest, `umount ${on} && mount -t 9p -o trans=virtio,ro,cache=loose,msize=512000 host ${on}`)
  await must(guest, `mount -t proc proc ${on}/proc && mount --bind /dev ${on}/dev`)
  await must(guest, `umount /root/work && mount -t 9p -o trans=virtio work ${on}/mnt`)
  const make = `make -C ${tree} M=/mnt/minix CONFIG_MINIX_FS=m modules > /mnt/log 2>&1; tail -n 5 /mnt/log`
  const inside = `chroot ${on} env -i PATH=/usr/bin:/bin HOME=/mnt TMPDIR=/mnt/tmp sh -c '${make}'`
  await must(guest, inside, 3500)
  expect(fs.readdirSync(path.join(place, 'minix')).filter((name) => name.endsWith('.o')).length).toBeGreaterThan(7)
  await must(guest, `insmod ${on}/mnt/minix/minix.ko && mkdir /tmp/on && mount -t minix /dev/sda /tmp/on`)
  await must(guest, 'echo built here > /tmp/on/f && umount /tmp/on && mount -t minix -o ro /dev/sda /tmp/on')
  expect(await must(guest, 'cat /tmp/on/f')).toBe('built here')
}, 5_400_000)
