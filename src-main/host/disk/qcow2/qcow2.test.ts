/** qcow2 against QEMU's own tools: what we read, what they read after us, and what their check says. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createImage } from '../create.ts'
import type { DiskImage } from '../image.ts'
import { openDisk } from '../open.ts'

let folder = ''
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'longmode-qcow2-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const qemuImg = (...words: string[]): string => execFileSync('qemu-img', words, { encoding: 'utf8', stdio: 'pipe' })
/** Throws what qemu-img says unless the image is without errors and leaks. */
function checkByQemu(file: string): void {
  expect(qemuImg('check', '-f', 'qcow2', file)).toContain('No errors were found')
}
function contentsByQemu(file: string): Buffer {
  const raw = `${file}.raw`
  qemuImg('convert', '-f', 'qcow2', '-O', 'raw', file, raw)
  const bytes = fs.readFileSync(raw)
  fs.rmSync(raw)
  return bytes
}

/** mulberry32 */
function random(seed: number): (limit: number) => number {
  let a = seed
  return (limit) => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % limit
  }
}
function noise(next: (limit: number) => number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const words = new Uint32Array(bytes.buffer, 0, length >> 2)
  for (let n = 0; n < words.length; n++) words[n] = next(2 ** 32)
  return bytes
}

const open = (file: string, readOnly = false, snapshot = false): DiskImage =>
  openDisk({ file, format: 'qcow2', readOnly, snapshot })

async function readAll(image: DiskImage): Promise<Buffer> {
  const bytes = Buffer.alloc(image.sectors * 512)
  expect(await image.read(0, [bytes])).toBe('ok')
  return bytes
}

/** Random writes, zeroes, reads and flushes, some at the same time, on an image and on a plain copy of it. */
async function play(image: DiskImage, model: Buffer, seed: number, steps: number): Promise<void> {
  const next = random(seed)
  const sectors = image.sectors
  for (let step = 0; step < steps; step++) {
    const at = next(sectors) * 512
    const length = Math.min((next(8) === 0 ? 1 + next(400) : 1 + next(24)) * 512, sectors * 512 - at)
    const what = next(10)
    if (what < 6) {
      const data = noise(next, length)
      const cut = next(length / 512) * 512
      expect(await image.write(at, [data.subarray(0, cut), data.subarray(cut)])).toBe('ok')
      model.set(data, at)
    } else if (what === 6) {
      expect(await image.writeZeroes(at, length)).toBe('ok')
      model.fill(0, at, at + length)
    } else if (what === 7 && step % 3 === 0) expect(await image.flush()).toBe('ok')
    else {
      const data = Buffer.alloc(length)
      expect(await image.read(at, [data])).toBe('ok')
      expect(data.equals(model.subarray(at, at + length)), `read of ${length} at ${at}, step ${step}`).toBe(true)
    }
  }
}

const MIB = 1 << 20
const BASE_BYTES = 3 * MIB
let base: Buffer
let baseFile = ''
beforeAll(() => {
  base = Buffer.from(noise(random(1), BASE_BYTES))
  base.fill(0, MIB, MIB + 300_000)
  base.fill(7, 2 * MIB)
  baseFile = join(folder, 'base.img')
  fs.writeFileSync(baseFile, base)
})

let count = 0
const fresh = (): string => join(folder, `image${count++}.qcow2`)

describe('images that QEMU made', () => {
  it.each([
    ['version 2', ['-o', 'compat=0.10'], false],
    ['version 3', ['-o', 'compat=1.1'], false],
    ['compressed by zlib', ['-c'], false],
    ['compressed by zstd', ['-c', '-o', 'compression_type=zstd'], false],
    ['small clusters', ['-o', 'cluster_size=512'], false],
    ['small clusters, compressed', ['-c', '-o', 'cluster_size=4k'], false],
    ['large clusters', ['-o', 'cluster_size=2M'], false],
    ['refcounts of 1 bit', ['-o', 'refcount_bits=1'], false],
    ['refcounts of 8 bits', ['-o', 'refcount_bits=8'], false],
    ['refcounts of 64 bits', ['-o', 'refcount_bits=64,cluster_size=1k'], false],
    ['metadata preallocated', ['-o', 'preallocation=metadata'], false],
    ['a snapshot within', [], true],
    ['a snapshot within, compressed', ['-c'], true],
  ])('are read, written and stay without errors: %s', async (name, options, snapshot) => {
    const file = fresh()
    qemuImg('convert', '-f', 'raw', '-O', 'qcow2', ...options, baseFile, file)
    if (snapshot) qemuImg('snapshot', '-c', 'before', file)
    const model = Buffer.from(base)
    const image = open(file)
    expect((await readAll(image)).equals(model)).toBe(true)
    await play(image, model, name.length, 150)
    await image.close()
    checkByQemu(file)
    expect(contentsByQemu(file).equals(model)).toBe(true)
    if (!snapshot) return
    qemuImg('snapshot', '-a', 'before', file)
    expect(contentsByQemu(file).equals(base)).toBe(true)
  })

  it.each([
    ['raw', '1.1'],
    ['qcow2', '1.1'],
    ['raw', '0.10'],
  ])('lie on top of others: %s, compat %s', async (format, compat) => {
    const below = format === 'raw' ? baseFile : fresh()
    if (format === 'qcow2') qemuImg('convert', '-f', 'raw', '-O', 'qcow2', '-c', baseFile, below)
    const file = fresh()
    // larger than what it lies on
    qemuImg('create', '-q', '-f', 'qcow2', '-o', `compat=${compat}`, '-b', below, '-F', format, file, '4M')
    const model = Buffer.concat([base, Buffer.alloc(MIB)])
    const image = open(file)
    expect((await readAll(image)).equals(model)).toBe(true)
    await play(image, model, 5, 120)
    await image.close()
    checkByQemu(file)
    expect(contentsByQemu(file).equals(model)).toBe(true)
    expect(fs.readFileSync(baseFile).equals(base)).toBe(true)
  })
})

