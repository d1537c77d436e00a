/**
 * What an image with a boot loader of its own would start: the kernel, initrd and words of its GRUB or systemd-boot menu, so that they can be
 * given to a machine that has no firmware to start the boot loader with.
 */
import { imageInfo, reader } from '../info.ts'
import { DiskError } from '../image.ts'
import { openToLook } from '../open.ts'
import { Ext4Tree } from './ext4.ts'
import { FatTree } from './fat.ts'
import { UnreadableTree, type FileTree } from './file-tree.ts'
import { parseGrub, parseLoaderEntry, type MenuEntry } from './boot-menus.ts'

export interface BootEntry {
  readonly title: string
  readonly source: 'GRUB' | 'systemd-boot' | 'the files themselves'
  /** The partition that the files are on; undefined: the image has no partitions. */
  readonly partition: number | undefined
  readonly kernel: string
  readonly initrds: readonly string[]
  readonly append: string
}

export interface BootFiles {
  readonly kernel: Uint8Array
  /** All of them, one behind the other, as a boot loader gives them to the kernel. */
  readonly initrd: Uint8Array | undefined
}

const MOST_MENU = 4 << 20
const MOST_KERNEL = 512 << 20
const MOST_ENTRIES = 100

interface Volume {
  readonly partition: number | undefined
  readonly tree: FileTree
}

/** Does something with the file systems of an image that can be read, in the order of their partitions. */
async function withVolumes<T>(file: string, act: (volumes: readonly Volume[]) => Promise<T>): Promise<T> {
  const info = await imageInfo(file)
  const image = openToLook(file)
  try {
    const places =
      info.table === 'none' ? [{ number: undefined, start: 0, fileSystem: info.fileSystem }] : info.partitions
    const volumes: Volume[] = []
    for (const { number, start, fileSystem = '' } of places) {
      const opener = /^ext[234]$/.test(fileSystem) ? Ext4Tree : fileSystem === 'vfat' ? FatTree : undefined
      const tree = await opener?.open(reader(image, start)).catch(skipUnreadable)
      if (tree) volumes.push({ partition: number, tree })
    }
    return await act(volumes)
  } finally {
    await image.close()
  }
}
/** One file system that cannot be read does not hide the others. */
function skipUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableTree)) throw error
  return undefined
}

/** The boot loader's entries in its order, the default one first where it says so. Empty when nothing was found. */
export function findBootEntries(file: string): Promise<BootEntry[]> {
  return withVolumes(file, async (volumes) => {
    const found: BootEntry[] = []
    for (const volume of volumes) {
      found.push(...(await loaderEntries(volume, volumes)))
      found.push(...(await grubEntries(volume, volumes)))
    }
    if (found.length > 0) return found.slice(0, MOST_ENTRIES)
    for (const volume of volumes) found.push(...(await plainKernels(volume)))
    return found.slice(0, MOST_ENTRIES)
  })
}

/** The files of an entry that findBootEntries gave. Throws DiskError. */
export function readBootFiles(file: string, entry: BootEntry): Promise<BootFiles> {
  return withVolumes(file, async (volumes) => {
    const volume = volumes.find(({ partition }) => partition === entry.partition)
    const get = async (name: string): Promise<Uint8Array> => {
      const bytes = await volume?.tree.read(name, MOST_KERNEL).catch((error: unknown) => {
        throw error instanceof UnreadableTree ? new DiskError(`${file}: ${error.message}.`) : error
      })
      if (!bytes) throw new DiskError(`${file} has no ${name} any more.`)
      return bytes
    }
    const kernel = await get(entry.kernel)
    const pieces: Uint8Array[] = []
    for (const name of entry.initrds) pieces.push(padded(await get(name)))
    return { kernel, initrd: pieces.length === 0 ? undefined : joined(pieces) }
  })
}
/** The kernel looks for the next archive at a multiple of four. */
function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  whole.set(bytes)
  return whole
}
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** An entry's files are looked for on the menu's own file system first; those whose kernel is nowhere are left out. */
async function place(
  menu: MenuEntry,
  source: BootEntry['source'],
  own: Volume,
  volumes: readonly Volume[],
): Promise<BootEntry | undefined> {
  for (const { partition, tree } of [own, ...volumes.filter((volume) => volume !== own)])
    if (await exists(tree, menu.kernel)) {
      const { title, kernel, initrds, append } = menu
      return { title, source, partition, kernel, initrds, append }
    }
  return undefined
}
async function exists(tree: FileTree, path: string): Promise<boolean> {
  const size = await tree.sizeOf(path).catch(skipUnreadable)
  return size !== undefined && size <= MOST_KERNEL
}
const text = async (tree: FileTree, path: string): Promise<string | undefined> => {
  const bytes = await tree.read(path, MOST_MENU).catch(skipUnreadable)
  return bytes && new TextDecoder().decode(bytes)
}

async function loaderEntries(volume: Volume, volumes: readonly Volume[]): Promise<BootEntry[]> {
  const found: BootEntry[] = []
  for (const folder of ['/loader', '/boot/loader', '/efi/loader']) {
    const files = (await volume.tree.list(`${folder}/entries`).catch(skipUnreadable)) ?? []
    const wanted = /^default\s+(\S+)/m.exec((await text(volume.tree, `${folder}/loader.conf`)) ?? '')?.[1] ?? ''
    // newest first, as the boot loader shows them
    const names = files.map(({ name }) => name).filter((name) => name.endsWith('.conf'))
    const isDefault = (name: string) => wanted !== '' && (name === wanted || name === `${wanted}.conf`)
    for (const name of names.sort((a, b) => Number(isDefault(b)) - Number(isDefault(a)) || (a < b ? 1 : -1))) {
      const menu = parseLoaderEntry((await text(volume.tree, `${folder}/entries/${name}`)) ?? '')
      const entry = menu && (await place(menu, 'systemd-boot', volume, volumes))
      if (entry) found.push(entry)
    }
  }
  return found
}

async function grubEntries(volume: Volume, volumes: readonly Volume[]): Promise<BootEntry[]> {
  const found: BootEntry[] = []
  for (const name of ['/boot/grub/grub.cfg', '/grub/grub.cfg', '/boot/grub2/grub.cfg', '/grub2/grub.cfg']) {
    for (const menu of parseGrub((await text(volume.tree, name)) ?? '')) {
      const entry = await place(menu, 'GRUB', volume, volumes)
      if (entry) found.push(entry)
    }
    if (found.length > 0) break
  }
  return found
}

/** Kernels without a menu: /boot/vmlinuz-VERSION with the initrd of the same version, the newest first. */
async function plainKernels({ partition, tree }: Volume): Promise<BootEntry[]> {
  const found: BootEntry[] = []
  for (const folder of ['/boot', '']) {
    const names = ((await tree.list(folder === '' ? '/' : folder).catch(skipUnreadable)) ?? []).map(({ name }) => name)
    const kernels = names.filter((name) => /^(vmlinuz|bzImage)-/.test(name))
    for (const name of kernels.sort((a, b) => b.localeCompare(a, undefined, { numeric: true }))) {
      const version = name.slice(name.indexOf('-') + 1)
      const initrd = [`initrd.img-${version}`, `initramfs-${version}.img`].find((one) => names.includes(one))
      const initrds = initrd === undefined ? [] : [`${folder}/${initrd}`]
      const root = partition === undefined ? '/dev/sda' : `/dev/sda${partition}`
      found.push({
        title: version,
        source: 'the files themselves',
        partition,
        kernel: `${folder}/${name}`,
        initrds,
        append: `root=${root} ro`,
      })
    }
  }
  return found
}
