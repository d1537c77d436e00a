/** "Protect my image": a qcow2 overlay beside it takes all writes, until they are written back or forgotten. */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { checkSignal, mustBeOk, PIECE, type CopyOptions } from './copy.ts'
import { createImage } from './create.ts'
import { DiskError, SECTOR, type DiskImage } from './image.ts'
import { openDisk, probeFormat } from './open.ts'
import { parseHeader, type Qcow2Header } from './qcow2/header.ts'
import type { Qcow2Image } from './qcow2/image.ts'
import { backingPath, openAlone, readHead } from './qcow2/open.ts'

const overlayName = (file: string): string => `${file}.overlay.qcow2`

/** The overlay of an image, when it has one. */
export function overlayOf(file: string): string | undefined {
  const overlay = overlayName(file)
  if (!existsSync(overlay) || probeFormat(overlay) !== 'qcow2') return undefined
  const below = parseHeader(readHead(overlay), overlay).backingFile
  if (below === undefined || !existsSync(backingPath(overlay, below))) return undefined
  return isSame(backingPath(overlay, below), file) ? overlay : undefined
}
function isSame(a: string, b: string): boolean {
  const [one, other] = [statSync(a), statSync(b)]
  return one.ino === other.ino && one.dev === other.dev
}

/** Makes the overlay, or gives the one that is there. Its path is to be used instead of the image's. Throws DiskError. */
export async function protectImage(file: string): Promise<string> {
  // a look at it first, so that what is wrong is said of the image and not of its overlay
  const image = openDisk({ file, format: 'auto', readOnly: true, snapshot: false })
  const size = image.sectors * SECTOR
  await image.close()
  const known = overlayOf(file)
  if (known !== undefined) return known
  createImage({ file: overlayName(file), format: 'qcow2', size, backing: { file } })
  return overlayName(file)
}

function overlayHeader(file: string): Qcow2Header & { backingFile: string } {
  if (probeFormat(file) !== 'qcow2') throw new DiskError(`${file} is no overlay.`)
  const header = parseHeader(readHead(file), file)
  const { backingFile } = header
  if (backingFile === undefined) throw new DiskError(`${file} is no overlay: it does not lie on another image.`)
  return { ...header, backingFile }
}

/** Writes what an overlay holds into the image below; the overlay is empty afterwards. Throws DiskError. */
export async function commitOverlay(file: string, options: CopyOptions = {}): Promise<void> {
  const header = overlayHeader(file)
  const below = backingPath(file, header.backingFile)
  // it lies on the image that will be written: only what it holds itself is read, so nobody minds
  const overlay = openAlone(file)
  let locked: DiskImage | undefined
  try {
    const target = (locked = openDisk({
      file: below,
      format: formatOf(header, below),
      readOnly: false,
      snapshot: false,
    }))
    if (target.sectors < overlay.sectors)
      throw new DiskError(`${below} is smaller than its overlay, and Longmode does not make it larger.`)
    await writeBack(overlay, target, options)
    mustBeOk(await target.flush(), `writing ${below} failed`)
  } finally {
    await overlay.close()
    await locked?.close()
  }
  await discardOverlay(file)
}
const formatOf = ({ backingFormat }: Qcow2Header, below: string): 'raw' | 'qcow2' =>
  backingFormat === 'raw' || backingFormat === 'qcow2' ? backingFormat : probeFormat(below)

async function writeBack(overlay: Qcow2Image, target: DiskImage, options: CopyOptions): Promise<void> {
  const total = overlay.sectors * SECTOR
  for (let at = 0; at < total; at += PIECE) {
    checkSignal(options.signal)
    const length = Math.min(PIECE, total - at)
    for (const run of await overlay.describe(at, length)) {
      if (run.holds === 'nothing') continue
      if (run.holds === 'zeroes')
        mustBeOk(await target.writeZeroes(run.position, run.length), 'writing the image below failed')
      else {
        const data = new Uint8Array(run.length)
        mustBeOk(await overlay.read(run.position, [data]), 'reading the overlay failed')
        mustBeOk(await target.write(run.position, [data]), 'writing the image below failed')
      }
    }
    options.progress?.(at + length, total)
  }
}

/** Forgets what an overlay holds: an empty one takes its place. Throws DiskError, also while a machine uses it. */
export async function discardOverlay(file: string): Promise<void> {
  const header = overlayHeader(file)
  const below = backingPath(file, header.backingFile)
  const held = openAlone(file, false)
  const fresh = `${file}.new`
  try {
    rmSync(fresh, { force: true })
    createImage({
      file: fresh,
      format: 'qcow2',
      size: header.size,
      clusterBytes: 2 ** header.clusterBits,
      backing: { file: below, format: formatOf(header, below) },
    })
    renameSync(fresh, file)
  } finally {
    await held.close()
  }
}