describe('images that we make', () => {
  it.each([512, 4096, 65536])('are good for QEMU, with clusters of %d bytes', async (clusterBytes) => {
    const file = fresh()
    createImage({ file, format: 'qcow2', size: 5 * MIB + 512, clusterBytes })
    checkByQemu(file)
    const model = Buffer.alloc(5 * MIB + 512)
    const image = open(file)
    await play(image, model, clusterBytes, 150)
    expect((await readAll(image)).equals(model)).toBe(true)
    await image.close()
    checkByQemu(file)
    expect(contentsByQemu(file).equals(model)).toBe(true)
  })

  it('grow their refcount table when it is full', async () => {
    const file = fresh()
    createImage({ file, format: 'qcow2', size: 24 * MIB, clusterBytes: 512 })
    const image = open(file)
    const data = noise(random(3), MIB)
    for (let at = 0; at < 24 * MIB; at += MIB) expect(await image.write(at, [data])).toBe('ok')
    await image.close()
    checkByQemu(file)
    const contents = contentsByQemu(file)
    for (let at = 0; at < 24 * MIB; at += MIB) expect(contents.subarray(at, at + MIB).equals(data)).toBe(true)
  })

  it('give space back that is discarded', async () => {
    const file = fresh()
    createImage({ file, format: 'qcow2', size: 8 * MIB })
    const image = open(file)
    for (let round = 0; round < 5; round++) {
      expect(await image.write(0, [noise(random(round), 4 * MIB)])).toBe('ok')
      expect(await image.discard(0, 4 * MIB)).toBe('ok')
      expect(await image.flush()).toBe('ok')
    }
    await image.close()
    checkByQemu(file)
    expect(fs.statSync(file).size).toBeLessThan(6 * MIB)
  })

  it('are never made over a file that exists', () => {
    expect(() => createImage({ file: baseFile, format: 'qcow2', size: MIB })).toThrow('exists already')
    expect(fs.readFileSync(baseFile).equals(base)).toBe(true)
  })
})

it('at every moment a killed program leaves an image without errors', async () => {
  const file = fresh()
  qemuImg('convert', '-f', 'raw', '-O', 'qcow2', '-c', baseFile, file)
  const model = Buffer.from(base)
  const image = open(file)
  for (let round = 0; round < 12; round++) {
    await play(image, model, 100 + round, 20)
    const copy = fresh()
    fs.copyFileSync(file, copy)
    // leaked clusters (exit code 3) are no errors
    try {
      qemuImg('check', '-f', 'qcow2', copy)
    } catch (error) {
      expect((error as { status: number }).status).toBe(3)
    }
    fs.rmSync(copy)
  }
  await image.close()
  checkByQemu(file)
})

it('with snapshot=on the file stays as it is', async () => {
  const file = fresh()
  qemuImg('convert', '-f', 'raw', '-O', 'qcow2', baseFile, file)
  const before = fs.readFileSync(file)
  const model = Buffer.from(base)
  const image = open(file, false, true)
  await play(image, model, 9, 60)
  expect((await readAll(image)).equals(model)).toBe(true)
  await image.close()
  expect(fs.readFileSync(file).equals(before)).toBe(true)
})

describe('what cannot be used is said in one sentence', () => {
  it.each([
    ['encryption', (view: DataView) => view.setUint32(32, 1)],
    ['version 4', (view: DataView) => view.setUint32(4, 4)],
    ['an external data file', (view: DataView) => view.setUint32(76, 4)],
    ['extended L2', (view: DataView) => view.setUint32(76, 16)],
    ['marked as damaged', (view: DataView) => view.setUint32(76, 2)],
    ['not closed properly', (view: DataView) => view.setUint32(76, 1)],
    ['clusters of 2^40', (view: DataView) => view.setUint32(20, 40)],
    ['L1 table is too small', (view: DataView) => view.setUint32(36, 0)],
    ['between clusters', (view: DataView) => view.setUint32(44, 100)],
    ['dirty bitmaps', (view: DataView) => view.setUint32(92, 1)],
  ] as const)('%s', (words, damage) => {
    const file = fresh()
    createImage({ file, format: 'qcow2', size: MIB })
    const bytes = fs.readFileSync(file)
    damage(new DataView(bytes.buffer, bytes.byteOffset))
    fs.writeFileSync(file, bytes)
    // again at once: the first attempt left no lock
    for (let attempt = 0; attempt < 2; attempt++) expect(() => open(file)).toThrow(words)
    expect(() => open(file)).toThrow(/^Disk image .*\.$/)
  })

  it('a backing file that is missing, a network, or itself', () => {
    const file = fresh()
    createImage({ file, format: 'qcow2', size: MIB, backing: { file: join(folder, 'gone.img'), format: 'raw' } })
    expect(() => open(file, true)).toThrow(/gone\.img does not exist/)
    const network = fresh()
    qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', 'nbd://host/x', '-F', 'raw', network, '1M')
    expect(() => open(network, true)).toThrow('is not a file')
    const loop = fresh()
    createImage({ file: loop, format: 'qcow2', size: MIB, backing: { file: loop, format: 'qcow2' } })
    expect(() => open(loop, true)).toThrow('more than 32')
  })
})
