/** Files inside images, against those that mke2fs, mkfs.vfat and QEMU put there. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reader } from '../info.ts'
import { openDisk } from '../open.ts'
import { findBootEntries, readBootFiles } from './boot-entries.ts'
import { parseGrub, parseLoaderEntry } from './boot-menus.ts'
import { Ext4Tree } from './ext4.ts'
import { FatTree } from './fat.ts'
import { UnreadableTree } from './file-tree.ts'

const MIB = 1 << 20
let folder = ''
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'longmode-boot-entries-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }), 60_000)
const at = (name: string): string => join(folder, name)
const run = (program: string, words: readonly string[], input = ''): string =>
  execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe', input })

const noise = (length: number, step: number) => Uint8Array.from({ length }, (_, n) => (n * step) ^ (n >> 8))
const KERNEL = noise(3 * MIB + 77, 7)
const INITRD = noise(MIB + 3, 13)

const GRUB = `
set default="1"
if [ x"\${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
fi
set kernelopts="console=ttyS0"
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	insmod gzio
	search --no-floppy --fs-uuid --set=root 1-2
	linux	/boot/vmlinuz-6.1 root=UUID=1-2 ro \${kernelopts} "a b"
	initrd	/boot/initrd.img-6.1
}
menuentry "Rescue" {
	linux (hd0,gpt1)/boot/vmlinuz-6.1 root=UUID=1-2 single # a comment
	initrd /boot/early.img /boot/initrd.img-6.1
}
submenu 'Advanced options' {
	menuentry 'Debian, with Linux 5.10' {
		linux /boot/vmlinuz-5.10 root=UUID=1-2
	}
}
menuentry 'Windows' {
	chainloader +1
}
`

function tree(name: string): string {
  const root = at(name)
  fs.mkdirSync(join(root, 'boot/grub'), { recursive: true })
  fs.writeFileSync(join(root, 'boot/grub/grub.cfg'), GRUB)
  fs.writeFileSync(join(root, 'boot/vmlinuz-6.1'), KERNEL)
  fs.writeFileSync(join(root, 'boot/initrd.img-6.1'), INITRD)
  fs.writeFileSync(join(root, 'boot/early.img'), 'early')
  fs.symlinkSync('boot/vmlinuz-6.1', join(root, 'vmlinuz'))
  fs.symlinkSync('/boot', join(root, `a-name-that-is-too-long-for-the-inode-itself-so-that-it-has-a-block-of-its-own`))
  fs.symlinkSync('loop', join(root, 'loop'))
  fs.mkdirSync(join(root, 'many'))
  for (let n = 0; n < 300; n++) fs.writeFileSync(join(root, 'many', `file-with-a-rather-long-name-${n}`), `${n}\n`)
  // a file of many pieces with holes
  const sparse = fs.openSync(join(root, 'sparse'), 'w')
  for (let n = 0; n < 60; n++) fs.writeSync(sparse, noise(5000, n + 1), 0, 5000, n * 50_000)
  fs.closeSync(sparse)
  return root
}
function fileSystem(root: string, name: string, type: string, options: readonly string[] = []): string {
  fs.writeFileSync(at(name), '')
  fs.truncateSync(at(name), 48 * MIB)
  run('mke2fs', ['-q', '-F', '-t', type, ...options, '-d', root, at(name)])
  return at(name)
}
async function opened<T>(file: string, act: (tree: Ext4Tree) => Promise<T>): Promise<T> {
  const image = openDisk({ file, format: 'auto', readOnly: true, snapshot: false })
  try {
    return await act(await Ext4Tree.open(reader(image)))
  } finally {
    await image.close()
  }
}

describe('files of an ext4 image', () => {
  it.each([
    ['ext4', 'ext4', []],
    ['ext4 with blocks of 1 KiB', 'ext4', ['-b', '1024', '-I', '128']],
    ['ext4 without 64 bits and checksums', 'ext4', ['-O', '^64bit,^metadata_csum']],
    ['ext3', 'ext3', ['-b', '1024']],
    ['ext2', 'ext2', []],
  ] as const)('are those that were put there: %s', async (name, type, options) => {
    const root = tree(`root-${name}`)
    await opened(fileSystem(root, `${name}.img`, type, options), async (files) => {
      const names = (await files.list('/'))!.map((entry) => entry.name).sort()
      expect(names).toEqual([...fs.readdirSync(root), 'lost+found'].sort())
      expect((await files.list('many'))!.map((entry) => entry.name).sort()).toEqual(
        fs.readdirSync(join(root, 'many')).sort(),
      )
      for (const file of ['boot/vmlinuz-6.1', 'sparse', 'many/file-with-a-rather-long-name-299', 'boot/early.img'])
        expect(Buffer.compare((await files.read(file, 64 * MIB))!, fs.readFileSync(join(root, file))), file).toBe(0)
      expect((await files.list('/'))!.find((entry) => entry.name === 'vmlinuz')!.kind).toBe('symlink')
    })
  })

  it('are found through links, and not beyond a loop or a file', async () => {
    await opened(fileSystem(tree('links'), 'links.img', 'ext4'), async (files) => {
      const long = 'a-name-that-is-too-long-for-the-inode-itself-so-that-it-has-a-block-of-its-own'
      expect((await files.read('/vmlinuz', 64 * MIB))?.length).toBe(KERNEL.length)
      expect((await files.read(`${long}/../boot/./early.img`, 100))?.length).toBe(5)
      for (const path of ['loop', 'boot', 'boot/early.img/x', 'none', '/boot/grub'])
        expect(await files.read(path, 64 * MIB), path).toBeUndefined()
      expect(await files.list('vmlinuz')).toBeUndefined()
      await expect(files.read('/vmlinuz', 100)).rejects.toThrow('larger than 100 bytes')
    })
  })

  it('do not lead astray when the image is damaged', async () => {
    const file = fileSystem(tree('damage'), 'damage.img', 'ext4', ['-b', '1024'])
    const image = fs.readFileSync(file)
    const inodes = image.readUInt32LE(2048 + 8) * 1024
    let refused = 0
    for (let seed = 1; seed <= 200; seed++) {
      // superblock, group descriptors, the first inodes: where the structure is
      const [start, length] = [
        [1024, 264],
        [2048, 64],
        [inodes, 256 * 40],
      ][seed % 3] as [number, number]
      const whole = Buffer.from(image.subarray(start, start + length))
      for (let n = 0; n < 6; n++) image[start + ((seed * 7919 + n * 104_729) % length)] = (seed * 31 + n * 17) & 255
      const read = (position: number, length: number) => {
        const bytes = new Uint8Array(length)
        bytes.set(image.subarray(position, position + length))
        return Promise.resolve(bytes)
      }
      try {
        const files = await Ext4Tree.open(read)
        await files.list('/')
        await files.list('/many')
        await files.read('/boot/early.img', 64 * MIB)
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableTree)
        refused++
      }
      image.set(whole, start)
    }
    expect(refused).toBeGreaterThan(5)
  })
})

describe('boot entries', () => {
  it('come from grub.cfg of a bare image, the default first', async () => {
    const file = fileSystem(tree('grub'), 'grub.img', 'ext4')
    const entries = await findBootEntries(file)
    expect(entries).toEqual([
      {
        title: 'Rescue',
        source: 'GRUB',
        partition: undefined,
        kernel: '/boot/vmlinuz-6.1',
        initrds: ['/boot/early.img', '/boot/initrd.img-6.1'],
        append: 'root=UUID=1-2 single',
      },
      {
        title: 'Debian GNU/Linux',
        source: 'GRUB',
        partition: undefined,
        kernel: '/boot/vmlinuz-6.1',
        initrds: ['/boot/initrd.img-6.1'],
        append: 'root=UUID=1-2 ro console=ttyS0 a b',
      },
    ])
    const { kernel, initrd } = await readBootFiles(file, entries[0]!)
    expect(Buffer.compare(kernel, KERNEL)).toBe(0)
    expect(Buffer.compare(initrd!.subarray(8, 8 + INITRD.length), INITRD)).toBe(0)
    expect(new TextDecoder().decode(initrd!.subarray(0, 8))).toBe('early\0\0\0')
    await expect(readBootFiles(file, { ...entries[0]!, kernel: '/gone' })).rejects.toThrow('has no /gone any more')
  })

  it('come from systemd-boot on the EFI partition of a qcow2 image', async () => {
    const disk = at('efi.raw')
    fs.writeFileSync(disk, '')
    fs.truncateSync(disk, 100 * MIB)
    run('sfdisk', ['-q', disk], 'label: gpt\nsize=40M, type=uefi\nsize=50M, type=linux\n')
    const esp = at('esp.img')
    fs.writeFileSync(esp, '')
    fs.truncateSync(esp, 40 * MIB)
    run('mkfs.vfat', ['-F', '32', '-s', '1', esp])
    const put = (from: string | Uint8Array, to: string) => {
      fs.writeFileSync(at('put'), from)
      run('mcopy', ['-i', esp, at('put'), `::${to}`])
    }
    run('mmd', ['-i', esp, '::loader', '::loader/entries', '::debian-abc', '::debian-abc/6.1'])
    put('default debian-*\ntimeout 3\n', 'loader/loader.conf')
    put(
      'title Debian\nversion 6.1\nlinux /debian-abc/6.1/linux\ninitrd /debian-abc/6.1/initrd.img\noptions root=/dev/sda2 ro\noptions quiet\n',
      'loader/entries/debian-abc-6.1.conf',
    )
    put('title Gone\nlinux /gone\n', 'loader/entries/gone.conf')
    put(KERNEL, 'debian-abc/6.1/linux')
    put(INITRD, 'debian-abc/6.1/initrd.img')
    const fd = fs.openSync(disk, 'r+')
    fs.writeSync(fd, fs.readFileSync(esp), 0, 40 * MIB, MIB)
    fs.closeSync(fd)
    run('qemu-img', ['convert', '-c', '-f', 'raw', '-O', 'qcow2', disk, at('efi.qcow2')])
    const entries = await findBootEntries(at('efi.qcow2'))
    expect(entries).toEqual([
      {
        title: 'Debian',
        source: 'systemd-boot',
        partition: 1,
        kernel: '/debian-abc/6.1/linux',
        initrds: ['/debian-abc/6.1/initrd.img'],
        append: 'root=/dev/sda2 ro quiet',
      },
    ])
    const { kernel, initrd } = await readBootFiles(at('efi.qcow2'), entries[0]!)
    expect([Buffer.compare(kernel, KERNEL), Buffer.compare(initrd!.subarray(0, INITRD.length), INITRD)]).toEqual([0, 0])
  })

  it('are the kernels in /boot when there is no menu, and none when there is none', async () => {
    const root = tree('plain')
    fs.rmSync(join(root, 'boot/grub/grub.cfg'))
    fs.writeFileSync(join(root, 'boot/vmlinuz-6.10'), 'newer')
    expect(await findBootEntries(fileSystem(root, 'plain.img', 'ext4'))).toMatchObject([
      { title: '6.10', kernel: '/boot/vmlinuz-6.10', initrds: [], append: 'root=/dev/sda ro' },
      { title: '6.1', source: 'the files themselves', initrds: ['/boot/initrd.img-6.1'] },
    ])
    fs.writeFileSync(at('empty.img'), '')
    fs.truncateSync(at('empty.img'), MIB)
    expect(await findBootEntries(at('empty.img'))).toEqual([])
  })
})

describe('FAT of every width', () => {
  it.each([
    [12, 4],
    [16, 24],
    [32, 48],
  ])('FAT%d', async (bits, megabytes) => {
    const file = at(`fat${bits}.img`)
    fs.writeFileSync(file, '')
    fs.truncateSync(file, megabytes * MIB)
    run('mkfs.vfat', ['-F', String(bits), ...(bits === 32 ? ['-s', '1'] : []), file])
    run('mmd', ['-i', file, '::Folder'])
    fs.writeFileSync(at('put'), INITRD)
    run('mcopy', ['-i', file, at('put'), '::Folder/a rather long name.conf'])
    run('mcopy', ['-i', file, at('put'), '::SHORT.TXT'])
    const image = openDisk({ file, format: 'raw', readOnly: true, snapshot: false })
    const files = await FatTree.open(reader(image))
    expect((await files.list('/'))!.map(({ name, kind }) => [name.toLowerCase(), kind]).sort()).toEqual([
      ['folder', 'directory'],
      ['short.txt', 'file'],
    ])
    expect(await files.list('folder')).toEqual([{ name: 'a rather long name.conf', kind: 'file' }])
    expect(Buffer.compare((await files.read('FOLDER/A Rather Long Name.conf', MIB * 2))!, INITRD)).toBe(0)
    expect(await files.read('folder', MIB)).toBeUndefined()
    await image.close()
  })
})

describe('menus', () => {
  it('are read as their authors mean them', () => {
    expect(parseLoaderEntry('title   Fedora\nlinux vmlinuz\ninitrd /a /b\n# options x\n')).toEqual({
      title: 'Fedora',
      kernel: '/vmlinuz',
      initrds: ['/a', '/b'],
      append: '',
    })
    expect(parseLoaderEntry('title UEFI shell\nefi /shell.efi\n')).toBeUndefined()
    expect(parseGrub(GRUB).map(({ title }) => title)).toEqual(['Rescue', 'Debian GNU/Linux', 'Debian, with Linux 5.10'])
    expect(parseGrub('menuentry x {\nlinux /k a=\\"1\\" $none b\n}')).toEqual([
      { title: 'x', kernel: '/k', initrds: [], append: 'a="1"  b' },
    ])
  })
})
