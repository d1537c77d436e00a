/** `longmode disk …`: disk images as files. */
import { statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { convertImage } from '../../host/disk/convert.ts'
import type { CopyOptions } from '../../host/disk/copy.ts'
import { createImage } from '../../host/disk/create.ts'
import { findBootEntries, readBootFiles, type BootEntry } from '../../host/disk/files/boot-entries.ts'
import { DiskError } from '../../host/disk/image.ts'
import { imageInfo, type DiskInfo, type PartitionInfo } from '../../host/disk/info.ts'
import { openDisk, probeFormat } from '../../host/disk/open.ts'
import { commitOverlay, discardOverlay, protectImage } from '../../host/disk/protect.ts'
import { checkQcow2 } from '../../host/disk/qcow2/check.ts'
import type { Answer, Command, Context } from '../kernel/command.ts'
import { runGroup } from '../kernel/main.ts'
import { has, numberOf, sizeOf, valueOf, type Words } from '../kernel/words.ts'
import { createDebian, debianOptions } from './debian.ts'

const good = (text: readonly string[], json: unknown = {}): Answer => ({ json, text, exitCode: 0 })

/** The words that a command takes, as many as it has names for them. */
function operands({ rest }: Words, ...names: readonly string[]): string[] {
  if (rest.length < names.length) throw new DiskError(`${names[rest.length] ?? 'a file'} is missing; --help says more`)
  if (rest.length > names.length)
    throw new DiskError(`"${rest[names.length] ?? ''}" is one word too many; --help says more`)
  return [...rest]
}

function formatOf(words: Words, file: string): 'raw' | 'qcow2' {
  const format = valueOf(words, 'format') ?? (file.endsWith('.qcow2') ? 'qcow2' : 'raw')
  if (format !== 'raw' && format !== 'qcow2') throw new DiskError(`--format ${format}: it is raw or qcow2`)
  return format
}
const format = { name: 'format', value: 'raw|qcow2', help: "the new image's format; by its name when left out" }

/** Percent on a terminal, and Ctrl-C. */
function copying(context: Context): CopyOptions {
  let shown = -1
  return {
    signal: context.signal,
    progress: (done, total) => {
      const tenth = Math.floor((done / total) * 10)
      if (!context.json && tenth > shown && total > 1 << 28) context.say(`${tenth * 10} %`)
      shown = Math.max(shown, tenth)
    },
  }
}

function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

const contents = ({ fileSystem, label }: Pick<DiskInfo, 'fileSystem' | 'label'>): string =>
  fileSystem === undefined
    ? 'no file system that is known'
    : fileSystem + (label === undefined ? '' : `, label ${label}`)

function partitionLine(partition: PartitionInfo): string {
  const { number, start, length, type } = partition
  return `  ${String(number).padEnd(3)} ${bytesText(length).padStart(10)} at ${bytesText(start).padStart(10)}  ${type}: ${contents(partition)}`
}

function infoLines(info: DiskInfo): string[] {
  const { format, size, allocated, table, partitions, backingFile, overlay, inUse, writable } = info
  return [
    info.path,
    `format      ${format}${inUse ? ', in use' : ''}${writable ? '' : ', read-only'}`,
    `size        ${bytesText(size)}, of which ${bytesText(allocated)} on the host's disk`,
    ...(backingFile === undefined ? [] : [`lies on     ${backingFile}`]),
    ...(overlay === undefined ? [] : [`protected   by ${overlay}`]),
    ...(table === 'none' ? [`contents    ${contents(info)}`] : [`partitions  ${table.toUpperCase()}`]),
    ...partitions.map(partitionLine),
  ]
}

function entryLines({ title, source, partition, kernel, initrds, append }: BootEntry, n: number): string[] {
  const place = partition === undefined ? '' : `, partition ${partition}`
  return [`${n + 1}  ${title} (${source}${place})`, `   ${[kernel, ...initrds].join(' ')}`, `   ${append}`]
}

/** The entry's files beside each other, and the flags that start a machine with them. Never overwrites a file. */
async function takeEntry(file: string, folder: string, entry: BootEntry | undefined): Promise<Answer> {
  if (!entry) throw new DiskError('there is no entry of that number')
  const { kernel, initrd } = await readBootFiles(file, entry)
  const flags = ['-kernel', path.join(folder, 'kernel')]
  writeNew(path.join(folder, 'kernel'), kernel)
  if (initrd) {
    writeNew(path.join(folder, 'initrd'), initrd)
    flags.push('-initrd', path.join(folder, 'initrd'))
  }
  return good([`${flags.join(' ')} -append "${entry.append}"`], { flags, append: entry.append })
}
function writeNew(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes, { flag: 'wx' })
  } catch (error) {
    throw new DiskError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

const commands: readonly Command[] = [
  {
    name: 'info',
    operands: 'FILE',
    summary: 'format, size, partitions, file systems, and what it lies on',
    options: [],
    run: async ({ words }) => {
      const info = await imageInfo(operands(words, 'the image')[0] ?? '')
      return good(infoLines(info), info)
    },
  },
  {
    name: 'create',
    operands: 'FILE SIZE',
    summary: 'makes an empty, sparse image, or one with Debian (--debian); SIZE is written like 2G',
    options: [
      format,
      { name: 'backing', value: 'FILE', help: 'qcow2: the image that the new one lies on; SIZE may be left out' },
      ...debianOptions,
    ],
    run: async (context) => {
      const { words } = context
      if (has(words, 'debian')) return await createDebian(context)
      const backing = valueOf(words, 'backing')
      const [file = '', size] =
        words.rest.length === 1 && backing !== undefined ? words.rest : operands(words, 'FILE', 'SIZE')
      const bytes = size === undefined ? (await imageInfo(backing ?? '')).size : sizeOf(size)
      const made = backing === undefined ? formatOf(words, file) : 'qcow2'
      createImage({ file, format: made, size: bytes, ...(backing !== undefined && { backing: { file: backing } }) })
      return good([`${file}: ${bytesText(bytes)}, ${made}`], await imageInfo(file))
    },
  },
  {
    name: 'convert',
    operands: 'FROM TO',
    summary: 'copies an image into another format, or without what it lies on',
    options: [format],
    run: async (context) => {
      const [from = '', to = ''] = operands(context.words, 'FROM', 'TO')
      await convertImage(from, to, formatOf(context.words, to), copying(context))
      const allocated = statSync(to).blocks * 512
      return good([`${to}: ${bytesText(allocated)} on the host's disk`], await imageInfo(to))
    },
  },
  {
    name: 'protect',
    operands: 'FILE',
    summary: 'makes an overlay that takes all writes; use its path instead of the image',
    options: [],
    run: async ({ words }) => {
      const overlay = await protectImage(operands(words, 'the image')[0] ?? '')
      return good([overlay], { overlay })
    },
  },
  {
    name: 'commit',
    operands: 'OVERLAY',
    summary: 'writes what an overlay holds into the image below and empties it',
    options: [],
    run: async (context) => {
      await commitOverlay(operands(context.words, 'the overlay')[0] ?? '', copying(context))
      return good([])
    },
  },
  {
    name: 'discard',
    operands: 'OVERLAY',
    summary: 'forgets what an overlay holds',
    options: [],
    run: async ({ words }) => {
      await discardOverlay(operands(words, 'the overlay')[0] ?? '')
      return good([])
    },
  },
  {
    name: 'boot-entries',
    operands: 'FILE [FOLDER]',
    summary: "what the image's own boot loader would start; with FOLDER the first entry's files are put there",
    options: [{ name: 'entry', value: 'N', help: 'another entry than the first; they are numbered from 1' }],
    run: async ({ words }) => {
      const [file = '', folder] = words.rest.length === 2 ? words.rest : operands(words, 'the image')
      const entries = await findBootEntries(file)
      const none = ['no kernel was found: there is no GRUB or systemd-boot menu on an ext4 or FAT file system']
      if (entries.length === 0) return { json: entries, text: none, exitCode: 1 }
      if (folder === undefined) return good(entries.flatMap(entryLines), entries)
      return await takeEntry(file, folder, entries[(numberOf(words, 'entry') ?? 1) - 1])
    },
  },
  {
    name: 'check',
    operands: 'FILE',
    summary: 'looks for faults in a qcow2 image, and changes nothing',
    options: [],
    run: async ({ words }) => {
      const [file = ''] = operands(words, 'the image')
      if (probeFormat(file) === 'raw') {
        await openDisk({ file, format: 'raw', readOnly: true, snapshot: false }).close()
        return good(['a raw image has nothing that could be wrong'], { errors: [], leaks: 0 })
      }
      const found = await checkQcow2(file)
      const { errors, leaks } = found
      const lost = leaks === 0 ? [] : [`${leaks} clusters are lost space; that does no harm`]
      return {
        json: found,
        text: [...errors, ...lost, ...(errors.length === 0 ? ['no errors'] : [])],
        exitCode: errors.length === 0 ? 0 : 1,
      }
    },
  },
]

export const runDiskCommand = (words: readonly string[]): Promise<number> => runGroup('disk', commands, words)
