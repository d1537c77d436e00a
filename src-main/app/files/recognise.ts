/** What a file or folder of the host is, and what machine several of them make. */
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { recognise, RECOGNISE_BYTES, type Recognised } from '../../boot/recognise.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { DropPlan, DropRole, RecognisedFile } from '../../contract/services/files.ts'
import { defaultMachine, MIB, type DiskConfig, type MachineConfig } from '../../machine/config.ts'

/** Beside what the content says, how else it may be used. */
const otherRoles: Readonly<Record<string, readonly DropRole[]>> = {
  kernel: ['kernel'],
  initrd: ['initrd'],
  disk: ['disk', 'read-only-disk', 'cdrom'],
  cdrom: ['cdrom', 'disk', 'read-only-disk'],
  share: ['share'],
  'kernel-tree': ['kernel-tree', 'share'],
  none: ['none'],
}

export async function recogniseFile(file: string): Promise<RecognisedFile> {
  const name = path.basename(file)
  try {
    const stats = await stat(file)
    if (stats.isDirectory()) return { path: file, name, size: 0, ...(await recogniseFolder(file)) }
    if (!stats.isFile())
      return { path: file, name, size: 0, ...none('special', 'a device, pipe or socket, not a file') }
    const found = recognise(await headOf(file), stats.size)
    // Any file of whole sectors can be a raw disk whose content nobody knows.
    const maybeDisk = found.role === 'none' && stats.size > 0 && stats.size % 512 === 0 && found.foreign !== true
    const roles = otherRoles[found.role]
    return {
      path: file,
      name,
      size: stats.size,
      ...describe(found),
      roles: maybeDisk ? ['none', 'disk', 'read-only-disk'] : roles,
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why =
      code === 'ENOENT' ? 'a file that does not exist' : `a file that cannot be read (${code ?? String(error)})`
    return { path: file, name, size: 0, ...none('unreadable', why) }
  }
}

const none = (kind: string, description: string) => ({ kind, role: 'none', roles: ['none'], description }) as const

function describe({ kind, role, description }: Recognised) {
  return { kind, role, description }
}

async function headOf(file: string): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const head = new Uint8Array(RECOGNISE_BYTES)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    return head.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** A kernel tree is known by its top Makefile and Kconfig. */
async function recogniseFolder(folder: string) {
  const makefile = await readFile(path.join(folder, 'Makefile'), 'utf8').catch(() => '')
  const kconfig = await stat(path.join(folder, 'Kconfig')).catch(() => undefined)
  const version = ['VERSION', 'PATCHLEVEL'].map((word) => new RegExp(`^${word} *= *(\\d+)`, 'm').exec(makefile)?.[1])
  if (kconfig !== undefined && version.every((part) => part !== undefined)) {
    const description = `the source tree of Linux ${version.join('.')}`
    return { kind: 'linux-tree', role: 'kernel-tree', roles: otherRoles['kernel-tree'], description } as const
  }
  return {
    kind: 'folder',
    role: 'share',
    roles: otherRoles.share,
    description: 'a folder, to be shared with the guest',
  } as const
}

/** A machine from what was dropped. `roles` says what the user chose instead of what was recognised. */
export async function planMachine(
  wanted: readonly { readonly path: string; readonly role?: DropRole }[],
): Promise<DropPlan> {
  const files = await Promise.all(
    wanted.map(async ({ path: file, role }) => {
      const found = await recogniseFile(file)
      if (role === undefined || role === found.role) return found
      if (!found.roles.includes(role))
        throw TroubleError.user(`${found.name} is ${found.description}; it cannot be used as ${role}`)
      return { ...found, role }
    }),
  )
  const notes: string[] = []
  const of = (role: DropRole) => files.filter((file) => file.role === role)
  const one = (role: DropRole) => {
    const [first, ...more] = of(role)
    for (const file of more) notes.push(`${file.name} is not used: ${first.name} is the ${role} already`)
    return first
  }
  const kernel = one('kernel')
  const initrd = one('initrd')
  const disks = disksOf(files, notes)
  const disk = files.find(({ role }) => isDiskRole(role))
  for (const file of of('none')) notes.push(`${file.name} is ${file.description}; Longmode cannot use it`)
  if (kernel === undefined && initrd === undefined && disks.length === 0 && of('share').length === 0)
    return { files, notes }
  const shares = of('share').map(({ path: folder, name }, index) => ({
    path: folder,
    mountTag: index === 0 ? 'shared_folder' : tagOf(name, index),
    securityModel: 'none' as const,
    readOnly: false,
  }))
  const machine: MachineConfig = {
    ...defaultMachine,
    name: (disk ?? kernel ?? of('share')[0] ?? initrd ?? of('cdrom')[0]).name.replace(/\.(img|raw|qcow2|iso)$/, ''),
    ...(kernel === undefined ? {} : { kernel: kernel.path }),
    ...(initrd === undefined ? {} : { initrd: initrd.path }),
    append: appendFor(kernel, initrd, disk),
    memory: (disks.length > 0 ? 2048 : 512) * MIB,
    consoles: 1,
    entropy: true,
    disks,
    shares,
  }
  return { files, machine, notes }
}

const isDiskRole = (role: DropRole) => role === 'disk' || role === 'read-only-disk'

/** IDE has four places; a CD-ROM goes to the secondary master, as QEMU's own does. */
function disksOf(files: readonly RecognisedFile[], notes: string[]): DiskConfig[] {
  const taken = new Set<number>()
  const free = (places: readonly number[]) => places.find((place) => !taken.has(place))
  const attached: DiskConfig[] = []
  for (const file of files.filter(({ role }) => role === 'cdrom' || isDiskRole(role))) {
    const isDisk = isDiskRole(file.role)
    const index = free(isDisk ? [0, 1, 2, 3] : [2, 3, 0, 1])
    if (index === undefined) {
      notes.push(`${file.name} is not used: there are four places for disks`)
      continue
    }
    taken.add(index)
    attached.push({
      file: file.path,
      format: file.kind === 'qcow2' ? 'qcow2' : 'raw',
      media: isDisk ? 'disk' : 'cdrom',
      bus: 'ide',
      index,
      readOnly: file.role !== 'disk',
      snapshot: false,
    })
  }
  return attached
}

/** What the kernel is told: the console, and where its root is when nothing else can know. */
function appendFor(
  kernel: RecognisedFile | undefined,
  initrd: RecognisedFile | undefined,
  disk: RecognisedFile | undefined,
): string {
  const root = disk === undefined ? undefined : ['mbr', 'gpt'].includes(disk.kind) ? '/dev/sda1' : '/dev/sda'
  const words = [
    ...(kernel === undefined ? [] : ['console=ttyS0']),
    // With an initramfs of the user's own, that decides.
    ...(root === undefined ||
    initrd !== undefined ||
    !['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'mbr', 'gpt', 'qcow2'].includes(disk!.kind)
      ? []
      : [`root=${root}`, disk!.role === 'disk' ? 'rw' : 'ro']),
  ]
  return words.join(' ')
}

function tagOf(name: string, index: number): string {
  const word = name.replaceAll(/[^\w.-]+/g, '_').slice(0, 24)
  return `${word}_${index}`
}
