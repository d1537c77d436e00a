import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDiskFile, openTemporaryFile, type DiskFile } from './file.ts'
import type { DiskImage } from './image.ts'
import { openDisk } from './open.ts'
import { OverlayImage } from './overlay.ts'
import { RawImage } from './raw.ts'

let folder: string
let images: DiskImage[] = []
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'longmode-disk-'))
})
afterEach(async () => {
  for (const image of images) await image.close()
  images = []
  fs.rmSync(folder, { recursive: true })
})

function make(name: string, data: Uint8Array): string {
  const path = join(folder, name)
  fs.writeFileSync(path, data)
  return path
}

function open(path: string, options: { readOnly?: boolean; snapshot?: boolean } = {}): DiskImage {
  const image = openDisk({ file: path, format: 'raw', readOnly: false, snapshot: false, ...options })
  images.push(image)
  return image
}

const pattern = (length: number, step: number) => Uint8Array.from({ length }, (_, i) => (i >> 9) * 7 + i * step)

async function readBack(image: DiskImage, position: number, length: number): Promise<Uint8Array> {
  const data = new Uint8Array(length)
  expect(await image.read(position, [data])).toBe('ok')
  return data
}

describe('raw image', () => {
  it('reads and writes scattered buffers, also in shared memory', async () => {
    const path = make('a.img', pattern(8192, 1))
    const image = open(path)
    expect(image.sectors).toBe(16)
    const shared = new Uint8Array(new SharedArrayBuffer(4096))
    expect(await image.read(512, [shared.subarray(1024, 1536), shared.subarray(0, 1024)])).toBe('ok')
    expect(shared.slice(1024, 1536)).toEqual(pattern(8192, 1).slice(512, 1024))
    expect(shared.slice(0, 1024)).toEqual(pattern(8192, 1).slice(1024, 2048))
    const data = pattern(1536, 5)
    expect(await image.write(4096, [data.subarray(0, 100), data.subarray(100)])).toBe('ok')
    expect(await image.flush()).toBe('ok')
    expect(new Uint8Array(fs.readFileSync(path)).slice(4096, 4096 + 1536)).toEqual(data)
  })

  it('takes more buffers than one host call does', async () => {
    const image = open(make('a.img', pattern(2048 * 512, 3)))
    const buffers = Array.from({ length: 2048 }, () => new Uint8Array(512))
    expect(await image.read(0, buffers)).toBe('ok')
    expect(Buffer.concat(buffers).equals(pattern(2048 * 512, 3))).toBe(true)
  })

  it('fills up the last sector with zeroes', async () => {
    const image = open(make('odd.img', pattern(700, 1).fill(9)))
    expect(image.sectors).toBe(2)
    const data = await readBack(image, 512, 512)
    expect([...data.subarray(0, 188)].every((byte) => byte === 9)).toBe(true)
    expect([...data.subarray(188)].every((byte) => byte === 0)).toBe(true)
  })

  it('makes holes for discard and zeroes', async () => {
    const path = make('a.img', pattern(1 << 20, 1).fill(1))
    const before = fs.statSync(path).blocks
    const image = open(path)
    expect(await image.writeZeroes(0, 1 << 19)).toBe('ok')
    expect(await image.discard(1 << 19, 1 << 18)).toBe('ok')
    expect((await readBack(image, 0, 1 << 19)).every((byte) => byte === 0)).toBe(true)
    expect((await readBack(image, 3 << 18, 512)).every((byte) => byte === 1)).toBe(true)
    expect(fs.statSync(path).blocks).toBeLessThan(before)
    expect(fs.statSync(path).size).toBe(1 << 20)
  })

  it('is told from qcow2 by its first bytes', () => {
    const path = make('a.img', Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3))
    expect(() => openDisk({ file: path, format: 'auto', readOnly: true, snapshot: false })).toThrow(/qcow2/)
    images.push(openDisk({ file: path, format: 'raw', readOnly: true, snapshot: false }))
    images.push(openDisk({ file: make('b.img', pattern(512, 1)), format: 'auto', readOnly: true, snapshot: false }))
  })

  it('says in one sentence why a file cannot be used', () => {
    expect(() => open(join(folder, 'none.img'))).toThrow(/none\.img does not exist\.$/)
    expect(() => open(folder, { readOnly: true })).toThrow(/neither a file nor a block device/)
  })
})

