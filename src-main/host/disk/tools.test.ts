/** What window and command line do with images as files: look, copy, protect, check. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertImage } from './convert.ts'
import { createImage } from './create.ts'
import { imageInfo } from './info.ts'
import { openDisk } from './open.ts'
import { commitOverlay, discardOverlay, protectImage } from './protect.ts'
import { checkQcow2 } from './qcow2/check.ts'

const MIB = 1 << 20
let folder = ''
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'longmode-disk-tools-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
const run = (program: string, words: readonly string[], input = ''): string =>
  execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe', input })

function blank(name: string, size: number): string {
  fs.writeFileSync(at(name), '')
  fs.truncateSync(at(name), size)
  return at(name)
}
function ext4(name: string, label: string): string {
  const file = blank(name, 16 * MIB)
  run('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', label, file])
  return file
}

describe('info', () => {
  it('names the file system and label of a bare image', async () => {
    const file = ext4('bare.img', 'debian-root')
    expect(await imageInfo(file)).toMatchObject({
      name: 'bare.img',
      format: 'raw',
      size: 16 * MIB,
      writable: true,
      inUse: false,
      table: 'none',
      partitions: [],
      fileSystem: 'ext4',
      label: 'debian-root',
    })
    expect((await imageInfo(file)).allocated).toBeLessThan(16 * MIB)
    run('mke2fs', ['-q', '-F', '-t', 'ext2', file])
    expect(await imageInfo(file)).toMatchObject({ fileSystem: 'ext2' })
  })

  it.each(['raw', 'qcow2'])('lists the partitions of a %s image with both kinds of table', async (format) => {
    const file = blank(`mbr-${format}.img`, 40 * MIB)
    run(
      'sfdisk',
      ['-q', file],
      'label: dos\nsize=8M, type=83, bootable\nsize=4M, type=82\ntype=5\nsize=5M, type=83\nsize=6M, type=ef\n',
    )
    const gpt = blank(`gpt-${format}.img`, 40 * MIB)
    run('sfdisk', ['-q', gpt], 'label: gpt\nsize=8M, type=uefi\nsize=20M, type=linux\n')
    const { partitiontable } = JSON.parse(run('sfdisk', ['--json', file])) as {
      partitiontable: { partitions: { start: number; size: number }[] }
    }
    // a file system inside the second partition of the GPT
    const inner = fs.readFileSync(ext4('inner.img', 'inside'))
    const fd = fs.openSync(gpt, 'r+')
    fs.writeSync(fd, inner, 0, inner.length, 9 * MIB)
    fs.closeSync(fd)
    const look = async (raw: string) => {
      if (format === 'raw') return await imageInfo(raw)
      run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, `${raw}.q`])
      return await imageInfo(`${raw}.q`)
    }
    const mbr = await look(file)
    expect(mbr).toMatchObject({ table: 'mbr', format, size: 40 * MIB })
    // sfdisk lists the extended partition, which holds nothing itself
    const theirs = partitiontable.partitions.filter((_, n) => n !== 2).map(({ start, size }) => ({ start, size }))
    expect(mbr.partitions.map(({ start, length }) => ({ start: start / 512, size: length / 512 }))).toEqual(theirs)
    expect(mbr.partitions.map(({ number, type }) => [number, type])).toEqual([
      [1, 'Linux'],
      [2, 'Linux swap'],
      [5, 'Linux'],
      [6, 'EFI system'],
    ])
    expect(await look(gpt)).toMatchObject({
      table: 'gpt',
      partitions: [
        { number: 1, start: MIB, length: 8 * MIB, type: 'EFI system' },
        { number: 2, start: 9 * MIB, length: 20 * MIB, type: 'Linux', fileSystem: 'ext4', label: 'inside' },
      ],
    })
  })

  it('finds a GPT by its copy at the end, and does not take a boot sector for a table', async () => {
    const file = blank('broken-gpt.img', 40 * MIB)
    run('sfdisk', ['-q', file], 'label: gpt\nsize=8M, type=linux\n')
    const fd = fs.openSync(file, 'r+')
    fs.writeSync(fd, Buffer.alloc(512), 0, 512, 512)
    fs.closeSync(fd)
    expect(await imageInfo(file)).toMatchObject({ table: 'gpt', partitions: [{ number: 1 }] })
    const fat = Buffer.alloc(MIB, 0xf6)
    fat.set([0x55, 0xaa], 510)
    fat.write('FAT16   ', 54, 'latin1')
    fat.write('STICK      ', 43, 'latin1')
    fs.writeFileSync(at('fat.img'), fat)
    expect(await imageInfo(at('fat.img'))).toMatchObject({ table: 'none', fileSystem: 'vfat', label: 'STICK' })
  })

  it('looks at an image that a machine uses', async () => {
    const file = ext4('used.img', 'used')
    const disk = openDisk({ file, format: 'raw', readOnly: false, snapshot: false })
    expect(await imageInfo(file)).toMatchObject({ inUse: true, fileSystem: 'ext4' })
    await disk.close()
    await expect(imageInfo(at('none.img'))).rejects.toThrow('does not exist')
  })
})

describe('convert', () => {
  it('copies between the formats and keeps holes', async () => {
    const file = ext4('source.img', 'copy')
    const steps: number[] = []
    await convertImage(file, at('copy.qcow2'), 'qcow2', { progress: (done) => steps.push(done) })
    expect(run('qemu-img', ['check', at('copy.qcow2')])).toContain('No errors')
    expect(run('qemu-img', ['compare', file, at('copy.qcow2')])).toContain('identical')
    expect(steps.at(-1)).toBe(16 * MIB)
    await convertImage(at('copy.qcow2'), at('copy.raw'), 'raw')
    expect(fs.readFileSync(at('copy.raw')).equals(fs.readFileSync(file))).toBe(true)
    expect(fs.statSync(at('copy.raw')).blocks * 512).toBeLessThan(8 * MIB)
  })

  it('leaves nothing behind when it is cancelled, and never overwrites', async () => {
    const file = ext4('cancelled.img', 'x')
    const signal = AbortSignal.abort()
    await expect(convertImage(file, at('never.qcow2'), 'qcow2', { signal })).rejects.toThrow('cancelled')
    expect(fs.existsSync(at('never.qcow2'))).toBe(false)
    await expect(convertImage(file, file, 'qcow2')).rejects.toThrow('exists already')
  })
})

describe('an overlay', () => {
  it.each(['raw', 'qcow2'] as const)('protects a %s image until it is written back or discarded', async (format) => {
    const file = at(`precious-${format}`)
    if (format === 'raw') blank(`precious-${format}`, 8 * MIB)
    else createImage({ file, format, size: 8 * MIB })
    const plain = openDisk({ file, format, readOnly: false, snapshot: false })
    expect(await plain.write(0, [new Uint8Array(MIB).fill(1)])).toBe('ok')
    await plain.close()
    const before = fs.readFileSync(file)
    const overlay = await protectImage(file)
    expect(await protectImage(file)).toBe(overlay)
    expect(await imageInfo(file)).toMatchObject({ overlay })
    expect(await imageInfo(overlay)).toMatchObject({ backingFile: file, size: 8 * MIB })
    const write = async (value: number) => {
      const disk = openDisk({ file: overlay, format: 'auto', readOnly: false, snapshot: false })
      expect(await disk.write(512, [new Uint8Array(2 * MIB).fill(value)])).toBe('ok')
      expect(await disk.writeZeroes(0, 512)).toBe('ok')
      expect(await disk.writeZeroes(512 * 1024, 128 * 1024)).toBe('ok')
      await expect(discardOverlay(overlay)).rejects.toThrow('in use')
      await disk.close()
    }
    await write(2)
    expect(fs.readFileSync(file).equals(before)).toBe(true)
    await discardOverlay(overlay)
    expect(run('qemu-img', ['compare', '-F', 'qcow2', '-f', format, file, overlay])).toContain('identical')
    await write(3)
    fs.copyFileSync(overlay, `${overlay}.kept`)
    run('qemu-img', ['convert', '-O', 'raw', overlay, at('expected.raw')])
    await commitOverlay(overlay)
    expect(run('qemu-img', ['compare', '-f', format, '-F', 'raw', file, at('expected.raw')])).toContain('identical')
    expect(run('qemu-img', ['compare', '-F', 'qcow2', '-f', format, file, overlay])).toContain('identical')
    expect((await imageInfo(overlay)).allocated).toBeLessThan(MIB)
    if (format === 'qcow2') expect(run('qemu-img', ['check', file])).toContain('No errors')
  })

  it('is not made of what is none', async () => {
    await expect(commitOverlay(ext4('alone.img', 'x'))).rejects.toThrow('is no overlay')
    createImage({ file: at('alone.qcow2'), format: 'qcow2', size: MIB })
    await expect(discardOverlay(at('alone.qcow2'))).rejects.toThrow('does not lie on another')
  })
})

describe('check', () => {
  /** An image with compressed clusters and a snapshot, made by QEMU. */
  function image(name: string): string {
    const source = ext4(`${name}.raw`, 'checked')
    run('qemu-img', ['convert', '-c', '-O', 'qcow2', source, at(name)])
    run('qemu-img', ['snapshot', '-c', 'one', at(name)])
    run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 5 3M 200k', at(name)])
    return at(name)
  }

  it('finds nothing in a sound image, as qemu-img does', async () => {
    const file = image('sound.qcow2')
    expect(run('qemu-img', ['check', file])).toContain('No errors')
    expect(await checkQcow2(file)).toEqual({ errors: [], leaks: 0 })
  })

  it('finds wrong refcounts, leaks and entries that lead nowhere', async () => {
    const file = image('damaged.qcow2')
    const bytes = fs.readFileSync(file)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const block = Number(view.getBigUint64(Number(view.getBigUint64(48))))
    const l2 = Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0xff_ffff_ffff_fe00n)
    view.setUint16(block + 2 * Math.ceil(bytes.length / 65536) - 2, 9) // a leak
    view.setUint16(block + 2 * (l2 / 65536), 0) // the L2 table's own cluster counts as free
    view.setBigUint64(l2 + 8 * 100, (1n << 63n) | (1n << 45n)) // beyond the end
    fs.writeFileSync(file, bytes)
    const { errors, leaks } = await checkQcow2(file)
    expect(leaks).toBe(1)
    expect(errors.join('\n')).toContain(`cluster ${l2 / 65536} has refcount 0 and is used`)
    expect(errors.join('\n')).toContain('beyond the end of the file')
    expect(() => run('qemu-img', ['check', file])).toThrow()
  })
})