describe('locking', () => {
  it('lets one writer or several readers in', async () => {
    const path = make('a.img', pattern(1024, 1))
    const writer = open(path)
    expect(() => open(path)).toThrow(/a\.img is in use by another/)
    expect(() => open(path, { readOnly: true })).toThrow(/is in use/)
    expect(() => open(path, { snapshot: true })).toThrow(/is in use/)
    await images.pop()?.close()
    expect(writer.sectors).toBe(2)
    open(path, { readOnly: true })
    open(path, { snapshot: true })
    expect(() => open(path)).toThrow(/is in use/)
  })

  it('is seen by another process', () => {
    const path = make('a.img', pattern(1024, 1))
    const script = `import('${new URL('./open.ts', import.meta.url).href}').then(({ openDisk }) => {
      try { openDisk({ file: process.argv[1], format: 'raw', readOnly: false, snapshot: false }); console.log('opened') }
      catch (error) { console.log(error.message) } })`
    const other = () => execFileSync(process.execPath, ['-e', script, path], { encoding: 'utf8' }).trim()
    expect(other()).toBe('opened')
    open(path)
    expect(other()).toBe(`Disk image ${path} is in use by another virtual machine or program.`)
  })
})

describe.runIf(process.platform === 'linux')("a lock of a program that knows nothing of QEMU's bytes", () => {
  it('is respected', () => {
    const path = make('a.img', pattern(1024, 1))
    const fd = fs.openSync(path, 'r+')
    const fcntl = koffi.load('libc.so.6').func('int fcntl(int fd, int cmd, ...)')
    // F_SETLK with struct flock { l_type: F_WRLCK, l_whence: SEEK_SET, l_start: 0, l_len: 0 (all of it) }
    const flock = Uint8Array.of(1, ...new Array<number>(31).fill(0))
    expect(fcntl(fd, 6, 'void *', flock)).toBe(0)
    expect(() => open(path)).toThrow(/a\.img is in use by another/)
    fs.closeSync(fd)
    open(path)
  })
})

describe('overlay', () => {
  it('never touches the image and remembers what was written', async () => {
    const original = pattern(64 * 512, 1)
    const path = make('a.img', original)
    const image = open(path, { snapshot: true })
    expect(image.readOnly).toBe(false)
    const expected = original.slice()
    const write = async (sector: number, count: number, step: number) => {
      const data = pattern(count * 512, step)
      expect(await image.write(sector * 512, [data])).toBe('ok')
      expected.set(data, sector * 512)
    }
    await write(3, 2, 11)
    await write(9, 1, 13)
    await write(4, 3, 17)
    expect(await image.writeZeroes(20 * 512, 1024)).toBe('ok')
    expected.fill(0, 20 * 512, 22 * 512)
    expect(await readBack(image, 0, 64 * 512)).toEqual(expected)
    const halves = [new Uint8Array(700), new Uint8Array(836)]
    expect(await image.read(2 * 512, halves)).toBe('ok')
    expect(new Uint8Array(Buffer.concat(halves))).toEqual(expected.slice(1024, 1024 + 1536))
    expect(new Uint8Array(fs.readFileSync(path))).toEqual(original)
  })

  it('leaves no file behind', async () => {
    const count = () => fs.readdirSync(tmpdir()).filter((name) => name.startsWith('longmode-overlay-')).length
    const before = count()
    const file = openTemporaryFile(1 << 30)
    expect(count()).toBe(before)
    await file.close()
  })
})

describe('host errors', () => {
  const failing = (code: string): DiskFile => {
    const error = Object.assign(new Error(code), { code })
    const fail = () => Promise.reject(error)
    return {
      size: 4096,
      read: fail,
      write: fail,
      sync: fail,
      punch: () => Promise.resolve(false),
      close: async () => {},
    }
  }

  it('become block statuses', async () => {
    const data = [new Uint8Array(512)]
    expect(await new RawImage(failing('ENOSPC'), false).write(0, data)).toBe('no-space')
    expect(await new RawImage(failing('EIO'), false).read(0, data)).toBe('io-error')
    expect(await new RawImage(failing('EIO'), false).flush()).toBe('io-error')
    expect(await new RawImage(failing('EROFS'), false).write(0, data)).toBe('read-only')
    expect(await new RawImage(failing('EDQUOT'), false).writeZeroes(0, 512)).toBe('no-space')
  })

  it('of either layer of an overlay reach the reader', async () => {
    const path = make('a.img', pattern(4096, 1))
    const good = new RawImage(openDiskFile(path, true), true)
    const image = new OverlayImage(good, failing('EIO'))
    images.push(image)
    expect(await image.write(0, [new Uint8Array(512)])).toBe('io-error')
    expect(await readBack(image, 0, 512)).toEqual(pattern(4096, 1).slice(0, 512))
    const broken = new OverlayImage(new RawImage(failing('EIO'), true), openTemporaryFile(4096))
    images.push(broken)
    expect(await broken.read(0, [new Uint8Array(512)])).toBe('io-error')
  })
})
